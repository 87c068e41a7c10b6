"""Reports of evaluated sequences: JSON, CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jambatalk.errors import DataError
from jambatalk.evaluate.sequence_metrics import METRICS, Metric
from jambatalk.files.unfinished import whole_file

RESAMPLES = 2000
SEED = 0
CONFIDENCE = 0.95
BEST = {"low": " Lower is better.", "high": " Higher is better.", "zero": " 0 is best.", "": ""}
AVERAGED = {"frames": " Averaged over all frames.", "sequences": " Averaged over sequences."}
NOTHING = "–"  # where a metric is not defined
BEST_OF = ", best"  # ends the name of a prediction of which each sequence's best is taken
LEAST_PAIRS = 3  # of which a correlation is computed
LATEX = str.maketrans(
    {"\\": r"\textbackslash ", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#"}
    | {"²": "$^2$", "±": r"$\pm$", "–": "--"}
)


class Estimate(NamedTuple):
    """A mean with its confidence interval; NaN where there is nothing to average."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Score:
    """The metrics of one prediction on one sequence.

    Attributes:
        prediction: name of the prediction.
        sequence: name of the sequence.
        subject: the speaker.
        frames: number of frames compared.
        values: key of a metric → value.
        condition: style and seed of the prediction, where it is one of several.
    """

    prediction: str
    sequence: str
    subject: str
    frames: int
    values: Mapping[str, float]
    condition: str = ""


