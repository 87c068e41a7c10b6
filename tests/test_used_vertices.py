"""Vertices that belong to no triangle are neither drawn nor sent."""

import gzip
import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from jambatalk.app.live.head_file import pack_head
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.face.used_vertices import only_used
from jambatalk.render.frames import draw_frames
from jambatalk.render.view import View


@pytest.fixture(scope="module")
def face() -> Face:
    """Return a bundled head without the upper half of its triangles, which leaves vertices over."""
    whole = load_head(1)
    assert whole.material_index is not None
    kept = whole.template[whole.triangles, 1].max(1) < whole.template[:, 1].mean()
    return replace(
        whole, triangles=whole.triangles[kept], material_index=whole.material_index[kept]
    )


def test_triangles_regions_and_landmarks_are_those_of_before(face: Face) -> None:
    part, used = only_used(face)
    assert len(used) < 0.8 * len(face.template)
    assert np.array_equal(
        np.union1d(np.unique(part.triangles), np.concatenate([*part.landmarks.values()])),
        range(len(used)),
    )
    assert np.array_equal(used[part.triangles], face.triangles)
    for name, index in face.landmarks.items():
        assert np.array_equal(used[part.landmarks[name]], index)
    for name, index in face.regions.items():
        assert set(used[part.regions[name]]) == set(index) & set(used)
    assert np.array_equal(part.deltas, face.deltas[:, used])
    assert part.weld is not None
    assert np.array_equal(part.template[part.weld], part.template)


def test_they_change_no_picture(face: Face) -> None:
    weights = np.zeros(len(face.blendshapes))
    weights[face.blendshapes.index("jawOpen")] = 0.5
    moved = face.vertices(weights)
    left_over = np.setdiff1d(np.arange(len(moved)), only_used(face)[1])
    elsewhere = moved.copy()
    elsewhere[left_over] += 0.1
    one, other = draw_frames(face, [moved, elsewhere], View(size=128))
    assert np.ptp(one) > 50
    assert np.array_equal(one, other)


def test_live_sends_only_what_is_used(face: Face) -> None:
    file = gzip.decompress(pack_head(face))
    (length,) = struct.unpack_from("<I", file)
    header = json.loads(file[4 : 4 + length])
    assert header["arrays"]["gloss"]["count"] == len(only_used(face)[1])
