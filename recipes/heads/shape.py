"""Give a head the shape of a person: modes of scanned people, then age, sex, origin, features.

The principal modes of ICT-FaceKit hold what distinguishes scanned people; sex and age are no modes
of their own. They come from MakeHuman's targets, through its base mesh bent onto the mean head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import product

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.spatial import cKDTree

from recipes.heads.ict_facekit import PARTS, IctFaceKit, eye_centre
from recipes.heads.identity import Identity
from recipes.heads.makehuman_assets import BentBase
from recipes.heads.makehuman_targets import Targets

SKIN = slice(PARTS["face"][0], PARTS["head"][1])
SIDES = ("left", "right")
BODY = 13380  # vertices of MakeHuman's base that are skin; helpers follow, these are eyeballs:
EYE_HELPERS = {"left": slice(14598, 14670), "right": slice(14670, 14742)}
YOUNG, OLD = 25.0, 90.0  # years at MakeHuman's "young" and "old"
# The person whom ICT-FaceKit's mean is, to MakeHuman: his macro targets are no displacement.
MEAN = Identity("mean", "", 32, 0.6, (0.2, 0.3, 0.5), 0)
# How much of a trait the modes add to what MakeHuman's macro targets do: scanned people show more
# of it than the targets do, which change no jowl.
TRAITS = {"sex": 0.2, "years": 3.0, "ancestry": 0.6}
ABOVE_NECK = -0.11  # metres
NOISE = 0.001  # metres: what the modes need not explain
SIZE = 0.4  # part of the difference in size that stays: modes and targets both hold that of sex
CLIP = 1.8  # standard deviations: no mode of a person is further from the mean
# What sets women apart beyond MakeHuman's macro targets: amount for a woman; for a man the opposite
# targets.
FEMININE = {
    "mouth/mouth-upperlip-volume-incr": 0.45,
    "mouth/mouth-lowerlip-volume-incr": 0.4,
    "mouth/mouth-upperlip-height-incr": 0.3,
    "mouth/mouth-scale-horiz-decr": 0.15,
    "eyes/{}-eye-scale-incr": 0.15,
    "eyebrows/eyebrows-trans-up": 0.35,
    "eyebrows/eyebrows-trans-backward": 0.25,
    "nose/nose-scale-horiz-decr": 0.25,
    "nose/nose-scale-vert-decr": 0.15,
    "nose/nose-point-width-decr": 0.35,
    "nose/nose-hump-decr": 0.25,
    "chin/chin-width-decr": 0.45,
    "chin/chin-jaw-drop-decr": 0.35,
    "chin/chin-height-decr": 0.15,
    "cheek/{}-cheek-bones-incr": 0.35,
    "ears/{}-ear-scale-decr": 0.3,
    "ears/{}-ear-wing-decr": 0.3,
    "neck/neck-scale-horiz-incr": 0.2,  # the macro targets and the modes do too much
    "neck/neck-scale-depth-incr": 0.15,
}
OPPOSITES = (("incr", "decr"), ("up", "down"), ("forward", "backward"))
RELAXED = {"mouth/mouth-angles-up": 0.2}  # scanned people look stern at rest
# What age does to a face beyond MakeHuman's macro targets: amount at OLD.
AGEING = {
    "ears/{}-ear-scale-vert-incr": 0.45,
    "ears/{}-ear-lobe-incr": 0.8,
    "nose/nose-scale-vert-incr": 0.15,
    "nose/nose-point-down": 0.35,
    "nose/nose-volume-incr": 0.15,
    "mouth/mouth-upperlip-height-decr": 0.5,
    "mouth/mouth-lowerlip-height-decr": 0.4,
    "mouth/mouth-angles-down": 0.3,
    "cheek/{}-cheek-trans-down": 0.5,
    "cheek/{}-cheek-inner-decr": 0.4,
    "eyes/{}-eye-bag-incr": 0.6,
    "eyes/{}-eye-eyefold-down": 0.5,
    "neck/neck-double-incr": 0.3,
}


def identity_positions(
    identity: Identity, ict: IctFaceKit, bent: BentBase, targets: Targets
) -> np.ndarray:
    """Compute the head of an identity at rest: (26719, 3) metres, origin between the eyeballs."""
    correspondence = _correspondence(ict, bent)

    def carried(amounts: Mapping[str, float]) -> np.ndarray:
        displacements = sum(amount * targets[name] for name, amount in amounts.items())
        return correspondence.carry(correspondence.without_motion(np.asarray(displacements)))

    traits = {}
    for trait in TRAITS:
        person = replace(MEAN, **{trait: getattr(identity, trait)})
        traits[trait] = fit_modes(ict, carried(macro_difference(person)))
    weights = mode_weights(identity, traits)
    moved = ict.positions + np.tensordot(weights, ict.identities, 1)
    moved += carried(_added(macro_difference(identity), feature_amounts(identity)))
    moved = _resize(moved, ict)
    lids, lips = _seams(ict)
    moved = ict.positions + lips.close(moved - ict.positions)
    for _ in range(3):  # each undoes a little of the other
        moved = ict.positions + lids.close(moved - ict.positions)
        moved = _keep_eyes_round(moved, ict)
    return moved - np.mean([eye_centre(moved, side) for side in SIDES], axis=0)


def mode_weights(identity: Identity, traits: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draw the weights (60,) of the principal modes.

    Args:
        traits: the modes' part in each of TRAITS, (60,): chance leaves it alone, so that no woman
            looks like a man by chance, and it is strengthened as scanned people show it.
    """
    random = np.random.default_rng(identity.seed).normal(size=60)
    weights = identity.spread * random.clip(-CLIP, CLIP)
    directions = np.array([weight for weight in traits.values() if np.linalg.norm(weight) > 0.05])
    if len(directions):
        basis, _ = np.linalg.qr(directions.T)
        weights -= basis @ (basis.T @ weights)
    for trait, strength in TRAITS.items():
        weights += strength * traits[trait]
    for mode, weight in identity.modes.items():
        weights[mode] = weight
    return weights


