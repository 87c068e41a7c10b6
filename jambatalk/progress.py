"""Progress callbacks: how long work reports itself, and how it is cancelled."""

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with the name of a stage ("Encoding speech", "Rendering", ...) and the part of it that is
done, 0 to 1. To cancel the work, raise :class:`jambatalk.errors.Stopped` from it."""


def no_progress(stage: str, done: float) -> None:
    """Ignore progress: the default callback."""
