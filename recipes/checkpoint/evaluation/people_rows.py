"""Rows of the benchmark table: lips of people of whom nothing was learned, in the neutral style."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from jambatalk.errors import NotInstalledError
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.evaluation.benchmark_table import INF, Row
from recipes.checkpoint.evaluation.clip_statistics import by_person, median_interval
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.lip_correlation import lip_correlation
from recipes.checkpoint.evaluation.rounding import rounding_row
from recipes.checkpoint.evaluation.tracked_speech import LipPair, predict_pair

CURVES = ("open", "width")  # columns of lips


def predict_people(head: TalkingHead, data: HeldOutData) -> tuple[list[LipPair], list[LipPair]]:
    """Predict the lips of GRID's people who are held out, and of the address.

    Without the programs that align or recognise them, the phones stay unknown.
    """
    phones: dict[str, list[Phone]] = {}
    with suppress(NotInstalledError):
        phones |= data.people_phones
        phones[data.address.name] = data.address_phones
    people = [predict_pair(head, clip, phones.get(clip.name, [])) for clip in data.people]
    return people, [predict_pair(head, data.address, phones.get(data.address.name, []))]


def people_rows(people: Sequence[LipPair], address: Sequence[LipPair]) -> list[Row]:
    """Measure correlation, amplitude and rounding against tracked lips."""
    read = ("people", "s4 s33 s34: ", f"{len(people)} clips of GRID's s4, s33, s34, style neutral")
    spoken = ("address", "address: ", "fluent speech of 52 s, style neutral")
    return [
        *_correlation_rows(*read, (0.90, 0.68), people),
        rounding_row(*read, people),
        *_correlation_rows(*spoken, (0.70, 0.60), address),
        rounding_row(*spoken, address),
    ]


def _correlation_rows(
    key: str, whose: str, sample: str, goals: tuple[float, float], pairs: Sequence[LipPair]
) -> list[Row]:
    """Measure correlation and amplitude.

    Args:
        key, whose: what the key and the metric of the rows begin with.
        sample: what the recordings are.
        goals: the least r of aperture and of width.
    """
    people = [pair.person for pair in pairs]
    correlations = np.array([lip_correlation(p.pred, p.target, p.fps) for p in pairs])
    amplitudes = np.array([p.pred.std(0) / np.nanstd(p.target, 0) for p in pairs])
    rows = [
        Row(
            key=f"{key}_lip_{name}",
            metric=f"{whose}r(lip_{name})",
            value=float(np.median(values)),
            interval=median_interval(values),
            digits=3,
            low=goal,
            high=INF,
            sample=sample,
            note=by_person(people, values, np.median),
        )
        for name, goal, values in zip(CURVES, goals, correlations.T, strict=True)
    ]
    rows += [
        Row(
            key=f"{key}_amplitude_{name}",
            metric=f"{whose}sd of lip_{name}, over that of the tracked lips",
            value=float(np.median(values)),
            interval=median_interval(values),
            low=0.8,
            high=1.2,
            sample=sample,
            note=by_person(people, values, np.median),
        )
        for name, values in zip(CURVES, amplitudes.T, strict=True)
    ]
    return rows
