"""Motion predicted while speech arrives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from jambatalk.errors import ModelError
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.streaming_encoder import StreamingEncoder

if TYPE_CHECKING:
    from jambatalk.model.jambatalk import JambaTalk
    from jambatalk.model.speaking_style import SpeakingStyle


class StreamingDecoder:
    """Predicts the motion of one recording as it arrives, in one style or several.

    The same recording gives the same motion in whatever pieces it arrives, to rounding.
    Shapes: s styles, t frames, k blendshapes (or 3 V coordinates).

    Args:
        styles: see :meth:`JambaTalk.style`.

    Raises:
        ModelError: this network needs whole recordings.
    """

    def __init__(self, model: JambaTalk, styles: Sequence[SpeakingStyle]) -> None:
        decoder = model.decoder
        if not model.config.streamable or not isinstance(decoder, JambaDecoder):
            raise ModelError(
                "This checkpoint needs whole recordings and cannot follow speech as it arrives.",
                "Use the bundled one, or train one with encoder.window and attention_window.",
            )
        self.model, self.styles = model, styles
        self._decoder, self._encoder = decoder, StreamingEncoder(model.encoder)
        self._states = [decoder.initial_state() for _ in styles]

    @property
    def look_ahead(self) -> float:
        """Seconds of sound that a frame waits for after its own time, at most."""
        return self._encoder.look_ahead

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """Add samples (n,) at 16 kHz; return the motions (s, t, k) of the frames that are ready."""
        return self.decode(self._encoder.feed(samples))

    def finish(self) -> np.ndarray:
        """End the recording; return the motions (s, t, k) of the remaining frames."""
        return self.decode(self._encoder.finish())

    @torch.inference_mode()
    def decode(self, features: Tensor) -> np.ndarray:
        """Add features (t, m, c) that were encoded before; return the motions (s, t, k)."""
        if not len(features):
            return np.zeros((len(self.styles), 0, self.model.config.outputs), np.float32)
        features, motions = features.to(self.styles[0].vector.device)[None], []
        # One style at a time: results then do not depend on the others in the batch.
        for index, style in enumerate(self.styles):
            output, self._states[index] = self._decoder.step(
                features, style.vector[None], self._states[index], style.amplitude
            )
            motions.append(self.model.scale_output(output))
        return torch.cat(motions).cpu().numpy()
