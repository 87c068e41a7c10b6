"""The layouts in which each network was published, as data."""

from __future__ import annotations

from typing import Any

from jambatalk.errors import ModelError
from jambatalk.export.arkit import BLENDSHAPES
from jambatalk.networks.config import CodeTalkerConfig, DiffuserConfig, NetworkConfig
from jambatalk.paper.layouts import WAV2VEC2_LARGE

# fmt: off
VOCASET_SUBJECTS = tuple(f"FaceTalk_{number}_TA" for number in (
    "170728_03272", "170904_00128", "170725_00137", "170915_00223",
    "170811_03274", "170913_03279", "170904_03276", "170912_03278",
))
BIWI_SUBJECTS = ("F2", "F3", "F4", "M3", "M4", "M5")
ALL_BIWI_SUBJECTS = (
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "M1", "M2", "M3", "M4", "M5", "M6",
)
# fmt: on
EXPRESSIVE = "-expressive"  # ends the name of a subject's second style, in FaceXHuBERT
# Coordinates were divided by the root of each frame's surface: 174 to 201 mm, by person
BIWI_AXES = (0.185, 0.185, 0.185)

# ARKit's blendshapes in alphabetical order, without tongueOut
BEAT_BLENDSHAPES = tuple(name for name in sorted(BLENDSHAPES) if name != "tongueOut")
MULTIFACE_SUBJECTS = tuple(str(number) for number in (2, 3, 6, 7, 9, 10, 11, 12, 13))

_vocaset: dict[str, Any] = {"fps": 30.0, "styles": VOCASET_SUBJECTS, "vertices": 5023}
_biwi: dict[str, Any] = {
    "fps": 25.0,
    "styles": BIWI_SUBJECTS,
    "vertices": 23_370,
    "axes": BIWI_AXES,
}
_no_style: dict[str, Any] = {"styles": ("neutral",)}

LAYOUTS: dict[str, dict[str, NetworkConfig]] = {
    "faceformer": {
        "vocaset": NetworkConfig("faceformer", width=64, **_vocaset),
        "biwi": NetworkConfig("faceformer", width=128, **_biwi),
    },
    "codetalker": {
        "vocaset": CodeTalkerConfig("codetalker", width=1024, layers=6, **_vocaset),
        "biwi": CodeTalkerConfig(
            "codetalker", width=1024, layers=12, parts=8, code_width=128, narrow=True, **_biwi
        ),
    },
    "selftalk": {
        "vocaset": NetworkConfig("selftalk", WAV2VEC2_LARGE, width=512, **_vocaset | _no_style),
        "biwi": NetworkConfig("selftalk", WAV2VEC2_LARGE, width=1024, **_biwi | _no_style),
    },
    "facexhubert": {
        "biwi": NetworkConfig(
            "facexhubert",
            fps=25.0,
            width=256,
            layers=2,
            styles=(*ALL_BIWI_SUBJECTS, *(f"{name}{EXPRESSIVE}" for name in ALL_BIWI_SUBJECTS)),
            vertices=23_370,
            axes=(1.0, -1.0, -1.0),  # the corpus is captured upside down
            relative=True,
        ),
    },
    "facediffuser": {
        "vocaset": DiffuserConfig("facediffuser", width=256, layers=2, **_vocaset),
        "biwi": DiffuserConfig(
            "facediffuser", width=512, layers=2, steps=500, token_width=512, **_biwi
        ),
        "multiface": DiffuserConfig(
            "facediffuser", width=256, layers=2, styles=MULTIFACE_SUBJECTS, vertices=6172
        ),
        "beat": DiffuserConfig(
            "facediffuser_beat", width=256, layers=2, blendshapes=BEAT_BLENDSHAPES
        ),
        "uudamm": DiffuserConfig(
            "facediffuser_rig",
            width=512,
            layers=4,
            token_width=512,
            blendshapes=tuple(f"control_{number}" for number in range(192)),
        ),
    },
}


def find_layout(network: str, layout: str) -> NetworkConfig:
    """Return the layout of that name.

    Raises:
        ModelError: there is no such network or layout.
    """
    if network not in LAYOUTS:
        raise ModelError(f"There is no network '{network}'.", f"Use {', '.join(LAYOUTS)}.")
    if layout not in LAYOUTS[network]:
        raise ModelError(
            f"'{network}' was not published in a layout '{layout}'.",
            f"Use {', '.join(LAYOUTS[network])}.",
        )
    return LAYOUTS[network][layout]
