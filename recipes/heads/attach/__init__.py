"""What a head wears: brows, lashes, clothes, hair and beard, as meshes with pictures."""

from recipes.heads.attach.wear import attach_all

__all__ = ["attach_all"]
