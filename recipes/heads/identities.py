"""The identities of the heads: age, sex, ancestry, features, and seeded small variation."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np

from recipes.heads.makehuman import MakeHuman

YOUNG, OLD = 25.0, 90.0  # years at MakeHuman's "young" and "old"
RELAXED = {"mouth/mouth-angles-up": 0.25}  # MakeHuman's mouths look stern at rest
SPREAD = 0.11  # standard deviation of the facial targets; 0.25 gives caricatures
SYMMETRIC = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "nose")
MOVES = ("head-trans", "head-angle", "eyes/l-eye-push", "mouth-trans-in", "nose-trans-in")


@dataclass(frozen=True)
class Hair:
    """Hair on the head.

    Attributes:
        color: sRGB "#rrggbb".
        top, sides: thickness, mm.
        recede: mm by which the hairline is moved back.
        cover: 0 to 1, how much of the scalp's colour is covered.
        curl: 0 to 1, unevenness.
        length: 0 for cropped, 1 for shoulder length.
    """

    color: str
    top: float
    sides: float
    recede: float = 0.0
    cover: float = 1.0
    curl: float = 0.2
    length: float = 0.0


@dataclass(frozen=True)
class Identity:
    """The parameters of an invented person.

    Attributes:
        name: as used on the command line.
        about: a few words shown to users.
        years: age.
        sex: 0 woman, 1 man.
        ancestry: weights of MakeHuman's african, asian and caucasian targets, summing to 1.
        seed: of the small variation; none if negative.
        skin, lips, iris, brows: sRGB "#rrggbb".
        hair: None for a bald head.
        beard: 0 to 1, how much stubble darkens the jaw.
        weight, muscle: 0 to 1, average at 0.5.
        features: further targets, such as {"nose/nose-hump-incr": 0.4}.
    """

    name: str
    about: str
    years: int
    sex: float
    ancestry: tuple[float, float, float]
    seed: int
    skin: str = "#d9a17e"
    lips: str = "#b0665a"
    iris: str = "#5b4327"
    brows: str = "#2a1d15"
    hair: Hair | None = None
    beard: float = 0.0
    weight: float = 0.5
    muscle: float = 0.5
    features: dict[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Title shown to users: name, age, and a few words."""
        return f"{self.name.capitalize()}, {self.years} · {self.about}"


IDENTITIES = (
    Identity(
        "mara", "southern European", 34, 0, (0, 0, 1), 3,
        "#d6a17f", "#b4685c", "#5b4327", "#2f2018", Hair("#33211a", 14, 12, -4, length=0.8),
    ),
    Identity(
        "kofi", "West African", 28, 1, (1, 0, 0), 7,
        "#7a5038", "#7d4a40", "#33200f", "#17100c", Hair("#14100e", 7, 2.5, cover=0.9, curl=0.5),
    ),
    Identity(
        "yuki", "East Asian", 26, 0, (0, 1, 0), 5,
        "#e3b896", "#c4766a", "#36221a", "#241a16", Hair("#1d1715", 14, 12, -5, length=0.75),
    ),
    Identity(
        "lars", "northern European", 43, 1, (0, 0, 1), 11,
        "#dfae94", "#b9776a", "#5f86a8", "#7d603c", Hair("#8a6a42", 9, 4, 7), beard=0.25,
    ),
    Identity(
        "zola", "southern African", 31, 0, (1, 0, 0), 13,
        "#8a5b41", "#8a4a42", "#3a2314", "#17100c", Hair("#1a1412", 24, 19, -5, curl=1.0),
    ),
    Identity(
        "hugo", "western European", 61, 1, (0, 0, 1), 17,
        "#d8a68a", "#b0705f", "#6c7a63", "#6e675f", Hair("#97928c", 7, 4, 18, 0.9), beard=0.15,
        weight=0.65,
    ),
    Identity(
        "priya", "South Asian", 37, 0, (0.3, 0.2, 0.5), 19,
        "#b07d58", "#a05a4e", "#3b2415", "#17110f", Hair("#1a1312", 14, 12, -3, length=1.0),
    ),
    Identity(
        "wei", "East Asian", 48, 1, (0, 1, 0), 23,
        "#d3a47e", "#bb7265", "#33211a", "#1c1614", Hair("#1d1816", 9, 4, 6),
    ),
    Identity(
        "elsa", "northern European", 72, 0, (0, 0, 1), 29,
        "#e3b9a2", "#bb7a70", "#7a9bb5", "#9c8b78", Hair("#c2beb7", 14, 9, -3, curl=0.5),
    ),
    Identity(
        "omar", "North African", 35, 1, (0.3, 0, 0.7), 31,
        "#bd8b65", "#a5665a", "#46301d", "#17110e", Hair("#17110f", 5, 2.5, cover=0.92), beard=0.85,
    ),
    Identity(
        "rosa", "Latin American", 54, 0, (0.1, 0.4, 0.5), 37,
        "#c28e69", "#ad6456", "#40291a", "#2a1d17", Hair("#33231c", 17, 13, -5, curl=0.8),
        weight=0.65,
    ),
    Identity(
        "abel", "East African", 70, 1, (0.8, 0, 0.2), 41,
        "#6d4834", "#75483d", "#2d1c12", "#4d453f",
    ),
)  # fmt: skip


