"""What is drawn of a face: its materials as batches of triangles, and how its vertices look."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jambatalk.face.face import Face
from jambatalk.face.material import Material
from jambatalk.render.cutout import SOLID, opaque_and_soft
from jambatalk.render.pictures import albedo_key, detail_key, mean_brightness, read_alpha
from jambatalk.render.view import View

CLAY = (0.32, 0.28, 0.24)  # linear RGB
CLAY_GLOSS = 0.15
CLAY_MOUTH = 0.3  # the inside of the mouth is darker, to make its shape visible
TURNS = ("HAIR", "CLOTH", "SKIN", "MOUTH", "EYE")
LAYERS = 8
SHARP = ("skin", "mouth", "eye")  # kinds whose key light is computed per pixel


@dataclass(frozen=True, eq=False)
class Batch:
    """Triangles of one material, drawn in one call.

    Attributes:
        first, count: of the triangles.
        defines: of the shader program.
        textures: name of the sampler → key of the texture.
        cutout: alpha below which nothing is drawn; of a blended batch, from which all is opaque.
        culled: whether backs are left out.
        blended: whether it is mixed with what lies behind.
        brightness: of the opaque part of the picture, to which single strands, and roots of hair
            on the skin, are compared.
    """

    first: int
    count: int
    defines: tuple[str, ...]
    textures: dict[str, tuple]
    cutout: float
    culled: bool
    blended: bool = False
    brightness: float = 1.0


def batches(face: Face, view: View, toward: np.ndarray) -> tuple[np.ndarray, list[Batch]]:
    """Return the triangles (F, 3) in the order of drawing, and their batches.

    Of each material the nearest triangles come first, since hidden pixels are not shaded: by a few
    layers, within which they keep the order of the mesh, since neighbours share vertices that are
    shaded once. Hair comes before the skin below it, and what is cut out comes last: strands whose
    alpha is high, then, from back to front, the soft edges of those that nothing hides.

    Args:
        toward: (3,) direction to the camera.
    """
    nearness = (face.template @ toward)[face.triangles].mean(1)
    number = np.zeros(len(nearness)) if face.material_index is None else face.material_index
    # Culling back faces is faster, but shows the background through the mouth of a mesh that has no
    # inside of it.
    hollow = "inner_mouth" not in face.regions and face.material_index is None
    found, edges = [], []
    for index, material in enumerate(face.materials):
        chosen = np.flatnonzero(number == index)
        if not len(chosen):
            continue
        shown = _simplified(material, view, face.uv is not None)
        chosen = chosen[np.argsort(-_layers(nearness[chosen]), kind="stable")]
        batch = _batch(shown, view, hollow)
        if shown.cutout and shown.albedo and face.uv is not None:
            corners = face.uv[face.triangles[chosen]]
            whole, opaque, soft = opaque_and_soft(corners, read_alpha(shown.albedo))
            # Without anything cut out, what is hidden is not shaded.
            defines = tuple(name for name in batch.defines if name != "CUTOUT")
            found.append((chosen[whole], replace(batch, defines=defines, cutout=0.0)))
            if view.shading == "plain":
                chosen = chosen[~whole]
            else:
                # Single strands, of beards and lashes, hide too little to be drawn twice.
                single = not whole.any()
                batch = replace(batch, cutout=SOLID)
                edge = replace(batch, defines=(*batch.defines, "BLENDED"), blended=True)
                blended = chosen[soft | (opaque & single)]
                edges.append((blended[np.argsort(nearness[blended], kind="stable")], edge))
                chosen = chosen[opaque & ~(whole | single)]
        found.append((chosen, batch))
    found = sorted(found, key=lambda entry: _turn(entry[1])) + edges
    found = [(chosen, batch) for chosen, batch in found if len(chosen)]
    order = np.concatenate([chosen for chosen, _ in found])
    firsts = np.cumsum([0] + [len(chosen) for chosen, _ in found])
    drawn = [
        replace(batch, first=int(first), count=len(chosen))
        for first, (chosen, batch) in zip(firsts, found, strict=False)
    ]
    return face.triangles[order].astype(np.uint32), drawn


def _turn(batch: Batch) -> tuple[bool, int]:
    """Return what a batch's turn to be drawn is sorted by: first what hides much and is cheap."""
    return batch.cutout > 0, TURNS.index(batch.defines[0])


def _layers(nearness: np.ndarray) -> np.ndarray:
    """Return the number of the layer, from 0 to `LAYERS`, in which each triangle lies."""
    low, high = nearness.min(), nearness.max()
    return ((nearness - low) * (LAYERS / max(high - low, 1e-9))).astype(int)


def _batch(material: Material, view: View, hollow: bool) -> Batch:
    """Describe how a material is drawn; its triangles are not known yet."""
    textures = {}
    if material.albedo:
        textures["picture"] = albedo_key(material)
    if material.detail:
        textures["detail"] = detail_key(material)
    full = view.shading != "plain"
    wanted = {
        material.kind.upper(): True,
        "PICTURE": material.albedo is not None,
        "DETAIL": material.detail is not None,
        "CUTOUT": material.cutout > 0,
        "HOLLOW": hollow,
        "SHARP": full and material.kind in SHARP,
        "STRANDS": full and material.kind == "hair" and material.albedo is not None,
        "CLAY": view.shading == "clay",
    }
    defines = tuple(name for name, present in wanted.items() if present)
    culled = not (hollow or material.two_sided)
    batch = Batch(0, 0, defines, textures, float(material.cutout), culled)
    if material.albedo and (material.kind == "hair" or material.detail):
        batch = replace(batch, brightness=mean_brightness(material.albedo))
    return batch


def _simplified(material: Material, view: View, mapped: bool) -> Material:
    """Leave out the pictures that a view does not show."""
    if view.shading == "clay":
        material = replace(material, kind="skin", detail=None, wrinkles=None)
        if not material.cutout:
            material = replace(material, albedo=None)
    if not mapped:
        material = replace(material, albedo=None)
    if view.shading == "plain" or material.kind != "skin" or not material.albedo:
        material = replace(material, detail=None, wrinkles=None)
    return material if material.albedo else replace(material, cutout=0.0)


def surface(face: Face, shading: str) -> np.ndarray:
    """Return what does not move of the vertices: linear RGB, gloss, texture coordinates and
    occlusion, (V, 7) float32."""
    count = len(face.template)
    linear, gloss = face.linear_colors(), face.gloss.copy()
    if shading == "clay":
        linear[:], gloss[:] = CLAY, CLAY_GLOSS
        for part in ("inner_mouth", "gums", "tongue"):
            linear[face.regions.get(part, [])] *= CLAY_MOUTH
    uv = face.uv if face.uv is not None else np.zeros((count, 2))
    occlusion = face.occlusion if face.occlusion is not None else np.ones(count)
    return np.column_stack([linear, gloss, uv, occlusion]).astype(np.float32)
