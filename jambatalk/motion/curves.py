"""Smooth curves over time that grow while time goes on.

The motions of head, brows, lids and eyes are made of them. Times are in seconds; those at which a
curve is evaluated are (T,), increasing.
"""

from __future__ import annotations

import numpy as np


def ease(x: np.ndarray | float) -> np.ndarray:
    """Rise from 0 at `x` 0 to 1 at `x` 1 along the minimum-jerk course of human movements.

    Flash and Hogan, Journal of Neuroscience 5, 1985.
    """
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))


class Glide:
    """Values (n,) that rest, and move to a new target now and then.

    A move that begins before the last one has ended is added to it, so that speed never jumps
    (Flash and Henis, Journal of Cognitive Neuroscience 3, 1991).
    """

    def __init__(self, values: np.ndarray) -> None:
        self._level, self._target = values, values  # after the moves that are over, and after all
        self._moves: list[tuple[float, float, np.ndarray]] = []  # start, duration, change

    def move(self, start: float, seconds: float, target: np.ndarray) -> None:
        """Move to `target` (n,) from `start` on."""
        self._moves.append((start, seconds, target - self._target))
        self._target = target

    def at(self, time: np.ndarray) -> np.ndarray:
        """Evaluate (T, n)."""
        values = np.repeat(self._level[None], len(time), 0)
        for start, seconds, change in self._moves:
            values += ease((time - start) / seconds)[:, None] * change
        return values

    def forget(self, before: float) -> None:
        """Drop the moves that are over."""
        over = [move for move in self._moves if move[0] + move[1] <= before]
        self._moves = [move for move in self._moves if move[0] + move[1] > before]
        self._level = self._level + sum(change for _, _, change in over)


class Bumps:
    """The sum of bumps that rise and fall."""

    def __init__(self) -> None:
        self._bumps: list[tuple[float, float, float, float, float]] = []

    def add(self, top: float, height: float, rise: float, stay: float, fall: float) -> None:
        """Add a bump that rises to `height` in `rise` seconds before the time `top`, stays there
        for `stay` seconds, and falls in `fall`."""
        self._bumps.append((top, height, rise, stay, fall))

    def at(self, time: np.ndarray) -> np.ndarray:
        """Evaluate (T,)."""
        curve = np.zeros(len(time))
        for top, height, rise, stay, fall in self._bumps:
            first, last = np.searchsorted(time, [top - rise, top + stay + fall])
            since = time[first:last] - top
            up, down = ease(1.0 + since / rise), ease(1.0 - (since - stay) / fall)
            curve[first:last] += height * np.minimum(up, down)
        return curve

    def forget(self, before: float) -> None:
        """Drop the bumps that are over."""
        self._bumps = [bump for bump in self._bumps if bump[0] + bump[3] + bump[4] > before]

    def end(self, started: float, seconds: float) -> None:
        """Drop the bumps that start after `started` and are not over after `seconds`."""
        self._bumps = [
            (top, height, rise, stay, fall)
            for top, height, rise, stay, fall in self._bumps
            if top - rise < started or top + stay + fall < seconds
        ]


class Wander:
    """Smooth random courses (n,) about 0 with standard deviation 1.

    Cubic B-splines through random control points `spacing` seconds apart; they come and go within
    about four of them.
    """

    def __init__(self, count: int, spacing: float, rng: np.random.Generator) -> None:
        self._spacing, self._rng = spacing, rng
        self._points, self._first = np.zeros((0, count)), 0  # number of the first point

    def at(self, time: np.ndarray) -> np.ndarray:
        """Evaluate (T, n)."""
        position = time / self._spacing
        knot = position.astype(int)
        missing = int(knot.max(initial=0)) + 4 - self._first - len(self._points)
        new = self._rng.standard_normal((max(missing, 0), self._points.shape[1]))
        self._points = np.concatenate([self._points, new])
        x = (position - knot)[:, None]
        weights = (
            (1 - x) ** 3 / 6,
            (3 * x**3 - 6 * x**2 + 4) / 6,
            (-3 * x**3 + 3 * x**2 + 3 * x + 1) / 6,
            x**3 / 6,
        )
        knot = knot - self._first
        return sum(w * self._points[knot + k] for k, w in enumerate(weights)) / 0.69

    def forget(self, before: float) -> None:
        """Drop the points that are no longer needed."""
        over = max(int(before / self._spacing) - self._first, 0)
        self._points, self._first = self._points[over:], self._first + over
