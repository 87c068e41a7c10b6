"""Heads, voices and checkpoint of the package: inside the wheel, or beside it in a clone."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_WHEEL, _CLONE = _PACKAGE / "bundled", _PACKAGE.parent
_INSTALLED = _WHEEL.is_dir()

HEADS = _WHEEL / "heads" if _INSTALLED else _CLONE / "assets" / "heads"
VOICES = _WHEEL / "voices" if _INSTALLED else _CLONE / "assets" / "voices"
DEFAULT_CHECKPOINT = _WHEEL / "checkpoint" if _INSTALLED else _CLONE / "checkpoints" / "default"
