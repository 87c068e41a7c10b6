"""Plot lips over time, predicted against tracked, of people of whom nothing was learned.

python -m recipes.checkpoint.evaluation.lip_plots --data DATA -o FOLDER [--checkpoint FOLDER ...]

A picture for each clip: the speech, and the lip aperture in the neutral style of each checkpoint.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from jambatalk.errors import JambaTalkError
from jambatalk.evaluate.aperture_plot import ApertureCurves, plot_apertures, require_matplotlib
from jambatalk.face.library import load_head
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.motion.nonverbal import STILL
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.captured.landmark_fit import eye_distance
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.tracked_speech import APERTURE, TrackedSpeech

COMMAND = "python -m recipes.checkpoint.evaluation.lip_plots"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the data sets")
    parser.add_argument("--checkpoint", nargs="+", default=[str(DEFAULT_CHECKPOINT)])
    parser.add_argument("--clips", type=int, default=6, help="of GRID, beside the address")
    parser.add_argument("-o", "--output", required=True, type=Path, help="folder of the pictures")
    options = parser.parse_args(arguments)
    try:
        require_matplotlib()
        data = HeldOutData(options.data, load_head(1))
        heads = {Path(path).name: TalkingHead.from_pretrained(path) for path in options.checkpoint}
        for clip in (*data.people[: options.clips], data.address):
            print(plot_clip(options.output, clip, heads))
    except JambaTalkError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 1
    return 0


def plot_clip(folder: Path, clip: TrackedSpeech, heads: dict[str, TalkingHead]) -> Path:
    """Plot one clip and return the picture's path."""
    predicted, eyes = {}, 0.0
    for name, head in heads.items():
        motion = head.animate(clip.speech, nonverbal=STILL).resampled(clip.fps)
        predicted[name], eyes = motion.lip_aperture(), eye_distance(motion.face)
    tracked = clip.lips[:, APERTURE] * eyes  # on the head's scale
    path = folder / f"{clip.name}.png"
    curves = ApertureCurves(clip.name, predicted, tracked, clip.fps, clip.speech.samples)
    return plot_apertures(path, [curves])


if __name__ == "__main__":
    sys.exit(main())