def identity_vertices(identity: Identity, source: MakeHuman) -> np.ndarray:
    """Return the whole body of an identity: (N, 3) metres, in MakeHuman's frame."""
    vertices = source.vertices.copy()
    for name, amount in _macro(identity).items():
        vertices += amount * source.target(name)
    variation = _variation(identity, source)
    for name, amount in (*variation.items(), *RELAXED.items(), *identity.features.items()):
        vertices += amount * source.target(name)
    return vertices


def reference_vertices(source: MakeHuman) -> np.ndarray:
    """Return the average young adult (N, 3), on which meshes are cut and teeth are modelled."""
    return identity_vertices(Identity("", "", 25, 0.5, (1 / 3,) * 3, -1), source)


def _macro(identity: Identity) -> dict[str, float]:
    """Return the weights of MakeHuman's macro targets: products of one weight per trait."""
    old = np.clip((identity.years - YOUNG) / (OLD - YOUNG), 0, 1)
    sexes = {"female": 1 - identity.sex, "male": identity.sex}
    ages = {"young": 1 - old, "old": old}
    races = dict(zip(("african", "asian", "caucasian"), identity.ancestry, strict=True))
    muscles = _between("muscle", identity.muscle)
    weights = _between("weight", identity.weight)
    blend = {}
    for (race, a), (sex, b), (age, c) in product(races.items(), sexes.items(), ages.items()):
        blend[f"macrodetails/{race}-{sex}-{age}"] = a * b * c
    for (sex, a), (age, b), (muscle, c), (weight, d) in product(
        sexes.items(), ages.items(), muscles.items(), weights.items()
    ):
        blend[f"macrodetails/universal-{sex}-{age}-{muscle}-{weight}"] = a * b * c * d
    return {name: amount for name, amount in blend.items() if amount > 0}


def _between(trait: str, value: float) -> dict[str, float]:
    """Interpolate a trait between its minimum, average and maximum."""
    low, high = max(0.0, 1 - 2 * value), max(0.0, 2 * value - 1)
    return {f"min{trait}": low, f"max{trait}": high, f"average{trait}": 1 - low - high}


OPPOSITES = (("-incr", "-decr"), ("-up", "-down"), ("-forward", "-backward"), ("-out", "-in"),
             ("-convex", "-concave"), ("-compress", "-uncompress"))  # fmt: skip


def _variation(identity: Identity, source: MakeHuman) -> dict[str, float]:
    """Draw a random value for every facial target, the same on both sides."""
    if identity.seed < 0:
        return {}
    random = np.random.default_rng(identity.seed)
    amounts = {}
    for folder in SYMMETRIC:
        for name in source.targets(folder):
            ends = next(((a, b) for a, b in OPPOSITES if name.endswith(a)), None)
            if ends is None or "/r-" in name or any(move in name for move in MOVES):
                continue
            other = name.removesuffix(ends[0]) + ends[1]
            if not source.has_target(other) or (folder == "head" and "-age-" in name):
                continue
            draw = float(np.clip(random.normal(0, SPREAD), -2 * SPREAD, 2 * SPREAD))
            chosen = name if draw > 0 else other
            amounts[chosen] = abs(draw)
            if "/l-" in chosen:
                amounts[chosen.replace("/l-", "/r-")] = abs(draw)
    return amounts
