"""Rows of the benchmark table: closure of P, B and M in other languages against English."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from jambatalk.errors import NotInstalledError
from jambatalk.evaluate.curve_metrics import CLOSED
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.corpus.build_corpus import TakeAligner
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.corpus.recognise import Recogniser
from recipes.checkpoint.corpus.speech_sources import SOURCES
from recipes.checkpoint.evaluation.benchmark_table import INF, NAN, Row
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.phone_statistics import (
    PhoneStatistics,
    apertures_around,
    percent_below,
)

ENGLISH = "en"
LOW = -5.0  # percentage points

Apertures = Mapping[str, Sequence[float]]  # language → least aperture of each P, B, M


def recognised_row(head: TalkingHead, data: HeldOutData) -> Row:
    """Measure closure where a phone recogniser finds P, B or M."""
    try:
        recogniser = Recogniser()
    except NotInstalledError as error:
        return _row("recognised", {}, f"needs: {error}")
    recordings = [(ENGLISH, speech) for speech, _ in data.librivox]
    recordings += [(Path(speech.name).stem[-2:], speech) for speech in data.multilingual]
    apertures: dict[str, list[float]] = defaultdict(list)
    for language, speech in recordings:
        motion, times = head.animate(speech), recogniser.bilabials(speech.samples)
        apertures[language] += apertures_around(motion.lip_aperture(), motion.fps, times)
    return _row("recognised", apertures)


def written_row(head: TalkingHead, data: HeldOutData) -> Row:
    """Measure closure within the P, B and M of aligned texts.

    Without the programs that align them, the row has no value.

    Raises:
        DataError: a text does not fit its recording.
    """
    try:
        others = _align(data.folder)
    except NotInstalledError as error:
        return _row("written", {}, f"needs: {error}")
    apertures: dict[str, list[float]] = defaultdict(list)
    english = [(ENGLISH, speech, phones) for speech, phones in data.librivox]
    for language, speech, phones in english + others:
        motion, statistics = head.animate(speech), PhoneStatistics()
        statistics.add(motion.lip_aperture(), motion.fps, phones)
        apertures[language] += statistics.bilabials
    return _row("written", apertures)


def _align(folder: Path) -> list[tuple[str, Speech, list[Phone]]]:
    """Align the recordings of other languages: language, speech and phones."""
    aligner, aligned = TakeAligner(), []
    for take in SOURCES["multilingual"].takes(folder):
        if take.language != ENGLISH:
            recording = aligner("multilingual", take)
            speech = Speech.from_array(recording.samples, SAMPLE_RATE, take.name)
            aligned.append((take.language, speech, recording.phones))
    return aligned


def _row(method: str, apertures: Apertures, note: str = "") -> Row:
    key = f"languages_{method}"
    metric = f"P/B/M closed, other languages less English ({method})"
    others = [value for name, values in apertures.items() if name != ENGLISH for value in values]
    if not apertures.get(ENGLISH) or not others:
        return Row(key, metric, NAN, note=note)
    closed = {name: percent_below(values, CLOSED) for name, values in apertures.items() if values}
    return Row(
        key=key,
        metric=metric,
        value=percent_below(others, CLOSED) - closed[ENGLISH],
        unit="points",
        digits=1,
        low=LOW,
        high=INF,
        sample=f"{len(others)} {method} phones against {len(apertures[ENGLISH])} English",
        note=", ".join(
            f"{name} {percent:.0f} % of {len(apertures[name])}" for name, percent in closed.items()
        ),
    )
