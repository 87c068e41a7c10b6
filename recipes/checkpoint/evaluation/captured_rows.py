"""Rows of the benchmark table: motion against tracked lips and captured motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from jambatalk.evaluate import curve_metrics
from jambatalk.face.face import Face
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.captured import facegood, grid_corpus
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.evaluation.benchmark_table import INF, Row
from recipes.checkpoint.evaluation.clip_statistics import median_interval
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.phone_statistics import held_vowels
from recipes.checkpoint.evaluation.rounding import rounding_row
from recipes.checkpoint.evaluation.tracked_speech import APERTURE, LipPair, pair_lips

HELD_VOWEL, HELD_VOWEL_EDGE = 0.12, 0.03  # seconds: least duration, and what is cut off its ends


@dataclass(frozen=True, eq=False)
class LipScores:
    """Agreement of animated with tracked lips.

    Attributes:
        correlations: (clips, 2) r of lip aperture and mouth width.
        amplitudes: (clips, 2) standard deviations over those of the tracked lips.
        best_lag: the lag common to all clips at which the apertures correlate best, seconds.
        best_lag_r: the median of that correlation.
    """

    correlations: np.ndarray
    amplitudes: np.ndarray
    best_lag: float
    best_lag_r: float

    @property
    def aperture_r(self) -> float:
        """Median r of the lip aperture."""
        return float(np.median(self.correlations[:, APERTURE]))

    @property
    def note(self) -> str:
        """The best lag as text."""
        return f"{self.best_lag_r:.3f} at the best common lag, {self.best_lag * 1e3:+.0f} ms"


def score_lips(pairs: Sequence[LipPair]) -> LipScores:
    """Compare predicted with tracked lips, at no lag."""
    correlations, amplitudes, lagged = [], [], []
    for pair in pairs:
        known = ~np.isnan(pair.target).any(1)
        pred, target = pair.pred[known], pair.target[known]
        curves = zip(pred.T, target.T, strict=True)
        correlations.append([curve_metrics.correlation(*both) for both in curves])
        amplitudes.append(pred.std(0) / target.std(0))
        apertures = (pair.pred[:, APERTURE], pair.target[:, APERTURE])
        lagged.append(curve_metrics.lagged_correlations(*apertures, pair.fps, known))
    by_lag = np.nanmedian(lagged, 0)
    return LipScores(
        correlations=np.array(correlations),
        amplitudes=np.array(amplitudes),
        best_lag=float(curve_metrics.lags()[by_lag.argmax()]),
        best_lag_r=float(by_lag.max()),
    )


class CapturedEvaluation:
    """Compares a checkpoint's motion of captured speakers with what was tracked and captured.

    Motion is that of :meth:`TalkingHead.animate`, with lips sealed.
    """

    def __init__(self, head: TalkingHead, data: HeldOutData) -> None:
        self.head, self.data = head, data

    @cached_property
    def grid_motions(self) -> list[Motion]:
        """The checkpoint's motion of GRID's clips in the captured style."""
        return [self.animate(clip, grid_corpus.STYLE) for clip in self.data.grid_clips]

    @cached_property
    def grid_pairs(self) -> list[LipPair]:
        """The lips of these motions beside the tracked ones."""
        return self.pairs(self.grid_motions)

    def pairs(self, motions: Sequence[Motion]) -> list[LipPair]:
        """Measure the lips of a motion of each GRID clip beside its tracked lips."""
        return [
            pair_lips(
                motion, self.data.grid_tracked[clip.name], self.data.grid_phones.get(clip.name, [])
            )
            for clip, motion in zip(self.data.grid_clips, motions, strict=True)
        ]

    def grid_rows(self) -> list[Row]:
        """Measure correlation and amplitude against the tracked lips of GRID."""
        clips = self.data.grid_clips
        captured = [Motion(c.weights, c.fps, self.data.face) for c in clips]
        perfect_pairs = self.pairs(captured)
        scores, perfect = score_lips(self.grid_pairs), score_lips(perfect_pairs)
        rows = []
        for column, (name, goal) in enumerate((("open", 0.97), ("width", 0.93))):
            values = scores.correlations[:, column]
            rows.append(
                Row(
                    key=f"grid_lip_{name}",
                    metric=f"r(lip_{name})",
                    value=float(np.median(values)),
                    interval=median_interval(values),
                    digits=3,
                    low=goal,
                    high=INF,
                    captured=float(np.median(perfect.correlations[:, column])),
                    sample=self.grid_sample,
                    note=scores.note if column == APERTURE else "",
                )
            )
        for column, name in enumerate(("open", "width")):
            rows.append(
                Row(
                    key=f"grid_amplitude_{name}",
                    metric=f"sd of lip_{name}, over that of the tracked lips",
                    value=float(np.median(scores.amplitudes[:, column])),
                    low=0.8,
                    high=1.2,
                    captured=float(np.median(perfect.amplitudes[:, column])),
                    sample=self.grid_sample,
                )
            )
        rounding, perfect_rounding = (
            rounding_row("grid", "", self.grid_sample, pairs)
            for pairs in (self.grid_pairs, perfect_pairs)
        )
        return [*rows, replace(rounding, captured=perfect_rounding.value)]

    @property
    def grid_sample(self) -> str:
        """What the rows of GRID are measured on."""
        style = available_style(self.head, grid_corpus.STYLE)
        return f"{len(self.data.grid_clips)} clips of GRID's s1, style {style}"

    def facegood_rows(self) -> list[Row]:
        """Measure correlation and amplitude against the captured jaw of FACEGOOD."""
        rows = []
        style = available_style(self.head, facegood.STYLE)
        for clip in self.data.facegood_takes:
            pred = self.animate(clip, facegood.STYLE)
            weights = resample(clip.weights, clip.fps, pred.fps)
            target = Motion(weights, pred.fps, self.data.face)
            length = min(len(pred), len(target))
            pred_jaw, target_jaw = (m.blendshape("jawOpen")[:length] for m in (pred, target))
            pred_aperture, target_aperture = (m.lip_aperture()[:length] for m in (pred, target))
            lag, r = curve_metrics.best_lag(pred_jaw, target_jaw, pred.fps)
            sample = f"{clip.name} of FACEGOOD, style {style}"
            rows += [
                Row(
                    key="facegood_jaw",
                    metric="r(jaw)",
                    value=curve_metrics.correlation(pred_jaw, target_jaw),
                    digits=3,
                    low=0.88,
                    high=INF,
                    sample=sample,
                    note=f"{r:.3f} at the best lag, {lag * 1e3:+.0f} ms",
                ),
                Row(
                    key="facegood_amplitude",
                    metric="sd of lip_open, over that of the captured motion",
                    value=float(pred_aperture.std() / target_aperture.std()),
                    low=0.8,
                    high=1.2,
                    sample=sample,
                ),
            ]
        return rows

    def jitter_rows(self) -> list[Row]:
        """Measure the acceleration of the lips in held vowels against the captured motion."""
        pred: list[float] = []
        target: list[float] = []
        face = self.data.face
        for clip, motion in zip(self.data.grid_clips, self.grid_motions, strict=True):
            phones = self.data.grid_phones.get(clip.name, [])
            vowels = held_vowels(phones, HELD_VOWEL, HELD_VOWEL_EDGE)
            pred += _lip_accelerations(motion.weights, motion.fps, clip.fps, vowels, face)
            target += _lip_accelerations(clip.weights, clip.fps, clip.fps, vowels, face)
        return [
            Row(
                key="jitter",
                metric="acceleration in held vowels, over that of the captured motion",
                value=float(np.median(pred) / np.median(target)),
                low=-INF,
                high=1.2,
                sample=f"{len(pred)} frames of GRID",
            )
        ]

    def animate(self, clip: Clip, style: str, samples: np.ndarray | None = None) -> Motion:
        """Animate a clip, or other samples in its place, in a style if the checkpoint has it."""
        return self.head.animate(_speech(clip, samples), available_style(self.head, style))


def available_style(head: TalkingHead, style: str) -> str:
    """Return a style, or the first where a checkpoint lacks it."""
    return style if style in head.styles else head.styles[0]


def _speech(clip: Clip, samples: np.ndarray | None = None) -> Speech:
    samples = clip.samples if samples is None else samples
    return Speech.from_array(samples, SAMPLE_RATE, clip.name)


def _lip_accelerations(
    weights: np.ndarray, fps: float, rate: float, spans: Sequence[tuple[float, float]], face: Face
) -> list[float]:
    """Compute the lip vertices' mean acceleration in m/s² at each frame within spans of seconds.

    Weights (T, K) are brought to `rate` frames a second by a cubic spline, which keeps jitter.
    """
    if abs(fps - rate) > 1e-3:
        from scipy.interpolate import CubicSpline

        times = np.arange(int((len(weights) - 1) / fps * rate) + 1) / rate
        weights = CubicSpline(np.arange(len(weights)) / fps, weights)(times)
    lips = face.deltas[:, face.regions["lips"]].reshape(len(face.blendshapes), -1)
    accelerations = []
    for start, end in spans:
        frames = [t for t in range(1, len(weights) - 1) if start <= t / rate <= end]
        for t in frames:
            difference = weights[t - 1] - 2 * weights[t] + weights[t + 1]
            moved = np.linalg.norm((difference @ lips).reshape(-1, 3), axis=-1).mean()
            accelerations.append(float(moved * rate**2))
    return accelerations
