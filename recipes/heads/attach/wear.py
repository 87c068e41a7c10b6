"""Dress a head with everything that its identity names."""

from __future__ import annotations

from jambatalk.face.attachments import Attachments
from recipes.heads.attach.beards import make_beard
from recipes.heads.attach.brows import make_brows
from recipes.heads.attach.clothes import make_clothes
from recipes.heads.attach.hair import make_hair
from recipes.heads.attach.lashes import make_lashes
from recipes.heads.attach.piece import Head, Piece, join
from recipes.heads.materials import MATERIALS

# Each makes a piece of a head, or None if its identity wears none.
WARDROBE = (make_brows, make_lashes, make_clothes, make_hair, make_beard)


def attach_all(head: Head) -> tuple[Attachments, list[dict], dict[str, bytes]]:
    """Return the attachments of a head, their materials, and the pictures by file name.

    Raises:
        DataError: an asset of MakeHuman's is missing or damaged.
    """
    pieces: list[Piece] = [piece for make in WARDROBE if (piece := make(head)) is not None]
    pictures: dict[str, bytes] = {}
    materials = {name: {"name": name, "kind": "hair"} for name in MATERIALS[3:]}
    for piece in pieces:
        materials[piece.part] = {"name": piece.part, **piece.material}
        pictures |= piece.pictures
    return join(pieces), list(materials.values()), pictures
