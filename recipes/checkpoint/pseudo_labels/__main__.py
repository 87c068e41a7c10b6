"""Label the corpus with the lips of real people.

python -m recipes.checkpoint.pseudo_labels --data DATA --corpus CORPUS -o LABELS [--cache FEATURES]

Prints the median r of lip aperture / mouth width of each labeller on people of whom nothing is
learned.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jambatalk.errors import JambaTalkError
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.jambatalk import JambaTalk
from recipes.checkpoint.captured.lip_clips import (
    read_address,
    read_held_out_people,
    read_people_lips,
    read_s1,
)
from recipes.checkpoint.captured.spliced_pairs import CLIPS, read_spliced_pairs
from recipes.checkpoint.captured.splicing_voices import speaker_1, synthetic_voices
from recipes.checkpoint.corpus.recording import read_corpus
from recipes.checkpoint.evaluation.lip_correlation import correlate
from recipes.checkpoint.feature_cache import FeatureCache
from recipes.checkpoint.pseudo_labels.label_files import write_labels
from recipes.checkpoint.pseudo_labels.labeller import STEPS, Labeller, predict_lips
from recipes.checkpoint.pseudo_labels.rounds import Voice, train_rounds

COMMAND = "python -m recipes.checkpoint.pseudo_labels"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the data sets")
    parser.add_argument("--corpus", required=True, type=Path)
    parser.add_argument("--cache", type=Path, help="folder that keeps encoder features")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of a labeller, default {STEPS}")
    parser.add_argument("-o", "--output", required=True, type=Path, help="folder of the labels")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        label_corpus(options.data, options.corpus, options.output, options.cache, options.steps)
    except JambaTalkError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 1
    return 0


def label_corpus(
    data: Path, corpus: Path, output: Path, cache: Path | None = None, steps: int = STEPS
) -> None:
    """Train the labellers, each for some steps, and write the labels of the whole corpus.

    Raises:
        DataError: data are missing.
    """
    model = JambaTalk.from_pretrained(DEFAULT_CHECKPOINT, "cpu")
    encode, fps = FeatureCache(model, folder=cache), model.config.fps
    s1 = read_s1(data, encode, fps)
    sound = {clip.name: clip.features for clip in s1}
    voices = [speaker_1(data, sound), *synthetic_voices(read_corpus(corpus, "spliced"), encode)]
    real = {
        "s1": s1,
        "people": read_people_lips(data, encode, fps),
        "spliced": list(read_spliced_pairs(data, CLIPS, voices, fps, seed=0)),
    }
    test = {
        "people": read_held_out_people(data, encode, fps),
        "address": [read_address(data / "address", encode, fps)],
    }

    def report(name: str, labellers: Sequence[Labeller]) -> None:
        scores = {
            kind: correlate(lambda features: predict_lips(labellers, features), clips, fps)
            for kind, clips in test.items()
        }
        print(name, *(f"{kind} {r[0]:.3f} / {r[1]:.3f}" for kind, r in scores.items()), sep="  ")

    takes = {
        split: [
            Voice(recording, encode(recording.key, recording.samples))
            for recording in read_corpus(corpus, split)
        ]
        for split in ("train", "held_out")
    }
    labellers = train_rounds(real, takes["train"], fps, report, steps)
    labelled = (*takes["train"], *takes["held_out"])
    lips = [predict_lips(labellers, voice.features) for voice in labelled]
    spread = np.concatenate(lips).std(0)  # a mean moves less than what it is the mean of
    for voice, curves in zip(labelled, lips, strict=True):
        write_labels(output, voice.recording, curves / spread)


if __name__ == "__main__":
    sys.exit(main())
