"""Pictures of a head: its skin and its eyes, made from MakeHuman's pictures."""

from recipes.heads.skin.painter import SkinPainter

__all__ = ["SkinPainter"]
