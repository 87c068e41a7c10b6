"""Designed styles: changes of the neutral style, the middle of captured people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from recipes.checkpoint.captured.lip_range import LipRange
from recipes.checkpoint.lip_styles.lip_style import LipStyle


@dataclass(frozen=True)
class Design:
    """A change of the neutral style.

    Attributes:
        note: shown to users.
        aperture, width: factors on the movement of aperture and width.
        wider: millimetres added to the width.
        jaw: factor on the drop of the chin: below 1 the lips do more of the work.
        sharpness, posture: see :class:`LipStyle`.
    """

    note: str
    aperture: float = 1.0
    width: float = 1.0
    wider: float = 0.0
    jaw: float = 1.0
    sharpness: float = 0.0
    posture: Mapping[str, float] = field(default_factory=dict)

    def apply(self, neutral: LipStyle) -> LipStyle:
        """Return the style that this change makes of the neutral one."""
        factor, shift = np.array([self.aperture, self.width]), np.array([0.0, self.wider])
        return replace(
            neutral,
            range=LipRange(neutral.range.mean * factor + shift, neutral.range.spread * factor),
            manner=neutral.manner * self.jaw,
            sharpness=self.sharpness,
            posture=self.posture,
        )


DESIGNS = {
    "crisp": Design(
        "Quick, sharp lips that show the teeth.",
        jaw=0.55,
        sharpness=0.9,
        posture={"mouthUpperUp": 0.07},
    ),
    "relaxed": Design(
        "Slow, soft lips that go halfway to each sound.",
        aperture=0.72,
        width=0.6,
        sharpness=-0.8,
    ),
    "smiling": Design(
        "Speech through a smile.",
        width=0.8,
        posture={"mouthSmile": 0.40, "cheekSquint": 0.35, "mouthDimple": 0.08},
    ),
    "theatrical": Design(
        "Stage speech: a wide-open mouth and very round lips.",
        aperture=1.5,
        width=1.6,
        jaw=1.1,
        sharpness=0.3,
    ),
    "pouting": Design(
        "Lips pushed forward, even between words.",
        width=0.8,
        posture={"mouthPucker": 0.22, "mouthShrugLower": 0.14},
    ),
}
