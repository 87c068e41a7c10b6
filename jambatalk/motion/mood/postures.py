"""The posture of the face in each mood, after the Facial Action Coding System.

Nobody was captured: the weights are designed by rule and judged by eye (docs/moods.md). Which
action units (AU) make a mood follows Ekman, Friesen and Hager, Facial Action Coding System: The
Manual and the Investigator's Guide, 2002; tenderness has no prototype there. ARKit's blendshapes
for them:

    AU1 browInnerUp    AU7 eyeSquint       AU15 mouthFrown         AU23 mouthRoll
    AU2 browOuterUp    AU9 noseSneer       AU16 mouthLowerDown     AU24 mouthPress
    AU4 browDown       AU10 mouthUpperUp   AU17 mouthShrugLower    AU26 jawOpen
    AU5 eyeWide        AU12 mouthSmile     AU20 mouthStretch       AU43 eyeBlink, in part
    AU6 cheekSquint    AU14 mouthDimple
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from jambatalk.face.face import Face

MAX_INTENSITY = 1.5  # beyond it faces distort


@dataclass(frozen=True)
class Posture:
    """Blendshape weights at intensity 1; a name without a side stands for both sides.

    Attributes:
        face: those at all times.
        parted: those that part the lips, added while what is said has parted them.
        wider: part by which the lips open wider (below 0: less) than what is said alone.
    """

    face: Mapping[str, float]
    parted: Mapping[str, float] = field(default_factory=dict)
    wider: float = 0.0


POSTURES = {
    "happy": Posture(  # AU6 + 12, and 25 while speaking
        {
            "mouthSmile": 0.80,
            "cheekSquint": 0.80,
            "eyeSquint": 0.15,
            "mouthDimple": 0.10,
            "browInnerUp": 0.10,
            "browOuterUp": 0.15,
        },
        {"mouthUpperUp": 0.25},
        wider=0.10,
    ),
    "sad": Posture(  # AU1 + 4 + 15 + 17, the lids heavy
        {
            "browInnerUp": 0.95,
            "browDown": 0.35,
            "eyeSquint": 0.10,
            "eyeBlink": 0.16,
            "mouthFrown": 0.85,
            "mouthShrugLower": 0.35,
        },
        wider=-0.10,
    ),
    "angry": Posture(  # AU4 + 5 + 7 + 23 + 24, and 10 + 16 while speaking
        {
            "browDown": 1.0,
            "eyeWide": 0.30,
            "eyeSquint": 0.60,
            "noseSneer": 0.55,
            "mouthPress": 0.30,
            "mouthFrown": 0.60,
            "mouthRollUpper": 0.20,
            "mouthRollLower": 0.25,
        },
        {"mouthUpperUp": 0.15, "mouthLowerDown": 0.45},
        wider=0.10,
    ),
    "surprised": Posture(  # AU1 + 2 + 5, and 26 while speaking
        {"browInnerUp": 0.80, "browOuterUp": 0.90, "eyeWide": 0.75},
        {"jawOpen": 0.06},
        wider=0.30,
    ),
    "afraid": Posture(  # AU1 + 2 + 4 + 5 + 20
        {
            "browInnerUp": 0.95,
            "browOuterUp": 0.35,
            "browDown": 0.45,
            "eyeWide": 0.85,
            "mouthStretch": 0.50,
            "mouthFrown": 0.20,
        },
        {"mouthLowerDown": 0.40},
        wider=0.10,
    ),
    "disgusted": Posture(  # AU9 + 15 + 17 + 4 + 7, and 10 while speaking
        {
            "noseSneer": 0.90,
            "browDown": 0.55,
            "eyeSquint": 0.50,
            "cheekSquint": 0.40,
            "mouthFrown": 0.45,
            "mouthShrugLower": 0.35,
        },
        {"mouthUpperUp": 0.28},
    ),
    "tender": Posture(  # a slight AU6 + 12 with AU1, the lids soft
        {
            "mouthSmile": 0.42,
            "cheekSquint": 0.40,
            "browInnerUp": 0.35,
            "eyeSquint": 0.12,
            "eyeBlink": 0.12,
        },
        wider=-0.05,
    ),
    # The two ends of the mood from the voice, see `VocalArousal`.
    "lively": Posture(
        {
            "browInnerUp": 0.30,
            "browOuterUp": 0.35,
            "eyeWide": 0.30,
            "cheekSquint": 0.25,
            "mouthSmile": 0.25,
        },
        wider=0.10,
    ),
    "calm": Posture({"eyeBlink": 0.14, "browInnerUp": 0.08, "mouthSmile": 0.08}, wider=-0.05),
}
ROWS = tuple(POSTURES)  # of all arrays below, and of the shares of postures
NEUTRAL, VOICE = "neutral", "voice"
MOODS = (NEUTRAL, *ROWS[:-2])
CORNERS = ("mouthSmile", "mouthDimple", "mouthStretch", "mouthFrown")  # rounded lips resist them


@dataclass(frozen=True, eq=False)
class FacePostures:
    """The postures as weights of a face's blendshapes; those that it lacks are left out.

    Attributes:
        face, parted: (n, K), a row for each of `ROWS`.
        corners: (K,) bool, the blendshapes that draw the corners of the mouth.
        mouth: (K,) bool, the blendshapes of jaw and mouth.
    """

    face: np.ndarray
    parted: np.ndarray
    corners: np.ndarray
    mouth: np.ndarray

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, face: Face) -> FacePostures:
        """Arrange the postures for a face."""
        names = [name.removesuffix("Left").removesuffix("Right") for name in face.blendshapes]

        def rows(weights: Mapping[str, float]) -> list[float]:
            return [weights.get(name, 0.0) for name in names]

        return cls(
            np.array([rows(posture.face) for posture in POSTURES.values()], np.float32),
            np.array([rows(posture.parted) for posture in POSTURES.values()], np.float32),
            np.array([name in CORNERS for name in names], bool),
            np.array([name.startswith(("mouth", "jaw")) for name in names], bool),
        )


WIDER = np.array([posture.wider for posture in POSTURES.values()])
LIDS = np.array([posture.face.get("eyeBlink", 0.0) for posture in POSTURES.values()])
