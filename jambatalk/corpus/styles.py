"""Designed styles: one way of speaking made from another by rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from jambatalk.corpus.phones import VOWELS
from jambatalk.corpus.visemes import CHANNELS


@dataclass(frozen=True)
class DesignedStyle:
    name: str = "neutral"
    note: str = ""
    slowness: float = 1.0
    scale: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    posture: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def shape(self, viseme, effort, aim, weight):
        aim = aim.copy()
        if viseme in VOWELS:
            aim[:2] *= effort
        for c, channel in enumerate(CHANNELS):
            if channel in self.scale and aim[c] > 0:
                aim[c] *= self.scale[channel]
        return aim, weight


NEUTRAL = DesignedStyle()
