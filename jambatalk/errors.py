"""What can go wrong, said to a person: what happened, where, and the cure."""


class JambaTalkError(Exception):
    """Base of every error this library raises on purpose.

    Args:
        what: what happened and where, one sentence.
        cure: what the user can do about it, one sentence.
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
    """A motion that cannot be built, read or worn by a face."""


class ModelError(JambaTalkError):
    """A checkpoint, configuration or style that cannot be used."""


class RenderError(JambaTalkError):
    """No offscreen OpenGL, or a picture that cannot be drawn."""


class VideoError(JambaTalkError):
    """A video that cannot be written."""


class ExportError(JambaTalkError):
    """A motion that cannot be written for another program."""


class DataError(JambaTalkError):
    """A training set that is missing or malformed."""


class NotInstalledError(DataError):
    """A program or package that making or measuring data needs, and that is not there."""


class LiveError(JambaTalkError):
    """A live session that cannot go on."""


class BatchError(JambaTalkError):
    """Many recordings at once that cannot be begun, or of which some failed."""


class ClusterError(JambaTalkError):
    """A Ray cluster that cannot be reached."""


class Stopped(JambaTalkError):
    """Raised by a progress callback to stop the work; whatever was half written is removed."""
