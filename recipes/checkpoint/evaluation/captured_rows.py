"""Rows of the benchmark table: motion against tracked lips and captured motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jambatalk.evaluate import curve_metrics
from jambatalk.face.face import Face
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.augment import BABBLE_VOICES, add_babble
from recipes.checkpoint.captured import facegood, grid_corpus
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.evaluation.benchmark_table import INF, Row
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.phone_statistics import held_vowels

BABBLE_DB = 5.0  # signal-to-noise ratio
BABBLE_SEED = 0
HELD_VOWEL, HELD_VOWEL_EDGE = 0.12, 0.03  # seconds: least duration, and what is cut off its ends


@dataclass(frozen=True)
class LipScores:
    """Agreement of animated with tracked lips, medians over the clips of GRID.

    Attributes:
        aperture_r: correlation of the lip apertures.
        width_r: correlation of the widths of the mouth.
        aperture_sd: standard deviation of the aperture over that of the tracked lips.
        best_lag: the lag common to all clips at which the apertures correlate best, seconds.
        best_lag_r: that correlation.
    """

    aperture_r: float
    width_r: float
    aperture_sd: float
    best_lag: float
    best_lag_r: float

    @property
    def note(self) -> str:
        """The best lag as text."""
        return f"{self.best_lag_r:.3f} at the best common lag, {self.best_lag * 1e3:+.0f} ms"


class CapturedEvaluation:
    """Compares a checkpoint's motion of captured speakers with what was tracked and captured.

    Motion is that of :meth:`TalkingHead.animate`, with lips sealed.
    """

    def __init__(self, head: TalkingHead, data: HeldOutData) -> None:
        self.head, self.data = head, data

    @cached_property
    def grid_motions(self) -> list[Motion]:
        """The checkpoint's motion of GRID's clips in the captured style."""
        return [self._animate(clip, grid_corpus.STYLE) for clip in self.data.grid_clips]

    def grid_rows(self) -> list[Row]:
        """Measure correlation and amplitude against the tracked lips of GRID."""
        clips = self.data.grid_clips
        captured = self._scores([Motion(c.weights, c.fps, self.data.face) for c in clips])
        scores = self._scores(self.grid_motions)
        style = available_style(self.head, grid_corpus.STYLE)
        sample = f"{len(clips)} clips of GRID, style {style}"
        return [
            Row(
                key="grid_lip_open",
                metric="r(lip_open)",
                value=scores.aperture_r,
                digits=3,
                low=0.97,
                high=INF,
                captured=captured.aperture_r,
                sample=sample,
                note=scores.note,
            ),
            Row(
                key="grid_lip_width",
                metric="r(lip_width)",
                value=scores.width_r,
                digits=3,
                low=0.93,
                high=INF,
                captured=captured.width_r,
                sample=sample,
            ),
            Row(
                key="grid_amplitude",
                metric="sd of lip_open, over that of the tracked lips",
                value=scores.aperture_sd,
                low=0.8,
                high=1.2,
                captured=captured.aperture_sd,
                sample=sample,
            ),
        ]

    def facegood_rows(self) -> list[Row]:
        """Measure correlation and amplitude against the captured jaw of FACEGOOD."""
        rows = []
        style = available_style(self.head, facegood.STYLE)
        for clip in self.data.facegood_takes:
            pred = self._animate(clip, facegood.STYLE)
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

    def without_grid_rows(self, other: TalkingHead) -> list[Row]:
        """Measure a checkpoint trained without GRID, in its first style, on GRID's lips."""
        style = other.styles[0]
        motions = [other.animate(_speech(clip), style) for clip in self.data.grid_clips]
        scores = self._scores(motions)
        return [
            Row(
                key="without_grid_lip_open",
                metric="trained without GRID: r(lip_open)",
                value=scores.aperture_r,
                digits=3,
                low=0.85,
                high=INF,
                sample=f"{len(motions)} clips of GRID, style {style}",
                note=scores.note,
            )
        ]

    def babble_rows(self) -> list[Row]:
        """Measure the loss of correlation with GRID's lips in babble."""
        voices = [s.samples for s in [*self.data.held_out_librispeech, *self.data.multilingual]]
        rng = np.random.default_rng(BABBLE_SEED)
        motions = [
            self._animate(clip, grid_corpus.STYLE, add_babble(clip.samples, voices, BABBLE_DB, rng))
            for clip in self.data.grid_clips
        ]
        clean, noisy = (self._scores(m).aperture_r for m in (self.grid_motions, motions))
        return [
            Row(
                key="babble",
                metric=f"r(lip_open) lost at {BABBLE_DB:g} dB babble",
                value=clean - noisy,
                digits=3,
                low=-INF,
                high=0.05,
                sample=f"{len(motions)} clips of GRID, {BABBLE_VOICES} other voices",
                note=f"{clean:.3f} to {noisy:.3f}",
            )
        ]

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

    def _scores(self, motions: Sequence[Motion]) -> LipScores:
        """Compare a motion of each GRID clip with its tracked lips."""
        values, correlations = [], []
        for clip, motion in zip(self.data.grid_clips, motions, strict=True):
            lips = self.data.grid_lips[clip.name]
            times, tracked = np.arange(len(lips.aperture)) / lips.fps, lips.tracked
            eyes = eye_distance(motion.face)  # the unit of tracked lips
            aperture = curve_metrics.at_times(motion.lip_aperture() / eyes, motion.fps, times)
            width = curve_metrics.at_times(motion.lip_width() / eyes, motion.fps, times)
            values.append(
                (
                    curve_metrics.correlation(aperture[tracked], lips.aperture[tracked]),
                    curve_metrics.correlation(width[tracked], lips.width[tracked]),
                    aperture[tracked].std() / lips.aperture[tracked].std(),
                )
            )
            correlations.append(
                curve_metrics.lagged_correlations(aperture, lips.aperture, lips.fps, tracked)
            )
        aperture_r, width_r, aperture_sd = np.median(values, 0).tolist()
        by_lag = np.nanmedian(correlations, 0)
        return LipScores(
            aperture_r=aperture_r,
            width_r=width_r,
            aperture_sd=aperture_sd,
            best_lag=float(curve_metrics.lags()[by_lag.argmax()]),
            best_lag_r=float(by_lag.max()),
        )

    def _animate(self, clip: Clip, style: str, samples: np.ndarray | None = None) -> Motion:
        return self.head.animate(_speech(clip, samples), available_style(self.head, style))


def available_style(head: TalkingHead, style: str) -> str:
    """Return a style, or the first where a checkpoint lacks it."""
    return style if style in head.styles else head.styles[0]


def _speech(clip: Clip, samples: np.ndarray | None = None) -> Speech:
    samples = clip.samples if samples is None else samples
    return Speech.from_array(samples, SAMPLE_RATE, clip.name)


def eye_distance(face: Face) -> float:
    """Return the distance of the outer eye corners, metres."""
    right, *_, left = face.template[face.landmarks["eye_corners"]]
    return float(np.linalg.norm(left - right))


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
