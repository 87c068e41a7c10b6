"""Read ICT-FaceKit: a head of scanned people, with captured expressions and identity modes.

ICT-FaceKit, Light model, MIT licence: https://github.com/ICT-VGL/ICT-FaceKit; Li and others,
"Learning Formation of Physically-Based Face Attributes", CVPR 2020.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError

CENTIMETRE = 0.01  # metres

# Vertices of each part: first, and one past the last.
PARTS = {
    "face": (0, 9409),
    "head": (9409, 11248),  # back of the head, and neck
    "mouth_socket": (11248, 13294),
    "eye_sockets": (13294, 14062),
    "gums": (14062, 17039),  # and the tongue
    "teeth": (17039, 21451),
    "sclera_left": (21451, 22221),
    "iris_left": (22221, 23021),
    "sclera_right": (23021, 23791),
    "iris_right": (23791, 24591),
    "lacrimal_fluid": (24591, 24999),
    "eye_blend": (24999, 25047),
    "eye_occlusion": (25047, 25351),
    "eyelashes": (25351, 26719),
}


@dataclass(frozen=True, eq=False)
class IctFaceKit:
    """The head as published, in metres: x to its own left, y up, z out of the face.

    Attributes:
        positions: (N, 3), the mean face at rest; the origin lies between the eyeballs.
        faces: vertex indices of each face, three or four.
        uv: (U, 2) texture coordinates, v up; the integer part of u is the number of the picture.
        uv_faces: indices into `uv`, one for each corner of `faces`.
        expressions: name, as published → (N, 3) displacement at weight 1.
        identities: (60, N, 3), principal modes, to be weighted by N(0, 1).
        origin: (3,), what was subtracted from the published positions.
    """

    positions: np.ndarray
    faces: list[list[int]]
    uv: np.ndarray
    uv_faces: list[list[int]]
    expressions: dict[str, np.ndarray]
    identities: np.ndarray
    origin: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> IctFaceKit:
        """Read the folder that `recipes/README.md` describes.

        Raises:
            DataError: a file is missing or damaged.
        """
        try:
            positions, uv, faces, uv_faces = _read_obj(folder / "generic_neutral_mesh.obj")
            with np.load(folder / "expressions.npz", allow_pickle=False) as file:
                names = file["names"].tolist()
                deltas = file["deltas"].astype(np.float64) * CENTIMETRE
            with np.load(folder / "identities.npz", allow_pickle=False) as file:
                identities = file["deltas"].astype(np.float64) * CENTIMETRE
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"'{folder}' is not ICT-FaceKit's folder ({error}).", "See recipes/README.md."
            ) from error
        positions *= CENTIMETRE
        origin = np.mean([eye_centre(positions, side) for side in ("left", "right")], axis=0)
        return cls(
            positions - origin,
            faces,
            uv,
            uv_faces,
            dict(zip(names, deltas, strict=True)),
            identities,
            origin,
        )

    def triangles(self, parts: Iterable[str] = PARTS) -> tuple[np.ndarray, np.ndarray]:
        """Split the faces of some parts into triangles: vertices and texture coordinates, (F, 3).

        A face belongs to the part of its first vertex.
        """
        spans = [PARTS[part] for part in parts]
        corners, uv_corners = [], []
        for face, uv_face in zip(self.faces, self.uv_faces, strict=True):
            if any(low <= face[0] < high for low, high in spans):
                for k in range(1, len(face) - 1):
                    corners.append([face[0], face[k], face[k + 1]])
                    uv_corners.append([uv_face[0], uv_face[k], uv_face[k + 1]])
        return np.array(corners), np.array(uv_corners)


def eye_centre(positions: np.ndarray, side: str) -> np.ndarray:
    """Return the centre of the eyeball of a side, "left" or "right"."""
    sclera = positions[slice(*PARTS[f"sclera_{side}"])]
    return (sclera.min(0) + sclera.max(0)) / 2


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, list[list[int]], list[list[int]]]:
    positions, uv, faces, uv_faces = [], [], [], []
    for line in path.read_text("utf-8").splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            positions.append([float(value) for value in values[:3]])
        elif kind == "vt":
            uv.append([float(value) for value in values[:2]])
        elif kind == "f":
            corners = [value.split("/") for value in values]
            faces.append([int(corner[0]) - 1 for corner in corners])
            uv_faces.append([int(corner[1]) - 1 for corner in corners])
    return np.array(positions), np.array(uv), faces, uv_faces
