"""Errors for users: what happened, where, and how to fix it."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from signal import Signals

NO_MEMORY = "There is not enough memory. Try a shorter recording, or a smaller picture."
# PyTorch's exceptions are of no type of their own.
_NO_MEMORY = (
    r"out of memory|(not enough|allocate|Insufficient) memory|bad_alloc|not create a primitive"
)
LONGEST_WORD, LONGEST_TEXT = 80, 600  # characters of what a message repeats, and of a message


class JambaTalkError(Exception):
    """Base class of all errors that this library raises deliberately.

    Messages repeat names and texts of strangers: they are kept on one line, printable and short.

    Args:
        what: what happened and where, one sentence.
        cure: how the user can fix it, one sentence.
    """

    def __init__(self, what: str, cure: str = "") -> None:
        what, cure = _tidy(what), _tidy(cure)
        super().__init__(f"{what} {cure}".strip())
        self.what = what
        self.cure = cure


class SpeechError(JambaTalkError):
    """A recording that cannot be read or used."""


class TooLongError(SpeechError):
    """A recording that is longer than is accepted."""


class VoiceError(JambaTalkError):
    """A voice that does not exist or is not installed, or a text that it cannot say."""


class FaceError(JambaTalkError):
    """A head that does not exist or does not fit."""


class MotionError(JambaTalkError):
    """A motion that cannot be created, read or applied to a head."""


class ModelError(JambaTalkError):
    """A checkpoint, configuration or style that cannot be used."""


class RenderError(JambaTalkError):
    """Offscreen OpenGL that is not available, or a frame that cannot be drawn."""


class VideoError(JambaTalkError):
    """A video that cannot be written."""


class ExportError(JambaTalkError):
    """A motion that cannot be written in a format of another program."""


class DataError(JambaTalkError):
    """A data set that is missing or malformed."""


class NotInstalledError(DataError):
    """A missing program or package that preparing or evaluating data needs."""


class LiveError(JambaTalkError):
    """A live session that cannot continue."""


class BatchError(JambaTalkError):
    """A batch that cannot start, or in which some recordings failed."""


class ClusterError(JambaTalkError):
    """A Ray cluster that cannot be reached."""


class Stopped(JambaTalkError):
    """Raised by a progress callback to cancel the work; unfinished files are removed."""


def abbreviate(names: Sequence[str], shown: int = 5) -> str:
    """List the first names of what may be a long list, for a message."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return (", ".join(names[:shown]) or "none") + more


def did_you_mean(name: object, known: Iterable[str], otherwise: str) -> str:
    """Return the cure for a wrong name: the nearest known one, or `otherwise` if none is near."""
    near = get_close_matches(str(name), list(known), 1)
    return f"Did you mean '{near[0]}'?" if near else otherwise


def brief(value: object, length: int = LONGEST_WORD) -> str:
    """Show a value of a stranger's in a message: on one line, printable, without its middle."""
    text = " ".join(str(value)[: 100 * length].split())
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    if len(text) <= length:
        return text
    return f"{text[: length // 2]}…{text[len(text) - length // 2 + 1 :]}"


def how_it_ended(status: int | None) -> str:
    """Name the signal or the status with which a process has ended."""
    return Signals(-status).name if status is not None and status < 0 else f"status {status}"


def lacks_memory(error: BaseException) -> bool:
    """Return whether an exception says that there is not enough memory."""
    return isinstance(error, MemoryError) or bool(re.search(_NO_MEMORY, str(error)))


def _tidy(text: str) -> str:
    words = re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda word: brief(word[0]), text)
    return brief(words, LONGEST_TEXT)
