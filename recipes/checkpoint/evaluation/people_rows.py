"""Rows of the benchmark table: lips of people of whom nothing was learned, in the neutral style.

Intervals are of the 5th and 95th percentile of the median over resampled clips (bootstrap).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from jambatalk.evaluate.curve_metrics import at_times
from jambatalk.motion.nonverbal import STILL
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.captured.lip_clips import address_lips, grid_curves, held_out_clip_names
from recipes.checkpoint.evaluation.benchmark_table import INF, Row
from recipes.checkpoint.evaluation.captured_rows import eye_distance
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.lip_correlation import lip_correlation

RESAMPLES, SEED = 2000, 0


@dataclass(frozen=True, eq=False)
class TrackedSpeech:
    """A recording with its tracked lips.

    Attributes:
        lips: (t, 2) aperture and width over the distance of the eyes; NaN where unknown.
        fps: frames per second of the lips.
    """

    speech: Speech
    lips: np.ndarray
    fps: float


def people_rows(head: TalkingHead, data: HeldOutData) -> list[Row]:
    """Measure correlation and amplitude against tracked lips of people held out."""
    return [
        *_rows(head, "people", "clips of GRID's s4, s33, s34", (0.90, 0.68), read_people(data)),
        *_rows(head, "address", "fluent speech of 52 s", (0.70, 0.60), read_address(data)),
    ]


def read_people(data: HeldOutData) -> Iterator[TrackedSpeech]:
    """Read the clips of GRID's speakers who are held out."""
    folder = data.folder / "grid_speakers"
    for name, (lips, fps) in grid_curves(folder, held_out_clip_names(folder)).items():
        yield TrackedSpeech(Speech.read(folder / "audio" / f"{name}.opus"), lips, fps)


def read_address(data: HeldOutData) -> Iterator[TrackedSpeech]:
    """Read the fluent speech."""
    lips, fps = address_lips(data.folder / "address")
    yield TrackedSpeech(Speech.read(data.folder / "address" / "address.flac"), lips, fps)


def _rows(
    head: TalkingHead,
    key: str,
    sample: str,
    goals: tuple[float, float],
    clips: Iterable[TrackedSpeech],
) -> list[Row]:
    correlations, spreads = [], []
    for clip in clips:
        motion = head.animate(clip.speech, nonverbal=STILL)
        times = np.arange(len(clip.lips)) / clip.fps
        curves = (motion.lip_aperture(), motion.lip_width())
        pred = np.stack([at_times(curve, motion.fps, times) for curve in curves], 1)
        pred /= eye_distance(motion.face)
        correlations.append(lip_correlation(pred, clip.lips, clip.fps))
        spreads.append(pred[:, 0].std() / np.nanstd(clip.lips[:, 0]))
    sample = f"{len(correlations)} {sample}" if len(correlations) > 1 else sample
    sample += ", style neutral"
    rows = [
        Row(
            key=f"{key}_lip_{name}",
            metric=f"{key} held out: r(lip_{name})",
            value=float(np.median(values)),
            digits=3,
            low=goal,
            high=INF,
            sample=sample,
            note=_interval(np.array(values)),
        )
        for name, goal, values in zip(
            ("open", "width"), goals, zip(*correlations, strict=True), strict=True
        )
    ]
    return [
        *rows,
        Row(
            key=f"{key}_amplitude",
            metric=f"{key} held out: sd of lip_open, over that of the tracked lips",
            value=float(np.median(spreads)),
            low=0.8,
            high=1.2,
            sample=sample,
        ),
    ]


def _interval(values: np.ndarray) -> str:
    """Return the bootstrap interval of a median as text; "" of one value."""
    if len(values) < 2:
        return ""
    rng = np.random.default_rng(SEED)
    drawn = values[rng.integers(len(values), size=(RESAMPLES, len(values)))]
    low, high = np.percentile(np.median(drawn, 1), (5, 95))
    return f"{low:.2f} to {high:.2f}"
