"""Hair: MakeHuman's cards, lifted off the skull, in the colours of an identity."""

from __future__ import annotations

import numpy as np

from recipes.heads.attach.bare_ears import in_ears
from recipes.heads.attach.card_layout import lay_out, without_loose
from recipes.heads.attach.fringe import Fringe, without_torn
from recipes.heads.attach.hair_color import find_cards, occlude, vertex_colors
from recipes.heads.attach.hair_fit import lift
from recipes.heads.attach.hair_picture import hair_picture
from recipes.heads.attach.piece import Head, Piece
from recipes.heads.attach.round_hair import round_off
from recipes.heads.attach.skull import Skull
from recipes.heads.makehuman_assets import fit_proxy, read_obj

GLOSS, GREY_GLOSS, AFRO_GLOSS = 0.35, 0.25, 0.1
CUTOUT = 0.35
CURLY = ("afro01",)
OVER_EARS = ("bob01", "bob02", "braid01", "long01")
IN_EARS = ("short04",)  # some of its cards end there
UPRIGHT = {"long01": (0.07, 0.22, 0.04, 0.97)}  # part of a picture full of straight strands
FRINGES = {
    "bob01": Fringe(parting=-35),
    "bob02": Fringe(parting=-25),
    "braid01": Fringe(parting=-35),
    "short03": Fringe(parting=-40, brow=0.024, top=0.085, raised=True),
}


def make_hair(head: Head) -> Piece | None:
    """Make the hair of a head, or None if it is bald.

    Raises:
        DataError: an asset of MakeHuman's is missing or damaged.
    """
    identity = head.identity
    if identity.hair is None:
        return None
    folder = head.makehuman / "hair" / identity.hair
    _, mesh = read_obj(folder / f"{identity.hair}.obj")
    fitted = fit_proxy(folder / f"{identity.hair}.mhclo", head.base)
    skull = Skull(head, identity.hair in OVER_EARS)
    if identity.hair in FRINGES:
        moved = FRINGES[identity.hair].move(fitted, skull)
        mesh = without_torn(mesh, fitted, moved)
        fitted = moved
    if identity.hair in UPRIGHT:
        halves = find_cards(np.arange(len(mesh.vertex)), mesh.triangles)
        mesh = without_loose(lay_out(mesh, halves, UPRIGHT[identity.hair]), halves, fitted)
    positions, mesh = round_off(lift(fitted, mesh.vertex[mesh.triangles], skull), mesh)
    triangles = mesh.triangles
    if identity.hair in IN_EARS:
        triangles = triangles[~in_ears(head, positions, mesh.vertex[triangles])]
    cards = find_cards(mesh.vertex, mesh.triangles)
    count = len(mesh.vertex)
    gloss = AFRO_GLOSS if "afro" in identity.hair else GLOSS
    picture = f"hair_{identity.hair}.png"
    source = next(folder.glob("*diffuse.*"), folder / "diffuse").with_suffix("")
    return Piece(
        part="hair",
        positions=positions[mesh.vertex],
        triangles=triangles,
        uv=mesh.uv,
        colors=vertex_colors(identity, positions[mesh.vertex], cards, identity.seed),
        gloss=np.full(count, gloss + identity.grey * min(GREY_GLOSS - gloss, 0)),
        occlusion=occlude(positions, mesh.vertex[triangles], skull)[mesh.vertex],
        anchors=np.zeros((count, 3), int),
        shares=np.zeros((count, 3)),
        material={"kind": "hair", "albedo": picture, "cutout": CUTOUT, "two_sided": True},
        pictures={picture: hair_picture(source, identity.hair not in CURLY)},
    )
