"""Hair: MakeHuman's cards, lifted off the skull, in the colours of an identity."""

from __future__ import annotations

import numpy as np

from recipes.heads.attach.fringe import Fringe
from recipes.heads.attach.hair_color import find_cards, occlude, vertex_colors
from recipes.heads.attach.hair_fit import lift
from recipes.heads.attach.hair_picture import hair_picture
from recipes.heads.attach.piece import Head, Piece
from recipes.heads.attach.skull import Skull
from recipes.heads.makehuman_assets import fit_proxy, read_obj

GLOSS, GREY_GLOSS, AFRO_GLOSS = 0.35, 0.25, 0.1
CUTOUT = 0.35
CURLY = ("afro01",)
OVER_EARS = ("bob01", "bob02", "braid01", "long01")
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
    triangles = mesh.vertex[mesh.triangles]
    skull = Skull(head, identity.hair in OVER_EARS)
    if identity.hair in FRINGES:
        fitted = FRINGES[identity.hair].move(fitted, skull)
    positions = lift(fitted, triangles, skull)
    cards = find_cards(mesh.vertex, mesh.triangles)
    count = len(mesh.vertex)
    gloss = AFRO_GLOSS if "afro" in identity.hair else GLOSS
    picture = f"hair_{identity.hair}.png"
    source = next(folder.glob("*diffuse.*"), folder / "diffuse").with_suffix("")
    return Piece(
        part="hair",
        positions=positions[mesh.vertex],
        triangles=mesh.triangles,
        uv=mesh.uv,
        colors=vertex_colors(identity, positions[mesh.vertex], cards, identity.seed),
        gloss=np.full(count, gloss + identity.grey * min(GREY_GLOSS - gloss, 0)),
        occlusion=occlude(positions, triangles, skull)[mesh.vertex],
        anchors=np.zeros((count, 3), int),
        shares=np.zeros((count, 3)),
        material={"kind": "hair", "albedo": picture, "cutout": CUTOUT, "two_sided": True},
        pictures={picture: hair_picture(source, identity.hair not in CURLY)},
    )
