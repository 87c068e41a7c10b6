"""Pickles read as data: a pickle can run any program, so nothing it names is ever called.

VOCASET, FLAME and BIWI come as pickles, most of them written by Python 2. What may stand in one is
numbers, text, plain containers and NumPy arrays. NumPy's own constructors are replaced by stand-ins
that only take notes; the arrays are built afterwards, from checked values.
"""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from jambatalk.errors import DataError
from jambatalk.files.origins import origin

KINDS = "biufcSUO"  # of the dtypes an array may have: no structures, no subclasses


def read_pickle(path: Path) -> Any:
    """Reads a pickle of numbers, text, lists, tuples, sets, dictionaries and NumPy arrays.

    Python 2's byte strings become text (latin-1), ordered dictionaries plain ones.

    Raises:
        DataError: missing, no pickle, damaged, or with anything else in it; the message names what.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _built(_Reader(file, encoding="latin1").load())
    except OSError as error:
        raise DataError(f"'{path}' cannot be opened ({error.strerror}).", origin(path)) from error
    except _RefusedError as error:
        raise DataError(
            f"'{path}' holds {error}, and only plain data and NumPy arrays are read from a pickle.",
            "Open it with the software it comes from and save its arrays as .npz.",
        ) from error
    except Exception as error:  # a damaged stream raises anything
        raise DataError(
            f"'{path}' is not a readable pickle ({error or type(error).__name__}).",
            "Download it again: it may be cut short, or a web page under the file's name.",
        ) from error


class _RefusedError(Exception):
    """Says what was found."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What a name in the pickle stands for: never what it names itself."""
        # Python 2, 3; NumPy 1, 2
        module = module.replace("__builtin__", "builtins").replace("numpy._core", "numpy.core")
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _RefusedError(f"'{module}.{name}'") from None


class _Dtype:
    """Notes of numpy.dtype(code), whose byte order follows in its state."""

    def __init__(self, code: str, *_: bool) -> None:
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in KINDS or self.dtype.fields or self.dtype.subdtype:
            raise _RefusedError(f"an array of '{code}'")

    def __setstate__(self, state: tuple) -> None:
        _, order, subarray, names = state[:4]
        if subarray or names:
            raise _RefusedError("a structured array")
        if order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Notes of an array: its state, as ndarray.__setstate__ would be given it."""

    dtype: np.dtype
    shape: tuple[int, ...]
    order: str = "C"
    axes: tuple[int, ...] | None = None
    data: bytes | bytearray | list

    def __setstate__(self, state: tuple) -> None:
        shape, dtype, fortran, data = state[-4:]  # some carry a version in front
        self.shape, self.dtype, self.data = shape, dtype.dtype, data
        self.order = "F" if fortran else "C"

    def built(self, done: dict[int, tuple[Any, Any]]) -> np.ndarray:
        if self.dtype.kind == "O":
            if not isinstance(self.data, list) or len(self.data) != math.prod(self.shape):
                raise ValueError("an array of objects whose number is not its shape's")
            flat = np.empty(len(self.data), object)
            flat[:] = [_built(value, done) for value in self.data]
        else:
            flat = np.frombuffer(_raw(self.data), self.dtype)
            flat = flat.astype(self.dtype.newbyteorder("="))  # a copy that can be written to
        array = flat.reshape(self.shape, order=self.order)
        return array if self.axes is None else array.transpose(self.axes)


def _raw(data: str | bytes | bytearray) -> bytes | bytearray:
    """Python 2's bytes were read as latin-1 text, which loses nothing."""
    return data.encode("latin1") if isinstance(data, str) else data


def _reconstruct(*_: Any) -> _Array:
    """Stands for numpy.core.multiarray._reconstruct; all that counts follows in the state."""
    return _Array()


def _from_buffer(
    data: bytes, dtype: _Dtype, shape: tuple, order: str, axes: tuple | None = None
) -> _Array:
    """Stands for numpy.core.numeric._frombuffer (pickle protocol 5)."""
    array = _Array()
    array.data, array.dtype, array.shape, array.axes = data, dtype.dtype, shape, axes
    array.order = "F" if order == "F" else "C"
    return array


def _scalar(dtype: _Dtype, data: str | bytes) -> Any:
    """Stands for numpy.core.multiarray.scalar."""
    return np.frombuffer(_raw(data), dtype.dtype)[0]


def _empty_bytes() -> bytes:
    """Stands for the class bytes, by which protocol 2 writes empty ones."""
    return b""


def _encode(text: str, encoding: str) -> bytes:
    """Stands for _codecs.encode, by which protocol 2 writes bytes."""
    if encoding != "latin1":
        raise _RefusedError(f"bytes in the encoding '{encoding}'")
    return text.encode("latin1")


class _NdArray:
    """Stands for the class numpy.ndarray, which is only ever named."""


_ALLOWED: dict[tuple[str, str], Any] = {
    ("builtins", "bytes"): _empty_bytes,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "complex"): complex,
    ("collections", "OrderedDict"): dict,
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _NdArray,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
}


def _built(value: Any, done: dict[int, tuple[Any, Any]] | None = None) -> Any:
    """The same value with real arrays in place of notes; what is shared stays shared.

    Args:
        done: id → (what was there, which it keeps alive, and what came of it).
    """
    done = {} if done is None else done
    if id(value) in done:
        return done[id(value)][1]
    result = value
    if isinstance(value, (dict, list)):
        done[id(value)] = value, value  # before its parts, which may hold it
        for key in value if isinstance(value, dict) else range(len(value)):
            value[key] = _built(value[key], done)
    elif isinstance(value, tuple):
        result = tuple(_built(part, done) for part in value)
    elif isinstance(value, _Array):
        result = value.built(done)
    elif isinstance(value, _Dtype):
        result = value.dtype
    elif callable(value):
        raise _RefusedError("a class or function")
    done[id(value)] = value, result
    return result
