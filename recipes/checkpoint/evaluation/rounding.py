"""Row of the benchmark table: how much narrower the mouth is in rounded than in spread sounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jambatalk.evaluate.curve_metrics import at_times
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.evaluation.benchmark_table import Row
from recipes.checkpoint.evaluation.clip_statistics import by_person, clip_interval
from recipes.checkpoint.evaluation.tracked_speech import WIDTH, LipPair

ROUNDED = frozenset({"UW", "OW", "W"})
SPREAD = frozenset({"IY", "EY"})
LOW, HIGH = 0.8, 1.2  # as captured people do, within a fifth
TIMES = 9  # within a phone at which its width is sampled


@dataclass(frozen=True, eq=False)
class Widths:
    """Mouth widths of a clip: the mean within each rounded and spread sound, and every frame's."""

    rounded: np.ndarray
    spread: np.ndarray
    frames: np.ndarray


def rounding_row(key: str, whose: str, sample: str, pairs: Sequence[LipPair]) -> Row:
    """Compare the predicted contrast of mouth width with the captured one.

    A person's contrast is the mean width in spread sounds less that in rounded ones; the value is
    the predicted one over the captured one, both averaged over people. The note has the same in
    each person's standard deviations.

    Args:
        key, whose: what the key and the metric of the row begin with.
        sample: what the recordings are.
    """
    people = np.array([pair.person for pair in pairs])
    pred = [measure_widths(p.pred[:, WIDTH], p.fps, p.phones) for p in pairs]
    target = [measure_widths(p.target[:, WIDTH], p.fps, p.phones) for p in pairs]

    def ratio(drawn: np.ndarray, standard: bool = False) -> float:
        contrasts = [
            [
                contrast([clips[i] for i in drawn if people[i] == who], standard)
                for clips in (pred, target)
            ]
            for who in np.unique(people[drawn])
        ]
        known = np.array(contrasts)[~np.isnan(contrasts).any(1)]
        if not len(known):
            return float("nan")
        predicted, captured = known.mean(0).tolist()
        return float(predicted / captured)

    everyone = np.arange(len(pairs))
    sounds = [sum(len(getattr(clip, kind)) for clip in target) for kind in ("rounded", "spread")]
    row = Row(
        key=f"{key}_rounding",
        metric=f"{whose}rounding, over that of the tracked lips",
        value=ratio(everyone),
        low=LOW,
        high=HIGH,
        sample=f"{sounds[0]} rounded, {sounds[1]} spread sounds of {sample}",
    )
    if np.isnan(row.value):
        return replace(row, note="no such sounds are known")
    notes = [f"{ratio(everyone, True):.2f} in standard deviations"]
    notes.append(by_person(people.tolist(), everyone, ratio))
    return replace(
        row, interval=clip_interval(ratio, len(pairs)), note="; ".join(filter(None, notes))
    )


def measure_widths(width: np.ndarray, fps: float, phones: Iterable[Phone]) -> Widths:
    """Measure the mouth width (t,) within phones; those in which it is not known are left out."""

    def within(names: frozenset[str]) -> np.ndarray:
        spans = [(phone.start, phone.end) for phone in phones if phone.name in names]
        means = np.array([at_times(width, fps, np.linspace(*span, TIMES)).mean() for span in spans])
        return means[~np.isnan(means)]

    phones = list(phones)
    return Widths(within(ROUNDED), within(SPREAD), width[~np.isnan(width)])


def contrast(clips: Sequence[Widths], standard: bool) -> float:
    """Compute the contrast of one person; NaN without rounded or spread sounds.

    Args:
        standard: in standard deviations of the width, not in its unit.
    """
    rounded, spread, frames = (
        np.concatenate([getattr(clip, name) for clip in clips])
        for name in ("rounded", "spread", "frames")
    )
    if not len(rounded) or not len(spread):
        return float("nan")
    return float((spread.mean() - rounded.mean()) / (frames.std() if standard else 1.0))
