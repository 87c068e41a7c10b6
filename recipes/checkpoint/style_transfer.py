"""Style transfer between speakers: same lip shapes, made with another speaker's blendshapes.

Speakers reach the same mouth shape by different means: some raise the upper lip, others drop the
jaw and round the lips. What carries the speech are lip aperture, mouth width and protrusion; the
rest is the speaker's style. A motion is transferred by estimating the most likely weights of the
target speaker that give the same three quantities, scaled to that speaker's range: the mean of a
Gaussian conditioned on a linear observation. Every recording can thus be used to train every style,
so the network cannot infer the style from the voice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from jambatalk.face.face import Face
from jambatalk.face.lips import aperture, close, middle_pairs

SPEAKING = 1.0  # millimetres of lip aperture above which a frame counts as speech
NOISE = 0.3  # millimetres, standard deviation of the observation


@dataclass(frozen=True, eq=False)
class SpeakerStyle:
    """Statistics of how a speaker shapes the mouth.

    Attributes:
        face: the face whose blendshapes the weights belong to.
        covariance: (K, K) of the weights about rest, over all frames.
        spread: (3,) standard deviations of aperture, width and protrusion in speech, mm.
    """

    face: Face
    covariance: np.ndarray
    spread: np.ndarray

    @classmethod
    def from_motions(cls, face: Face, motions: Iterable[np.ndarray]) -> SpeakerStyle:
        """Estimate the style of a speaker from weights (T, K) of several recordings."""
        weights = np.concatenate(list(motions)).astype(np.float64)
        shape = weights @ _lip_shape(face).T  # (T, 3)
        speaking = shape[:, 0] > SPEAKING
        # about rest, not about the mean, so that no motion is transferred to no motion
        return cls(face, weights.T @ weights / len(weights), shape[speaking].std(0))

    def transfer(self, weights: np.ndarray, speaker: SpeakerStyle) -> np.ndarray:
        """Convert weights (T, K) of another speaker to this style; closed lips stay closed.

        Args:
            speaker: style of the speaker whose weights these are.
        """
        return self.likely_weights(self.shapes(weights) * (self.spread / speaker.spread))

    def likely_weights(self, shape: np.ndarray) -> np.ndarray:
        """Estimate the most likely weights (T, K) of a lip shape.

        Args:
            shape: (T, 3) aperture, width and protrusion, millimetres from rest; or (T, 2), without
                protrusion.
        """
        lip_shape = _lip_shape(self.face)[: shape.shape[1]]  # (n, K)
        gain = self.covariance @ lip_shape.T
        gain = gain @ np.linalg.inv(lip_shape @ gain + NOISE**2 * np.eye(len(lip_shape)))  # (K, n)
        weights = np.clip(shape @ gain.T, 0.0, 1.0).astype(np.float32)
        # clipping may have left the lips too far apart
        excess = aperture(self.face, weights) - shape[:, 0].clip(0.0) / 1e3
        return close(self.face, weights, excess)

    def shapes(self, weights: np.ndarray) -> np.ndarray:
        """Measure aperture, width and protrusion of weights (T, K), mm from rest: (T, 3)."""
        return weights @ _lip_shape(self.face).T


def _lip_shape(face: Face) -> np.ndarray:
    """Return lip aperture, width and protrusion as linear forms of the weights, mm: (3, K)."""
    marks = np.concatenate([face.landmarks["mouth_corners"], *middle_pairs(face).T])
    moved = face.deltas[:, marks].astype(np.float64) * 1e3  # (K, n, 3)
    right, left = moved[:, 0], moved[:, 1]
    upper, lower = np.split(moved[:, 2:], 2, axis=1)
    return np.stack(
        [
            (upper[..., 1] - lower[..., 1]).mean(1),
            left[:, 0] - right[:, 0],
            (upper[..., 2] + lower[..., 2]).mean(1) / 2,
        ]
    )
