"""JambaTalk: speech in, a 3D talking head out.

>>> from jambatalk import TalkingHead
>>> talking_head = TalkingHead.from_pretrained()
>>> motion = talking_head.animate("speech.wav", style="crisp", head="mara")
>>> talking_head.video(motion, "speech.wav", "speech.mp4")
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jambatalk.export import export_motion
    from jambatalk.face.face import Face
    from jambatalk.face.library import list_heads, load_head
    from jambatalk.motion.mood import MOODS
    from jambatalk.motion.motion import Motion
    from jambatalk.motion.nonverbal import Nonverbal
    from jambatalk.render.view import View
    from jambatalk.speech import Speech
    from jambatalk.talking_head import TalkingHead
    from jambatalk.voices import list_voices

__version__ = "0.6.0"

_MODULES = {
    "MOODS": "motion.mood",
    "Face": "face.face",
    "Motion": "motion.motion",
    "Nonverbal": "motion.nonverbal",
    "Speech": "speech",
    "TalkingHead": "talking_head",
    "View": "render.view",
    "export_motion": "export",
    "list_heads": "face.library",
    "list_voices": "voices",
    "load_head": "face.library",
}
__all__ = [
    "MOODS",
    "Face",
    "Motion",
    "Nonverbal",
    "Speech",
    "TalkingHead",
    "View",
    "export_motion",
    "list_heads",
    "list_voices",
    "load_head",
]


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `import jambatalk` is instant."""
    if name not in _MODULES:
        raise AttributeError(f"module 'jambatalk' has no attribute '{name}'")
    return getattr(import_module(f"jambatalk.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted([*__all__, "__version__", "__doc__"])
