"""Rows of the benchmark table: what other sound than clean speech costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from jambatalk.evaluate.curve_metrics import CLOSED
from recipes.checkpoint.augment import BABBLE_VOICES, add_babble, mix
from recipes.checkpoint.captured import grid_corpus
from recipes.checkpoint.evaluation.benchmark_table import INF, Row
from recipes.checkpoint.evaluation.captured_rows import CapturedEvaluation, score_lips
from recipes.checkpoint.evaluation.phone_statistics import (
    PhoneStatistics,
    percent_below,
)
from recipes.checkpoint.evaluation.sounds import music, shout, telephone, whisper
from recipes.checkpoint.evaluation.tracked_speech import APERTURE, LipPair

BACKGROUND_DB = 5.0  # signal-to-noise ratio of babble and music
BABBLE_SEED = 0
LOST_R, LOST_CLOSURES = 0.05, 5.0  # bounds: of r, and in percentage points


def condition_rows(captured: CapturedEvaluation) -> list[Row]:
    """Measure what is lost on GRID's clips in other conditions than clean speech."""
    data = captured.data
    voices = [s.samples for s in [*data.held_out_librispeech, *data.multilingual]]
    rng = np.random.default_rng(BABBLE_SEED)
    conditions: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
        "babble": (
            f"{BACKGROUND_DB:g} dB babble of {BABBLE_VOICES} voices",
            partial(add_babble, voices=voices, decibels=BACKGROUND_DB, rng=rng),
        ),
        "music": (f"{BACKGROUND_DB:g} dB music", _add_music),
        "telephone": ("a telephone's band", telephone),
        "whisper": ("a whisper, synthetic", whisper),
        "shout": ("the spectrum of a shout", shout),
    }
    rows = []
    for key, (name, change) in conditions.items():
        motions = [
            captured.animate(clip, grid_corpus.STYLE, change(clip.samples))
            for clip in data.grid_clips
        ]
        rows += _lost(key, name, captured, captured.pairs(motions))
    return rows


def _lost(key: str, name: str, captured: CapturedEvaluation, changed: list[LipPair]) -> list[Row]:
    """Compare the lips in a condition with those in clean speech."""
    clean = captured.grid_pairs
    before, after = score_lips(clean).aperture_r, score_lips(changed).aperture_r
    closed, still_closed = _closures(clean), _closures(changed)
    percent, still_percent = (percent_below(x, CLOSED) for x in (closed, still_closed))
    return [
        Row(
            key=key,
            metric=f"r(lip_open) lost in {name}",
            value=before - after,
            digits=3,
            low=-INF,
            high=LOST_R,
            sample=captured.grid_sample,
            note=f"{before:.3f} to {after:.3f}",
        ),
        Row(
            key=f"{key}_closures",
            metric=f"P/B/M closed (≤ 0.10), lost in {name}",
            value=percent - still_percent,
            unit="points",
            digits=1,
            low=-INF,
            high=LOST_CLOSURES,
            sample=f"{len(closed)} phones of {captured.grid_sample}",
            note=f"{percent:.1f} % to {still_percent:.1f} %",
        ),
    ]


def _closures(pairs: list[LipPair]) -> list[float]:
    """List the least aperture within each P, B and M."""
    statistics = PhoneStatistics()
    for pair in pairs:
        statistics.add(pair.pred[:, APERTURE], pair.fps, pair.phones)
    return statistics.bilabials


def _add_music(samples: np.ndarray) -> np.ndarray:
    return mix(samples, music(len(samples)), BACKGROUND_DB)
