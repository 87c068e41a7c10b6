"""The parts of nonverbal motion, and which of them are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from jambatalk.errors import MotionError


@dataclass(frozen=True)
class Nonverbal:
    """Which parts of nonverbal motion to add to the mouth's.

    Attributes:
        blinks: the lids close now and then.
        brows: they rise and sink with phrases and stressed syllables.
        cheeks: with the lower lids, they rise on some stressed syllables.
        gaze: the eyes hop, look away, and stay on the viewer while the head moves.
        head_motion: the head drifts, turns, and rises with the voice and on stressed syllables.

    Example:
        >>> talking_head.animate("speech.wav", nonverbal=Nonverbal(head_motion=False))
    """

    blinks: bool = True
    brows: bool = True
    cheeks: bool = True
    gaze: bool = True
    head_motion: bool = True

    @classmethod
    def of(cls, parts: Iterable[str]) -> Nonverbal:
        """Select parts by their names.

        Raises:
            MotionError: there is no such part.
        """
        parts = set(parts)
        if unknown := parts - set(PARTS):
            raise MotionError(
                f"'{min(unknown)}' is no part of nonverbal motion.",
                f"Choose among {', '.join(PARTS)}.",
            )
        return cls(**{part: part in parts for part in PARTS})

    @classmethod
    def checked(cls, nonverbal: Nonverbal | None) -> Nonverbal:
        """Return it, or all parts for None; raise a MotionError for anything else."""
        if nonverbal is not None and not isinstance(nonverbal, cls):
            raise MotionError(
                f"{nonverbal!r:.60} does not select nonverbal motion.",
                "Give jambatalk.Nonverbal(blinks=..., brows=..., cheeks=..., gaze=..., "
                "head_motion=...).",
            )
        return nonverbal or cls()


PARTS = tuple(field.name for field in fields(Nonverbal))
STILL = Nonverbal.of(())  # the mouth alone
