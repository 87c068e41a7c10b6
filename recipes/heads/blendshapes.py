"""ARKit's blendshapes, and tongueUp, from ICT-FaceKit's expressions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jambatalk.face.eyes import LOOKS
from recipes.heads.eyeballs import Eyeballs
from recipes.heads.eyelids import bulging, closing
from recipes.heads.ict_facekit import IctFaceKit
from recipes.heads.lip_seal import Lips
from recipes.heads.tongue import tongue_out, tongue_up

DROPPED = ("PupilDilate", "cheekRaiser")  # not of ARKit
JOINED = ("browInnerUp", "cheekPuff")  # ARKit has one where ICT-FaceKit has two
SIDES = {"_L": "Left", "_R": "Right"}


def arkit_blendshapes(
    ict: IctFaceKit, lips: Lips, eyeballs: Eyeballs, regions: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the displacement (N, 3) of the published vertices by each blendshape at weight 1.

    Args:
        regions: masks (N,).
    """
    blendshapes = lips.keep_sealed(_renamed(ict.expressions))
    for side in SIDES.values():
        blink = blendshapes[f"eyeBlink{side}"]
        blink = blendshapes[f"eyeBlink{side}"] = blink + closing(ict, blink, side)
        for name in (look for look in LOOKS if look.endswith(side)):
            look = blendshapes[name]
            blendshapes[name] = look + bulging(ict, eyeballs, name, look, blink)
    for name, delta in blendshapes.items():
        delta[regions["teeth_upper"]] = 0.0  # there is captured noise of 2 micrometres
        if not name.startswith("jaw"):
            delta[regions["teeth_lower"]] = 0.0
    blendshapes["tongueOut"] = tongue_out(ict, regions["tongue"])
    blendshapes["tongueUp"] = tongue_up(ict, regions["tongue"])
    return blendshapes


def _renamed(expressions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    renamed: dict[str, np.ndarray] = {}
    for name, delta in expressions.items():
        stem, side = (name[:-2], name[-2:]) if name[-2:] in SIDES else (name, "")
        if stem in JOINED:
            renamed[stem] = renamed.get(stem, 0.0) + delta
        elif stem not in DROPPED:
            renamed[stem + SIDES.get(side, "")] = delta.copy()
    return renamed
