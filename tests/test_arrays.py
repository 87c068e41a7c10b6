"""Array files from outside: damaged, oversized and foreign ones are refused."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jambatalk.errors import DataError, FaceError
from jambatalk.files.arrays import open_array, read_npz


def write_npz(path: Path) -> bytes:
    np.savez_compressed(path, weights=np.random.default_rng(0).normal(size=(50, 20)), fps=30.0)
    return path.read_bytes()


def flipped(data: bytes) -> bytes:
    """Change bytes in the middle of the compressed data."""
    middle = len(data) // 2
    return (
        data[:middle]
        + bytes(255 - byte for byte in data[middle : middle + 64])
        + data[middle + 64 :]
    )


def shaped(shape: tuple[int, ...]) -> bytes:
    """An .npz whose array claims a shape that its data do not have."""
    header, archive = io.BytesIO(), io.BytesIO()
    description = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, description)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("weights.npy", header.getvalue() + bytes(8))
    return archive.getvalue()


def pickled() -> bytes:
    archive = io.BytesIO()
    np.savez(archive, weights=np.array([{}], object))
    return archive.getvalue()


def foreign() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "hello")
    return archive.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-30],
        flipped,
        lambda data: b"<html>sign in</html>",
        lambda data: shaped((10**13,)),
        lambda data: shaped((-5, 2)),
        lambda data: pickled(),
        lambda data: foreign(),
    ],
)
def test_read_npz_refuses_damaged_files(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "motion.npz"
    path.write_bytes(damage(write_npz(path)))
    with pytest.raises(FaceError, match=r"motion\.npz' is not a head.*Get another"):
        read_npz(path, FaceError, "a head", "Get another.")


def test_read_npz_limits_the_unpacked_size(tmp_path: Path) -> None:
    write_npz(tmp_path / "motion.npz")
    with pytest.raises(DataError, match="8000 are allowed"):
        read_npz(tmp_path / "motion.npz", largest=8000)
    assert read_npz(tmp_path / "motion.npz")["weights"].shape == (50, 20)


def test_missing_files_are_named_with_their_origin(tmp_path: Path) -> None:
    for read in (read_npz, open_array):
        with pytest.raises(DataError, match=r"no file .*data_verts\.npy.*voca\.is"):
            read(tmp_path / "data_verts.npy")


def test_open_array_refuses_damaged_and_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "vertices.npy"
    np.save(path, np.arange(30.0).reshape(10, 3))
    np.testing.assert_array_equal(open_array(path)[9], [27, 28, 29])
    whole = path.read_bytes()
    for data in (b"", whole[:40], whole[:-8], b"<html>", pickled()):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"vertices\.npy"):
            open_array(path)
    for array in (np.array(["text"]), np.array([1 + 2j])):
        np.save(path, array)
        with pytest.raises(DataError, match=r"not an .*array"):
            open_array(path)
