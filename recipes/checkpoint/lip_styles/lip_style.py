"""A lip style: what lips do in a style, given what they do in everybody's.

Lips are given as standardised aperture and width, see `captured.lip_range`. A style restores them
to its range, at its sharpness, and shares the aperture between jaw and lips in its manner. The
blendshape weights are the most likely ones of that lip shape: the mean of a Gaussian, that of the
weights of captured people about the style's posture, conditioned on a linear observation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d

from jambatalk.face.face import Face
from jambatalk.face.lips import aperture, close
from recipes.checkpoint.captured.lip_range import LipRange
from recipes.checkpoint.lip_styles.lip_shape import APERTURE, lip_shape_forms

SHARPNESS_SECONDS = 0.06  # standard deviation of the smoothing that sharpness undoes
# A network trained on a mean error moves less than its targets: without this, sd of aperture and
# width of people held out came out 1.05 and 0.77 times theirs.
EMPHASIS = np.array([1.0, 1.3])
NOISE = np.array([0.3, 0.3, 1.0])  # millimetres: standard deviation of the observation


@dataclass(frozen=True, eq=False)
class LipStyle:
    """How a person, or a designed style, moves the lips.

    Attributes:
        range: of aperture and width, mm from closed lips.
        manner: (2,) millimetres that the chin drops for one of aperture, and for one of width.
        sharpness: above 0 for quick lips that reach their targets, below 0 for slow ones.
        posture: ARKit blendshape → weight held throughout, also at rest.
    """

    range: LipRange
    manner: np.ndarray
    sharpness: float = 0.0
    posture: Mapping[str, float] = field(default_factory=dict)

    def shape(self, lips: np.ndarray, fps: float) -> np.ndarray:
        """Convert standardised lips (T, 2) to aperture, width and drop of the chin: (T, 3) mm."""
        smooth = gaussian_filter1d(lips, SHARPNESS_SECONDS * fps, axis=0, mode="nearest")
        shape = self.range.restore(EMPHASIS * (lips + self.sharpness * (lips - smooth)))
        shape[:, APERTURE] = shape[:, APERTURE].clip(0.0)
        return np.concatenate([shape, (shape @ self.manner).clip(0.0)[:, None]], 1)


class LipPrior:
    """The distribution of blendshape weights in speech.

    Args:
        people: weights (T, K) of each captured person, who all count the same.
    """

    def __init__(self, face: Face, people: Sequence[np.ndarray]) -> None:
        self.face = face
        # about rest, not about the mean, so that no motion becomes no motion
        covariance = np.mean([w.T.astype(float) @ w / len(w) for w in people], 0)
        self.forms = lip_shape_forms(face)
        gain = covariance @ self.forms.T
        # the weights (K, 3) that a millimetre of each length makes likely
        self.gain = gain @ np.linalg.inv(self.forms @ gain + np.diag(NOISE**2))

    def shape(self, weights: np.ndarray) -> np.ndarray:
        """Measure the lip shape of weights (T, K): (T, 3) mm."""
        return weights @ self.forms.T

    def likely_weights(self, shape: np.ndarray, posture: Mapping[str, float]) -> np.ndarray:
        """Estimate the most likely weights (T, K) of a lip shape (T, 3).

        A posture adds to width and jaw; the aperture is kept.
        """
        mean = posture_weights(self.face, posture)
        change = shape.astype(np.float64)
        change[:, APERTURE] -= self.forms[APERTURE] @ mean
        weights = np.clip(mean + change @ self.gain.T, 0.0, 1.0).astype(np.float32)
        # clipping may have left the lips too far apart
        return close(self.face, weights, aperture(self.face, weights) - shape[:, APERTURE] / 1e3)


def posture_weights(face: Face, posture: Mapping[str, float]) -> np.ndarray:
    """Return the weights (K,) of a posture, whose names stand for both sides."""
    return np.array(
        [
            posture.get(name, posture.get(name.removesuffix("Left").removesuffix("Right"), 0.0))
            for name in face.blendshapes
        ]
    )
