"""How moods change the nonverbal motion: its tempo and reach, blinks, gaze and the head's pose.

Rules. The directions follow Wallbott, European Journal of Social Psychology 28, 1998 (movement is
wide and fast in joy and anger, small and slow in sadness) and de Meijer, Journal of Nonverbal
Behavior 13, 1989; the sizes are our choice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jambatalk.motion.mood.postures import ROWS

# tempo, blinks, brows, head, away: factors at intensity 1; lift: degrees of elevation of gaze;
# pitch (down), roll: degrees of the head.
# fmt: off
MANNERS = {
    #             tempo blinks brows head  away   lift  pitch roll
    "happy":     (1.15, 1.00, 0.90, 1.20, 0.70,   0.0, -2.5,  2.0),
    "sad":       (0.70, 0.80, 0.40, 0.55, 1.50,  -4.0,  7.0,  2.0),
    "angry":     (1.20, 0.60, 0.20, 1.10, 0.40,   0.0,  6.0,  0.0),
    "surprised": (1.20, 0.60, 0.35, 0.90, 0.40,   0.0, -4.0,  0.0),
    "afraid":    (1.30, 1.50, 0.35, 0.60, 1.30,   0.0, -2.0,  1.0),
    "disgusted": (0.85, 1.10, 0.40, 0.80, 1.20,  -0.5, -4.0, -3.0),
    "tender":    (0.80, 0.90, 0.70, 0.70, 0.50,   0.0,  2.0,  6.0),
    "lively":    (1.25, 1.10, 1.20, 1.30, 0.80,   0.0, -1.5,  0.0),
    "calm":      (0.75, 0.80, 0.60, 0.60, 1.00,   0.0,  1.5,  1.0),
}
# fmt: on
_TABLE = np.array([MANNERS[row] for row in ROWS])
_FACTORS, _OFFSETS = np.log(_TABLE[:, :5]), _TABLE[:, 5:]


class Manner(NamedTuple):
    """What moods do to nonverbal motion, (T,) each; `pose` is (T, 3).

    Attributes:
        tempo: speed of turns, beats and glances. blinks: how many there are. brows, head: reach.
        away: how often the eyes leave the viewer.
        lift: elevation of gaze, degrees. pose: pitch, yaw and roll of the head, degrees.
    """

    tempo: np.ndarray
    blinks: np.ndarray
    brows: np.ndarray
    head: np.ndarray
    away: np.ndarray
    lift: np.ndarray
    pose: np.ndarray

    @classmethod
    def of(cls, shares: np.ndarray) -> Manner:
        """Mix the manners of the shares (T, n) of all postures; none leaves everything as it is."""
        lift, pitch, roll = (shares @ _OFFSETS).T
        pose = np.stack([pitch, np.zeros(len(pitch)), roll], 1)
        tempo, blinks, brows, head, away = np.exp(shares @ _FACTORS).T
        return cls(tempo, blinks, brows, head, away, lift, pose)
