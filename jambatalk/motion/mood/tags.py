"""Moods in a text: `[happy] Hello! [sad 0.6] It rains.`"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jambatalk.errors import MotionError
from jambatalk.motion.mood.course import Mood, check_mood

TAG = re.compile(r"\[\s*([^\W\d_]+)(?:\s+([\d.,]+))?\s*\]")


@dataclass(frozen=True)
class MoodSpan:
    """A part of a text, without its tags, that is said in a mood.

    Attributes:
        start, end: of its characters.
        name: of the mood.
        intensity: of it.
    """

    start: int
    end: int
    name: str
    intensity: float = 1.0


def read_tags(text: str) -> tuple[str, list[MoodSpan]]:
    """Take the tags of moods out of a text.

    A tag is the name of a mood in square brackets, with an intensity if it is not 1; it holds until
    the next one. What comes before the first tag is in none.

    Returns:
        The text to say, and the spans of its moods, in order.

    Raises:
        MotionError: a word in square brackets is no mood, or an intensity is out of range.

    Example:
        >>> read_tags("Well. [happy] You came!")
        ('Well. You came!', [MoodSpan(start=6, end=15, name='happy', intensity=1.0)])
    """
    said, begins, last = "", [], 0
    for tag in TAG.finditer(text):
        said = _joined(said, text[last : tag.start()])
        name, intensity = tag[1].lower(), _number(tag[2])
        try:
            check_mood({name: intensity})
        except MotionError as error:
            raise MotionError(f"'{tag[0]}': {error.what}", error.cure) from error
        begins.append((len(said), name, intensity))
        last = tag.end()
    said = _joined(said, text[last:])
    starts = [start for start, _, _ in begins] + [len(said)]
    return said, [
        MoodSpan(start, end, name, intensity)
        for (start, name, intensity), end in zip(begins, starts[1:], strict=True)
        if end > start
    ]


def _joined(said: str, more: str) -> str:
    """Append a text; the spaces on both sides of a tag become one."""
    spaced = not said or said[-1].isspace()
    return said + (more.lstrip() if spaced else more)


def _number(text: str | None) -> float:
    try:
        return 1.0 if text is None else float(text.replace(",", "."))
    except ValueError:
        return float("nan")  # which no intensity is


def mood_curve(
    text: str, spans: Sequence[MoodSpan], times: Sequence[tuple[float, float]]
) -> Mood | None:
    """Place the moods of a text in the time of its speech.

    The share of a text's letters and digits that comes before a mood is taken for the share of its
    sounds that does.

    Args:
        text, spans: from :func:`read_tags`.
        times: start and end in seconds of each sound that is said, in order: of phones without
            silence, of words, or of the whole speech as one.

    Returns:
        A curve for :meth:`TalkingHead.animate`; None if there are no spans.

    Raises:
        MotionError: no times, or times that run backwards.

    Example:
        >>> said, spans = read_tags("[happy] Hello. [sad] Goodbye.")
        >>> mood_curve(said, spans, [(0.2, 1.8)])  # 5 of 12 letters are said in 0.67 s
        [(0.2, {'happy': 1.0}), (0.8666..., {'sad': 1.0})]
    """
    if not spans:
        return None
    if not times or any(end <= start for start, end in times):
        raise MotionError("The speech has no times for its moods.", "Give those of its sounds.")
    letters = [character.isalnum() for character in text]
    curve: list[tuple[float, dict[str, float]]] = []
    for span in spans:
        place = sum(letters[: span.start]) / max(sum(letters), 1) * len(times)
        number = min(int(place), len(times) - 1)
        start, end = times[number]
        second = start + (end - start) * (place - number)
        if curve and second <= curve[-1][0]:  # nothing is said in between
            curve.pop()
        curve.append((second, {span.name: span.intensity}))
    return curve
