"""Phone recognition for recordings without a transcript, by hama (extra `recipes`).

Hama is a multilingual network that recognises phones reliably but times them 50-80 ms late and only
roughly; `align` then aligns the recognised sequence.
"""

from __future__ import annotations

import numpy as np

from jambatalk.errors import DataError, NotInstalledError
from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.corpus.closures import STEP, loudness
from recipes.checkpoint.corpus.phones import from_ipa

SHORTEST, LONGEST = 5.0, 12.0  # seconds, limits of the pieces of a longer recording
PAUSE = 0.2  # seconds over which the level is averaged to find a pause
LATE = 0.065  # seconds, mean latency of the recognised phones


class Recogniser:
    """Recognises phones; reuse one instance for many recordings.

    Raises:
        NotInstalledError: hama is missing.
    """

    def __init__(self) -> None:
        try:
            from hama import ASRModel
        except ImportError as error:
            raise NotInstalledError(
                "hama is not installed.", "Run 'pip install jambatalk[recipes]'."
            ) from error
        self.model = ASRModel()

    def __call__(self, samples: np.ndarray) -> list[str]:
        """Recognise the phones of (n,) samples at 16 kHz, in order.

        Raises:
            DataError: no speech was recognised.
        """
        names = []
        for part in split_at_pauses(samples):
            result = self.model.transcribe_waveform(part.astype(np.float32), SAMPLE_RATE)
            names += [name for name, _ in from_ipa("".join(result.phonemes))]
        if not names:
            raise DataError("No speech was recognised in the recording.")
        return names

    def bilabials(self, samples: np.ndarray) -> list[float]:
        """Return rough times in seconds of P, B and M in (n,) samples at 16 kHz.

        The recogniser's mean latency is subtracted. It misses and confuses phones, most in
        languages other than English.
        """
        spans = self.model.phoneme_spans(self.model.transcribe_waveform(samples, SAMPLE_RATE))
        return [span.start_ms / 1e3 - LATE for span in spans if span.phoneme in "pbm"]


def split_at_pauses(samples: np.ndarray) -> list[np.ndarray]:
    """Split long recordings (n,) where they are quietest, into pieces of at most `LONGEST`.

    The recogniser drops phones at the end of longer inputs.
    """
    pieces = []
    quiet = round(PAUSE / STEP)
    while len(samples) > LONGEST * SAMPLE_RATE:
        level = loudness(samples[: round(LONGEST * SAMPLE_RATE)])
        level = np.convolve(level, np.full(quiet, 1 / quiet), "same")
        first = round(SHORTEST / STEP)
        cut = round((first + np.argmin(level[first:-quiet])) * STEP * SAMPLE_RATE)
        pieces.append(samples[:cut])
        samples = samples[cut:]
    return [*pieces, samples]
