"""Assembles the bundled checkpoint's training task from data folder, corpus and pseudo-labels."""

from __future__ import annotations

import logging

import numpy as np
import torch

from jambatalk.face.library import load_head
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.checkpoint import ENCODER_FILE, WEIGHTS_FILE, fetch_checkpoint, load_weights
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.training_config import with_changes
from recipes.checkpoint.captured.lip_clips import LipClip, read_address, read_held_out_people
from recipes.checkpoint.captured.people import read_people
from recipes.checkpoint.captured.spliced_pairs import join_clips, read_spliced_pairs
from recipes.checkpoint.captured.splicing_voices import speaker_1, synthetic_voices
from recipes.checkpoint.coarticulation.phone_tracks import UNKNOWN
from recipes.checkpoint.corpus.recording import read_corpus
from recipes.checkpoint.feature_cache import FeatureCache
from recipes.checkpoint.pseudo_labels.label_files import read_labels
from recipes.checkpoint.training.architecture import bundled_config
from recipes.checkpoint.training.encoded_clips import (
    EncodedClip,
    encode_clips,
    silent_clips,
)
from recipes.checkpoint.training.recipe_config import SPLICED, RecipeConfig
from recipes.checkpoint.training.style_task import StyleTask
from recipes.checkpoint.training.styled_clips import StyledMotion, read_captured

log = logging.getLogger(__name__)

HELD_OUT_RECORDINGS = 60  # of the corpus, at most
SILENT_ONE_IN = 50  # clips without speech


def build_task(config: RecipeConfig) -> StyleTask:
    """Build the training task of the bundled checkpoint.

    Raises:
        DataError: data, corpus or labels are missing.
        ModelError: the checkpoint to start from does not fit.
    """
    face, data, seed = load_head(1), config.data, config.seed
    torch.manual_seed(seed)
    model = JambaTalk(with_changes(bundled_config(face), config.network.changes))
    load_weights(model.encoder.model, DEFAULT_CHECKPOINT / ENCODER_FILE)
    if config.network.start:
        load_weights(model.decoder, fetch_checkpoint(config.network.start) / WEIGHTS_FILE)
    model.use_scan(config.network.scan)
    log.info("fitting the head to the tracked lips")
    captured, captured_held_out = read_captured(data.folder, face)
    people, _ = read_people(data.folder / "grid_speakers", face)
    log.info("reading the corpus")
    phones = {r.key: r for r in read_corpus(data.corpus, "captured")}
    train, held_out = (list(read_corpus(data.corpus, split)) for split in ("train", "held_out"))
    held_out = held_out[:: len(held_out) // HELD_OUT_RECORDINGS + 1]
    styled = StyledMotion(captured, people, face)
    encode = FeatureCache(model, seed, data.cache)
    clips = encode_clips(
        encode,
        [
            *styled.clips([*captured, *people], phones),
            *styled.labelled_clips(train, read_labels(data.labels, train)),
        ],
        data.variants,
    )
    sound = {clip.name: clip.features for clip in clips if clip.variant == 0}
    voices = [
        speaker_1(data.folder, sound),
        *synthetic_voices(read_corpus(data.corpus, "spliced"), encode),
    ]
    pairs = read_spliced_pairs(data.folder, data.spliced_clips, voices, model.config.fps, seed)
    clips += [spliced_clip(pair, styled) for pair in join_clips(list(pairs), data.crop)]
    seconds = data.crop / model.config.fps
    count = len(clips) // SILENT_ONE_IN
    clips += silent_clips(model, styled.resting_faces(), count, seconds, seed)
    return StyleTask(
        model,
        face,
        clips,
        held_out=encode_clips(
            encode,
            [
                *styled.clips(captured_held_out, phones),
                *styled.labelled_clips(held_out, read_labels(data.labels, held_out)),
            ],
            {},
        ),
        people={
            "people": read_held_out_people(data.folder, encode, model.config.fps),
            "address": [read_address(data.folder / "address", encode, model.config.fps)],
        },
        config=config,
    )


def spliced_clip(pair: LipClip, styled: StyledMotion) -> EncodedClip:
    """Return lips without sound, paired with features, in every style."""
    frames = len(pair.lips)
    return EncodedClip(
        name=pair.name,
        kind=SPLICED,
        style=0,
        variant=0,
        features=pair.features,
        weights=torch.from_numpy(styled.of_lips(pair.lips).astype(np.float16)),
        phones=torch.full((frames,), UNKNOWN),
        contact=torch.full((frames, 2), float(UNKNOWN)),
    )
