"""Pickles are read as data, without running code."""

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import synthetic

from jambatalk.errors import DataError
from jambatalk.files.safe_pickle import read_pickle


@pytest.mark.parametrize("protocol", range(6))
def test_all_protocols_round_trip(tmp_path: Path, protocol: int) -> None:
    value = {
        "rows": np.arange(12, dtype=np.float32).reshape(3, 4),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "turned": np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
        "big-endian": np.arange(3, dtype=">i2"),
        "none": np.zeros((0, 3)),
        "scalar": np.float64(2.5),
        "bytes": b"\x00\xff",
        "plain": [1, ("two", None), {3}, OrderedDict(four=True)],
    }
    value["again"] = value["rows"]
    path = tmp_path / "value.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    read = read_pickle(path)
    assert read["again"] is read["rows"]
    for key, expected in value.items():
        if isinstance(expected, np.ndarray):
            np.testing.assert_array_equal(read[key], expected)
        else:
            assert read[key] == expected


def test_python_2_pickle(tmp_path: Path) -> None:
    template = np.float32([[0, 0.5, -1]])
    synthetic.write_python2_pickle(tmp_path / "templates.pkl", {"F1": template})
    raw = (tmp_path / "templates.pkl").read_bytes()
    assert b"numpy.core.multiarray" in raw  # as Python 2 and NumPy 1 wrote it
    assert b"numpy._core" not in raw
    np.testing.assert_array_equal(read_pickle(tmp_path / "templates.pkl")["F1"], template)


def test_pickle_never_runs_code(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "sprung"),)

    path = tmp_path / "trap.pkl"
    path.write_bytes(pickle.dumps({"F1": [Trap()]}))
    with pytest.raises(DataError, match=r"mkdir"):
        read_pickle(path)
    assert not (tmp_path / "sprung").exists()
    for found, name in ((Path("x"), "Path"), (np.zeros(1, [("a", "f4")]), "V4")):
        path.write_bytes(pickle.dumps(found))
        with pytest.raises(DataError, match=name):
            read_pickle(path)


@pytest.mark.parametrize("raw", [b"", b"<html>sign in</html>", pickle.dumps([1.5] * 99)[:-9]])
def test_damaged_pickle_raises_data_error(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "templates.pkl").write_bytes(raw)
    with pytest.raises(DataError, match=r"templates\.pkl.*Download"):
        read_pickle(tmp_path / "templates.pkl")
    with pytest.raises(DataError, match="no file"):
        read_pickle(tmp_path / "missing.pkl")
