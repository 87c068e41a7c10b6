"""Moods over time: what a caller asks for, and how the face goes from one to the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from jambatalk.errors import MotionError, did_you_mean
from jambatalk.motion.curves import Glide
from jambatalk.motion.mood.postures import MAX_INTENSITY, MOODS, NEUTRAL, VOICE

# A name; or names with their intensities; or a curve, from which second on which mood holds.
SteadyMood = str | Mapping[str, float]
Mood = SteadyMood | Sequence[tuple[float, SteadyMood]]

KINDS = (*MOODS[1:], VOICE)  # that have an intensity
FADE = 0.9  # seconds from one mood to the next
LEAD = 0.3  # seconds by which that begins before its time on a curve
MAX_KEYS = 10_000  # of a curve
KEPT = 0.5  # seconds for which moves that are over are kept: blocks of sound reach back


class MoodCourse:
    """The intensities of all moods over time.

    Args:
        mood: None for none.

    Raises:
        MotionError: no such mood, an invalid intensity, or times that do not increase.

    Example:
        >>> MoodCourse([(0.0, "happy"), (2.5, {"sad": 0.6})])
    """

    def __init__(self, mood: Mood | None = None) -> None:
        keys = deque(_keys(mood))
        first = keys.popleft()[1] if keys and keys[0][0] <= 0 else np.zeros(len(KINDS))
        self._glide, self._keys = Glide(first), keys

    def change(self, mood: Mood | None, now: float) -> None:
        """Go over to another mood from the time `now` on, seconds; a curve counts from there."""
        self._keys = deque((now + start, target) for start, target in _keys(mood))
        if not self._keys or self._keys[0][0] > now:
            self._keys.appendleft((now, np.zeros(len(KINDS))))
        self._glide.move(now, FADE, self._keys.popleft()[1])

    def at(self, time: np.ndarray, arousal: np.ndarray) -> np.ndarray:
        """Evaluate the shares of all postures, (T, n) from 0 to `MAX_INTENSITY`.

        Args:
            time: (T,) seconds, increasing.
            arousal: (T,) of the voice, -1 to 1, which a mood from the voice follows.
        """
        while self._keys and len(time) and self._keys[0][0] - LEAD <= time[-1]:
            start, target = self._keys.popleft()
            self._glide.move(max(start - LEAD, 0.0), FADE, target)
        intensity = self._glide.at(time)
        voice = intensity[:, -1] * arousal
        ends = np.maximum(voice, 0.0), np.maximum(-voice, 0.0)  # lively and calm
        return np.concatenate([intensity[:, :-1], np.stack(ends, 1)], 1)

    def forget(self, before: float) -> None:
        """Drop what is over."""
        self._glide.forget(before - KEPT)


def check_mood(mood: Mood | None) -> None:
    """Raise a MotionError unless this is a mood or a curve of moods."""
    _keys(mood)


def _keys(mood: Mood | None) -> list[tuple[float, np.ndarray]]:
    """Return the times and intensities (n,) of a curve; a steady mood's begins at 0."""
    if mood is None:
        return []
    if isinstance(mood, str | Mapping):
        return [(0.0, _intensities(mood))]
    try:
        keys = [(float(start), _intensities(steady)) for start, steady in _bounded(mood)]
    except (TypeError, ValueError) as error:
        raise MotionError(
            f"{mood!r:.60} is not a mood.",
            "Give a name, names with their intensities, or [(second, mood), ...].",
        ) from error
    times = [start for start, _ in keys]
    if not np.isfinite(times).all() or any(np.diff(times) <= 0) or any(t < 0 for t in times[:1]):
        raise MotionError(
            "The times of a curve of moods do not increase from 0 on.", "Sort its seconds."
        )
    return keys


def _bounded(mood: Sequence[tuple[float, SteadyMood]]) -> Iterable[tuple[float, SteadyMood]]:
    if len(mood) > MAX_KEYS:
        raise MotionError(f"A curve of {len(mood)} moods is too long.", f"Give {MAX_KEYS} at most.")
    return mood


def _intensities(mood: SteadyMood) -> np.ndarray:
    """Return the intensity (n,) of each of `KINDS`."""
    given = {mood: 1.0} if isinstance(mood, str) else mood
    if not isinstance(given, Mapping):
        raise MotionError(f"{mood!r:.60} is not a mood.", f"Choose among {', '.join(KINDS)}.")
    intensities = np.zeros(len(KINDS))
    for name, intensity in given.items():
        check_name(name)
        number = isinstance(intensity, int | float | np.number)
        if not number or not 0 <= intensity <= MAX_INTENSITY:  # NaN fails too
            raise MotionError(
                f"A mood cannot have the intensity {intensity!r:.20}.",
                f"Choose 0 to {MAX_INTENSITY}.",
            )
        if name != NEUTRAL:
            intensities[KINDS.index(name)] = intensity
    if intensities.sum() > MAX_INTENSITY:
        raise MotionError(
            f"The intensities of these moods make {intensities.sum():g} together.",
            f"Keep them to {MAX_INTENSITY}.",
        )
    return intensities


def check_name(name: str) -> None:
    """Raise a MotionError unless there is a mood of this name."""
    known = (*MOODS, VOICE)
    if name not in known:
        cure = did_you_mean(name, known, f"Choose among {', '.join(known)}.")
        raise MotionError(f"There is no mood '{name}'.", cure)
