"""Assembles the bundled checkpoint's training task from data folder and corpus."""

from __future__ import annotations

import logging

import torch

from jambatalk.face.library import load_head
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.checkpoint import ENCODER_FILE, WEIGHTS_FILE, fetch_checkpoint, load_weights
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.training_config import with_changes
from recipes.checkpoint.corpus.recording import read_corpus
from recipes.checkpoint.training.architecture import STYLES, bundled_config
from recipes.checkpoint.training.recipe_config import RecipeConfig
from recipes.checkpoint.training.style_task import StyleTask
from recipes.checkpoint.training.styled_clips import StyleTransfer, read_captured, resting_faces

log = logging.getLogger(__name__)

HELD_OUT_RECORDINGS = 60  # of the corpus, at most
STYLE_RECORDINGS = 300  # from which the coarticulation model's own style is measured


def build_task(config: RecipeConfig) -> StyleTask:
    """Build the training task of the bundled checkpoint.

    Raises:
        DataError: data or corpus are missing.
        ModelError: the checkpoint to start from does not fit.
    """
    face = load_head(1)
    styles = {name: note for name, note in STYLES.items() if name != config.data.exclude}
    torch.manual_seed(config.seed)
    model = JambaTalk(with_changes(bundled_config(face, styles), config.network.changes))
    load_weights(model.encoder.model, DEFAULT_CHECKPOINT / ENCODER_FILE)
    if config.network.start:
        load_weights(model.decoder, fetch_checkpoint(config.network.start) / WEIGHTS_FILE)
    model.use_scan(config.network.scan)
    log.info("fitting the head to the tracked lips")
    captured, captured_held_out = (
        [clip for clip in clips if clip.style in styles]
        for clips in read_captured(config.data.folder, face)
    )
    log.info("reading the corpus")
    corpus = config.data.corpus
    phones = {f"{r.source}/{r.name}": r for r in read_corpus(corpus, "captured")}
    train, held_out = (list(read_corpus(corpus, split)) for split in ("train", "held_out"))
    held_out = held_out[:: len(held_out) // HELD_OUT_RECORDINGS + 1]
    some = train[:: len(train) // STYLE_RECORDINGS + 1]
    transfer = StyleTransfer(captured, some, list(styles), face)
    return StyleTask(
        model,
        face,
        clips=[
            *transfer.captured_clips(captured, phones),
            *transfer.synthesised_clips(train),
        ],
        held_out=[
            *transfer.captured_clips(captured_held_out, phones),
            *transfer.synthesised_clips(held_out),
        ],
        config=config,
        rest=resting_faces(face, styles),
    )