def fit_modes(ict: IctFaceKit, displacements: np.ndarray) -> np.ndarray:
    """Find the likely weights (60,) of the modes that explain displacements (N, 3) of the face."""
    face = np.arange(*PARTS["face"])
    face = face[ict.positions[face, 1] > ABOVE_NECK]
    modes = ict.identities[:, face].reshape(60, -1)
    noise = NOISE**2 * len(face)
    return np.linalg.solve(
        modes @ modes.T + noise * np.eye(60), modes @ displacements[face].reshape(-1)
    )


def macro_difference(identity: Identity) -> dict[str, float]:
    """Return the amounts of MakeHuman's macro targets that lead from MEAN to an identity."""
    opposite = {name: -amount for name, amount in macro_amounts(MEAN).items()}
    return _added(macro_amounts(identity), opposite)


def feature_amounts(identity: Identity) -> dict[str, float]:
    """Return the amounts of MakeHuman's facial targets: of age, sex, weight, and an identity's."""
    old = _old(identity.years) - _old(MEAN.years)
    woman = (MEAN.sex - identity.sex) / MEAN.sex
    fat = 2 * identity.weight - 1
    features = {name: max(old, 0) * amount for name, amount in AGEING.items()}
    for name, amount in FEMININE.items():
        features[name if woman > 0 else _opposite(name)] = abs(woman) * amount
    features[f"head/head-fat-{'incr' if fat > 0 else 'decr'}"] = 0.5 * abs(fat)
    both: dict[str, float] = {}
    for name, amount in _added(_added(features, RELAXED), identity.targets).items():
        both |= dict.fromkeys((name.format("l"), name.format("r")), amount)
    return both


def _opposite(name: str) -> str:
    stem, _, end = name.rpartition("-")
    return f"{stem}-{dict((*OPPOSITES, *(pair[::-1] for pair in OPPOSITES)))[end]}"


