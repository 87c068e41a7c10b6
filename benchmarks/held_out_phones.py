"""What lips do in many sounds: `python benchmarks/held_out_phones.py --corpus CORPUS`.

The rows of `python -m recipes.checkpoint.evaluation` in sounds of English, on the recordings that
the corpus holds out by speaker and whose text is known. There are ten times as many sounds as in
LibriVox's recordings with phone times, but the aligner placed them.
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


def heard(corpus: Path) -> list[Recording]:
    """English that no training heard, with times that nobody had to recognise."""
    return [
        recording
        for recording in read_corpus(corpus, "held_out")
        if recording.language == "en" and recording.timing in TIMED
    ]


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    options = parser.parse_args()
    recordings = heard(options.corpus)
    head = TalkingHead.from_pretrained(options.checkpoint)
    spoken = [
        (Speech.from_array(recording.samples, SAMPLE_RATE, recording.name), recording.phones)
        for recording in recordings
    ]
    found = measure_phones(head, spoken)
    print("| measure | here | sounds |\n|---|---|---|")
    for row in phone_rows(found, PhoneStatistics()):
        of = row.sample.split(" of ")[0]
        print(
            f"| {row.metric} | {row.format(row.value)} | {'; '.join(filter(None, (of, row.note)))} |"
        )
    print(f"\n{len(recordings)} recordings of {len({r.speaker for r in recordings})} speakers")


if __name__ == "__main__":
    main()
