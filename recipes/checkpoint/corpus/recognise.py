"""Which phones a recording holds, where nobody wrote down what is said: by hama (extra `corpus`).

A network that knows phones of many languages names them, but places them 50-80 ms late and only
roughly; the aligner then places what it named.
"""

from __future__ import annotations

import numpy as np

from jambatalk.errors import DataError, NotInstalledError
from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.corpus.closures import STEP, loudness
from recipes.checkpoint.corpus.phones import from_ipa

SHORTEST, LONGEST = 5.0, 12.0  # seconds of a piece of a longer recording
PAUSE = 0.2  # seconds over which a pause must be quiet
LATE = 0.065  # seconds by which it comes late


class Recogniser:
    """Keep one and use it for many recordings.

    Raises:
        NotInstalledError: hama is not installed.
    """

    def __init__(self) -> None:
        try:
            from hama import ASRModel
        except ImportError as error:
            raise NotInstalledError(
                "hama is not installed.", "Run 'pip install jambatalk[corpus]'."
            ) from error
        self.model = ASRModel()

    def __call__(self, samples: np.ndarray) -> list[str]:
        """The phones of (n,) samples at 16 kHz, in order.

        Raises:
            DataError: it hears none.
        """
        names = []
        for part in parts(samples):
            heard = self.model.transcribe_waveform(part.astype(np.float32), SAMPLE_RATE)
            names += [name for name, _ in from_ipa("".join(heard.phonemes))]
        if not names:
            raise DataError("No speech is heard in the recording.")
        return names

    def bilabials(self, samples: np.ndarray) -> list[float]:
        """When P, B or M are heard in (n,) samples at 16 kHz: seconds, coarsely, the recogniser's
        lateness taken off. It misses and mistakes sounds, those of foreign languages most."""
        spans = self.model.phoneme_spans(self.model.transcribe_waveform(samples, SAMPLE_RATE))
        return [span.start_ms / 1e3 - LATE for span in spans if span.phoneme in "pbm"]


def parts(samples: np.ndarray) -> list[np.ndarray]:
    """Long sound (n,) cut where it is quietest, into pieces that the network still hears to
    their end."""
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
