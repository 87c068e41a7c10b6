"""Measures of curves over time: how far the lips are apart, how loud it is.

A curve is (T,), one value a frame; frame t is at t/fps seconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jambatalk.speech import SAMPLE_RATE

SHORTEST = 0.5  # seconds of a curve over which a lag can be told
REACH = 0.15  # seconds that a curve may run late or early and still be found
LAG_STEP = 0.01  # seconds
CLOSED = 0.10  # lips less apart than this part of the 95th percentile are closed
CLOSURE_TOLERANCE = 0.04  # seconds by which a closure may miss the true one
LOUDNESS_WINDOW = 0.06  # seconds
LOUDNESS_RANGE = 60.0  # dB below the loudest that still count
BEAT_WIDTH = 0.1  # seconds: a beat that misses by this much scores 0.61
BEAT_HEIGHT = 0.25  # of the 95th percentile of the rising parts
BEAT_DISTANCE = 0.1  # seconds between two beats


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r of two curves; 0 where one does not move."""
    if len(a) < 2 or min(a.std(), b.std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def at_times(curve: np.ndarray, fps: float, times: np.ndarray) -> np.ndarray:
    """A curve's values at `times` (n,) seconds, interpolated linearly; its ends go on."""
    return np.interp(times * fps, np.arange(len(curve)), curve)


def lags() -> np.ndarray:
    """The lags that are tried, (L,) seconds."""
    steps = round(REACH / LAG_STEP)
    return np.arange(-steps, steps + 1) * LAG_STEP


def lagged_correlations(
    truth: np.ndarray, predicted: np.ndarray, fps: float, seen: np.ndarray | None = None
) -> np.ndarray:
    """r of the truth with the prediction `lag` later, for each of :func:`lags`: (L,).

    Where the best lag is above 0 the prediction comes late. Frames from which one of the lags would
    look past an end are left out for all, so that all are over the same frames; nan where less than
    half a second is left.

    Args:
        seen: (T,) bool, frames whose truth is known; None for all.
    """
    times = np.arange(len(truth)) / fps
    inside = (times >= REACH) & (times <= times.max(initial=0.0) - REACH)
    if seen is not None:
        inside &= seen
    if inside.sum() < SHORTEST * fps:
        return np.full(len(lags()), np.nan)
    return np.array(
        [
            correlation(truth[inside], at_times(predicted, fps, times[inside] + lag))
            for lag in lags()
        ]
    )


def best_lag(truth: np.ndarray, predicted: np.ndarray, fps: float) -> tuple[float, float]:
    """The lag in seconds at which r is greatest, and that r, see :func:`lagged_correlations`."""
    r = lagged_correlations(truth, predicted, fps)
    if np.isnan(r).any():
        return float("nan"), float("nan")
    return float(lags()[r.argmax()]), float(r.max())


class Closures(NamedTuple):
    """How well a prediction closes the lips where the truth does; nan where there is nothing.

    Attributes:
        true: part of the frames in which the true lips are closed.
        predicted: part of the frames in which the predicted ones are.
        reached: part of the true closures inside which the prediction closes in some frame.
        justified: part of the predicted closures inside which the truth does.
    """

    true: float
    predicted: float
    reached: float
    justified: float


def closures(truth: np.ndarray, predicted: np.ndarray, fps: float) -> Closures:
    """Lip closure: openings of at most a tenth of the 95th percentile of the *true* opening.

    A closure is a run of closed frames; it may be missed by 40 ms at each end.
    """
    threshold = CLOSED * np.percentile(truth, 95)
    runs = [closed_runs(curve, threshold) for curve in (truth, predicted)]
    tolerance = CLOSURE_TOLERANCE * fps
    return Closures(
        float((truth <= threshold).mean()),
        float((predicted <= threshold).mean()),
        _met(*runs, tolerance),
        _met(*reversed(runs), tolerance),
    )


def closed_runs(curve: np.ndarray, threshold: float) -> np.ndarray:
    """First and last frame of each stretch at or below a threshold: (n, 2)."""
    edges = np.diff(np.concatenate([[0], curve <= threshold, [0]]).astype(int))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1], 1)


def _met(runs: np.ndarray, others: np.ndarray, tolerance: float) -> float:
    if not len(runs):
        return float("nan")
    met = [
        bool(((others[:, 0] <= last + tolerance) & (others[:, 1] >= first - tolerance)).any())
        for first, last in runs
    ]
    return float(np.mean(met))


def loudness(samples: np.ndarray, fps: float, frames: int) -> np.ndarray:
    """Level of speech (n,) around each frame, (T,) dB below the loudest, at least -60.

    The root mean square of the 60 ms around the frame.
    """
    half = round(LOUDNESS_WINDOW / 2 * SAMPLE_RATE)
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    centre = np.arange(frames) / fps * SAMPLE_RATE
    first, last = (np.clip(centre + s, 0, len(samples)).astype(int) for s in (-half, half))
    rms = np.sqrt(np.maximum(power[last] - power[first], 0.0) / (2 * half))
    floor = max(rms.max(), 1e-9) * 10 ** (-LOUDNESS_RANGE / 20)
    return 20 * np.log10(np.maximum(rms, floor) / max(rms.max(), 1e-9))


def beats(curve: np.ndarray, fps: float) -> np.ndarray:
    """When a curve rises fastest, (n,) seconds: the onsets of openings, or of loudness.

    Local maxima of its change from frame to frame, at least a quarter of the 95th percentile of the
    rising changes high and 0.1 s apart; each is between its two frames.
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
    """How near the beats of a motion lie to those of its sound: 0 to 1, nan without any.

    Mean over the beats m of the motion of exp(-d²/(2·0.1²)), d = seconds to the nearest beat of the
    sound. Li, Yang, Ross and Kanazawa, "AI Choreographer", ICCV 2021.
    """
    if not len(motion) or not len(sound):
        return float("nan")
    distance = np.abs(motion[:, None] - sound).min(1)
    return float(np.exp(-(distance**2) / (2 * BEAT_WIDTH**2)).mean())
