"""Fit a style to each of several people: does it follow them better than the neutral style?

python -m recipes.checkpoint.evaluation.own_styles --data DATA [--seconds 30]

The clips of a person are joined. The last third of each is not fitted, and is what is measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from jambatalk.errors import JambaTalkError
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.styles.lip_track import SHORTEST, LipTrack
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.captured.grid_corpus import clip_names
from recipes.checkpoint.captured.people import HELD_OUT
from recipes.checkpoint.evaluation.tracked_speech import TrackedSpeech, read_address, read_clips

COMMAND = "python -m recipes.checkpoint.evaluation.own_styles"
HEADING = """\
| person | r(lip_open) | r(lip_width) | amplitude of lip_open | of lip_width |
|---|---|---|---|---|"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the data sets")
    parser.add_argument("--checkpoint", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--seconds", type=float, default=30.0, help="of each person (default: 30)")
    options = parser.parse_args(arguments)
    try:
        talking_head = TalkingHead.from_pretrained(options.checkpoint)
        print(HEADING)
        found = []
        for clip in read_people(options.data, options.seconds):
            found.append(fit_person(talking_head, clip))
            held_out = clip.person in HELD_OUT or clip.person == "address"
            name = f"{clip.person}{', held out of training' if held_out else ''}"
            print(format_row(name, found[-1]), flush=True)
        print(format_row("median", np.median(found, 0)))
    except JambaTalkError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 1
    return 0


def read_people(data: Path, seconds: float) -> Iterator[TrackedSpeech]:
    """Read the first seconds of every person of whom there are as many, and of the address."""
    folder = data / "grid_speakers"
    by_person = groupby(sorted(clip_names(folder)), key=lambda name: name.split("_")[0])
    people = [_joined(read_clips(folder, list(names))) for _, names in by_person]
    for clip in (*people, read_address(data / "address")):
        if clip.speech.duration >= max(SHORTEST, 0.99 * seconds):
            yield _start(clip, seconds)


def fit_person(talking_head: TalkingHead, clip: TrackedSpeech) -> np.ndarray:
    """Fit a style to one person: scores (2, 4) of the neutral and the own style.

    They are r of aperture and width, and amplitude of both.
    """
    fit = talking_head.fit_style(LipTrack(clip.person, clip.lips, clip.fps), clip.speech)
    return np.array([[*scores.r, *scores.amplitude] for scores in (fit.neutral, fit.own)])


def format_row(name: str, scores: np.ndarray) -> str:
    """Format scores (2, 4) as a row of the table: neutral → own style."""
    cells = [f"{before:.2f} → {after:.2f}" for before, after in scores.T]
    return f"| {name} | {' | '.join(cells)} |"


def _joined(clips: Sequence[TrackedSpeech]) -> TrackedSpeech:
    """Join clips; each sound is made as long as its lips, of which gaps are interpolated."""
    samples = []
    for clip in clips:
        count = round(len(clip.lips) / clip.fps * SAMPLE_RATE)
        sound = clip.speech.samples[:count]
        samples.append(np.pad(sound, (0, count - len(sound))))
    speech = Speech.from_array(np.concatenate(samples), SAMPLE_RATE)
    return replace(clips[0], speech=speech, lips=np.concatenate([clip.lips for clip in clips]))


def _start(clip: TrackedSpeech, seconds: float) -> TrackedSpeech:
    """Return the first seconds of a clip, without gaps in its lips."""
    lips = clip.lips[: round(seconds * clip.fps)].copy()
    for curve in lips.T:
        known = np.flatnonzero(~np.isnan(curve))
        curve[:] = np.interp(np.arange(len(curve)), known, curve[known])
    samples = clip.speech.samples[: round(seconds * SAMPLE_RATE)]
    return replace(clip, speech=Speech.from_array(samples, SAMPLE_RATE), lips=lips)


if __name__ == "__main__":
    sys.exit(main())
