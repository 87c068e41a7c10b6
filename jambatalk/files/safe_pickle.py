"""Read pickles without running code: nothing that a pickle names is ever called.

VOCASET, FLAME and BIWI come as pickles, most of them written by Python 2. Numbers, text, plain
containers and NumPy arrays are allowed. NumPy's constructors are replaced by stand-ins that only
record their arguments; the arrays are built afterwards, from checked values.

The unpickler is Python's own in Python. That in C takes gigabytes for a number of a memo in a file
of ten bytes; and this one's operations can be replaced by stricter ones.
"""

from __future__ import annotations

import math
import mmap
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from jambatalk.errors import DataError, brief
from jambatalk.files.regular import check_file, damaged

KINDS = "biufcSUO"  # kinds of dtype that an array may have: no structures, no subclasses
DEEPEST = 32  # containers in each other
MAX_VALUES = 10_000_000  # each counted as often as it is held
LONGEST_TUPLE = 8  # as a key
BITS = 64  # of a whole number
DOWNLOAD = "Download it again: it may be cut short, or a web page under the file's name."


def read_pickle(path: Path) -> Any:
    """Read a pickle of numbers, text, lists, tuples, sets, dictionaries and NumPy arrays.

    Python 2's byte strings become text (latin-1), ordered dictionaries plain ones.

    Raises:
        DataError: the file is missing, damaged, not a pickle, or holds something else, which the
            message names; or values that would take much more memory than the file does.
    """
    path = Path(path)
    size = check_file(path, DataError, "a pickle", DOWNLOAD)
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,  # reads no further
        ):
            value = _Unpickler(data, size).load()
        return _Builder(size).build(value)
    except _Forbidden as error:
        raise DataError(
            f"'{path}' holds {error}, and only plain data and NumPy arrays are read from a pickle.",
            "Open it with the software it comes from and save its arrays as .npz.",
        ) from error
    except Exception as error:  # a damaged stream raises anything
        raise damaged(path, error, DataError, "a readable pickle", DOWNLOAD) from error


_PYTHONS: Any = pickle._Unpickler


class _Forbidden(Exception):
    """Something other than plain data; its text names it."""


