"""Whether styles can be told apart by how the face moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jambatalk.motion.motion import Motion


def styles_named(seen: Sequence[Sequence[Motion]], asked: Sequence[Sequence[Motion]]) -> np.ndarray:
    """Which styles a linear classifier names rightly from the motion of one recording.

    Of a motion it sees mean, standard deviation and mean speed of every blendshape (ridge regression
    to -1 and 1 on standardised values).

    Args:
        seen: recordings to learn from, each in every style. asked: others, likewise.

    Returns:
        (n, s) bool: for each recording that was asked for, and each style.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    names = np.arange(len(seen[0]))
    classifier = make_pipeline(StandardScaler(), RidgeClassifier())
    classifier.fit(*_table(seen, names))
    motions, truth = _table(asked, names)
    return (classifier.predict(motions) == truth).reshape(len(asked), len(names))


def _table(recordings: Sequence[Sequence[Motion]], names: np.ndarray) -> tuple[np.ndarray, ...]:
    """What is seen of every motion (n s, 3 K), and its style (n s,)."""
    rows = [_manner(motion.weights) for styles in recordings for motion in styles]
    return np.stack(rows), np.tile(names, len(recordings))


def _manner(weights: np.ndarray) -> np.ndarray:
    """(T, K) to (3 K,)."""
    speed = np.abs(np.diff(weights, axis=0)).mean(0)
    return np.concatenate([weights.mean(0), weights.std(0), speed])
