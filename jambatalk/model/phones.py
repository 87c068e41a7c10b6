"""Phones with times, from the logits of each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CHANGE = 3.0  # cost of another phone, in nats: phones last several frames


@dataclass(frozen=True)
class TimedPhone:
    """A recognised phone.

    Attributes:
        name: ARPAbet, with the additions of docs/corpus.md; SIL is silence.
        start, end: seconds.
    """

    name: str
    start: float
    end: float


def timed_phones(logits: np.ndarray, names: Sequence[str], fps: float) -> list[TimedPhone]:
    """Find the likeliest sequence of phones.

    Args:
        logits: (t, p) of each frame.
        names: (p,) of the phones.
        fps: frames per second.

    Returns:
        Contiguous phones from 0 to t / fps.
    """
    path = likeliest_path(logits)
    edges = np.flatnonzero(np.diff(path)) + 1
    starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(path)]
    return [
        TimedPhone(names[path[start]], start / fps, end / fps)
        for start, end in zip(starts, ends, strict=True)
        if end > start
    ]


def likeliest_path(logits: np.ndarray) -> np.ndarray:
    """Return the best phone of each frame of (t, p), when each change costs `CHANGE`: (t,).

    Viterbi's algorithm; since all changes cost the same, only the best predecessor counts.
    """
    if not len(logits):
        return np.zeros(0, int)
    log_probs = logits - np.logaddexp.reduce(logits, 1, keepdims=True)
    count, phones = log_probs.shape
    best, came_from = log_probs[0], np.empty((count, phones), int)
    for frame in range(1, count):
        leader = int(best.argmax())
        stays = best >= best[leader] - CHANGE
        came_from[frame] = np.where(stays, np.arange(phones), leader)
        best = np.where(stays, best, best[leader] - CHANGE) + log_probs[frame]
    path = np.empty(count, int)
    path[-1] = best.argmax()
    for frame in range(count - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path
