"""Evaluate a checkpoint on held-out recordings.

python -m recipes.checkpoint.evaluation --data DATA [--checkpoint FOLDER] [--baselines] [--card]
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from jambatalk.errors import JambaTalkError
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.evaluation.baselines import (
    gru_baseline,
    linear_baseline,
    other_clip_baseline,
)
from recipes.checkpoint.evaluation.benchmark_table import tables, to_dicts
from recipes.checkpoint.evaluation.card_table import split_card, write_table
from recipes.checkpoint.evaluation.evaluate_checkpoint import evaluate_checkpoint

log = logging.getLogger(__name__)

COMMAND = "python -m recipes.checkpoint.evaluation"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        run(options)
    except JambaTalkError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 1
    return 0


def run(options: argparse.Namespace) -> None:
    """Measure a checkpoint, print its benchmark table and write it where the options ask."""
    if options.card:
        split_card(Path(options.checkpoint))  # fail before, not after, the measurement
    talking_head = TalkingHead.from_pretrained(options.checkpoint, options.device)
    groups = evaluate_checkpoint(talking_head, options.data, _log_stage)
    baselines = {}
    if options.baselines:
        _log_stage("Baselines", 0.0)
        baselines["another clip"] = other_clip_baseline(options.data)
        baselines["linear"] = linear_baseline(options.data)
        model = JambaTalk.from_pretrained(options.checkpoint, options.device)
        baselines["small GRU"] = gru_baseline(model, options.data)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        content = {"rows": to_dicts([*chain(*groups.values())]), "baselines": baselines}
        options.output.write_text(json.dumps(content, indent=2) + "\n")
    markdown = tables(groups, baselines)
    if options.card:
        command = f"{COMMAND} --data DATA"
        command += " --baselines" if options.baselines else ""
        write_table(Path(options.checkpoint), markdown, f"{command} --card")
    print(markdown)


def _log_stage(stage: str, done: float) -> None:
    log.info("%s: %.0f %%", stage, 100 * done)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Evaluate a checkpoint.")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with grid_s1/, facegood/ and speech/"
    )
    parser.add_argument(
        "--baselines", action="store_true", help="train and measure the baselines too (5 minutes)"
    )
    parser.add_argument("-o", "--output", type=Path, help="write the table as .json")
    parser.add_argument(
        "--card", action="store_true", help="write the table into the checkpoint's README.md"
    )
    parser.add_argument("--checkpoint", default=str(DEFAULT_CHECKPOINT), help="folder or hub name")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
