"""Which phones a recording holds, where nobody wrote down what is said: by hama (extra `corpus`).

A network that knows phones of many languages names them, but places them 50-80 ms late and only
roughly; the aligner then places what it named.
"""

from __future__ import annotations

import numpy as np

from jambatalk.corpus.phones import from_ipa
from jambatalk.errors import DataError
from jambatalk.speech import SAMPLE_RATE


class Recogniser:
    """Keep one and use it for many recordings.

    Raises:
        DataError: hama is not installed.
    """

    def __init__(self) -> None:
        try:
            from hama import ASRModel
        except ImportError as error:
            raise DataError(
                "hama is not installed.", "Run 'pip install jambatalk[corpus]'."
            ) from error
        self.model = ASRModel()

    def __call__(self, samples: np.ndarray) -> list[str]:
        """The phones of (n,) samples at 16 kHz, in order.

        Raises:
            DataError: it hears none.
        """
        heard = self.model.transcribe_waveform(samples.astype(np.float32), SAMPLE_RATE)
        names = [name for name, _ in from_ipa("".join(heard.phonemes))]
        if not names:
            raise DataError("No speech is heard in the recording.")
        return names
