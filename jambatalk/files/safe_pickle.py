"""Read pickles without running code: nothing that a pickle names is ever called.

VOCASET, FLAME and BIWI come as pickles, most of them written by Python 2. Numbers, text, plain
containers and NumPy arrays are allowed. NumPy's constructors are replaced by stand-ins that only
record their arguments; the arrays are built afterwards, from checked values.
"""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jambatalk.errors import DataError
from jambatalk.files.origins import origin

KINDS = "biufcSUO"  # kinds of dtype that an array may have: no structures, no subclasses


def read_pickle(path: Path) -> Any:
    """Read a pickle of numbers, text, lists, tuples, sets, dictionaries and NumPy arrays.

    Python 2's byte strings become text (latin-1), ordered dictionaries plain ones.

    Raises:
        DataError: the file is missing, damaged, not a pickle, or holds something else, which the
            message names.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _build(_Unpickler(file, encoding="latin1").load())
    except OSError as error:
        raise DataError(f"'{path}' cannot be opened ({error.strerror}).", origin(path)) from error
    except _Forbidden as error:
        raise DataError(
            f"'{path}' holds {error}, and only plain data and NumPy arrays are read from a pickle.",
            "Open it with the software it comes from and save its arrays as .npz.",
        ) from error
    except Exception as error:  # a damaged stream raises anything
        raise DataError(
            f"'{path}' is not a readable pickle ({error or type(error).__name__}).",
            "Download it again: it may be cut short, or a web page under the file's name.",
        ) from error


class _Forbidden(Exception):
    """Something other than plain data; its text names it."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a global name; never the object of that name."""
        # names of Python 2 and NumPy 2
        module = module.replace("__builtin__", "builtins").replace("numpy._core", "numpy.core")
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _Forbidden(f"'{module}.{name}'") from None


class _Dtype:
    """Record of numpy.dtype(code), whose byte order follows in its state."""

    def __init__(self, code: str, *_: bool) -> None:
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in KINDS or self.dtype.fields or self.dtype.subdtype:
            raise _Forbidden(f"an array of '{code}'")

    def __setstate__(self, state: tuple) -> None:
        _, order, subarray, names = state[:4]
        if subarray or names:
            raise _Forbidden("a structured array")
        if order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Record of an array: its state, as ndarray.__setstate__ would receive it."""

    dtype: np.dtype
    shape: tuple[int, ...]
    order: Literal["C", "F"] = "C"
    axes: tuple[int, ...] | None = None
    data: bytes | bytearray | list

    def __setstate__(self, state: tuple) -> None:
        shape, dtype, fortran, data = state[-4:]  # some carry a version in front
        self.shape, self.dtype, self.data = shape, dtype.dtype, data
        self.order = "F" if fortran else "C"

    def build(self, done: dict[int, tuple[Any, Any]]) -> np.ndarray:
        """Make the array; its objects are built too."""
        if self.dtype.kind == "O":
            if not isinstance(self.data, list) or len(self.data) != math.prod(self.shape):
                raise ValueError("an array with more or fewer objects than its shape")
            flat = np.empty(len(self.data), object)
            flat[:] = [_build(value, done) for value in self.data]
        else:
            flat = np.frombuffer(_encoded(self.data), self.dtype)
            flat = flat.astype(self.dtype.newbyteorder("="))  # a writable copy
        array = flat.reshape(self.shape, order=self.order)
        return array if self.axes is None else array.transpose(self.axes)


def _encoded(data: str | bytes | bytearray | list) -> bytes | bytearray:
    """Encode Python 2's bytes, which were decoded as latin-1 without loss."""
    if isinstance(data, list):
        raise ValueError("an array of numbers with a list of objects")
    return data.encode("latin1") if isinstance(data, str) else data


def _from_buffer(
    data: bytes, dtype: _Dtype, shape: tuple, order: str, axes: tuple | None = None
) -> _Array:
    """Replace numpy.core.numeric._frombuffer (pickle protocol 5)."""
    array = _Array()
    array.data, array.dtype, array.shape, array.axes = data, dtype.dtype, shape, axes
    array.order = "F" if order == "F" else "C"
    return array


def _scalar(dtype: _Dtype, data: str | bytes) -> Any:
    """Replace numpy.core.multiarray.scalar."""
    return np.frombuffer(_encoded(data), dtype.dtype)[0]


def _encode(text: str, encoding: str) -> bytes:
    """Replace _codecs.encode, by which protocol 2 writes bytes."""
    if encoding != "latin1":
        raise _Forbidden(f"bytes in the encoding '{encoding}'")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("builtins", "bytes"): lambda: b"",  # by which protocol 2 writes empty ones
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "complex"): complex,
    ("collections", "OrderedDict"): dict,
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): lambda: None,  # only named, never called
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),  # its state follows
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
}


def _build(value: Any, done: dict[int, tuple[Any, Any]] | None = None) -> Any:
    """Replace records by real arrays; shared objects stay shared.

    Args:
        done: id of an object → the object, kept so that its id stays unique, and its replacement.
    """
    done = {} if done is None else done
    if id(value) in done:
        return done[id(value)][1]
    result = value
    if isinstance(value, (dict, list)):
        done[id(value)] = value, value  # before its parts, which may refer back to it
        for key in value if isinstance(value, dict) else range(len(value)):
            value[key] = _build(value[key], done)
    elif isinstance(value, tuple):
        result = tuple(_build(part, done) for part in value)
    elif isinstance(value, _Array):
        result = value.build(done)
    elif isinstance(value, _Dtype):
        result = value.dtype
    elif callable(value):
        raise _Forbidden("a class or function")
    done[id(value)] = value, result
    return result
