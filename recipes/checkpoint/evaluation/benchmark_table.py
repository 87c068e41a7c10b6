"""The benchmark table of a checkpoint: its rows, as Markdown and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

NAN = math.nan
INF = math.inf


@dataclass(frozen=True)
class Row:
    """One row of the benchmark table.

    Attributes:
        key: name in JSON.
        metric: name in the table.
        value: of the checkpoint.
        unit: of all values.
        digits: decimals in the table.
        low: least acceptable value, -inf for none; NaN for a row without bounds.
        high: greatest acceptable value, inf for none.
        captured: the same metric of tracked lips or captured motion, NaN if there is none.
        sample: what it was measured on.
        note: further information.
        interval: 95 % bootstrap interval of the value over clips; None for none.
    """

    key: str
    metric: str
    value: float
    unit: str = ""
    digits: int = 2
    low: float = NAN
    high: float = NAN
    captured: float = NAN
    sample: str = ""
    note: str = ""
    interval: tuple[float, float] | None = None

    @property
    def within_bounds(self) -> bool | None:
        """Whether the value lies within the bounds; None without bounds or value."""
        if math.isnan(self.value) or math.isnan(self.low):
            return None
        return self.low <= self.value <= self.high

    @property
    def excess(self) -> float:
        """Distance of the value outside the bounds, negative inside, infinite if unknown."""
        if math.isnan(self.value):
            return INF
        return max(self.low - self.value, self.value - self.high)

    @property
    def bounds(self) -> str:
        """The bounds as text."""
        low, high = (f"{x:.{self.digits}f}" for x in (self.low, self.high))
        if math.isnan(self.low):
            return ""
        if math.isinf(self.high):
            return f"≥ {low}"
        return f"≤ {high}" if math.isinf(self.low) else f"{low} to {high}"

    def format(self, value: float) -> str:
        """Format a value of this metric with its unit."""
        if math.isnan(value):
            return "–"
        return f"{value:.{self.digits}f}" + (f" {self.unit}" if self.unit else "")

    def format_value(self) -> str:
        """Format the value of the checkpoint, with its interval in brackets."""
        text = self.format(self.value)
        if self.interval is None:
            return text
        low, high = (f"{x:.{self.digits}f}" for x in self.interval)
        return f"{text} [{low}, {high}]"


def tables(
    groups: Mapping[str, Sequence[Row]],
    baselines: Mapping[str, Mapping[str, float]] | None = None,
) -> str:
    """Format groups of rows as Markdown tables under their headings.

    Args:
        groups: heading → rows.
        baselines: as in :func:`table`.
    """
    return "\n".join(f"### {name}\n\n{table(rows, baselines)}" for name, rows in groups.items())


def table(rows: Sequence[Row], baselines: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """Format rows as a Markdown table.

    Args:
        baselines: name of a baseline → key of a row → its value; those without any of these rows
            have no column.
    """
    keys = {row.key for row in rows}
    baselines = {name: values for name, values in (baselines or {}).items() if keys & values.keys()}
    head = ["metric", *baselines, "checkpoint", "bounds", "within", "captured", "measured on"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        lines.append(
            [
                row.metric,
                *(row.format(values.get(row.key, NAN)) for values in baselines.values()),
                row.format_value(),
                row.bounds,
                {True: "yes", False: "no", None: ""}[row.within_bounds],
                row.format(row.captured),
                "; ".join(part for part in (row.sample, row.note) if part),
            ]
        )
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def to_dicts(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Convert rows for JSON, with null for NaN and infinity."""
    return [
        {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in (asdict(row) | {"within_bounds": row.within_bounds}).items()
        }
        for row in rows
    ]
