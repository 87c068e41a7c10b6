"""Materials: how the surface of a face's triangles looks."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("skin", "mouth", "eye", "hair", "cloth")


@dataclass(frozen=True)
class Material:
    """The look of some triangles. Pictures are the bytes of a JPEG or PNG file, v = 1 at their top.

    Attributes:
        name: unique in a face, such as "skin" or "hair".
        kind: which shader draws it, one of `KINDS`.
        albedo: sRGB picture, multiplied by the vertices' colours, with alpha where `cutout` > 0;
            None for the vertices' colours alone.
        detail: picture of fine structure: the normal's tilt to the right and upwards along the
            surface, each 0.5 + 0.5 * tilt, and cavity (1 where light reaches, 0 in a deep pore).
        wrinkles: the same of wrinkles, which appear where the skin is compressed.
        cutout: alpha below which nothing is drawn; 0 for opaque.
        two_sided: whether the back is drawn like the front.
    """

    name: str
    kind: str = "skin"
    albedo: bytes | None = None
    detail: bytes | None = None
    wrinkles: bytes | None = None
    cutout: float = 0.0
    two_sided: bool = False
