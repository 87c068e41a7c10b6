"""Metrics on curves over time, such as lip aperture and loudness.

A curve is an array (T,) with one value a frame; frame t lies at t/fps seconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jambatalk.evaluate.warping import warp
from jambatalk.speech import SAMPLE_RATE

MIN_SECONDS = 0.5  # shortest curve for which a lag is estimated
MAX_LAG = 0.15  # seconds, in both directions
LAG_STEP = 0.01  # seconds
CLOSED = 0.10  # lips are closed at this part of the aperture's 95th percentile or less
CLOSURE_TOLERANCE = 0.04  # seconds by which a predicted closure may miss its target
LOUDNESS_WINDOW = 0.06  # seconds
LOUDNESS_RANGE = 60.0  # dB below the maximum
STILL = 1e-5  # metres, standard deviation of the aperture of a mouth that does not move
SMOOTHING = 0.04  # seconds, standard deviation of the Gaussian before extrema are sought
BEAT_WIDTH = 0.1  # seconds, standard deviation of the beat alignment's Gaussian
BEAT_HEIGHT = 0.25  # least height of an onset, of the 95th percentile of the rises
BEAT_DISTANCE = 0.1  # seconds, least distance of two onsets


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Compute Pearson's r of two curves; 0 where one of them is constant."""
    if len(a) < 2 or min(a.std(), b.std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def concordance(a: np.ndarray, b: np.ndarray) -> float:
    """Compute Lin's concordance correlation coefficient CCC of two curves; 0 where both are still.

    CCC = 2 cov(a, b) / (var a + var b + (mean a - mean b)²). Unlike r it also falls with another
    amplitude or mean. Lin, "A concordance correlation coefficient to evaluate reproducibility",
    Biometrics 1989.
    """
    spread = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    if spread < 1e-18:
        return 0.0
    return float(2 * ((a - a.mean()) * (b - b.mean())).mean() / spread)


def temporal_misalignment(pred: np.ndarray, target: np.ndarray, fps: float) -> float:
    """Compute the mean temporal misalignment MTM of two lip apertures (T,) in metres, in seconds.

    Both are smoothed (Gaussian, 40 ms) and differentiated; their derivatives are aligned by
    dynamic time warping of squared differences (Keogh and Pazzani 2001). MTM is the mean of
    |i - j| / fps over the aligned frames that are local extrema of the same kind in both, greatest
    or least speeds of opening. Over several sequences it is the mean. Chae-Yeon et al.,
    "Perceptually Accurate 3D Talking Head Generation", CVPR 2025, who do not give the width of the
    Gaussian.

    NaN where no extrema are matched, and for a mouth that does not move (:data:`STILL`), whose
    extrema are rounding errors. A late prediction reads its delay only if it is alike; curves that
    have nothing in common are matched by chance within the ±0.5 s of the warping, and read 0.1 to
    0.3 s: such a value says that there is no common timing, not how late the lips are.
    """
    if len(target) < 3 or min(pred.std(), target.std()) < STILL:
        return float("nan")
    from scipy.ndimage import gaussian_filter1d

    slopes = [np.gradient(gaussian_filter1d(x, SMOOTHING * fps)) for x in (pred, target)]
    pairs, _ = warp(slopes[0], slopes[1], lambda a, b: (a - b) ** 2, fps)
    kinds = [_extrema(slope)[frames] for slope, frames in zip(slopes, pairs.T, strict=True)]
    matched = pairs[(kinds[0] == kinds[1]) & (kinds[0] != 0)]
    if not len(matched):
        return float("nan")
    return float(np.abs(matched[:, 0] - matched[:, 1]).mean() / fps)


def _extrema(curve: np.ndarray) -> np.ndarray:
    """Mark local maxima by 1 and minima by -1, (T,)."""
    from scipy.signal import argrelmax, argrelmin

    kinds = np.zeros(len(curve), int)
    kinds[argrelmax(curve)[0]] = 1
    kinds[argrelmin(curve)[0]] = -1
    return kinds


def at_times(curve: np.ndarray, fps: float, times: np.ndarray) -> np.ndarray:
    """Interpolate a curve linearly at `times` (n,) in seconds; its end values are extended."""
    return np.interp(times * fps, np.arange(len(curve)), curve)


def lags() -> np.ndarray:
    """Return the lags that :func:`lagged_correlations` tries, (L,) seconds."""
    steps = round(MAX_LAG / LAG_STEP)
    return np.arange(-steps, steps + 1) * LAG_STEP


def lagged_correlations(
    pred: np.ndarray, target: np.ndarray, fps: float, valid: np.ndarray | None = None
) -> np.ndarray:
    """Compute Pearson's r of target(t) and pred(t + lag) for each of :func:`lags`: (L,).

    A prediction whose best lag is positive is late. All lags are evaluated on the same frames,
    those at least 0.15 s from both ends; NaN where they are less than half a second.

    Args:
        valid: (T,) bool, the frames whose target is known; None for all.
    """
    times = np.arange(len(target)) / fps
    inner = (times >= MAX_LAG) & (times <= times.max(initial=0.0) - MAX_LAG)
    if valid is not None:
        inner &= valid
    if inner.sum() < MIN_SECONDS * fps:
        return np.full(len(lags()), np.nan)
    return np.array(
        [correlation(target[inner], at_times(pred, fps, times[inner] + lag)) for lag in lags()]
    )


def best_lag(pred: np.ndarray, target: np.ndarray, fps: float) -> tuple[float, float]:
    """Return the lag in seconds at which r is greatest, and that r.

    See :func:`lagged_correlations`. A curve that is constant has no lag: NaN, and r is 0.
    """
    r = lagged_correlations(pred, target, fps)
    if np.isnan(r).any():
        return float("nan"), float("nan")
    return float(lags()[r.argmax()]) if r.any() else float("nan"), float(r.max())


class ClosureScores(NamedTuple):
    """Agreement of predicted and target lip closures, as fractions; NaN where there are none.

    Attributes:
        pred_closed: frames in which the predicted lips are closed.
        target_closed: frames in which the target lips are closed.
        recall: target closures within which the prediction closes in some frame.
        precision: predicted closures within which the target closes in some frame.
    """

    pred_closed: float
    target_closed: float
    recall: float
    precision: float


def closure_scores(pred: np.ndarray, target: np.ndarray, fps: float) -> ClosureScores:
    """Compare lip closures: apertures of at most a tenth of the *target's* 95th percentile.

    A closure is a run of closed frames, with a tolerance of 40 ms at both ends.
    """
    threshold = CLOSED * np.percentile(target, 95)
    pred_runs, target_runs = closed_runs(pred, threshold), closed_runs(target, threshold)
    tolerance = CLOSURE_TOLERANCE * fps
    return ClosureScores(
        pred_closed=float((pred <= threshold).mean()),
        target_closed=float((target <= threshold).mean()),
        recall=_overlapping(target_runs, pred_runs, tolerance),
        precision=_overlapping(pred_runs, target_runs, tolerance),
    )


def closed_runs(curve: np.ndarray, threshold: float) -> np.ndarray:
    """Find the first and last frame of each run at or below a threshold: (n, 2)."""
    edges = np.diff(np.concatenate([[0], curve <= threshold, [0]]).astype(int))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1], 1)


