"""A face: a template mesh, its blendshapes, regions and landmarks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from jambatalk.errors import FaceError
from jambatalk.face.material import Material
from jambatalk.face.srgb import to_linear
from jambatalk.files.plain import parse_json

PICTURES = ("albedo", "detail", "wrinkles")  # of a material
PLAIN = (Material("face"),)


@dataclass(frozen=True, eq=False)
class Face:
    """A head in metres: x to its own left, y up, z out of the face.

    Attributes:
        name: short and unique, as used on the command line.
        template: (V, 3) float32, the face at rest with closed lips.
        triangles: (F, 3) int32, counter-clockwise as viewed from outside.
        colors: (V, 3) uint8, sRGB.
        gloss: (V,) float32, 0 (matt) to 1 (wet).
        blendshapes: the K names of `deltas`: ARKit's for the bundled heads, or none.
        deltas: (K, V, 3) float32, displacement by each blendshape at weight 1, metres.
        regions: name → vertex indices: "skin", "lips", "upper_face", "teeth_lower", ...
        landmarks: name → vertex indices: "inner_lip_upper" and "inner_lip_lower" (pairs, from the
            head's right to its left), "mouth_corners", "eye_corners", "nose_tip", "chin", ...
        title: a name and a few words, for display.
        materials: how the triangles look, drawn in this order.
        material_index: (F,) uint8, the number of each triangle's material; None for the first.
        uv: (V, 2) float32 texture coordinates, v up; None without pictures.
        occlusion: (V,) float32, the part of the surroundings' light that reaches a vertex at rest;
            None for all of it.
        weld: (V,) int32, for each vertex the first one at the same point of the surface: vertices
            are split where texture coordinates differ; None if none is.
    """

    name: str
    template: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray
    gloss: np.ndarray
    blendshapes: tuple[str, ...]
    deltas: np.ndarray
    regions: dict[str, np.ndarray]
    landmarks: dict[str, np.ndarray]
    title: str = ""
    materials: tuple[Material, ...] = PLAIN
    material_index: np.ndarray | None = None
    uv: np.ndarray | None = None
    occlusion: np.ndarray | None = None
    weld: np.ndarray | None = None

    def vertices(self, weights: np.ndarray) -> np.ndarray:
        """Compute vertices (..., V, 3) in metres for blendshape weights (..., K)."""
        return _morphed(self.template, self.deltas, weights)

    def points(
        self, weights: np.ndarray, landmark: str, offsets: np.ndarray | None = None
    ) -> np.ndarray:
        """Compute only the n vertices of a landmark, (..., n, 3) in metres, for weights (..., K).

        Args:
            offsets: (..., V, 3), added to the vertices.

        Raises:
            FaceError: the face has no such landmark.
        """
        if landmark not in self.landmarks:
            raise FaceError(f"Head '{self.name}' has no landmark '{landmark}'.")
        index = self.landmarks[landmark]
        points = _morphed(self.template[index], self.deltas[:, index], weights)
        return points if offsets is None else points + offsets[..., index, :]

    def linear_colors(self) -> np.ndarray:
        """Convert the colours to linear RGB, (V, 3) from 0 to 1."""
        return to_linear(self.colors / 255)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Convert to named arrays, for an .npz."""
        arrays = {
            "name": np.array(self.name),
            "title": np.array(self.title),
            "template": self.template,
            "colors": self.colors,
            "triangles": self.triangles,
            "gloss": self.gloss,
            "blendshapes": np.array(self.blendshapes, dtype=str),
            "deltas": self.deltas,
            **{f"region.{name}": index for name, index in self.regions.items()},
            **{f"landmark.{name}": index for name, index in self.landmarks.items()},
        }
        optional = {name: getattr(self, name) for name in OPTIONAL}
        arrays |= {name: array for name, array in optional.items() if array is not None}
        described = []
        for number, material in enumerate(self.materials):
            for kind in PICTURES:
                if picture := getattr(material, kind):
                    arrays[f"picture.{number}.{kind}"] = np.frombuffer(picture, np.uint8)
            described.append({k: v for k, v in asdict(material).items() if k not in PICTURES})
        return arrays | {"materials": np.array(json.dumps(described))}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Face:
        """Build a face from the arrays of :meth:`to_arrays`.

        Raises:
            KeyError, TypeError, ValueError: they are not those of a face. That they fit each other
            is checked by :func:`jambatalk.face.check_face.check_face`.
        """
        materials = []
        for number, described in enumerate(parse_json(str(arrays["materials"]))):
            keys = {kind: f"picture.{number}.{kind}" for kind in PICTURES}
            pictures = {k: arrays[key].tobytes() for k, key in keys.items() if key in arrays}
            materials.append(Material(**described | pictures))
        return cls(
            name=str(arrays["name"]),
            title=str(arrays["title"]),
            template=arrays["template"],
            colors=arrays["colors"],
            triangles=arrays["triangles"],
            gloss=arrays["gloss"].astype(np.float32, copy=False),
            blendshapes=tuple(arrays["blendshapes"].tolist()),
            deltas=arrays["deltas"].astype(np.float32, copy=False),
            regions=_group(arrays, "region."),
            landmarks=_group(arrays, "landmark."),
            materials=tuple(materials),
            **{name: arrays[name] for name in OPTIONAL if name in arrays},
        )


OPTIONAL = ("material_index", "uv", "occlusion", "weld")


def _morphed(template: np.ndarray, deltas: np.ndarray, weights: np.ndarray) -> np.ndarray:
    flat = deltas.reshape(len(deltas), template.size)
    moved = weights.astype(np.float32) @ flat
    return template + moved.reshape(*weights.shape[:-1], *template.shape)


def _group(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): arrays[key] for key in arrays if key.startswith(prefix)}
