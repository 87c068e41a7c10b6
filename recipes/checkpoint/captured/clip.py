"""A recording with its captured motion."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Clip:
    """A training example.

    Attributes:
        name: unique within its data set.
        samples: (n,) float32, 16 kHz mono.
        weights: (T, K) float32 blendshape weights at `fps`, from the first sample on.
        fps: frames per second.
        style: name of the style the motion belongs to.
    """

    name: str
    samples: np.ndarray
    weights: np.ndarray
    fps: float
    style: str
