"""The library of heads: folders of faces that share one mesh, read and written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from jambatalk.errors import FaceError, ModelError, abbreviate, brief
from jambatalk.face.attachments import Attachments, attach
from jambatalk.face.check_face import check_face
from jambatalk.face.face import PICTURES, Face
from jambatalk.face.material import Material
from jambatalk.files.arrays import read_npz
from jambatalk.files.bundled import HEADS
from jambatalk.files.fields import Range, check, check_fields, read_fields
from jambatalk.files.pictures import check_picture
from jambatalk.files.plain import read_json
from jambatalk.files.regular import damaged, read_file

INDEX, TOPOLOGY, TEXTURES = "heads.json", "topology.npz", "textures"
OWN = ("template", "colors")  # arrays that each head has of its own
LARGEST = 512 << 20  # bytes of a head's arrays
LARGEST_PICTURE = 32 << 20  # bytes
LONGEST_TITLE = 100  # characters
FILE = r"[\w\-][\w\-. ]{0,99}"  # a name in the folder, never one outside
CURE = "Install JambaTalk again, or make these heads again ('jambatalk convert', recipes/heads)."


@dataclass(frozen=True)
class MaterialEntry:
    """A material of `heads.json`: :class:`Material`, with the names of its pictures' files."""

    name: str
    kind: Literal["skin", "mouth", "eye", "hair", "cloth"] = "skin"
    albedo: str | None = None
    detail: str | None = None
    wrinkles: str | None = None
    cutout: Annotated[float, Range(0, 1)] = 0.0
    two_sided: bool = False

    def __post_init__(self) -> None:
        check_fields(self, "material.")
        for kind in PICTURES:
            name = getattr(self, kind)
            if name is not None:
                check(_is_file_name(name), kind, name, f"Give the name of a file in {TEXTURES}.")


@dataclass(frozen=True)
class HeadEntry:
    """A head of `heads.json`."""

    name: str
    title: str = ""
    materials: tuple[MaterialEntry, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self, "head.")
        check(_is_file_name(self.name), "name", self.name, "Give letters, digits, '-' and '_'.")
        check(len(self.title) <= LONGEST_TITLE, "title", self.title, "Give a few words.")


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
        return {name: entry.title for name, entry in self._index.items()}

    @cached_property
    def _index(self) -> dict[str, HeadEntry]:
        """Name → entry of `heads.json`."""
        path = self.folder / INDEX
        entries = read_json(path, FaceError, "a list of heads", CURE)
        try:
            check(isinstance(entries, list), "heads", entries, "Give a list.")
            read = [read_fields(HeadEntry, entry, "head.") for entry in entries]
        except ModelError as error:
            raise FaceError(f"'{path}': {error.what} {error.cure}", CURE) from error
        if not read or len({entry.name for entry in read}) < len(read):
            raise FaceError(f"'{path}' lists no heads, or one of them twice.", CURE)
        return {entry.name: entry for entry in read}

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
            raise FaceError(f"{brief(repr(head))} is not a head.", "Give its name or its number.")
        if isinstance(head, int) or (head.isascii() and head.isdigit()):
            number = int(head[:9] if isinstance(head, str) else head)
            if not 1 <= number <= len(names):
                raise FaceError(f"There is no head {brief(head)}.", f"Choose 1 to {len(names)}.")
            head = names[number - 1]
        if head not in names:
            known = abbreviate(names, 30)
            raise FaceError(f"There is no head '{brief(head)}'.", f"Choose one of {known}.")
        return self._load(head)

    @cache  # noqa: B019  there are as many as there are folders
    def _load(self, name: str) -> Face:
        path = self.folder / f"{name}.npz"
        own = read_npz(path, FaceError, "a head", CURE, LARGEST)
        own |= {"name": np.array(name), "title": np.array(self.titles[name])}
        try:
            face = Face.from_arrays(self._topology | own)
            if any(array.startswith("attached.") for array in own):
                attached = attach(face, Attachments.from_arrays(own))
                face = Face.from_arrays(self._topology | own | attached)
            face = replace(face, materials=self._materials(name) or face.materials)
            check_face(face)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            reason = f"there is no {error}" if isinstance(error, KeyError) else error
            kind = f"a head on the mesh of '{self.folder / TOPOLOGY}'"
            raise damaged(path, reason, FaceError, kind, CURE) from error
        return face

    def _materials(self, name: str) -> tuple[Material, ...]:
        """Read a head's materials and their pictures."""
        materials = []
        for described in self._index[name].materials:
            pictures = {kind: getattr(described, kind) for kind in PICTURES}
            pictures = {kind: self._picture(file) for kind, file in pictures.items() if file}
            materials.append(Material(**asdict(described) | pictures))
        return tuple(materials)

    def _picture(self, name: str) -> bytes:
        path = self.folder / TEXTURES / name
        data = read_file(path, FaceError, "a picture", CURE, LARGEST_PICTURE)
        try:
            check_picture(data)
        except ValueError as error:
            raise damaged(path, error, FaceError, "a picture", CURE) from error
        return data

    @cached_property
    def _topology(self) -> dict[str, np.ndarray]:
        path = self.folder / TOPOLOGY
        topology = read_npz(path, FaceError, "the mesh of heads", CURE, LARGEST)
        for name in ("deltas", "gloss"):  # converted once, shared by all heads
            if name in topology and topology[name].dtype.kind == "f":
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


def _is_file_name(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(FILE, name) is not None


def write_heads(folder: Path, faces: Sequence[Face]) -> None:
    """Write faces that share everything but template and colours.

    Raises:
        FaceError: a name is not fit for a file.
    """
    for face in faces:
        if not _is_file_name(face.name) or face.name in ("topology", "heads"):
            name = brief(face.name)
            raise FaceError(f"A head cannot be called '{name}'.", "Give it another name.")
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
