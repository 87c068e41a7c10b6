"""The conversion of ICT-FaceKit's published files."""

from pathlib import Path

import numpy as np
import pytest

from jambatalk.errors import DataError
from recipes.heads.convert_ict_facekit import IDENTITIES, convert, main

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)


def write_obj(path: Path, positions: np.ndarray) -> None:
    lines = [f"v {x} {y} {z}" for x, y, z in positions]
    path.write_text("\n".join([*lines, "f 1/1 2/2 3/3"]) + "\n")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "FaceXModel"
    folder.mkdir()
    write_obj(folder / "generic_neutral_mesh.obj", CORNERS)
    write_obj(folder / "jawOpen.obj", CORNERS - [[0, 2, 0], [0, 0, 0], [0, 0.0001, 0]])
    for number in range(IDENTITIES + 2):
        write_obj(folder / f"identity{number:03}.obj", CORNERS * (1 + number / 100))
    (folder / "vertex_indices.json").write_text("{}")
    return folder


def test_displacements_of_expressions_and_modes(published: Path, tmp_path: Path) -> None:
    convert(published, tmp_path / "out")
    with np.load(tmp_path / "out" / "expressions.npz") as file:
        assert file["names"].tolist() == ["jawOpen"]
        # a ten thousandth of a centimetre is noise
        np.testing.assert_array_equal(file["deltas"][0], [[0, -2, 0], [0, 0, 0], [0, 0, 0]])
    with np.load(tmp_path / "out" / "identities.npz") as file:
        assert len(file["names"]) == IDENTITIES
        np.testing.assert_allclose(file["deltas"][5], CORNERS * 0.05, atol=1e-4)
    assert (tmp_path / "out" / "generic_neutral_mesh.obj").is_file()
    assert (tmp_path / "out" / "vertex_indices.json").is_file()


def test_foreign_folder_and_other_topology_are_refused(published: Path, tmp_path: Path) -> None:
    write_obj(published / "jawOpen.obj", np.zeros((4, 3)))
    with pytest.raises(DataError, match="4 vertices, not 3"):
        convert(published, tmp_path / "out")
    assert main([str(tmp_path), "-o", str(tmp_path / "out")]) == 1
