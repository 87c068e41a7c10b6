"""A captured motion beside predicted ones of the same recording."""

from __future__ import annotations

from jambatalk.errors import MotionError
from jambatalk.motion.motion import Motion

TOLERANCE = 0.2  # seconds by which their lengths may differ


def beside(captured: Motion, predicted: Motion) -> Motion:
    """Bring a captured motion to the head, frame rate and length of a predicted one.

    A mesh whose vertices move keeps its own head.

    Raises:
        MotionError: it lasts longer or shorter, or has other blendshapes.
    """
    if abs(captured.duration - predicted.duration) > TOLERANCE:
        raise MotionError(
            f"The captured motion lasts {captured.duration:.1f} s, the recording "
            f"{predicted.duration:.1f} s.",
            "Give the motion that was captured with this recording.",
        )
    if captured.offsets is None:
        captured = captured.on(predicted.face)
    return captured.resampled(predicted.fps, len(predicted))
