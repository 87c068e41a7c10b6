"""Lip aperture in many phones: `python benchmarks/held_out_phones.py --corpus CORPUS`.

The phone rows of `python -m recipes.checkpoint.evaluation` on the English recordings that the
corpus holds out by speaker and whose text is known. They have ten times as many phones as
LibriVox's recordings with phone times, but times of the aligner.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from jambatalk import Speech, TalkingHead
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.corpus.recording import Recording, read_corpus
from recipes.checkpoint.evaluation.phone_rows import phone_rows
from recipes.checkpoint.evaluation.phone_statistics import PhoneStatistics, measure_phones

TIMED = ("given", "text")  # with the recording, or aligned with its transcript


def held_out_english(corpus: Path) -> list[Recording]:
    """Read the held-out English recordings whose phones were not recognised."""
    return [
        recording
        for recording in read_corpus(corpus, "held_out")
        if recording.language == "en" and recording.timing in TIMED
    ]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    options = parser.parse_args()
    recordings = held_out_english(options.corpus)
    head = TalkingHead.from_pretrained(options.checkpoint)
    statistics = measure_phones(
        head,
        [
            (Speech.from_array(recording.samples, SAMPLE_RATE, recording.name), recording.phones)
            for recording in recordings
        ],
    )
    print("| metric | value | measured on |\n|---|---|---|")
    for row in phone_rows(statistics, PhoneStatistics()):
        sample = row.sample.split(" of ")[0]
        note = "; ".join(part for part in (sample, row.note) if part)
        print(f"| {row.metric} | {row.format(row.value)} | {note} |")
    print(f"\n{len(recordings)} recordings of {len({r.speaker for r in recordings})} speakers")


if __name__ == "__main__":
    main()
