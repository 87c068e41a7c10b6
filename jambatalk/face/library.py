"""The library of heads: folders of faces that share one mesh, read and written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from jambatalk.errors import FaceError
from jambatalk.face.face import Face
from jambatalk.files.arrays import read_npz
from jambatalk.files.bundled import HEADS

INDEX, TOPOLOGY = "heads.json", "topology.npz"
OWN = ("template", "colors")  # arrays that each head has of its own
CURE = "Install JambaTalk again, or make these heads again ('jambatalk convert', recipes/heads)."


class HeadLibrary:
    """The heads in a folder, loaded when they are first used.

    `topology.npz` holds what all of them share (triangles, blendshapes, regions, landmarks),
    NAME.npz a head's template and colours, NAME.png its picture, and `heads.json` names and titles
    in the order of display.

    Example:
        >>> heads = HeadLibrary(Path("checkpoint/heads"))
        >>> heads.names
        ['anna', 'ben']
        >>> face = heads.load("anna")  # or heads.load(1)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def titles(self) -> dict[str, str]:
        """Name → title, in the order of display.

        Raises:
            FaceError: there is no `heads.json`, or it is damaged.
        """
        path = self.folder / INDEX
        try:
            titles = {str(e["name"]): str(e["title"]) for e in json.loads(path.read_text("utf-8"))}
        except FileNotFoundError:
            raise FaceError(f"There are no heads in {self.folder}.", CURE) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FaceError(f"'{path}' is damaged ({error!r}).", CURE) from error
        if not titles:
            raise FaceError(f"'{path}' is damaged: it lists no heads.", CURE)
        return titles

    @property
    def names(self) -> list[str]:
        """Names in the order of display."""
        return list(self.titles)

    def thumbnail(self, name: str) -> Path:
        """Return the path of a head's picture."""
        return self.folder / f"{name}.png"

    def load(self, head: str | int) -> Face:
        """Load a head, by name or by number (1 is the first).

        Raises:
            FaceError: there is none of that name or number (the message lists them), or a file of
                the library is damaged.
        """
        names = self.names
        if not isinstance(head, str | int):
            raise FaceError(f"{head!r} is not a head.", "Give its name or its number.")
        if isinstance(head, int) or (head.isascii() and head.isdigit()):
            number = int(head)
            if not 1 <= number <= len(names):
                raise FaceError(f"There is no head {number}.", f"Choose 1 to {len(names)}.")
            head = names[number - 1]
        if head not in names:
            raise FaceError(f"There is no head '{head}'.", f"Choose one of {', '.join(names)}.")
        return self._load(head)

    @cache  # noqa: B019  there are as many as there are folders
    def _load(self, name: str) -> Face:
        path = self.folder / f"{name}.npz"
        own = read_npz(path, FaceError, "a head", CURE)
        own |= {"name": np.array(name), "title": np.array(self.titles[name])}
        try:
            face = Face.from_arrays(self._topology | own)
        except (KeyError, ValueError) as error:
            raise FaceError(f"'{path}' or '{TOPOLOGY}' is damaged ({error!r}).", CURE) from error
        if face.template.shape != (len(face.gloss), 3) or len(face.colors) != len(face.gloss):
            raise FaceError(f"'{path}' does not belong to '{self.folder / TOPOLOGY}'.", CURE)
        return face

    @cached_property
    def _topology(self) -> dict[str, np.ndarray]:
        topology = read_npz(self.folder / TOPOLOGY, FaceError, "the mesh of heads", CURE)
        for name in ("deltas", "gloss"):  # converted once, shared by all heads
            if name in topology:
                topology[name] = topology[name].astype(np.float32)
        return topology


BUNDLED = HeadLibrary(HEADS)


def checkpoint_heads(checkpoint: Path) -> HeadLibrary:
    """Open the heads of a checkpoint folder, or else the bundled ones.

    Raises:
        FaceError: there is no such folder.
    """
    if not checkpoint.is_dir():
        raise FaceError(f"There is no folder {checkpoint}.", "Check --checkpoint.")
    return HeadLibrary(checkpoint / "heads") if (checkpoint / "heads").is_dir() else BUNDLED


def list_heads() -> list[str]:
    """Return the names of the bundled heads, in the order of display.

    Example:
        >>> jambatalk.list_heads()[0]
        'mara'
    """
    return BUNDLED.names


def load_head(head: str | int) -> Face:
    """Load a bundled head by name or number, see :meth:`HeadLibrary.load`.

    Example:
        >>> jambatalk.load_head("kofi").template.shape
        (8942, 3)
    """
    return BUNDLED.load(head)


def write_heads(folder: Path, faces: Sequence[Face]) -> None:
    """Write faces that share everything but template and colours.

    Raises:
        FaceError: a name is not fit for a file.
    """
    for face in faces:
        if Path(face.name).name != face.name or face.name in ("", "topology", "heads"):
            raise FaceError(f"A head cannot be called '{face.name}'.", "Give it another name.")
    folder.mkdir(parents=True, exist_ok=True)
    shared = faces[0].to_arrays()
    del shared["name"], shared["title"]
    topology = {name: array for name, array in shared.items() if name not in OWN}
    np.savez_compressed(folder / TOPOLOGY, allow_pickle=False, **topology)
    for face in faces:
        np.savez_compressed(folder / f"{face.name}.npz", template=face.template, colors=face.colors)
    write_index(folder, {face.name: face.title for face in faces})


def write_index(folder: Path, titles: dict[str, str]) -> None:
    """Write `heads.json`: names and titles, in the order of display."""
    index = [{"name": name, "title": title} for name, title in titles.items()]
    text = json.dumps(index, indent=2, ensure_ascii=False) + "\n"
    (folder / INDEX).write_text(text, encoding="utf-8")
