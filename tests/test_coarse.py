"""The drawn triangles of the heads' recipe show what the whole mesh shows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from local_data import DATA
from scipy.ndimage import gaussian_filter

from jambatalk.face.face import Face
from jambatalk.render.frames import draw_frames
from jambatalk.render.view import View
from recipes.heads.basis import build_basis
from recipes.heads.coarse import WHOLE, coarse_triangles
from recipes.heads.ict_facekit import IctFaceKit

FOLDER = DATA / "ict_facekit"
EXPRESSIONS = (
    {},
    {"jawOpen": 0.7},
    {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0, "browInnerUp": 0.7},
    {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0, "mouthPucker": 0.8},
)


@pytest.fixture(scope="module")
def face() -> Face:
    if not FOLDER.is_dir():
        pytest.skip(f"there is no {FOLDER}")
    ict = IctFaceKit.read(FOLDER)
    basis = build_basis(ict, FOLDER)
    return basis.face(basis.template(ict.positions))


@pytest.fixture(scope="module")
def coarse(face: Face) -> Face:
    return replace(face, **coarse_triangles(face))


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """SSIM (Wang et al. 2004) of grey values, with a Gaussian window of 1.5 pixels."""
    smooth = partial(gaussian_filter, sigma=1.5)
    one, other = (picture.astype(float).mean(2) for picture in (one, other))
    a, b = smooth(one), smooth(other)
    aa, bb, ab = smooth(one**2) - a**2, smooth(other**2) - b**2, smooth(one * other) - a * b
    c, d = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(((2 * a * b + c) * (2 * ab + d) / (a**2 + b**2 + c) / (aa + bb + d)).mean())


def border(face: Face) -> set[tuple[int, int]]:
    """Return the sides that belong to one triangle only."""
    assert face.weld is not None
    sides = np.sort(face.weld[face.triangles][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges, count = np.unique(sides, axis=0, return_counts=True)
    return set(map(tuple, edges[count == 1].tolist()))


def test_half_of_the_skins_triangles_are_enough(face: Face, coarse: Face) -> None:
    skin, drawn = ((each.material_index == 0).sum() for each in (face, coarse))
    assert drawn < 0.55 * skin
    assert border(coarse) == border(face)  # no holes
    assert coarse.template is face.template


def test_lips_stay_as_they_are(face: Face, coarse: Face) -> None:
    lips = np.concatenate([face.regions[name] for name in WHOLE])
    before, after = (
        set(map(tuple, each.triangles[np.isin(each.triangles, lips).all(1)].tolist()))
        for each in (face, coarse)
    )
    assert before == after


@pytest.mark.parametrize("yaw", [-90, -40, 0, 40, 90])
def test_pictures_are_alike(yaw: int, face: Face, coarse: Face) -> None:
    view = View(size=256, yaw=yaw)
    frames = [
        face.vertices(np.array([expression.get(name, 0.0) for name in face.blendshapes]))
        for expression in EXPRESSIONS
    ]
    for one, other in zip(
        draw_frames(face, frames, view), draw_frames(coarse, frames, view), strict=True
    ):
        assert similarity(one, other) > 0.985
