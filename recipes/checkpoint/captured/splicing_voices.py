"""Voices whose words are spliced under lips without sound: speaker 1's and synthetic ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from recipes.checkpoint.captured.lip_clips import Encode
from recipes.checkpoint.captured.spliced_pairs import SplicingVoice, read_words, timed_words
from recipes.checkpoint.corpus.align import Aligner
from recipes.checkpoint.corpus.recording import Recording


def speaker_1(data: Path, features: Mapping[str, Tensor]) -> SplicingVoice:
    """Return the voice of GRID's speaker 1, whose recordings have these features."""
    spoken = read_words(data / "grid_s1")
    words = timed_words({name: spoken[name] for name in features if name in spoken})
    return SplicingVoice(words, features)


def synthetic_voices(recordings: Iterable[Recording], encode: Encode) -> list[SplicingVoice]:
    """Return a voice for each speaker of the corpus' GRID commands."""
    by_speaker: dict[str, list[Recording]] = {}
    for recording in recordings:
        by_speaker.setdefault(recording.speaker, []).append(recording)
    if not by_speaker:
        return []
    align = Aligner()
    return [
        SplicingVoice(
            timed_words({r.name: align.words(r.samples, r.text) for r in found}),
            {r.name: encode(r.key, r.samples) for r in found},
        )
        for found in by_speaker.values()
    ]
