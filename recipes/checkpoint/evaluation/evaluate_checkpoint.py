"""Evaluation of a checkpoint on held-out recordings: all rows of the benchmark table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jambatalk.face.library import load_head
from jambatalk.progress import Progress, no_progress
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.captured.landmark_fit import eye_distance
from recipes.checkpoint.evaluation.benchmark_table import Row
from recipes.checkpoint.evaluation.captured_rows import CapturedEvaluation
from recipes.checkpoint.evaluation.condition_rows import condition_rows
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.languages import recognised_row, written_row
from recipes.checkpoint.evaluation.pause_rows import pause_rows
from recipes.checkpoint.evaluation.people_rows import people_rows, predict_people
from recipes.checkpoint.evaluation.phone_rows import evaluate_phones
from recipes.checkpoint.evaluation.reader_rows import reader_rows
from recipes.checkpoint.evaluation.stillness import stillness_rows
from recipes.checkpoint.evaluation.style_classifier import style_row

Part = Callable[[], list[Row]]


def evaluate_checkpoint(
    head: TalkingHead,
    folder: Path,
    progress: Progress = no_progress,
) -> dict[str, list[Row]]:
    """Evaluate a checkpoint.

    Args:
        folder: contains `grid_s1/`, `grid_speakers/`, `address/`, `facegood/` and `speech/`.

    Returns:
        Heading → its rows.

    Raises:
        DataError: a part of the data is missing.
    """
    data = HeldOutData(folder, load_head(1))
    captured = CapturedEvaluation(head, data)
    people, address = predict_people(head, data)
    groups: dict[str, list[Part]] = {
        "People of whom nothing was learned": [lambda: people_rows(people, address)],
        "Speakers who were captured, other sentences": [
            captured.grid_rows,
            captured.facegood_rows,
            captured.jitter_rows,
        ],
        "Lip sounds": [lambda: evaluate_phones(head, data)],
        "Pauses": [
            lambda: pause_rows(
                {
                    "s4, s33, s34, style neutral": people,
                    captured.grid_sample: captured.grid_pairs,
                    "the address, style neutral": address,
                },
                eye_distance(data.face),
            )
        ],
        "Styles": [lambda: [style_row(head, data)]],
        "Other languages, voices and conditions": [
            lambda: [recognised_row(head, data), written_row(head, data)],
            lambda: reader_rows(head, data),
            lambda: condition_rows(captured),
        ],
        "Sound without speech": [lambda: stillness_rows(head)],
    }
    rows: dict[str, list[Row]] = {heading: [] for heading in groups}
    parts = [(heading, part) for heading, parts in groups.items() for part in parts]
    for done, (heading, part) in enumerate(parts):
        progress(heading, done / len(parts))
        rows[heading] += part()
    progress("Measured", 1.0)
    return rows