def _overlapping(runs: np.ndarray, others: np.ndarray, tolerance: float) -> float:
    """Compute the fraction of runs (n, 2) that overlap one of the others."""
    if not len(runs):
        return float("nan")
    starts_before = others[:, 0] <= runs[:, 1:] + tolerance  # (n, others)
    ends_after = others[:, 1] >= runs[:, :1] - tolerance
    return float((starts_before & ends_after).any(1).mean())


def loudness(samples: np.ndarray, fps: float, frames: int) -> np.ndarray:
    """Compute the level of speech (n,) at each frame: (T,) dB below the maximum, at least -60.

    The level is the root mean square of the 60 ms around the frame.
    """
    half = round(LOUDNESS_WINDOW / 2 * SAMPLE_RATE)
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    centre = np.arange(frames) / fps * SAMPLE_RATE
    first, last = (np.clip(centre + s, 0, len(samples)).astype(int) for s in (-half, half))
    rms = np.sqrt(np.maximum(power[last] - power[first], 0.0) / (2 * half))
    peak = max(rms.max(), 1e-9)
    return 20 * np.log10(np.maximum(rms / peak, 10 ** (-LOUDNESS_RANGE / 20)))


def onsets(curve: np.ndarray, fps: float) -> np.ndarray:
    """Find when a curve rises fastest, (n,) seconds: onsets of opening lips or of loudness.

    Onsets are local maxima of the change between two frames, at least 0.1 s apart and a quarter of
    the 95th percentile of the rises high.
    """
    from scipy.signal import find_peaks

    rise = np.diff(curve)
    if not (rise > 1e-9).any():
        return np.empty(0)
    height = BEAT_HEIGHT * np.percentile(rise[rise > 1e-9], 95)
    peaks, _ = find_peaks(
        np.pad(rise, 1), height=height, distance=max(1, round(BEAT_DISTANCE * fps))
    )
    return (peaks - 0.5) / fps


def beat_alignment(motion: np.ndarray, sound: np.ndarray) -> float:
    """Compute the beat alignment score of two lists of onsets in seconds: 0 to 1.

    Mean over the onsets of the motion of exp(-d²/(2·0.1²)), where d is the distance to the nearest
    onset of the sound in seconds; NaN without onsets. Li et al., "AI Choreographer", ICCV 2021.
    """
    if not len(motion) or not len(sound):
        return float("nan")
    distance = np.abs(motion[:, None] - sound).min(1)
    return float(np.exp(-(distance**2) / (2 * BEAT_WIDTH**2)).mean())
