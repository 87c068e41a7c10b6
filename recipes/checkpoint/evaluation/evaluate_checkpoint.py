"""Evaluation of a checkpoint on held-out recordings: all rows of the benchmark table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jambatalk.face.library import load_head
from jambatalk.progress import Progress, no_progress
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.evaluation.benchmark_table import Row
from recipes.checkpoint.evaluation.captured_rows import CapturedEvaluation
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.languages import recognised_row, written_row
from recipes.checkpoint.evaluation.people_rows import people_rows
from recipes.checkpoint.evaluation.phone_rows import evaluate_phones
from recipes.checkpoint.evaluation.style_classifier import style_row


def evaluate_checkpoint(
    head: TalkingHead,
    folder: Path,
    without_grid: TalkingHead | None = None,
    progress: Progress = no_progress,
) -> list[Row]:
    """Evaluate a checkpoint.

    Args:
        folder: contains `grid_s1/`, `grid_speakers/`, `address/`, `facegood/` and `speech/`.
        without_grid: a second checkpoint, trained without GRID, for the row of that name.

    Raises:
        DataError: a part of the data is missing.
    """
    data = HeldOutData(folder, load_head(1))
    captured = CapturedEvaluation(head, data)
    parts: list[Callable[[], list[Row]]] = [
        captured.grid_rows,
        captured.facegood_rows,
        lambda: captured.without_grid_rows(without_grid) if without_grid else [],
        lambda: evaluate_phones(head, data),
        lambda: [style_row(head, data)],
        captured.babble_rows,
        lambda: [recognised_row(head, data), written_row(head, data)],
        captured.jitter_rows,
        lambda: people_rows(head, data),
    ]
    rows = []
    for done, part in enumerate(parts):
        progress("Measuring", done / len(parts))
        rows += part()
    progress("Measuring", 1.0)
    return rows
