"""Manners of speaking: one person's opening of the lips, made the way another makes it.

Some raise the upper lip to speak, others drop the jaw and round the lips. What is said lies in how
far the lips are apart, how wide the mouth is and how far it is pushed forward; everything else is
manner. So a motion is carried over by asking for the likeliest weights of the other person that
give the same three, in that person's range: the mean of a Gaussian under a linear observation.
With it every recording can teach every style, and a network cannot take the voice for the style.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from jambatalk.face.face import Face
from jambatalk.face.lips import aperture, close, middle_pairs

SPEAKING = 1.0  # millimetres: lips further apart than this are speaking
NOISE = 0.3  # millimetres, of what is asked for


@dataclass(frozen=True, eq=False)
class SpeakerStyle:
    """How one person makes the shapes of the mouth.

    Attributes:
        face: whose blendshapes these are.
        covariance: (K, K) of the weights about rest, over all frames.
        spread: (3,) standard deviations of aperture, width and protrusion while speaking, mm.
    """

    face: Face
    covariance: np.ndarray
    spread: np.ndarray

    @classmethod
    def from_motions(cls, face: Face, motions: Iterable[np.ndarray]) -> SpeakerStyle:
        """Learns it from motions (T, K) of one person."""
        weights = np.concatenate(list(motions)).astype(np.float64)
        shape = weights @ _shape_rows(face).T  # (T, 3)
        speaking = shape[:, 0] > SPEAKING
        # about rest, not about the mean: no motion must stay no motion
        return cls(face, weights.T @ weights / len(weights), shape[speaking].std(0))

    def transfer(self, weights: np.ndarray, speaker: SpeakerStyle) -> np.ndarray:
        """The motion (T, K) of `speaker` in this manner; its closed lips stay closed."""
        rows = _shape_rows(self.face)  # (3, K)
        asked = (weights @ rows.T) * (self.spread / speaker.spread)  # (T, 3)
        gain = self.covariance @ rows.T
        gain = gain @ np.linalg.inv(rows @ gain + NOISE**2 * np.eye(len(rows)))  # (K, 3)
        carried = np.clip(asked @ gain.T, 0.0, 1.0).astype(np.float32)
        # what clipping left the lips too far apart
        excess = aperture(self.face, carried) - asked[:, 0].clip(0.0) / 1e3
        return close(self.face, carried, excess)


def _shape_rows(face: Face) -> np.ndarray:
    """Aperture, width and protrusion of the mouth as linear forms of the weights, mm: (3, K)."""
    deltas, marks = face.deltas.astype(np.float64) * 1e3, face.landmarks
    right, left = marks["mouth_corners"]
    upper, lower = middle_pairs(face).T
    return np.stack(
        [
            (deltas[:, upper, 1] - deltas[:, lower, 1]).mean(1),
            deltas[:, left, 0] - deltas[:, right, 0],
            (deltas[:, upper, 2] + deltas[:, lower, 2]).mean(1) / 2,
        ]
    )
