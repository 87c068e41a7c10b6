"""The GPU that a ZeroGPU Space lends for the time of a call, through the package `spaces`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from jambatalk.motion.motion import Motion
from jambatalk.progress import Progress, no_progress
from jambatalk.talking_head import TalkingHead

SECONDS = 60  # for which a visitor's share of the GPU has to last; an hour of speech takes less


def is_zero_gpu() -> bool:
    """Return whether this is a Space without a GPU of its own that may borrow one."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def lend_gpu(talking_head: TalkingHead) -> Callable[..., list[Motion]]:
    """Return :meth:`TalkingHead.compare`, on a ZeroGPU Space one that borrows a GPU for each call.

    The call then runs in a copy of this process, from which only its motions come back; here the
    network stays on the CPU, where Live and the health check use it. Not run: there was no such
    Space.
    """
    if not is_zero_gpu():
        return talking_head.compare
    import spaces

    @spaces.GPU(duration=SECONDS)
    def borrow(*arguments: Any, **options: Any) -> list[Motion]:
        talking_head.model.to("cuda")
        return talking_head.compare(*arguments, **options)

    def compare(*arguments: Any, progress: Progress = no_progress, **options: Any) -> list[Motion]:
        progress("Predicting motion", 0.0)  # a function cannot be sent to the copy
        return borrow(*arguments, **options)

    return compare
