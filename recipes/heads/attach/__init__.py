"""What a head wears: brows, lashes, clothes, hair and beard, as meshes with pictures."""

from recipes.heads.attach.beards import beard_shade
from recipes.heads.attach.shade import thrown_shade
from recipes.heads.attach.wear import attach_all

__all__ = ["attach_all", "beard_shade", "thrown_shade"]
