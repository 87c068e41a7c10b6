"""What an invented person is made from; `people.py` lists them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Identity:
    """The parameters of an invented person.

    Attributes:
        name: as used on the command line.
        about: a few words shown to users.
        years: age.
        sex: 0 woman, 1 man.
        ancestry: weights of MakeHuman's african, asian and caucasian targets, summing to 1.
        seed: of the random principal modes.
        spread: standard deviation of the random modes; 1 is that of the scanned people.
        modes: principal mode of ICT-FaceKit, 0 to 59 → weight, instead of a random one.
        targets: MakeHuman's facial target, such as "nose/nose-hump-incr" → amount.
        weight: 0 thin, 0.5 average, 1 heavy.
        skins: MakeHuman's skin picture, without ".webp" → its part, summing to 1.
        tone: "#rrggbb", sRGB, to which the skin's mean colour is moved; None to leave it.
        freckles, spots, make_up, stubble: 0 to 1.
        iris: MakeHuman's eye picture, without "_eye.webp".
        brows: number of MakeHuman's eyebrows, 1 to 12.
        hair: MakeHuman's hair, such as "bob01"; None for a bald head.
        hair_color, brow_color: "#rrggbb", sRGB.
        grey: 0 to 1, the part of grey strands.
        beard: "" for none, else the name of a beard of `beards.py`.
        outfit: MakeHuman's clothes, such as "male_casualsuit01".
        outfit_color: "#rrggbb", sRGB, in which the outfit is dyed; None for its own colours.
    """

    name: str
    about: str
    years: int
    sex: float
    ancestry: tuple[float, float, float]
    seed: int
    spread: float = 0.6
    modes: Mapping[int, float] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    weight: float = 0.5
    skins: Mapping[str, float] = field(default_factory=dict)
    tone: str | None = None
    freckles: float = 0.0
    spots: float = 0.0
    make_up: float = 0.0
    stubble: float = 0.0
    iris: str = "brown"
    brows: int = 1
    hair: str | None = None
    hair_color: str = "#2f2018"
    brow_color: str = "#2f2018"
    grey: float = 0.0
    beard: str = ""
    outfit: str = "female_casualsuit01"
    outfit_color: str | None = None

    @property
    def title(self) -> str:
        """Title shown to users: name, age, and a few words."""
        return f"{self.name.capitalize()}, {self.years} · {self.about}"
