"""The optional file `dataset.json` of a data set's folder: frame rate, splits, exclusions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from jambatalk.data.dataset import Entry
from jambatalk.errors import DataError, ModelError, brief
from jambatalk.files.fields import Range, check_fields, read_fields
from jambatalk.files.plain import read_json

SPLITS = ("train", "val", "test", "all")
VAL_EVERY = 10  # recordings, where dataset.json names no split


@dataclass(frozen=True)
class DatasetSettings:
    """Content of `dataset.json`; all of it is optional.

    Attributes:
        fps: frame rate of the motion on disk.
        val, test: names of the recordings or subjects of these splits.
        leave_out: names of recordings or subjects to leave out.
    """

    fps: Annotated[float, Range(5, 240)] | None = None
    val: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)

    @classmethod
    def read(cls, folder: Path) -> DatasetSettings:
        """Read `dataset.json`, if the folder has one.

        Raises:
            DataError: invalid JSON, an unknown key, a value of the wrong kind.
        """
        path = folder / "dataset.json"
        if not path.exists():
            return cls()
        values = read_json(path, DataError, "the settings of a data set in JSON", "Correct it.")
        try:
            return read_fields(cls, values)
        except ModelError as error:
            raise DataError(f"'{path}': {error.what}", error.cure) from error

    def select(self, entries: Iterable[Entry], split: str) -> list[Entry]:
        """Return the recordings of a split, sorted by name.

        Args:
            split: "train", "val", "test" or "all". Where neither `val` nor `test` are given,
                "val" is every tenth recording and "test" is empty.

        Raises:
            DataError: an unknown split, or a name that does not occur.
        """
        if split not in SPLITS:
            raise DataError(f"There is no split '{split}'.", f"Choose one of {', '.join(SPLITS)}.")
        entries = list(entries)
        names = {entry.name for entry in entries} | {entry.subject for entry in entries}
        for name in (*self.leave_out, *self.val, *self.test):
            if name not in names:
                near = get_close_matches(brief(name), names, 1)
                hint = f"Is it '{near[0]}'?" if near else ""
                raise DataError(
                    f"dataset.json names '{brief(name)}', which is not in the set.", hint
                )
        used = self.without_left_out(entries)
        return [e for number, e in enumerate(used) if split in (self._split(number, e), "all")]

    def without_left_out(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the recordings that are not left out, sorted by name."""
        used = [entry for entry in entries if not _is_named(entry, self.leave_out)]
        return sorted(used, key=lambda entry: entry.name)

    def _split(self, number: int, entry: Entry) -> str:
        if not self.val and not self.test:
            return "val" if number % VAL_EVERY == VAL_EVERY - 1 else "train"
        if _is_named(entry, self.val):
            return "val"
        return "test" if _is_named(entry, self.test) else "train"


def _is_named(entry: Entry, names: tuple[str, ...]) -> bool:
    return entry.name in names or entry.subject in names
