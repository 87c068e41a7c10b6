"""Errors for users: what happened, where, and how to fix it."""

from collections.abc import Sequence


class JambaTalkError(Exception):
    """Base class of all errors that this library raises deliberately.

    Args:
        what: what happened and where, one sentence.
        cure: how the user can fix it, one sentence.
    """

    def __init__(self, what: str, cure: str = "") -> None:
        super().__init__(f"{what} {cure}".strip())
        self.what = what
        self.cure = cure


class SpeechError(JambaTalkError):
    """A recording that cannot be read or used."""


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
