"""Builds the corpus: hears every take, places its phones, and writes one file for each.

What is already in the folder is left as it is, so an interrupted build goes on where it stopped.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

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

MIN_RATE, MAX_RATE = 3.0, 25.0  # phones a second of speech: outside, the text was not said


def build_corpus(
    data: Path,
    folder: Path,
    sources: Sequence[str] = tuple(SOURCES),
    progress: Progress = no_progress,
) -> Counter[str]:
    """Builds some sources into a folder; returns how many recordings each of them has there.

    Args:
        data: the folder with `speech/`.
        sources: keys of `SOURCES`.

    Raises:
        DataError: a source does not exist, or what it needs is not installed or not there.
    """
    unknown = set(sources) - set(SOURCES)
    if unknown:
        raise DataError(
            f"There is no source {', '.join(sorted(unknown))}.", f"Choose of {', '.join(SOURCES)}."
        )
    takes = [(source, take) for source in sources for take in SOURCES[source].takes(data)]
    placer = TakeAligner()
    count: Counter[str] = Counter()
    for number, (source, take) in enumerate(takes):
        progress("building the corpus", number / len(takes))
        refused = recording_path(folder, source, take.name).with_suffix(".refused")
        if refused.exists():
            continue
        if not recording_path(folder, source, take.name).exists():
            try:
                placer(source, take).save(folder)
            except NotInstalledError:
                raise
            except (DataError, SpeechError) as error:
                log.info("left out %s/%s: %s", source, take.name, error)
                refused.parent.mkdir(parents=True, exist_ok=True)
                refused.write_text(f"{error}\n")
                continue
        count[source] += 1
    progress("building the corpus", 1.0)
    return count


class TakeAligner:
    """Places the phones of takes. Keep one and use it for many."""

    def __init__(self) -> None:
        self.aligner = Aligner()
        self._recogniser: Recogniser | None = None

    def __call__(self, source: str, take: Take) -> Recording:
        """A take's recording.

        Raises:
            DataError: its phones cannot be placed.
        """
        heard = take.read()
        if heard.phones is not None:
            phones, timing = heard.phones, "told"
        elif take.language == "en" and take.text:
            phones, timing = self.aligner(heard.samples, take.text), "text"
        else:
            names, timing = heard.names, "text"
            if names is None and take.text:
                names = [name for name, _ in from_ipa(transcribe(take.text, take.language))]
            if names is None:
                names, timing = self._recognise(heard.samples), "heard"
            phones = self.aligner.align_phones(heard.samples, names)
        spoken = [phone.duration for phone in phones if phone.name != SILENCE]
        if not MIN_RATE < len(spoken) / max(sum(spoken), 1e-3) < MAX_RATE:
            raise DataError("The text was not said in this recording.")
        phones = detect_closures(heard.samples, phones)
        return Recording(
            take.name,
            source,
            take.speaker,
            take.language,
            take.split,
            heard.samples,
            phones,
            take.text,
            timing,
        )

    def _recognise(self, samples):
        if self._recogniser is None:
            self._recogniser = Recogniser()
        return self._recogniser(samples)