class _Unpickler(_PYTHONS):
    """Python's unpickler with the operations that plain data need.

    Args:
        data: the pickle. size: its bytes.
    """

    def __init__(self, data: mmap.mmap, size: int) -> None:
        super().__init__(data, encoding="latin1")
        self._left = size  # items that stand-ins may still be called with

    dispatch: ClassVar[dict[int, Callable]] = {
        code: operation
        for code, operation in _PYTHONS.dispatch.items()
        if code
        not in b"".join(
            [
                *(pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX),
                *(pickle.PERSID, pickle.BINPERSID, pickle.EXT1, pickle.EXT2, pickle.EXT4),
                *(pickle.NEXT_BUFFER, pickle.READONLY_BUFFER),
            ]
        )
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a global name; never the object of that name."""
        # names of Python 2 and NumPy 2
        module = module.replace("__builtin__", "builtins").replace("numpy._core", "numpy.core")
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _Forbidden(f"'{brief(f'{module}.{name}')}'") from None

    def load_reduce(self) -> None:
        """Call a stand-in; the same large value may not be given to many."""
        self._left -= sum(len(given) for given in self.stack[-1] if hasattr(given, "__len__"))
        if self._left < 0:
            raise ValueError("its values are larger than the file")
        super().load_reduce()

    def load_build(self) -> None:
        """Give one of our records its state; nothing else takes any."""
        state = self.stack.pop()
        if not isinstance(self.stack[-1], _Array | _Dtype):
            raise _Forbidden("an object with attributes")
        self.stack[-1].__setstate__(state)

    def load_bytearray8(self) -> None:
        """Read a byte array, not one of the size that is declared."""
        size = int.from_bytes(self.read(8), "little")
        data = self.read(size)
        if len(data) < size:
            raise EOFError("it is cut short")
        self.append(bytearray(data))

    def load_setitem(self) -> None:
        """Set an item of a dictionary."""
        _check_keys(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        """Set items of a dictionary."""
        _check_keys(self.stack[::2])
        super().load_setitems()

    def load_dict(self) -> None:
        """Make a dictionary."""
        _check_keys(self.stack[::2])
        super().load_dict()

    def load_additems(self) -> None:
        """Add to a set."""
        _check_keys(self.stack)
        super().load_additems()

    def load_frozenset(self) -> None:
        """Make a frozen set."""
        _check_keys(self.stack)
        super().load_frozenset()

    dispatch |= {
        pickle.REDUCE[0]: load_reduce,
        pickle.BUILD[0]: load_build,
        pickle.BYTEARRAY8[0]: load_bytearray8,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
        pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset,
    }


def _check_keys(keys: Iterable[Any]) -> Iterable[Any]:
    """Return keys of a dictionary or set; tuples of tuples of ... take for ever to be hashed."""
    for key in keys:
        parts = key if isinstance(key, tuple) and len(key) <= LONGEST_TUPLE else (key,)
        for part in parts:
            if not isinstance(part, str | bytes | int | float | complex | np.generic | None):
                raise _Forbidden("keys that are neither text nor numbers")
    return keys


class _Dtype:
    """Record of numpy.dtype(code), whose byte order follows in its state."""

    def __init__(self, code: str, *_: bool) -> None:
        if len(str(code)) > 16:
            raise _Forbidden(f"an array of '{brief(code)}'")
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in KINDS or self.dtype.fields or self.dtype.subdtype:
            raise _Forbidden(f"an array of '{brief(code)}'")

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

    def build(self, builder: _Builder, depth: int) -> np.ndarray:
        """Make the array; its objects are built too."""
        if math.prod(self.shape) < 0 or min(self.shape, default=0) < 0:
            raise ValueError("an array of a negative shape")
        if self.dtype.kind == "O":
            if not isinstance(self.data, list) or len(self.data) != math.prod(self.shape):
                raise ValueError("an array with more or fewer objects than its shape")
            flat = np.empty(len(self.data), object)
            flat[:] = [builder.build(value, depth + 1) for value in self.data]
        else:
            data = _encoded(self.data)
            builder.take(len(data))
            flat = np.frombuffer(data, self.dtype)
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
        raise _Forbidden(f"bytes in the encoding '{brief(encoding)}'")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("builtins", "bytes"): lambda: b"",  # by which protocol 2 writes empty ones
    ("builtins", "set"): lambda keys: set(_check_keys(keys)),
    ("builtins", "frozenset"): lambda keys: frozenset(_check_keys(keys)),
    ("builtins", "complex"): complex,
    ("collections", "OrderedDict"): lambda pairs=(): dict(
        zip(_check_keys([key for key, _ in pairs]), [value for _, value in pairs], strict=True)
    ),
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): lambda: None,  # only named, never called
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),  # its state follows
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
}


class _Builder:
    """Replaces records by real arrays; shared objects stay shared.

    Args:
        size: bytes of the file, which its arrays together may have.
    """

    def __init__(self, size: int) -> None:
        self._left, self._values = size, 0
        # id of a container or record → it, kept so that its id stays unique; its replacement; the
        # number of values in it, None before it is complete
        self._done: dict[int, tuple[Any, Any, int | None]] = {}

    def take(self, count: int) -> None:
        """Count the bytes of an array."""
        self._left -= count
        if self._left < 0:
            raise ValueError("its arrays are larger than the file")

    def build(self, value: Any, depth: int = 0) -> Any:
        """Return a value with its records replaced."""
        if depth > DEEPEST:
            raise ValueError(f"values nested more than {DEEPEST} times")
        before, known = self._values, self._done.get(id(value))
        if known is not None:
            if known[2] is None:
                raise ValueError("values that hold themselves")
            self._count(known[2])
            return known[1]
        self._count(1)
        if not isinstance(value, dict | list | tuple | _Array):
            return self._scalar(value)
        self._done[id(value)] = value, None, None
        result: Any = value
        if isinstance(value, dict | list):
            for key in value if isinstance(value, dict) else range(len(value)):
                value[key] = self.build(value[key], depth + 1)
        elif isinstance(value, tuple):
            result = tuple(self.build(part, depth + 1) for part in value)
        else:
            result = value.build(self, depth)
        self._done[id(value)] = value, result, self._values - before
        return result

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} values")

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, int) and value.bit_length() > BITS:
            raise ValueError("a whole number that is too large")
        if isinstance(value, _Dtype):
            return value.dtype
        if callable(value):
            raise _Forbidden("a class or function")
        return value
