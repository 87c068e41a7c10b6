"""JambaTalk: speech in, a 3D talking head out.

from jambatalk import Speech, TalkingHead

talking_head = TalkingHead.from_pretrained()
speech = Speech.read("speech.wav")
motion = talking_head.animate(speech, style="crisp", head="mara")
talking_head.video([motion], speech, "speech.mp4")
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jambatalk.export import export_motion
    from jambatalk.face.face import Face
    from jambatalk.face.library import list_heads, load_head
    from jambatalk.motion.motion import Motion
    from jambatalk.motion.nonverbal import Nonverbal
    from jambatalk.render.view import View
    from jambatalk.speech import Speech
    from jambatalk.talking_head import TalkingHead

__version__ = "0.2.0"

_HOMES = {
    "Face": "face.face",
    "Nonverbal": "motion.nonverbal",
    "export_motion": "export",
    "list_heads": "face.library",
    "load_head": "face.library",
    "Motion": "motion.motion",
    "Speech": "speech",
    "TalkingHead": "talking_head",
    "View": "render.view",
}
__all__ = [
    "Face",
    "Motion",
    "Nonverbal",
    "Speech",
    "TalkingHead",
    "View",
    "export_motion",
    "list_heads",
    "load_head",
]


def __getattr__(name: str) -> object:
    """Imports a public name when it is first asked for, so that `import jambatalk` is instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'jambatalk' has no attribute '{name}'")
    return getattr(import_module(f"jambatalk.{_HOMES[name]}"), name)
