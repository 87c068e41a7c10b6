"""Row of the benchmark table: whether styles can be recognised from the motion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jambatalk.motion.motion import Motion
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.evaluation.benchmark_table import INF, Row
from recipes.checkpoint.evaluation.held_out_data import HeldOutData


def style_row(head: TalkingHead, data: HeldOutData) -> Row:
    """Measure the accuracy of a style classifier.

    It is trained on the motion of LibriSpeech's recordings and tested on that of LibriVox's and the
    other languages', which are other sentences of other speakers.
    """

    def animate(recordings: Sequence[Speech]) -> list[list[Motion]]:
        return [head.compare(speech, head.styles) for speech in recordings]

    test = [speech for speech, _ in data.librivox] + data.multilingual
    correct = classify_styles(animate(data.librispeech), animate(test))  # (recordings, styles)
    percent = correct.mean(0) * 100
    return Row(
        key="styles",
        metric="style recognised from the motion",
        value=float(correct.mean() * 100),
        unit="%",
        digits=1,
        low=90.0,
        high=INF,
        sample=f"{correct.size} motions, {correct.shape[1]} styles",
        note=", ".join(
            f"{s} {p:.0f} %" for s, p in zip(head.styles, percent, strict=True) if p < 100
        ),
    )


def classify_styles(
    train: Sequence[Sequence[Motion]], test: Sequence[Sequence[Motion]]
) -> np.ndarray:
    """Classify styles by ridge regression on standardised features of the motion.

    Features are mean, standard deviation and mean speed of every blendshape.

    Args:
        train: recordings, each in every style.
        test: other recordings, likewise.

    Returns:
        (n, s) bool: whether each test recording was classified correctly in each style.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    styles = np.arange(len(train[0]))
    classifier = make_pipeline(StandardScaler(), RidgeClassifier())
    classifier.fit(_features(train), np.tile(styles, len(train)))
    predicted = classifier.predict(_features(test)).reshape(len(test), len(styles))
    return predicted == styles


def _features(recordings: Sequence[Sequence[Motion]]) -> np.ndarray:
    """Compute the features of every motion, (n·s, 3·K)."""
    rows = []
    for motion in (motion for styles in recordings for motion in styles):
        weights = motion.weights
        speed = np.abs(np.diff(weights, axis=0)).mean(0)
        rows.append(np.concatenate([weights.mean(0), weights.std(0), speed]))
    return np.stack(rows)