@dataclass(frozen=True)
class Report:
    """All scores and the configuration they were computed with.

    Attributes:
        scores: every prediction on the same sequences in the same order.
        settings: what else belongs on record, such as folders, frame rate and regions.
        networks: name of a prediction → key of a metric of its whole network → value.
    """

    scores: Sequence[Score]
    settings: Mapping[str, object]
    networks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def predictions(self) -> list[str]:
        """Names of the predictions, in order."""
        return list(dict.fromkeys(score.prediction for score in self.scores))

    @property
    def subjects(self) -> list[str]:
        """The speakers, by name."""
        return sorted({score.subject for score in self.scores})

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that at least one sequence or network has."""
        known = {key for values in self.networks.values() for key in values}
        known.update(key for score in self.scores for key in score.values)
        return [m for m in METRICS if m.key in known or (m.of and known.issuperset(m.of))]

    def estimates(
        self, prediction: str, subject: str | None = None, minus: str | None = None
    ) -> dict[str, Estimate]:
        """Estimate every metric, most of them as a mean over sequences: key → estimate.

        Args:
            prediction: its name.
            subject: restrict to the sequences of a speaker.
            minus: take the differences to this other prediction, sequence by sequence.
        """
        scores = self._select(prediction, subject)
        others = self._select(minus, subject) if minus else []
        frames = np.array([score.frames for score in scores], float)
        estimates = {}
        for metric in self.metrics:
            if metric.over == "network":
                value = math.nan if subject else self._of_network(prediction, metric)
                value -= self._of_network(minus, metric) if minus else 0.0
                estimates[metric.key] = Estimate(value, value, value)
            elif metric.over == "correlation":
                pairs = [_by_subject(rows, key) for rows in (scores, others) for key in metric.of]
                estimates[metric.key] = bootstrap_correlation(*pairs[: 4 if others else 2])
            else:
                values = _values(scores, metric.key)
                values = values - _values(others, metric.key) if others else values
                weights = frames if metric.over == "frames" else np.ones(len(values))
                estimates[metric.key] = bootstrap_mean(values, weights)
        return estimates

    def _of_network(self, prediction: str, metric: Metric) -> float:
        return self.networks.get(prediction, {}).get(metric.key, math.nan)

    def _select(self, prediction: str, subject: str | None = None) -> list[Score]:
        return [
            score
            for score in self.scores
            if score.prediction == prediction and subject in (None, score.subject)
        ]

    def write(self, folder: Path) -> list[Path]:
        """Write report.json, report.md, report.tex and sequences.csv; returns their paths."""
        written = []
        for name, text in (
            ("sequences.csv", self._csv()),
            ("report.json", json.dumps(_null_for_nan(self.to_dict()), indent=2) + "\n"),
            ("report.md", self.markdown()),
            ("report.tex", self.latex()),
        ):
            with whole_file(folder / name, DataError) as unfinished:
                unfinished.write_text(text, encoding="utf-8", newline="")
            written.append(folder / name)
        return written

    def to_dict(self) -> dict[str, object]:
        """Return everything, as written to JSON."""

        def summary(name: str, subject: str | None = None, minus: str | None = None) -> object:
            estimates = self.estimates(name, subject, minus)
            return {key: estimate._asdict() for key, estimate in estimates.items()}

        first, *others = self.predictions
        return {
            **self.settings,
            "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "confidence": CONFIDENCE},
            "metrics": [asdict(metric) for metric in self.metrics],
            "overall": {name: summary(name) for name in self.predictions},
            "difference_to_first": {name: summary(name, minus=first) for name in others},
            "subjects": {
                subject: {name: summary(name, subject) for name in self.predictions}
                for subject in self.subjects
            },
            "networks": self.networks,
            "sequences": [asdict(score) for score in self.scores],
        }

    def _csv(self) -> str:
        with io.StringIO(newline="") as file:
            table = csv.writer(file)
            columns = [m for m in self.metrics if m.over in AVERAGED]
            titles = [f"{m.key} ({m.unit})" if m.unit else m.key for m in columns]
            first = ["prediction", "sequence", "subject", "condition", "frames"]
            table.writerow([*first, *titles])
            for score in self.scores:
                values = (score.values.get(m.key, math.nan) for m in columns)
                cells = ["" if math.isnan(value) else f"{value:.6g}" for value in values]
                row = [score.prediction, score.sequence, score.subject, score.condition]
                table.writerow([*row, score.frames, *cells])
            return file.getvalue()

    def markdown(self) -> str:
        """Format tables: overall with intervals, differences, subjects, and the formulas."""
        first, *others = self.predictions
        lines = [
            "# Evaluation",
            "",
            f"Sequences: {len(self._select(first))}; subjects: {len(self.subjects)}. In brackets: "
            f"{CONFIDENCE:.0%} bootstrap confidence intervals ({RESAMPLES} resamples of the "
            "sequences).",
            "",
            *(f"- {key.replace('_', ' ')}: {_text(value)}" for key, value in self.settings.items()),
            "",
            "## Overall",
            "",
            *self._table({name: self._cells(name, interval=True) for name in self.predictions}),
        ]
        if others:
            lines += [
                "",
                f"## Difference to {first}",
                "Sequence by sequence; an interval without 0 is a difference that is not due to "
                "the choice of sequences.",
                "",
                *self._table(
                    {name: self._cells(name, minus=first, interval=True) for name in others}
                ),
            ]
        if len(self.subjects) > 1:
            for name in self.predictions:
                lines += ["", f"## {name}, by subject", ""]
                lines += self._table({who: self._cells(name, who) for who in self.subjects})
        lines += ["", "## Definitions"]
        for m in self.metrics:
            formula = f"{m.formula}.{BEST[m.best]}{AVERAGED.get(m.over, '')}"
            lines.append(f"- **{m.title}**{f', {m.unit}' if m.unit else ''}: {formula}")
        return "\n".join(lines) + "\n"

    def _cells(
        self,
        prediction: str,
        subject: str | None = None,
        minus: str | None = None,
        interval: bool = False,
    ) -> list[str]:
        """Format the estimates of all metrics."""
        cells = []
        estimates = self.estimates(prediction, subject, minus)
        for metric in self.metrics:
            estimate = estimates[metric.key]
            mean, low, high = (f"{value:.{metric.digits}f}" for value in estimate)
            cell = f"{mean} [{low}, {high}]" if interval and metric.over != "network" else mean
            cells.append(NOTHING if math.isnan(estimate.mean) else cell)
        return cells

    def _table(self, columns: Mapping[str, Sequence[str]]) -> list[str]:
        """Format a Markdown table with a row for each metric that one of the columns has."""
        rows = [["metric", *columns], ["---"] * (1 + len(columns)), *self._rows(columns)]
        return [f"| {' | '.join(row)} |" for row in rows]

    def _rows(self, columns: Mapping[str, Sequence[str]]) -> list[list[str]]:
        titles = [f"{m.title}, {m.unit}" if m.unit else m.title for m in self.metrics]
        rows = zip(titles, *columns.values(), strict=True)
        return [[title, *cells] for title, *cells in rows if set(cells) != {NOTHING}]

    def latex(self) -> str:
        """Format a LaTeX table with a row for each metric and a column for each prediction."""
        rows = self._rows({name: self._cells(name) for name in self.predictions})
        lines = [
            f"{' & '.join(cell.translate(LATEX) for cell in row)} \\\\\n"
            for row in [["", *self.predictions], *rows]
        ]
        head = f"\\begin{{tabular}}{{l{'r' * len(self.predictions)}}}\n\\hline\n"
        return f"{head}{lines[0]}\\hline\n{''.join(lines[1:])}\\hline\n\\end{{tabular}}\n"


def bootstrap_mean(values: np.ndarray, weights: np.ndarray) -> Estimate:
    """Compute the weighted mean of values (n,) and its 95 % percentile bootstrap interval.

    Values and their weights are resampled together with a fixed seed; NaN values are left out. With
    a single value the interval is that value.
    """
    known = np.isfinite(values)
    return _bootstrap(_weighted_mean, values[known], weights[known])


def bootstrap_correlation(*curves: np.ndarray) -> Estimate:
    """Compute Pearson's r of two arrays (n,) and its 95 % percentile bootstrap interval.

    Of four arrays it is the difference, r of the first two minus r of the others. What is NaN in
    one of them is left out of all; NaN for fewer than three.
    """
    known = np.isfinite(curves).all(0)
    if known.sum() < LEAST_PAIRS:
        return Estimate(math.nan, math.nan, math.nan)
    return _bootstrap(_correlation, *(curve[known] for curve in curves))


def _bootstrap(statistic: Callable[..., np.ndarray], *samples: np.ndarray) -> Estimate:
    """Compute a statistic of arrays (n,) that are resampled together, with a fixed seed."""
    from scipy.stats import bootstrap

    if not len(samples[0]):
        return Estimate(math.nan, math.nan, math.nan)
    value = float(statistic(*samples))
    if len(samples[0]) == 1:
        return Estimate(value, value, value)
    interval = bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        vectorized=True,
        paired=True,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=SEED,
    ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high))


def _weighted_mean(values: np.ndarray, weights: np.ndarray, axis: int = -1) -> np.ndarray:
    return (values * weights).sum(axis) / weights.sum(axis)


def _correlation(*curves: np.ndarray, axis: int = -1) -> np.ndarray:
    """Compute r of two arrays along an axis, 0 where one is constant, minus that of two others."""
    centred = [curve - curve.mean(axis, keepdims=True) for curve in curves]
    a, b, *others = centred
    scale = np.sqrt((a * a).sum(axis) * (b * b).sum(axis))
    r = np.where(scale > 1e-12, (a * b).sum(axis) / np.maximum(scale, 1e-12), 0.0)
    return r - _correlation(*others, axis=axis) if others else r


def _values(scores: Sequence[Score], key: str) -> np.ndarray:
    return np.array([score.values.get(key, math.nan) for score in scores])


def _by_subject(scores: Sequence[Score], key: str) -> np.ndarray:
    """Return values less the mean and over the standard deviation of their subject's."""
    values = _values(scores, key)
    subjects = np.array([score.subject for score in scores])
    normalised = np.full(len(values), math.nan)
    for subject in np.unique(subjects):
        rows = (subjects == subject) & np.isfinite(values)
        if rows.sum() > 1:
            spread = max(float(values[rows].std()), 1e-12)
            normalised[rows] = (values[rows] - values[rows].mean()) / spread
    return normalised


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key} = {part}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _null_for_nan(value: object) -> object:
    """Replace NaN, which JSON lacks, by null."""
    if isinstance(value, Mapping):
        return {key: _null_for_nan(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_null_for_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
