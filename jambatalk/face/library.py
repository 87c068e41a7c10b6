"""The library of heads: folders of faces that share one mesh, read and written."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from jambatalk.errors import FaceError
from jambatalk.face.face import Face
from jambatalk.files.bundled import HEADS

OWN = ("template", "colors")  # what each head has of its own


class HeadLibrary:
    """The heads in a folder: `topology.npz`, what they share; NAME.npz and NAME.png, what each has
    of its own; and `heads.json`, their names and titles in the order in which they are shown."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def titles(self) -> dict[str, str]:
        """Name → title."""
        try:
            index = json.loads((self.folder / "heads.json").read_text())
        except OSError as error:
            raise FaceError(
                f"There are no heads in {self.folder}.",
                "Work in a full clone of the repository, or run 'python -m recipes.heads'; for the "
                "published weights, 'jambatalk convert'.",
            ) from error
        return {entry["name"]: entry["title"] for entry in index}

    @property
    def names(self) -> list[str]:
        """In the order in which they are shown."""
        return list(self.titles)

    def thumbnail(self, name: str) -> Path:
        """The picture of a head."""
        return self.folder / f"{name}.png"

    def load(self, head: str | int) -> Face:
        """A head, by name or by number (1 is the first).

        Raises:
            FaceError: there is none of that name or number; the message lists them.
        """
        names = self.names
        if isinstance(head, int) or (head.isascii() and head.isdigit()):
            number = int(head)
            if not 1 <= number <= len(names):
                raise FaceError(f"There is no head {number}.", f"Choose 1 to {len(names)}.")
            head = names[number - 1]
        if head not in names:
            raise FaceError(f"There is no head '{head}'.", f"Choose one of {', '.join(names)}.")
        return self._loaded(head)

    @cache  # noqa: B019  there are as many as there are folders
    def _loaded(self, name: str) -> Face:
        with np.load(self.folder / f"{name}.npz", allow_pickle=False) as file:
            own = {"name": np.array(name), "title": np.array(self.titles[name]), **file}
        return Face.from_arrays(self._topology | own)

    @cached_property
    def _topology(self) -> dict[str, np.ndarray]:
        with np.load(self.folder / "topology.npz", allow_pickle=False) as file:
            topology = dict(file)
        # one copy for all heads
        topology["deltas"] = topology["deltas"].astype(np.float32)
        topology["gloss"] = topology["gloss"].astype(np.float32)
        return topology


BUNDLED = HeadLibrary(HEADS)


def checkpoint_heads(checkpoint: Path) -> HeadLibrary:
    """The heads that a checkpoint folder carries, or else the bundled ones.

    Raises:
        FaceError: there is no such folder.
    """
    if not checkpoint.is_dir():
        raise FaceError(f"There is no folder {checkpoint}.", "Check --checkpoint.")
    return HeadLibrary(checkpoint / "heads") if (checkpoint / "heads").is_dir() else BUNDLED


def list_heads() -> list[str]:
    """Names of the bundled heads, in the order in which they are shown."""
    return BUNDLED.names


def load_head(head: str | int) -> Face:
    """A bundled head, see :meth:`HeadLibrary.load`."""
    return BUNDLED.load(head)


def write_heads(folder: Path, faces: Sequence[Face]) -> None:
    """Writes faces that share everything but template and colours.

    Raises:
        FaceError: a name is not fit for a file.
    """
    for face in faces:
        if Path(face.name).name != face.name or face.name in ("", "topology", "heads"):
            raise FaceError(f"A head cannot be called '{face.name}'.", "Give it another name.")
    folder.mkdir(parents=True, exist_ok=True)
    shared = faces[0].to_arrays()
    del shared["name"], shared["title"]
    save_arrays(folder / "topology.npz", {k: v for k, v in shared.items() if k not in OWN})
    for face in faces:
        save_arrays(folder / f"{face.name}.npz", {key: face.to_arrays()[key] for key in OWN})
    write_index(folder, {face.name: face.title for face in faces})


def write_index(folder: Path, titles: dict[str, str]) -> None:
    """heads.json: names and titles, in the order in which they are shown."""
    index = [{"name": name, "title": title} for name, title in titles.items()]
    (folder / "heads.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n")


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Like np.savez_compressed, packed tighter and with fixed dates."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
