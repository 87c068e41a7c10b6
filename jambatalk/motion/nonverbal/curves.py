"""Curves over time without corners: what the motions of head, brows, lids and eyes are made of.

Times are seconds, (T,) increasing. Every curve costs time in proportion to T and its events.
"""

from __future__ import annotations

import numpy as np


def ease(x: np.ndarray) -> np.ndarray:
    """From 0 at `x` 0 to 1 at `x` 1, starting and ending without speed or acceleration: the
    minimum-jerk course of human movements (Flash and Hogan, 1985)."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))


def glide(
    time: np.ndarray, starts: np.ndarray, seconds: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """From one value to the next, (T, n): rests at 0, leaves at `starts` (m,) for `values` (m, n),
    each reached in `seconds` (m,), before the next start."""
    values = np.concatenate([np.zeros((1, values.shape[1])), values])
    now = np.searchsorted(starts, time, side="right")  # how many have started
    event = np.maximum(now - 1, 0)
    if not len(starts):
        return np.zeros((len(time), values.shape[1]))
    part = np.where(now > 0, ease((time - starts[event]) / seconds[event]), 0.0)[:, None]
    return values[event] + (values[event + 1] - values[event]) * part


def bumps(
    time: np.ndarray,
    tops: np.ndarray,
    heights: np.ndarray,
    rise: np.ndarray | float,
    stay: np.ndarray | float,
    fall: np.ndarray | float,
) -> np.ndarray:
    """The sum of bumps, (T,): up to `heights` (m,) at the times `tops`, in `rise` seconds, there
    for `stay`, down in `fall`."""
    curve = np.zeros(len(time))
    shape = np.broadcast_arrays(tops, heights, rise, stay, fall)
    for top, height, up, level, down in zip(*shape, strict=True):
        first, last = np.searchsorted(time, [top - up, top + level + down])
        moment = time[first:last] - top
        curve[first:last] += height * np.minimum(
            ease(1.0 + moment / up), ease(1.0 - (moment - level) / down)
        )
    return curve


def wander(time: np.ndarray, spacing: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random course about 0 with standard deviation 1, (T,).

    A cubic B-spline through random control points `spacing` seconds apart; it comes and goes
    within about four of them.
    """
    place = time / spacing
    knot = place.astype(int)
    x = place - knot
    points = rng.standard_normal(int(knot.max(initial=0)) + 4)
    weights = (
        (1 - x) ** 3 / 6,
        (3 * x**3 - 6 * x**2 + 4) / 6,
        (-3 * x**3 + 3 * x**2 + 3 * x + 1) / 6,
        x**3 / 6,
    )
    return sum(w * points[knot + k] for k, w in enumerate(weights)) / 0.69


def smooth(values: np.ndarray, width: float) -> np.ndarray:
    """(n,) averaged three times over about `width` samples, nearly a Gaussian of that standard
    deviation; the ends count as going on."""
    half = max(round(width), 1)
    for _ in range(3):
        padded = np.pad(values, (half + 1, half), mode="edge")
        total = np.cumsum(padded, dtype=np.float64)
        values = (total[2 * half + 1 :] - total[: -2 * half - 1]) / (2 * half + 1)
    return values
