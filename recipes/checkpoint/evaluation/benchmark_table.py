"""Lines of the table that says what a checkpoint's lips are worth, and the table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from jambatalk.evaluate import curve_metrics
from recipes.checkpoint.evaluation import sounds as phones
from recipes.checkpoint.evaluation.sounds import SoundStatistics

NAN = float("nan")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        key: in JSON. measure: for people.
        value: what was measured, in `unit`. digits: behind the point.
        low, high: the bounds to reach; infinite where there is none on that side, nan where nothing
            is asked.
        real: the same measure of the real lips, or of the captured motion; nan where there is none.
        of: on how much it was measured.
        note: what else is to be known.
    """

    key: str
    measure: str
    value: float
    unit: str = ""
    digits: int = 2
    low: float = NAN
    high: float = NAN
    real: float = NAN
    of: str = ""
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the value lies within the bounds; None where nothing is asked or known."""
        if math.isnan(self.value) or math.isnan(self.low):
            return None
        return self.low <= self.value <= self.high

    @property
    def missed(self) -> float:
        """How far the value lies outside the bounds, below 0 inside; most where it is unknown."""
        if math.isnan(self.value):
            return math.inf
        return max(self.low - self.value, self.value - self.high)

    @property
    def said(self) -> str:
        """The value and its unit, in words."""
        return self.say(self.value)

    def say(self, value: float) -> str:
        """Another value of this measure, in words."""
        if math.isnan(value):
            return "–"
        return f"{value:.{self.digits}f}" + (f" {self.unit}" if self.unit else "")

    @property
    def goal(self) -> str:
        """The bounds, in words."""
        low, high = (f"{x:.{self.digits}f}" for x in (self.low, self.high))
        if math.isnan(self.low):
            return ""
        if math.isinf(self.high):
            return f"≥ {low}"
        return f"≤ {high}" if math.isinf(self.low) else f"{low} to {high}"


def sound_rows(found: Mapping[str, SoundStatistics], real: SoundStatistics) -> list[Row]:
    """What the lips do in the sounds: in the first style, and in the worst of the others.

    Args:
        found: style → what it does there. real: the same of real lips.
    """
    first, *others = found
    rows = _rows_of(found[first], first, real)
    theirs = {style: _rows_of(found[style], style, real) for style in others}
    if not others:
        return rows
    for number, row in enumerate(list(rows)):
        values = {style: theirs[style][number] for style in others}
        worst = max(values, key=lambda style: values[style].missed)
        note = ", ".join(f"{style} {value.said}" for style, value in values.items())
        rows.append(
            replace(
                values[worst],
                key=f"{row.key}_worst",
                measure=f"{row.measure}: worst other style",
                note=note,
            )
        )
    return rows


def _rows_of(found: SoundStatistics, style: str, real: SoundStatistics) -> list[Row]:
    inf, of = math.inf, f"LibriVox, style {style}"

    def timing(sounds: SoundStatistics) -> float:
        return float(np.median(sounds.timing)) * 1e3 if sounds.timing else NAN

    def middle(sounds: SoundStatistics) -> float:
        return float(np.median(sounds.open_vowels)) if sounds.open_vowels else NAN

    return [
        Row(
            *("bilabials", "P/B/M closed (≤ 0.10)"),
            *(phones.share_below(found.bilabials, curve_metrics.CLOSED), "%", 1, 97.0, inf),
            phones.share_below(real.bilabials, curve_metrics.CLOSED),
            of=f"{len(found.bilabials)} sounds of {of}",
        ),
        Row(
            *("labiodentals", "F/V near the teeth (≤ 0.28)"),
            *(phones.share_below(found.labiodentals, phones.NEAR_TEETH), "%", 1, 90.0, inf),
            phones.share_below(real.labiodentals, phones.NEAR_TEETH),
            of=f"{len(found.labiodentals)} sounds of {of}",
        ),
        Row(
            *("open_vowels", "AA/EY/AE open, median"),
            *(middle(found), "", 2, 0.7, 1.1, middle(real)),
            of=f"{len(found.open_vowels)} sounds of {of}",
        ),
        Row(
            *("closure_timing", "closure of P/B/M late by, median"),
            *(timing(found), "ms", 0, -15.0, 15.0, timing(real)),
            of=f"{len(found.timing)} closed sounds of {of}",
        ),
        Row(
            *("silence", "lips closed in pauses over 0.3 s"),
            *(phones.share_below(found.pauses, curve_metrics.CLOSED), "%", 1, 99.0, inf),
            phones.share_below(real.pauses, curve_metrics.CLOSED),
            of=f"{len(found.pauses)} frames of LibriVox and LibriSpeech, style {style}",
            note=f"{phones.share_below(found.whole_pauses, curve_metrics.CLOSED):.1f} % with the 0.1 s "
            "in which lips come and go",
        ),
    ]


def table(rows: Sequence[Row], floors: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """The rows as a Markdown table.

    Args:
        floors: name → key of a row → what it reaches there.
    """
    floors = floors or {}
    heads = ["measure", *floors, "here", "to reach", "reached", "real lips", "on"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for row in rows:
        values = [*(floor.get(row.key, NAN) for floor in floors.values()), row.value, row.real]
        *low, here, real = (row.say(value) for value in values)
        reached = {True: "yes", False: "no", None: ""}[row.reached]
        on = "; ".join(part for part in (row.of, row.note) if part)
        lines.append(_line([row.measure, *low, here, row.goal, reached, real, on]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def to_dicts(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows for JSON: null where there is nothing."""
    return [
        {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in (asdict(row) | {"reached": row.reached}).items()
        }
        for row in rows
    ]
