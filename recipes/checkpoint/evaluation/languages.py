"""Whether P, B and M close in other languages as they do in English."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from jambatalk.errors import NotInstalledError
from jambatalk.evaluate import curve_metrics
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.corpus.build_corpus import TakeAligner
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.corpus.recognise import Recogniser
from recipes.checkpoint.corpus.speech_sources import SOURCES
from recipes.checkpoint.evaluation import sounds as phones
from recipes.checkpoint.evaluation.benchmark_table import NAN, Row
from recipes.checkpoint.evaluation.sounds import SoundStatistics

ENGLISH = "en"
WORSE = -5.0  # points that are allowed

Openings = Mapping[str, Sequence[float]]  # language → the smallest opening in each sound


def recognised_row(head: TalkingHead, english: Sequence[Speech], others: Sequence[Speech]) -> Row:
    """Where a phone recogniser hears P, B, M; the names of the others end in their language."""
    spoken = [(ENGLISH, speech) for speech in english]
    spoken += [(Path(speech.name).stem[-2:], speech) for speech in others]
    try:
        recogniser = Recogniser()
    except NotInstalledError as error:
        return _row("recognised", {}, f"needs: {error}")
    found: dict[str, list[float]] = defaultdict(list)
    for language, speech in spoken:
        motion, moments = head.animate(speech), recogniser.bilabials(speech.samples)
        found[language] += phones.openings_around(motion.lip_aperture(), motion.fps, moments)
    return _row("recognised", found)


def written_row(
    head: TalkingHead, english: Sequence[tuple[Speech, Sequence[Phone]]], data: Path
) -> Row:
    """Where their text has P, B, M, after it was aligned with the sound.

    Raises:
        DataError: a text does not fit its sound; without the programs that place it, the row is
            empty instead.
    """
    try:
        placed = _placed(data)
    except NotInstalledError as error:
        return _row("written", {}, f"needs: {error}")
    found: dict[str, list[float]] = defaultdict(list)
    for language, speech, said in [*((ENGLISH, *pair) for pair in english), *placed]:
        motion, sounds = head.animate(speech), SoundStatistics()
        sounds.add(motion.lip_aperture(), motion.fps, said)
        found[language] += sounds.bilabials
    return _row("written", found)


def _placed(data: Path) -> list[tuple[str, Speech, list[Phone]]]:
    """Language, sound and phones of the recordings whose text is known, but for the English."""
    placer, placed = TakeAligner(), []
    for take in SOURCES["multilingual"].takes(data):
        if take.language == ENGLISH:
            continue
        recording = placer("multilingual", take)
        speech = Speech.from_array(recording.samples, SAMPLE_RATE, take.name)
        placed.append((take.language, speech, recording.phones))
    return placed


def _row(how: str, found: Openings, note: str = "") -> Row:
    measure = f"P/B/M closed, other languages less English ({how})"
    key = f"languages_{how}"
    others = [opening for name, row in found.items() if name != ENGLISH for opening in row]
    if not found.get(ENGLISH) or not others:
        return Row(key, measure, NAN, note=note)
    shares = {
        name: phones.share_below(row, curve_metrics.CLOSED) for name, row in found.items() if row
    }
    return Row(
        *(key, measure, phones.share_below(others, curve_metrics.CLOSED) - shares[ENGLISH]),
        *("points", 1, WORSE, math.inf),
        of=f"{len(others)} {how} sounds against {len(found[ENGLISH])} English",
        note=", ".join(
            f"{name} {share:.0f} % of {len(found[name])}" for name, share in shares.items()
        ),
    )
