"""Faces: a template mesh, what it can do, and where its lips are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from jambatalk.errors import FaceError

HEADS = Path(__file__).resolve().parent.parent / "assets" / "heads"


@dataclass(frozen=True, eq=False)
class Face:
    """A head in metres: x to its own left, y up, z out of the face.

    Attributes:
        name: short and unique, as used on the command line.
        template: (V, 3) float32, the face at rest with its lips closed.
        triangles: (F, 3) int32, counter-clockwise seen from outside.
        colors: (V, 3) uint8, sRGB.
        gloss: (V,) float32, 0 (matt) to 1 (wet).
        actions: the K names of `basis`, ARKit's for the bundled heads; empty for a mesh without.
        basis: (K, V, 3) float32, what each action at weight 1 adds to the template, metres.
        regions: name → vertex indices: "skin", "lips", "upper_face", "teeth_lower", ...
        landmarks: name → vertex indices: "inner_lip_upper" and "inner_lip_lower" (pairs, from the
            head's right to its left), "mouth_corners", "eye_corners", "nose_tip", "chin", ...
        title: for people: a name and a few words.
    """

    name: str
    template: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray
    gloss: np.ndarray
    actions: tuple[str, ...]
    basis: np.ndarray
    regions: dict[str, np.ndarray]
    landmarks: dict[str, np.ndarray]
    title: str = ""

    def vertices(self, weights: np.ndarray) -> np.ndarray:
        """The face with its actions at `weights` (..., K): vertices (..., V, 3) in metres."""
        flat = self.basis.reshape(len(self.actions), self.template.size)
        return self.template + (weights.astype(np.float32) @ flat).reshape(
            *weights.shape[:-1], *self.template.shape
        )

    def points(self, weights: np.ndarray, landmark: str) -> np.ndarray:
        """Only the `n` vertices of one landmark, at `weights` (..., K): (..., n, 3) in metres."""
        index = self.landmarks[landmark]
        flat = self.basis[:, index].reshape(len(self.actions), -1)
        return self.template[index] + (weights.astype(np.float32) @ flat).reshape(
            *weights.shape[:-1], len(index), 3
        )


def list_heads() -> list[str]:
    """Names of the bundled heads, in the order in which they are shown."""
    return [entry["name"] for entry in _index()]


def head_titles() -> dict[str, str]:
    """Name → title of every bundled head."""
    return {entry["name"]: entry["title"] for entry in _index()}


def thumbnail(name: str) -> Path:
    """The picture of a bundled head."""
    return HEADS / f"{name}.png"


@cache
def load_head(head: str | int) -> Face:
    """A bundled head, by name or by number (1 is the first).

    Raises:
        FaceError: there is none of that name or number; the message lists them.
    """
    names = list_heads()
    if isinstance(head, int) or head.isdigit():
        number = int(head)
        if not 1 <= number <= len(names):
            raise FaceError(f"There is no head {number}.", f"Choose 1 to {len(names)}.")
        head = names[number - 1]
    if head not in names:
        raise FaceError(f"There is no head '{head}'.", f"Choose one of {', '.join(names)}.")
    topology = _topology()
    with np.load(HEADS / f"{head}.npz", allow_pickle=False) as identity:
        return Face(
            name=head,
            title=head_titles()[head],
            template=identity["template"],
            colors=identity["colors"],
            **topology,
        )


@cache
def _index() -> list[dict[str, str]]:
    try:
        return json.loads((HEADS / "heads.json").read_text())
    except OSError as error:
        raise FaceError(
            f"The bundled heads are missing ({HEADS}).",
            "Work in a full clone of the repository, or run 'jambatalk build-heads'.",
        ) from error


@cache
def _topology() -> dict:
    """What all bundled heads share: triangles, basis, gloss, regions and landmarks."""
    with np.load(HEADS / "topology.npz", allow_pickle=False) as file:
        return {
            "triangles": file["triangles"],
            "gloss": file["gloss"].astype(np.float32),
            "actions": tuple(file["actions"].tolist()),
            "basis": file["basis"].astype(np.float32),
            "regions": _group(file, "region."),
            "landmarks": _group(file, "landmark."),
        }


def _group(file: np.lib.npyio.NpzFile, prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): file[key] for key in file.files if key.startswith(prefix)}
