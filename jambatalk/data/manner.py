"""Manners of speaking: one person's opening of the lips, made the way another makes it.

Some raise the upper lip to speak, others drop the jaw and round the lips. What is said lies in how
far the lips are apart, how wide the mouth is and how far it is pushed forward; everything else is
manner. So a motion is carried over by asking for the likeliest weights of the other person that
give the same three, in that person's range: the mean of a Gaussian under a linear observation.
With it every recording can teach every style, and a network cannot take the voice for the style.

Some also follow the loudness of their voice more than its phones. What such a person's lips would
do with other speech is learned beside it (:class:`LoudManner`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from jambatalk.face import Face
from jambatalk.lips import aperture, close, middle_pairs

SPEAKING = 1.0  # millimetres: lips further apart than this are speaking
NOISE = 0.3  # millimetres, of what is asked for
SHUT = 2.0  # millimetres: where the teacher parts the lips less than this, they close
RIDGE = 0.003  # of standardised inputs
LIVELY = 1.8  # at most so much is given back of the range that a regression takes


@dataclass(frozen=True, eq=False)
class Manner:
    """How one person makes the shapes of the mouth.

    Attributes:
        face: whose actions these are.
        covariance: (K, K) of the weights about rest, over all frames.
        spread: (3,) standard deviations of aperture, width and protrusion while speaking, mm.
    """

    face: Face
    covariance: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, face: Face, motions: Iterable[np.ndarray]) -> Manner:
        """Learns it from motions (T, K) of one person."""
        weights = np.concatenate(list(motions)).astype(np.float64)
        shape = weights @ _shape_rows(face).T  # (T, 3)
        speaking = shape[:, 0] > SPEAKING
        # about rest, not about the mean: no motion must stay no motion
        return cls(face, weights.T @ weights / len(weights), shape[speaking].std(0))

    def carry_over(self, weights: np.ndarray, speaker: Manner) -> np.ndarray:
        """The motion (T, K) of `speaker` in this manner; its closed lips stay closed."""
        asked = (weights @ _shape_rows(self.face).T) * (self.spread / speaker.spread)  # (T, 3)
        return self.shaped(asked)

    def shaped(self, asked: np.ndarray) -> np.ndarray:
        """The likeliest motion (T, K) of given apertures, widths and protrusions (T, 3), mm."""
        rows = _shape_rows(self.face)  # (3, K)
        gain = self.covariance @ rows.T
        gain = gain @ np.linalg.inv(rows @ gain + NOISE**2 * np.eye(len(rows)))  # (K, 3)
        carried = np.clip(asked @ gain.T, 0.0, 1.0).astype(np.float32)
        # what clipping left the lips too far apart
        excess = aperture(self.face, carried) - asked[:, 0].clip(0.0) / 1e3
        return close(self.face, carried, excess)


@dataclass(frozen=True, eq=False)
class LoudManner:
    """How one person's lips follow speech: its loudness, and what the teacher makes of its phones.

    Attributes:
        manner: the person's.
        gains: (4, 3), from the teacher's aperture, width and protrusion in mm and the level of the
            sound to the person's, by ridge regression.
        usual: millimetres of the aperture while speaking, mean.
        lively: how many times more it is to differ from that, as a regression is too quiet.
    """

    manner: Manner
    gains: np.ndarray
    usual: float
    lively: float

    @classmethod
    def of(
        cls,
        manner: Manner,
        captured: Sequence[np.ndarray],
        taught: Sequence[np.ndarray],
        levels: Sequence[np.ndarray],
    ) -> LoudManner:
        """Learns it from recordings: the captured motion (T, K), the teacher's of the same sound
        (T, K), and its level (T,); see `corpus.effort.measure_level`."""
        rows = _shape_rows(manner.face)
        given = np.concatenate(
            [np.column_stack([x @ rows.T, level]) for x, level in zip(taught, levels, strict=True)]
        )  # (frames, 4)
        wanted = np.concatenate([motion @ rows.T for motion in captured])
        units = given.std(0)
        x = given / units
        gains = np.linalg.solve(x.T @ x + RIDGE * len(x) * np.eye(4), x.T @ wanted)
        gains /= units[:, None]
        speaking = wanted[:, 0] > SPEAKING
        found = (given @ gains[:, 0])[speaking]
        lively = float(np.clip(wanted[speaking, 0].std() / found.std(), 1.0, LIVELY))
        return cls(manner, gains, float(found.mean()), lively)

    def speak(self, taught: np.ndarray, level: np.ndarray) -> np.ndarray:
        """The person's motion (T, K) where the teacher's is `taught` (T, K) and the sound's level
        (T,). Lips that the teacher closes are closed."""
        shape = taught @ _shape_rows(self.manner.face).T
        asked = np.column_stack([shape, level]) @ self.gains
        aperture = (self.usual + self.lively * (asked[:, 0] - self.usual)).clip(0.0)
        asked[:, 0] = aperture * (shape[:, 0] / SHUT).clip(0.0, 1.0)
        return self.manner.shaped(asked)


def _shape_rows(face: Face) -> np.ndarray:
    """Aperture, width and protrusion of the mouth as linear forms of the weights, mm: (3, K)."""
    basis, marks = face.basis.astype(np.float64) * 1e3, face.landmarks
    right, left = marks["mouth_corners"]
    upper, lower = middle_pairs(face).T
    return np.stack(
        [
            (basis[:, upper, 1] - basis[:, lower, 1]).mean(1),
            basis[:, left, 0] - basis[:, right, 0],
            (basis[:, upper, 2] + basis[:, lower, 2]).mean(1) / 2,
        ]
    )
