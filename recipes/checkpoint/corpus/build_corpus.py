"""Builds the corpus: times the phones of every take and writes one file for each.

Takes whose files exist are skipped, so an interrupted build resumes where it stopped.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError, NotInstalledError, SpeechError
from jambatalk.progress import Progress, no_progress
from recipes.checkpoint.corpus.align import Aligner
from recipes.checkpoint.corpus.closures import detect_closures
from recipes.checkpoint.corpus.phones import SILENCE, from_ipa
from recipes.checkpoint.corpus.recognise import Recogniser
from recipes.checkpoint.corpus.recording import Recording, recording_path
from recipes.checkpoint.corpus.speech_sources import SOURCES, Take
from recipes.checkpoint.corpus.synthetic_voices import transcribe

log = logging.getLogger(__name__)

MIN_RATE, MAX_RATE = 3.0, 25.0  # phones per second: outside, text and recording do not match


def build_corpus(
    data: Path,
    folder: Path,
    sources: Sequence[str] = tuple(SOURCES),
    progress: Progress = no_progress,
) -> Counter[str]:
    """Build the corpus from some sources and return the number of recordings of each.

    Args:
        data: the data folder, as `prepare_data` writes it.
        folder: the corpus folder; a take that cannot be aligned leaves a `.refused` file there.
        sources: keys of `SOURCES`.

    Raises:
        DataError: a source is unknown, or its data is missing.
        NotInstalledError: a program or package that a source needs is missing.
    """
    unknown = set(sources) - set(SOURCES)
    if unknown:
        raise DataError(
            f"Unknown source: {', '.join(sorted(unknown))}.", f"Choose from {', '.join(SOURCES)}."
        )
    takes = [(source, take) for source in sources for take in SOURCES[source].takes(data)]
    align = TakeAligner()
    count: Counter[str] = Counter()
    for number, (source, take) in enumerate(takes):
        progress("Building the corpus", number / len(takes))
        path = recording_path(folder, source, take.name)
        refused = path.with_suffix(".refused")
        if refused.exists():
            continue
        if not path.exists():
            try:
                align(source, take).save(folder)
            except NotInstalledError:
                raise
            except (DataError, SpeechError) as error:
                log.info("left out %s/%s: %s", source, take.name, error)
                refused.parent.mkdir(parents=True, exist_ok=True)
                refused.write_text(f"{error}\n")
                continue
        count[source] += 1
    progress("Building the corpus", 1.0)
    return count


class TakeAligner:
    """Times the phones of takes; reuse one instance for many."""

    def __init__(self) -> None:
        self.aligner = Aligner()
        self._recogniser: Recogniser | None = None

    def __call__(self, source: str, take: Take) -> Recording:
        """Return the recording of a take with timed phones.

        Raises:
            DataError: the phones cannot be aligned.
        """
        audio = take.read()
        if audio.phones is not None:
            phones, timing = audio.phones, "given"
        elif take.language == "en" and take.text:
            phones, timing = self.aligner(audio.samples, take.text), "text"
        else:
            names, timing = audio.phone_names, "text"
            if names is None and take.text:
                names = [name for name, _ in from_ipa(transcribe(take.text, take.language))]
            if names is None:
                names, timing = self._recognise(audio.samples), "recognised"
            phones = self.aligner.align_phones(audio.samples, names)
        spoken = [phone.duration for phone in phones if phone.name != SILENCE]
        if not MIN_RATE < len(spoken) / max(sum(spoken), 1e-3) < MAX_RATE:
            raise DataError("The text does not match the recording.")
        return Recording(
            name=take.name,
            source=source,
            speaker=take.speaker,
            language=take.language,
            split=take.split,
            samples=audio.samples,
            phones=detect_closures(audio.samples, phones),
            text=take.text,
            timing=timing,
        )

    def _recognise(self, samples: np.ndarray) -> list[str]:
        if self._recogniser is None:
            self._recogniser = Recogniser()
        return self._recogniser(samples)
