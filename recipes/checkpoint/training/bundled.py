"""The bundled checkpoint: its network, its styles, its data, its split."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from jambatalk.errors import DataError
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.checkpoint import ENCODER_FILE, WEIGHTS_FILE, fetch_checkpoint, load_weights
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.resample import resample
from jambatalk.train.training_config import TrainingConfig
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.grid_corpus import read_grid
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.coarticulation import designed_styles as designed
from recipes.checkpoint.coarticulation.synthesis import articulate
from recipes.checkpoint.coarticulation.visemes import CHANNELS
from recipes.checkpoint.corpus.recording import Recording, read_corpus
from recipes.checkpoint.style_transfer import SpeakerStyle
from recipes.checkpoint.training.examples import StyledClip
from recipes.checkpoint.training.styled_task import StyledTask
from recipes.checkpoint.whisper_wheels import TINY_EN

log = logging.getLogger(__name__)

CAPTURED = {
    "english-man": "Captured: An English man reading commands, from video (GRID, speaker 1).",
    "mandarin-woman": "Captured: A woman speaking Mandarin, animated by artists (FACEGOOD).",
}
STYLES = {
    **{name: f"Designed: {style.note}" for name, style in designed.STYLES.items()},
    **CAPTURED,
}
KINDS = {"english-man": "grid", "mandarin-woman": "facegood"}
# What the teacher makes of other voices for a captured person. The loudness of her voice explains
# her lips better than the phones that are recognised in it.
BEHIND = {
    "english-man": designed.NEUTRAL,
    "mandarin-woman": replace(designed.NEUTRAL, loudness=0.7),
}
FPS = JambaTalkConfig.fps
LAYERS = (1, 2, 3)  # of Whisper's four: lips are as well known without the last, and sooner
WINDOW = (48, 16, 16)  # features heard before, in and after a step: 0.96, 0.32 and 0.32 s
TAUGHT_HELD_OUT = 60  # recordings of the corpus, at most
MANNER_RECORDINGS = 300  # to learn the teacher's manner from


def bundled_task(config: TrainingConfig) -> StyledTask:
    """The training of the bundled checkpoint, from a data folder with `grid_s1/` and `facegood/`
    and from what `python -m recipes.checkpoint.corpus` made of it.

    Raises:
        DataError: the data or the corpus is missing.
        ModelError: the encoder's weights are missing; see :mod:`recipes.checkpoint.training.distil`.
    """
    if config.data.corpus is None:
        raise DataError(
            "The bundled checkpoint learns from a corpus too.",
            "Run 'python -m recipes.checkpoint.corpus' and set data.corpus to its folder.",
        )
    face = load_head(1)
    styles = {name: note for name, note in STYLES.items() if name != config.data.without}
    if config.data.without not in (None, *CAPTURED):
        raise DataError(
            f"'{config.data.without}' is no captured style.", f"Choose of {', '.join(CAPTURED)}."
        )
    torch.manual_seed(config.seed)
    layout, start = default_config(face, styles), config.network.start
    model = JambaTalk(config.network.changed(layout))
    load_weights(model.encoder.model, DEFAULT_CHECKPOINT / ENCODER_FILE)
    if start:
        load_weights(model.decoder, fetch_checkpoint(start) / WEIGHTS_FILE)
    model.use_scan(config.network.scan)
    log.info("fitting the head to the tracked lips")
    captured, held_out = (
        [clip for clip in clips if clip.style in styles]
        for clips in split(config.data.folder, face)
    )
    log.info("reading the corpus")
    spoken = {f"{r.source}/{r.name}": r for r in read_corpus(config.data.corpus, "captured")}
    taught = list(read_corpus(config.data.corpus, "train"))
    unseen = list(read_corpus(config.data.corpus, "held_out"))
    manners = {
        style: SpeakerStyle.from_motions(
            face, [clip.weights for clip in captured if clip.style == style]
        )
        for style in CAPTURED
        if style in styles
    }
    some = taught[:: len(taught) // MANNER_RECORDINGS + 1]
    behind = {"neutral": designed.NEUTRAL} | {style: BEHIND[style] for style in manners}
    motions = _motions(some, list(behind.values()), face)
    teachers = {
        style: SpeakerStyle.from_motions(face, rows)
        for style, rows in zip(behind, motions, strict=True)
    }
    manners["neutral"] = teachers.pop("neutral")
    few = unseen[:: len(unseen) // TAUGHT_HELD_OUT + 1]
    names = list(styles)
    learn = [
        *_captured(captured, spoken, manners, names, face),
        *_taught(taught, manners, teachers, face),
    ]
    test = [
        *_captured(held_out, spoken, manners, names, face),
        *_taught(few, manners, teachers, face),
    ]
    return StyledTask(model, face, learn, test, config, at_rest(face, names))


def default_config(face: Face, styles: Mapping[str, str] = STYLES) -> JambaTalkConfig:
    """The bundled network, on the blendshapes of a bundled head; styles with their notes."""
    architecture = TINY_EN.architecture | {"encoder_layers": max(LAYERS)}
    return JambaTalkConfig(
        encoder=EncoderConfig(layers=LAYERS, architecture=architecture, window=WINDOW),
        styles=tuple(styles),
        style_notes=dict(styles),
        blendshapes=face.blendshapes,
        dropout=0.05,
    )


def at_rest(face: Face, styles: Iterable[str]) -> np.ndarray:
    """The face of each style while nobody speaks: (s, K) float32. A designed one keeps its posture:
    who smiles smiles on."""
    rest = np.zeros((1, len(CHANNELS)))
    rows = [
        articulate(face, rest, designed.STYLES[style])[0]
        if style in designed.STYLES
        else np.zeros(len(face.blendshapes))
        for style in styles
    ]
    return np.stack(rows).astype(np.float32)


def split(data: Path, face: Face) -> tuple[list[Clip], list[Clip]]:
    """All captured clips to learn from, and those held out."""
    clips, held_out = [], []
    kept = held_out_clips(data / "grid_s1")
    for clip in sorted(read_grid(data / "grid_s1", face), key=lambda clip: clip.name):
        (held_out if clip.name in kept else clips).append(clip)
    for clip in read_facegood(data / "facegood", face):
        (held_out if is_held_out_take(clip.name) else clips).append(clip)
    return clips, held_out


def _motions(
    recordings: Sequence[Recording], styles: Sequence[designed.DesignedStyle], face: Face
) -> list[list[np.ndarray]]:
    """The teacher's motion of each style, of all recordings: (T, K) each."""
    taught = [recording.synthesise(face, FPS, styles) for recording in recordings]
    return [list(motions) for motions in zip(*taught, strict=True)]


