"""One recording with the motion that belongs to it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Clip:
    """A training example.

    Attributes:
        name: unique within its set.
        samples: (n,) float32, 16 kHz mono.
        weights: (T, K) float32, the face's blendshapes at `fps`, from the first sample on.
        fps: frames a second.
        style: whose motion it is, a style's name.
    """

    name: str
    samples: np.ndarray
    weights: np.ndarray
    fps: float
    style: str
