"""Rows of the benchmark table: lip aperture by phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from jambatalk.evaluate.curve_metrics import CLOSED
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.evaluation.benchmark_table import INF, NAN, Row
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.phone_statistics import (
    NEAR_TEETH,
    PhoneStatistics,
    measure_phones,
    percent_below,
)


def evaluate_phones(head: TalkingHead, data: HeldOutData) -> list[Row]:
    """Measure lip apertures by phone in every style on held-out English."""
    return phone_rows(measure_phones(head, data.librivox), _tracked_statistics(data))


def phone_rows(statistics: Mapping[str, PhoneStatistics], captured: PhoneStatistics) -> list[Row]:
    """Make the rows of the first style, and of the worst of the others.

    Args:
        statistics: by style.
        captured: of tracked lips.
    """
    first, *others = statistics
    rows = _rows(statistics[first], first, captured)
    if not others:
        return rows
    by_style = {style: _rows(statistics[style], style, captured) for style in others}
    for number, row in enumerate(list(rows)):
        if row.within_bounds is None:  # there are no such phones
            continue
        values = {style: by_style[style][number] for style in others}
        worst = max(values, key=lambda style: values[style].excess)
        rows.append(
            replace(
                values[worst],
                key=f"{row.key}_worst",
                metric=f"{row.metric}: worst other style",
                note=_outside(values),
            )
        )
    return rows


def _outside(values: Mapping[str, Row]) -> str:
    """Name the styles whose row is outside its bounds."""
    outside = [f"{style} {r.format(r.value)}" for style, r in values.items() if r.excess > 0]
    return f"outside: {', '.join(outside)}" if outside else f"all {len(values)} within"


def _tracked_statistics(data: HeldOutData) -> PhoneStatistics:
    """Measure the tracked lips of all GRID clips, since nothing is predicted here."""
    statistics = PhoneStatistics()
    for name, lips in data.all_tracked_lips().items():
        if name in data.grid_phones and lips.tracked.all():
            statistics.add(lips.aperture, lips.fps, data.grid_phones[name])
    return statistics


def _rows(found: PhoneStatistics, style: str, captured: PhoneStatistics) -> list[Row]:
    sample = f"LibriVox, style {style}"
    return [
        Row(
            key="bilabials",
            metric="P/B/M closed (≤ 0.10)",
            value=percent_below(found.bilabials, CLOSED),
            unit="%",
            digits=1,
            low=97.0,
            high=INF,
            captured=percent_below(captured.bilabials, CLOSED),
            sample=f"{len(found.bilabials)} phones of {sample}",
        ),
        Row(
            key="labiodentals",
            metric="F/V near the teeth (≤ 0.28)",
            value=percent_below(found.labiodentals, NEAR_TEETH),
            unit="%",
            digits=1,
            low=90.0,
            high=INF,
            captured=percent_below(captured.labiodentals, NEAR_TEETH),
            sample=f"{len(found.labiodentals)} phones of {sample}",
        ),
        Row(
            key="open_vowels",
            metric="AA/EY/AE open, median",
            value=_median(found.open_vowels),
            low=0.7,
            high=1.1,
            captured=_median(captured.open_vowels),
            sample=f"{len(found.open_vowels)} phones of {sample}",
        ),
        Row(
            key="closure_delay",
            metric="closure of P/B/M late by, median",
            value=_median(found.closure_delays) * 1e3,
            unit="ms",
            digits=0,
            low=-15.0,
            high=15.0,
            captured=_median(captured.closure_delays) * 1e3,
            sample=f"{len(found.closure_delays)} closed phones of {sample}",
        ),
    ]


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else NAN