def _added(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    names = [*first, *(name for name in second if name not in first)]
    return {name: first.get(name, 0) + second.get(name, 0) for name in names}


def macro_amounts(identity: Identity) -> dict[str, float]:
    """Return the amounts of MakeHuman's macro targets: products of one amount a trait."""
    old = _old(identity.years)
    sexes = {"female": 1 - identity.sex, "male": identity.sex}
    ages = {"young": 1 - old, "old": old}
    ancestries = dict(zip(("african", "asian", "caucasian"), identity.ancestry, strict=True))
    thin, heavy = max(0.0, 1 - 2 * identity.weight), max(0.0, 2 * identity.weight - 1)
    weights = {"minweight": thin, "averageweight": 1 - thin - heavy, "maxweight": heavy}
    amounts = {}
    for (sex, a), (age, b) in product(sexes.items(), ages.items()):
        for ancestry, c in ancestries.items():
            amounts[f"macrodetails/{ancestry}-{sex}-{age}"] = a * b * c
        for weight, c in weights.items():
            amounts[f"macrodetails/universal-{sex}-{age}-averagemuscle-{weight}"] = a * b * c
    return {name: amount for name, amount in amounts.items() if amount}


def _old(years: float) -> float:
    return float(np.clip((years - YOUNG) / (OLD - YOUNG), 0, 1))


class _Correspondence:
    """Carries displacements of MakeHuman's base over to the vertices of ICT-FaceKit's head."""

    def __init__(self, ict: IctFaceKit, bent: BentBase) -> None:
        self.ict, self.bent = ict, bent
        near, nearest = cKDTree(ict.positions).query(bent.positions[:BODY])
        self.kept = np.flatnonzero((near < 0.007) & (nearest < SKIN.stop))  # the outer skin
        self.scale, self.rotation = _similarity(bent.source[self.kept], bent.positions[self.kept])
        self.skin = _kernel(bent.positions[self.kept], ict.positions[SKIN], 0.003, 32)
        self.smoothing = _smoothing(ict)
        self.inside = _kernel(ict.positions[SKIN], ict.positions[SKIN.stop :], 0.003, 24)

    def without_motion(self, displacements: np.ndarray) -> np.ndarray:
        """Remove the rigid motion of the head from displacements of the base (19158, 3)."""
        face = self.kept[self.bent.positions[self.kept, 1] > -0.07]
        before, after = self.bent.source, self.bent.source + displacements
        centre = before[face].mean(0)
        shift = after[face].mean(0)
        _, rotation = _similarity(after[face], before[face])
        return (after - shift) @ rotation.T + centre - before

    def carry(self, displacements: np.ndarray) -> np.ndarray:
        """Return displacements (26719, 3) for those of the base (19158, 3)."""
        displacements = self.scale * displacements @ self.rotation.T
        skin = self.smoothing @ (self.skin @ displacements[self.kept])
        moved = np.concatenate([skin, self.inside @ skin])
        self._move_mouth(moved)
        for side, helpers in EYE_HELPERS.items():
            shift = displacements[helpers].mean(0)
            for part in ("sclera", "iris"):
                moved[slice(*PARTS[f"{part}_{side}"])] = shift
        return moved

    def _move_mouth(self, moved: np.ndarray) -> None:
        """Move teeth, gums and tongue as a whole, as the lips move on average."""
        lips = np.flatnonzero(self._lip_distance() < 0.012)
        shift = moved[lips].mean(0)
        for part in ("gums", "teeth"):
            moved[slice(*PARTS[part])] = shift
        socket = slice(*PARTS["mouth_socket"])
        deep = (self._socket_depth() / 0.012).clip(0, 1)[:, None]
        moved[socket] += deep * (shift - moved[socket])

    def _lip_distance(self) -> np.ndarray:
        socket = self.ict.positions[slice(*PARTS["mouth_socket"])]
        return cKDTree(socket).query(self.ict.positions[slice(*PARTS["face"])])[0]

    def _socket_depth(self) -> np.ndarray:
        socket = self.ict.positions[slice(*PARTS["mouth_socket"])]
        return cKDTree(self.ict.positions[slice(*PARTS["face"])]).query(socket)[0]


class _Seam:
    """Where lids or lips meet: both sides move alike there, so that they meet on every head."""

    def __init__(self, ict: IctFaceKit, closed: np.ndarray, opened: np.ndarray, reach: float):
        """Find the vertices that touch in one pose (N, 3) and part in another.

        Args:
            closed: the pose in which they touch.
            opened: the pose in which they do not.
            reach: metres over which the effect fades.
        """
        face = slice(*PARTS["face"])
        pairs = cKDTree(closed[face]).query_pairs(0.0015, output_type="ndarray")
        apart = np.linalg.norm(opened[pairs[:, 0]] - opened[pairs[:, 1]], axis=1)
        self.edge = np.unique(pairs[apart > 0.003])
        distance, _ = cKDTree(ict.positions[self.edge]).query(ict.positions)
        distance[slice(PARTS["sclera_left"][0], PARTS["iris_right"][1])] = np.inf
        distance[slice(PARTS["gums"][0], PARTS["teeth"][1])] = np.inf
        self.held = 1 - _smoothstep((distance - 0.001) / reach)
        self.near = np.flatnonzero(self.held)
        self.average = _kernel(closed[self.edge], closed[self.near], 0.0015, 16)

    def close(self, displacements: np.ndarray) -> np.ndarray:
        """Return displacements (N, 3) that keep the two sides together."""
        result = displacements.copy()
        change = self.average @ displacements[self.edge] - displacements[self.near]
        result[self.near] += self.held[self.near, None] * change
        return result


@lru_cache(maxsize=1)
def _seams(ict: IctFaceKit) -> list[_Seam]:
    rest, shapes = ict.positions, ict.expressions
    blink = rest + shapes["eyeBlink_L"] + shapes["eyeBlink_R"]
    return [
        _Seam(ict, blink, rest, 0.009),
        _Seam(ict, rest, rest + shapes["jawOpen"], 0.003),
    ]


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = x.clip(0, 1)
    return x * x * (3 - 2 * x)


@lru_cache(maxsize=1)
def _correspondence(ict: IctFaceKit, bent: BentBase) -> _Correspondence:
    return _Correspondence(ict, bent)


def _similarity(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """Fit scale and rotation (3, 3) of points (n, 3) onto others, least squares."""
    source, target = source - source.mean(0), target - target.mean(0)
    left, size, right = np.linalg.svd(target.T @ source)
    return size.sum() / (source**2).sum(), left @ right


def _kernel(source: np.ndarray, points: np.ndarray, width: float, count: int) -> csr_array:
    """Weights (P, S) that average values at the nearest points, wider where those are sparse."""
    distance, index = cKDTree(source).query(points, count)
    width = np.maximum(width, 0.7 * distance[:, 5:6])
    weight = np.exp(-0.5 * (distance / width) ** 2)
    weight /= weight.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), count)
    return csr_array((weight.ravel(), (rows, index.ravel())), (len(points), len(source)))


