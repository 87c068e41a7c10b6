"""Where the files that come with the package lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADS = ROOT / "assets" / "heads"
VOICES = ROOT / "assets" / "voices"
DEFAULT_CHECKPOINT = ROOT / "checkpoints" / "default"
