"""The library of heads: folders of faces that share one mesh, read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from jambatalk.errors import FaceError
from jambatalk.face.attachments import Attachments, attach
from jambatalk.face.face import PICTURES, Face
from jambatalk.face.material import Material
from jambatalk.files.arrays import read_npz
from jambatalk.files.bundled import HEADS

INDEX, TOPOLOGY, TEXTURES = "heads.json", "topology.npz", "textures"
OWN = ("template", "colors")  # arrays that each head has of its own
CURE = "Install JambaTalk again, or make these heads again ('jambatalk convert', recipes/heads)."


class HeadLibrary:
    """The heads in a folder, loaded when they are first used.

    `topology.npz` holds what all of them share (triangles, blendshapes, regions, landmarks),
    NAME.npz a head's template, colours and attachments, NAME.png its picture, and `heads.json`
    names, titles and materials in the order of display. The materials' pictures lie in `textures/`.

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
        return {name: str(entry["title"]) for name, entry in self._index.items()}

    @cached_property
    def _index(self) -> dict[str, dict]:
        """Name → entry of `heads.json`."""
        path = self.folder / INDEX
        try:
            entries = json.loads(path.read_text("utf-8"))
            index = {str(entry["name"]): {"title": "", **entry} for entry in entries}
        except FileNotFoundError:
            raise FaceError(f"There are no heads in {self.folder}.", CURE) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FaceError(f"'{path}' is damaged ({error!r}).", CURE) from error
        if not index:
            raise FaceError(f"'{path}' is damaged: it lists no heads.", CURE)
        return index

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
            if any(array.startswith("attached.") for array in own):
                attached = attach(face, Attachments.from_arrays(own))
                face = Face.from_arrays(self._topology | own | attached)
            face = replace(face, materials=self._materials(name) or face.materials)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise FaceError(f"'{path}' or '{TOPOLOGY}' is damaged ({error!r}).", CURE) from error
        if face.template.shape != (len(face.gloss), 3) or len(face.colors) != len(face.gloss):
            raise FaceError(f"'{path}' does not belong to '{self.folder / TOPOLOGY}'.", CURE)
        return face

    def _materials(self, name: str) -> tuple[Material, ...]:
        """Read a head's materials and their pictures."""
        materials = []
        for described in self._index[name].get("materials", []):
            pictures = {
                kind: self._picture(described[kind]) for kind in PICTURES if kind in described
            }
            materials.append(Material(**described | pictures))
        return tuple(materials)

    def _picture(self, name: str) -> bytes:
        path = self.folder / TEXTURES / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise FaceError(f"'{path}' cannot be read ({error.strerror}).", CURE) from error

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


def write_index(
    folder: Path, titles: Mapping[str, str], materials: Mapping[str, list[dict]] | None = None
) -> None:
    """Write `heads.json`: names, titles and materials, in the order of display."""
    index = [
        {"name": name, "title": title} | ({"materials": materials[name]} if materials else {})
        for name, title in titles.items()
    ]
    text = json.dumps(index, indent=2, ensure_ascii=False) + "\n"
    (folder / INDEX).write_text(text, encoding="utf-8")
