"""Designed styles: variants of the coarticulation model's targets, defined by rule.

A style changes targets, dominances, the speed of the articulators and the posture of the face.
Closures stay closures in every style.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recipes.checkpoint.coarticulation.visemes import CHANNELS
from recipes.checkpoint.corpus.phones import BILABIALS, LABIODENTALS, SILENCE, VOWELS


@dataclass(frozen=True)
class DesignedStyle:
    """Parameters of a speaking style.

    Attributes:
        name: short, unique among all styles.
        note: one-line description shown to users.
        scale: channel → factor on its targets (`open` below 0, pressed lips, is not scaled).
        shift: channel → added to its targets while speaking, except in closures.
        posture: ARKit blendshape → weight added throughout, also at rest.
        slowness: factor on the time constants.
        precision: factor on the dominance of consonants other than labials.
        emphasis: factor on the difference between loud or stressed vowels and the others.
        loudness: share of the lip aperture that follows the loudness of the recording, frame by
            frame; the rest follows the phones.
    """

    name: str = "neutral"
    note: str = "Clear, everyday speech."
    scale: Mapping[str, float] = field(default_factory=dict)
    shift: Mapping[str, float] = field(default_factory=dict)
    posture: Mapping[str, float] = field(default_factory=dict)
    slowness: float = 1.0
    precision: float = 1.0
    emphasis: float = 1.0
    loudness: float = 0.3

    def shape(
        self, phone: str, effort: float, target: np.ndarray, dominance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a phone's targets and dominances, both (c,), in this style at a vocal effort."""
        target, dominance = target.copy(), dominance.copy()
        if phone in VOWELS:
            effort = 1.0 + self.emphasis * (effort - 1.0)
            target[[OPEN, JAW]] *= effort
        elif phone not in BILABIALS | LABIODENTALS | {SILENCE}:
            dominance *= self.precision
        for channel, factor in self.scale.items():
            c = CHANNELS.index(channel)
            if c != OPEN or target[c] > 0:
                target[c] *= factor
        if phone != SILENCE and phone not in BILABIALS | LABIODENTALS:
            for channel, amount in self.shift.items():
                target[CHANNELS.index(channel)] += amount
        return target, dominance


OPEN, JAW = CHANNELS.index("open"), CHANNELS.index("jaw")

NEUTRAL = DesignedStyle()
STYLES = {
    style.name: style
    for style in (
        NEUTRAL,
        DesignedStyle(
            "crisp",
            "Sharp consonants, quick lips that show the teeth.",
            scale={"upper": 1.3, "lower": 1.35, "jaw": 0.7},
            slowness=0.72,
            precision=2.0,
        ),
        DesignedStyle(
            "relaxed",
            "Slow, soft lips that go halfway to each sound.",
            scale={"open": 0.85, "round": 0.7, "funnel": 0.6, "upper": 0.4, "lower": 0.5},
            slowness=1.3,
            precision=0.5,
        ),
        DesignedStyle(
            "broad",
            "A wide mouth, its corners always apart.",
            scale={"round": 0.7},
            shift={"round": -0.40},
            posture={"mouthStretch": 0.06},
        ),
        DesignedStyle(
            "tight-lipped",
            "Lips that hardly part and hide the teeth.",
            scale={"open": 0.55, "upper": 0.1, "lower": 0.1, "jaw": 0.75, "round": 0.9},
            posture={"mouthPress": 0.16, "mouthRollUpper": 0.12, "mouthRollLower": 0.10},
        ),
        DesignedStyle(
            "smiling",
            "Speech through a smile.",
            scale={"upper": 1.2, "round": 0.85},
            posture={"mouthSmile": 0.40, "cheekSquint": 0.35, "mouthDimple": 0.08},
        ),
        DesignedStyle(
            "subdued",
            "Small, even movements, mouth corners a little down.",
            scale={
                "open": 0.52,
                "jaw": 0.5,
                "round": 0.65,
                "funnel": 0.65,
                "upper": 0.6,
                "lower": 0.6,
            },
            posture={"mouthFrown": 0.10},
            emphasis=0.4,
            slowness=1.15,
        ),
        DesignedStyle(
            "theatrical",
            "Stage speech: big vowels, very round lips.",
            scale={"open": 1.4, "jaw": 1.35, "round": 1.4, "funnel": 1.4, "upper": 1.3},
            emphasis=2.0,
        ),
        DesignedStyle(
            "pouting",
            "Lips pushed forward, even between words.",
            shift={"round": 0.22, "funnel": 0.10},
            posture={"mouthPucker": 0.14, "mouthShrugLower": 0.12},
        ),
    )
}
