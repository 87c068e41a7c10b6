"""The benchmark table inside a checkpoint's model card."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from jambatalk.errors import DataError

CARD = "README.md"
HEADING = "\n## Measured\n"  # the section that holds the table


def write_table(folder: Path, table: str, command: str) -> None:
    """Replace the benchmark table in a checkpoint's `README.md`.

    Args:
        folder: the checkpoint.
        table: Markdown, see :func:`recipes.checkpoint.evaluation.benchmark_table.table`.
        command: the command line that made it.

    Raises:
        DataError: as :func:`split_card`.
    """
    before, after = split_card(folder)
    source = f"On {date.today().isoformat()}, by `{command}`\n(docs/measures.md explains the rows):"
    (folder / CARD).write_text(f"{before}{source}\n\n{table}{after}", encoding="utf-8")


def split_card(folder: Path) -> tuple[str, str]:
    """Split a model card into the text before and after its benchmark table.

    Raises:
        DataError: the folder has no model card, or the card has no section for the table.
    """
    path = folder / CARD
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, heading, after = text.partition(HEADING)
    if not heading:
        raise DataError(
            f"{path} has no section '{HEADING.strip()}' for the table.", "Leave out --card."
        )
    _, next_heading, rest = after.partition("\n## ")
    return before + heading, next_heading + rest
