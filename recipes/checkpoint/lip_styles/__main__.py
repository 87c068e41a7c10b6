"""Measure the speakers and write `speakers.json`.

python -m recipes.checkpoint.lip_styles --data DATA

Prints a table of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jambatalk.errors import JambaTalkError
from jambatalk.face.library import load_head
from recipes.checkpoint.lip_styles.measure import measure_speakers
from recipes.checkpoint.lip_styles.speakers import SPEAKERS_FILE

COMMAND = "python -m recipes.checkpoint.lip_styles"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Measure the speakers.")
    parser.add_argument("--data", required=True, type=Path, help="folder of the data sets")
    options = parser.parse_args(arguments)
    try:
        speakers = measure_speakers(options.data, load_head(1))
    except JambaTalkError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 1
    SPEAKERS_FILE.write_text(json.dumps(speakers, indent=1) + "\n")
    print(
        "| speaker | aperture, mm | width, mm | chin, mm a mm | sharpness |\n|---|---|---|---|---|"
    )
    for name, row in speakers.items():
        lips = [f"{m:.1f} ± {s:.1f}" for m, s in zip(row["mean"], row["spread"], strict=True)]
        chin = f"{row['manner'][0]:.2f}" if row["manner"] else "–"
        print(f"| {name} | {' | '.join(lips)} | {chin} | {row['sharpness']:+.2f} |")
    spreads = np.array([row["spread"] for row in speakers.values()])
    low, high = spreads.min(0), spreads.max(0)
    print(f"largest over smallest spread: {high[0] / low[0]:.1f} and {high[1] / low[1]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
