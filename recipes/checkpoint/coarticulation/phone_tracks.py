"""Phones and lip contact frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recipes.checkpoint.coarticulation.synthesis import closure_interval
from recipes.checkpoint.corpus.phones import BILABIALS, INVENTORY, LABIODENTALS, SILENCE, Phone

PHONES = tuple(sorted(INVENTORY))  # in the order of their numbers
UNKNOWN = -1


def phone_track(phones: Sequence[Phone], frames: int, fps: float) -> np.ndarray:
    """Return the number in `PHONES` of the phone at each frame: (frames,)."""
    track = np.full(frames, PHONES.index(SILENCE))
    for phone in phones:
        track[_frames(phone.start, phone.end, fps)] = PHONES.index(phone.name)
    return track


def contact_track(phones: Sequence[Phone], frames: int, fps: float) -> np.ndarray:
    """Return where lips touch (P, B, M) and where lip and teeth do (F, V): (frames, 2), 0 or 1."""
    track = np.zeros((frames, 2), np.float32)
    for phone in phones:
        if phone.name in BILABIALS:
            track[_frames(*closure_interval(phone), fps), 0] = 1.0
        elif phone.name in LABIODENTALS:
            track[_frames(phone.start, phone.end, fps), 1] = 1.0
    return track


def _frames(start: float, end: float, fps: float) -> slice:
    """Return the frames within a span in seconds, at least one."""
    first = max(0, int(np.ceil(start * fps)))
    return slice(first, max(first + 1, int(np.ceil(end * fps))))
