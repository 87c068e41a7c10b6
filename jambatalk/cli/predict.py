"""Motions for a whole split of a training set: `predict`."""

from __future__ import annotations

import argparse
from pathlib import Path

from jambatalk.cli.options import Stages


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's command."""
    predict = commands.add_parser(
        "predict", help="what a checkpoint makes of a split of a training set, for 'evaluate'"
    )
    predict.add_argument("checkpoint", help="a folder, or OWNER/NAME on the hub")
    predict.add_argument(
        "--set", required=True, metavar="NAME", help="vocaset, biwi, folder or tracks"
    )
    predict.add_argument("--data", type=Path, required=True, help="where the set lies")
    predict.add_argument(
        "--split", default="test", help="of it (default: test; BIWI has test-a and test-b)"
    )
    predict.add_argument(
        "-o", "--output", type=Path, required=True, help="folder of the predictions"
    )
    predict.add_argument(
        "--truth", type=Path, help="folder for the captured motions, and their sounds in its wav/"
    )
    predict.add_argument(
        "--styles",
        metavar="A,B",
        help="several for each recording, or 'all' (default: the subject's own, or the neutral "
        "one)",
    )
    predict.add_argument(
        "--unit", type=float, help="metres a unit of the set's vertices (default: told by size)"
    )
    predict.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    predict.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> None:
    from jambatalk.data.registry import open_dataset
    from jambatalk.evaluate.predictions import SOUNDS, Study
    from jambatalk.talking_head import TalkingHead

    stages = Stages()
    stages("Opening", 0.0)
    dataset = open_dataset(options.set, options.data, options.split)
    stages("Loading", 0.0)
    talking_head = TalkingHead.from_pretrained(options.checkpoint, options.device)
    study = Study(talking_head, dataset, options.unit)
    styles = _styles(options.styles, talking_head.styles)
    if options.truth:  # first: it reads every recording, and tells at once which are broken
        written = study.write_truth(options.truth, stages)
        stages.finish()
        _tell(options.truth, written, len(dataset), "captured motions")
    written = study.write_predictions(options.output, styles, stages)
    stages.finish()
    _tell(options.output, written, len(dataset) * max(1, len(styles)), "predictions")
    if options.truth:
        both, sounds = f"{options.truth} {options.output}", options.truth / SOUNDS
        print(f"try 'jambatalk evaluate {both} -o REPORT --audio {sounds}'")


def _styles(given: str | None, known: tuple[str, ...]) -> list[str]:
    if given is None:
        return []
    return list(known) if given == "all" else [style.strip() for style in given.split(",")]


def _tell(folder: Path, written: int, of: int, what: str) -> None:
    there = f", {of - written} were there" if written < of else ""
    print(f"{folder}: {written} {what} written{there}")
