"""How long work reports itself, and how it is stopped."""

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with the stage's name ("Listening", "Drawing", ...) and the part of it done, 0 to 1.

To stop the work, raise :class:`jambatalk.errors.Stopped` from it.
"""


def silent(stage: str, done: float) -> None:
    """The progress callback of someone who does not want to know."""
