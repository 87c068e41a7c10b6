"""Motion predicted while speech arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from jambatalk.errors import ModelError
from jambatalk.model.streaming_encoder import StreamingEncoder

if TYPE_CHECKING:
    from jambatalk.model.jambatalk import JambaTalk


class StreamingDecoder:
    """What a network predicts for one recording as it arrives, in one style or several.

    The same recording gives the same prediction in whatever pieces it comes, to rounding.
    Shapes: s styles, t frames, k blendshapes (or 3 V coordinates).

    Args:
        styles: (s, w) style vectors, see :meth:`JambaTalk.style`.

    Raises:
        ModelError: this network hears recordings whole.
    """

    def __init__(self, model: JambaTalk, styles: Tensor) -> None:
        if not model.config.streamable:
            raise ModelError(
                "This checkpoint hears recordings whole and cannot follow speech as it arrives.",
                "Use the bundled one, or train one with encoder.window and attention_window.",
            )
        self.model, self.styles = model, styles
        self.encoder = StreamingEncoder(model.encoder)
        self._states = [model.decoder.initial_state() for _ in styles]

    @property
    def look_ahead(self) -> float:
        """Delay of a frame after its moment in the sound, at most, in seconds."""
        return self.encoder.look_ahead

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """Takes on samples (n,) at 16 kHz; the motions (s, t, k) that are certain
        now."""
        return self._step(self.encoder.feed(samples))

    def finish(self) -> np.ndarray:
        """The motions (s, t, k) that were left."""
        return self._step(self.encoder.finish())

    @torch.inference_mode()
    def _step(self, features: Tensor) -> np.ndarray:
        if not len(features):
            return np.zeros((len(self.styles), 0, self.model.config.outputs), np.float32)
        features, motions = features.to(self.styles.device)[None], []
        for number, style in enumerate(self.styles):  # one by one: beside others none differs
            predicted, state = self.model.decoder.step(features, style[None], self._states[number])
            self._states[number] = state
            motions.append(self.model.as_motion(predicted))
        return torch.cat(motions).cpu().numpy()
