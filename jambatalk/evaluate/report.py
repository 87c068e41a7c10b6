"""Tables of what was measured: JSON, CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jambatalk.evaluate.sequence_metrics import MEASURES, Measure

RESAMPLES = 2000
SEED = 0
LEVEL = 95.0  # percent of the resampled means that an interval holds


class Estimate(NamedTuple):
    """A mean with its confidence interval; nan where there is nothing to average."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Score:
    """What one prediction scored on one sequence.

    Attributes:
        prediction: whose. sequence: its name. subject: who speaks.
        frames: compared. values: key of a measure → value.
    """

    prediction: str
    sequence: str
    subject: str
    frames: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Report:
    """All scores, and what they were measured with.

    Attributes:
        scores: every prediction on the same sequences in the same order.
        setting: what else belongs on record: folders, frame rate, regions.
    """

    scores: Sequence[Score]
    setting: Mapping[str, object]

    @property
    def predictions(self) -> list[str]:
        """In the order in which they were given."""
        return list(dict.fromkeys(score.prediction for score in self.scores))

    @property
    def subjects(self) -> list[str]:
        """Who speaks, by name."""
        return sorted({score.subject for score in self.scores})

    @property
    def measures(self) -> list[Measure]:
        """Those that some sequence has."""
        return [m for m in MEASURES if any(m.key in score.values for score in self.scores)]

    def estimate(
        self, measure: Measure, prediction: str, subject: str | None = None, than: str | None = None
    ) -> Estimate:
        """One measure of one prediction over its sequences, see :func:`bootstrap`.

        Args:
            subject: over theirs alone.
            than: the difference to this other prediction, sequence by sequence.
        """
        scores = self._of(prediction, subject)
        values = np.array([score.values.get(measure.key, math.nan) for score in scores])
        if than is not None:
            values -= [score.values.get(measure.key, math.nan) for score in self._of(than, subject)]
        frames = np.array([score.frames for score in scores], float)
        return bootstrap(values, frames if measure.by_frame else np.ones(len(values)))

    def _of(self, prediction: str, subject: str | None) -> list[Score]:
        return [
            score
            for score in self.scores
            if score.prediction == prediction and subject in (None, score.subject)
        ]

    def write(self, folder: Path) -> list[Path]:
        """Writes report.json, sequences.csv, report.md and report.tex; returns their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name, text in (
            ("report.json", json.dumps(_without_nan(self.to_dict()), indent=2) + "\n"),
            ("report.md", self.markdown()),
            ("report.tex", self.latex()),
        ):
            (folder / name).write_text(text, encoding="utf-8")
            written.append(folder / name)
        written.append(self._write_csv(folder / "sequences.csv"))
        return written

    def to_dict(self) -> dict[str, object]:
        """Everything, as written to JSON."""
        first, *others = self.predictions
        return {
            **self.setting,
            "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "percent": LEVEL},
            "measures": [asdict(measure) for measure in self.measures],
            "overall": {name: self._estimates(name) for name in self.predictions},
            "difference_to_first": {name: self._estimates(name, than=first) for name in others},
            "subjects": {
                subject: {name: self._estimates(name, subject) for name in self.predictions}
                for subject in self.subjects
            },
            "sequences": [asdict(score) for score in self.scores],
        }

    def _estimates(
        self, prediction: str, subject: str | None = None, than: str | None = None
    ) -> dict[str, dict[str, float]]:
        return {
            measure.key: self.estimate(measure, prediction, subject, than)._asdict()
            for measure in self.measures
        }

    def _write_csv(self, path: Path) -> Path:
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(
                ["prediction", "sequence", "subject", "frames"]
                + [f"{m.key} ({m.unit})" if m.unit else m.key for m in self.measures]
            )
            for score in self.scores:
                values = [score.values.get(m.key, math.nan) for m in self.measures]
                table.writerow(
                    [score.prediction, score.sequence, score.subject, score.frames]
                    + ["" if math.isnan(value) else f"{value:.6g}" for value in values]
                )
        return path

    def markdown(self) -> str:
        """Tables for people: overall with intervals, differences, subjects, then the formulas."""
        names, sequences = self.predictions, len(self._of(self.predictions[0], None))
        lines = [
            "# Measures",
            "",
            f"Sequences: {sequences}; subjects: {len(self.subjects)}. In brackets: {LEVEL:g} % of "
            f"the means of {RESAMPLES} bootstrap samples of the sequences.",
            "",
            *(f"- {key.replace('_', ' ')}: {_said(value)}" for key, value in self.setting.items()),
            "",
            "## Overall",
            "",
            *_table(
                ["measure", *names],
                [
                    [_headed(m), *(_cell(self.estimate(m, name), m, True) for name in names)]
                    for m in self.measures
                ],
            ),
        ]
        if len(names) > 1:
            lines += [
                "",
                f"## Difference to {names[0]}",
                "Sequence by sequence; an interval without 0 is a difference that other sequences "
                "of the kind would show too.",
                "",
                *_table(
                    ["measure", *names[1:]],
                    [
                        [
                            _headed(m),
                            *(
                                _cell(self.estimate(m, name, than=names[0]), m, True)
                                for name in names[1:]
                            ),
                        ]
                        for m in self.measures
                    ],
                ),
            ]
        if len(self.subjects) > 1:
            for name in names:
                lines += [
                    "",
                    f"## {name}, by subject",
                    "",
                    *_table(
                        ["measure", *self.subjects],
                        [
                            [
                                _headed(m),
                                *(
                                    _cell(self.estimate(m, name, s), m, False)
                                    for s in self.subjects
                                ),
                            ]
                            for m in self.measures
                        ],
                    ),
                ]
        lines += ["", "## What they mean"]
        for m in self.measures:
            over = "all frames" if m.by_frame else "sequences"
            lines.append(
                f"- **{m.title}**{f', {m.unit}' if m.unit else ''}: {m.formula}.{_best(m)}"
            )
            lines[-1] += f" Averaged over {over}."
        return "\n".join(lines) + "\n"

    def latex(self) -> str:
        """One row a prediction, to paste into a table."""
        head = " & ".join(
            _latex(f"{m.title} ({m.unit})" if m.unit else m.title) for m in self.measures
        )
        rows = [
            " & ".join(
                [_latex(name)]
                + [
                    _cell(self.estimate(m, name), m, False).replace("–", "--")
                    for m in self.measures
                ]
            )
            for name in self.predictions
        ]
        return f"% method & {head} \\\\\n" + "".join(f"{row} \\\\\n" for row in rows)


def bootstrap(values: np.ndarray, weights: np.ndarray) -> Estimate:
    """Weighted mean of values (n,), and the interval in which resampled means lie.

    The n sequences are drawn with replacement 2000 times, always the same draws for the same n, so
    that predictions are compared on equal terms; the interval runs from the 2.5th to the 97.5th
    percentile of their means. With a single value it is that value. Values that are nan do not
    count.
    """
    known = np.isfinite(values)
    if not known.any():
        return Estimate(math.nan, math.nan, math.nan)
    weights = np.where(known, weights, 0.0)
    values = np.where(known, values, 0.0)
    draws = np.random.default_rng(SEED).integers(len(values), size=(RESAMPLES, len(values)))
    total = weights[draws].sum(1)
    means = (weights * values)[draws].sum(1)[total > 0] / total[total > 0]
    tail = (100 - LEVEL) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return Estimate(float((weights * values).sum() / weights.sum()), float(low), float(high))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _headed(measure: Measure) -> str:
    return f"{measure.title}, {measure.unit}" if measure.unit else measure.title


def _cell(estimate: Estimate, measure: Measure, interval: bool) -> str:
    if math.isnan(estimate.mean):
        return "–"
    mean, low, high = (f"{value:.{measure.digits}f}" for value in estimate)
    return f"{mean} [{low}, {high}]" if interval else mean


def _best(measure: Measure) -> str:
    return {"low": " Lower is better.", "high": " Higher is better.", "zero": " 0 is best."}.get(
        measure.best, ""
    )


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key} = {part}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _latex(text: str) -> str:
    for sign, written in (
        *(("\\", r"\textbackslash "), ("_", r"\_"), ("%", r"\%"), ("&", r"\&"), ("#", r"\#")),
        *(("²", "$^2$"), ("±", r"$\pm$")),
    ):
        text = text.replace(sign, written)
    return text


def _without_nan(value: object) -> object:
    """JSON has no nan: null."""
    if isinstance(value, Mapping):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