def _smoothing(ict: IctFaceKit, rounds: int = 5) -> csr_array:
    """Weights (S, S) that smooth values over the skin, and across the line where the lips meet."""
    triangles, _ = ict.triangles(("face", "head"))
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = edges[(edges < SKIN.stop).all(1)]
    close = cKDTree(ict.positions[SKIN]).query_pairs(0.0015, output_type="ndarray")
    first, second = np.concatenate([edges, close]).T
    count = SKIN.stop
    links = csr_array((np.ones(2 * len(first)), (np.r_[first, second], np.r_[second, first])),
                      (count, count))  # fmt: skip
    links.data[:] = 1  # an edge of two triangles counts once
    average = diags_array(1 / links.sum(1)) @ links
    step = csr_array(0.5 * average + 0.5 * diags_array(np.ones(count)))
    result = step
    for _ in range(rounds - 1):
        result = csr_array(result @ step)
    return result


def _resize(moved: np.ndarray, ict: IctFaceKit) -> np.ndarray:
    """Bring the size of a head nearer to the mean."""
    head = np.flatnonzero(ict.positions[SKIN, 1] > ABOVE_NECK)
    old, new = ict.positions[head], moved[head]
    ratio = np.sqrt(new.var(0).sum() / old.var(0).sum())
    return moved * (1 + SIZE * (ratio - 1)) / ratio


def _keep_eyes_round(moved: np.ndarray, ict: IctFaceKit) -> np.ndarray:
    """Make the eyeballs round again, and lay lids, lashes and wet rims back onto them."""
    moved = moved.copy()
    for side in SIDES:
        ball = np.r_[slice(*PARTS[f"sclera_{side}"]), slice(*PARTS[f"iris_{side}"])]
        old, new = eye_centre(ict.positions, side), eye_centre(moved, side)
        before = ict.positions[ball] - old
        size = np.clip(((moved[ball] - new) * before).sum() / (before**2).sum(), 0.97, 1.03)
        moved[ball] = new + size * before
        distance = np.linalg.norm(ict.positions - old, axis=1)
        radius = np.linalg.norm(before, axis=1).min()
        held = (1 - (distance - radius - 0.003) / 0.006).clip(0, 1)
        held[ball] = 0
        around = np.flatnonzero(held)
        ray = moved[around] - new
        length = np.linalg.norm(ray, axis=1)
        wanted = length + held[around] * (size * distance[around] - length)
        moved[around] = new + ray * (wanted / length)[:, None]
    return moved
