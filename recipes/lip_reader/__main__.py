"""`python -m recipes.lip_reader --data DATA`: train the lip reader and judge it."""

from __future__ import annotations

import argparse
from pathlib import Path

from jambatalk.cli.stage_timer import StageTimer
from jambatalk.evaluate.lip_reader import WEIGHTS, load_reader
from recipes.lip_reader.grid_sentences import read_sentences, split
from recipes.lip_reader.judge import captured_rows, predicted_rows, table
from recipes.lip_reader.train import train_reader


def main() -> None:
    """Train, and print the accuracy of words on captured lips, held out, and on predicted ones."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder with grid_lips/, grid_s1/, grid_speakers/")
    add("--steps", type=int, default=2400, help="of training; 0: judge the bundled reader")
    add("--seed", type=int, default=0)
    add("-o", "--output", type=Path, default=WEIGHTS, help="of the weights (default: the bundled)")
    options = parser.parse_args()
    timer = StageTimer()
    timer("Reading", 0.0)
    train, sentences, people = split(read_sentences(options.data))
    if options.steps:
        reader = train_reader(train, options.steps, options.seed, options.output, timer)
    else:
        reader = load_reader()
    timer.finish()
    rows = captured_rows(reader, sentences, people)
    print(table(rows), flush=True)
    print(table(predicted_rows(reader, options.data)))


if __name__ == "__main__":
    main()