def _captured(
    clips: Iterable[Clip],
    spoken: Mapping[str, Recording],
    manners: Mapping[str, SpeakerStyle],
    styles: Sequence[str],
    face: Face,
) -> Iterable[StyledClip]:
    """Captured motion as it is, carried over to the other person and to the neutral style, and what
    the teacher makes of the same sound in the other designed ones."""
    tongue = face.blendshapes.index("tongueUp")
    for clip in clips:
        own = resample(clip.weights, clip.fps, FPS)
        rows = np.full((len(styles), *own.shape), np.nan, np.float32)
        for row, style in enumerate(styles):
            if style == clip.style:
                rows[row] = own
            elif style in manners:  # lips that were seen are worth more than the teacher's rules
                rows[row] = manners[style].transfer(own, manners[clip.style])
        kind = KINDS[clip.style]
        recording = spoken.get(f"{kind}/{clip.name}")
        if recording is not None:
            designs = recording.synthesise(face, FPS, designed.STYLES.values())[:, : len(own)]
            rows = rows[:, : designs.shape[1]]
            rows[1 : len(designs)] = designs[1:]
            rows[..., tongue] = designs[0, :, tongue]  # behind the teeth no camera sees it
        yield StyledClip(clip.name, kind, clip.samples, rows, styles.index(clip.style))


def _taught(
    recordings: Iterable[Recording],
    manners: Mapping[str, SpeakerStyle],
    teachers: Mapping[str, SpeakerStyle],
    face: Face,
) -> Iterable[StyledClip]:
    """The teacher's motion in every style; in those of captured people as they would make it.

    Args:
        manners: of the captured people.
        teachers: captured style → the teacher's own manner behind it.
    """
    tongue = face.blendshapes.index("tongueUp")
    everyone = [*designed.STYLES.values(), *(BEHIND[style] for style in teachers)]
    for recording in recordings:
        rows = recording.synthesise(face, FPS, everyone)
        for row, (style, teacher) in enumerate(teachers.items(), len(designed.STYLES)):
            rows[row] = manners[style].transfer(rows[row], teacher)
        rows[..., tongue] = rows[0, :, tongue]  # no manner of the lips
        yield StyledClip(
            f"{recording.source}/{recording.name}", "taught", recording.samples, rows, 0
        )
