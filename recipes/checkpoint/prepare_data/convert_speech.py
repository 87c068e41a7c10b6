"""LibriSpeech, speechocean762 and LibriVox: recordings without motion, for the corpus."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from jambatalk.errors import DataError
from recipes.checkpoint.prepare_data.transcode import transcode

UTTERANCES = 5  # of each speaker of speechocean762, evenly spaced
TABLES = ("wav.scp", "text", "utt2spk", "spk2age", "spk2gender")  # of a Kaldi data folder


def convert_librispeech(download: Path, data: Path) -> int:
    """Convert the first utterance of each speaker; return how many there are.

    Raises:
        DataError: the download holds no recordings.
    """
    first: dict[str, Path] = {}
    for path in sorted(download.rglob("*-*-*.flac"), key=lambda path: _numbers(path.stem)):
        first.setdefault(path.stem.split("-")[0], path)
    if not first:
        raise DataError(f"There are no recordings in {download}.")
    for path in first.values():
        transcode(path, data / "speech" / "librispeech" / path.name)
    return len(first)


def convert_speechocean762(download: Path, data: Path) -> int:
    """Convert `UTTERANCES` of each speaker and write `transcripts.tsv`; return their number.

    Raises:
        DataError: the download is incomplete.
    """
    folder = data / "speech" / "speechocean762"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for split in ("train", "test"):
        root, tables = _read_kaldi(download, split)
        utterances = defaultdict(list)
        for utterance, speaker in sorted(tables["utt2spk"].items()):
            utterances[speaker].append(utterance)
        for speaker, names in sorted(utterances.items()):
            for name in _evenly(names, UTTERANCES):
                target = folder / f"{name}.opus"
                try:
                    source = root / tables["wav.scp"][name]
                    text, age = tables["text"][name], tables["spk2age"][speaker]
                    gender = tables["spk2gender"][speaker]
                except KeyError as error:
                    raise DataError(f"{root / split} lacks an entry for {error}.") from error
                transcode(source, target)
                rows.append((target.name, speaker, age, gender, text))
    with (folder / "transcripts.tsv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(("file", "speaker", "age", "gender", "text"))
        writer.writerows(rows)
    return len(rows)


def convert_librivox(download: Path, data: Path) -> int:
    """Copy recordings that come with phone times; return their number.

    Raises:
        DataError: the download holds none.
    """
    folder = data / "speech" / "librivox_phones"
    pairs = list(_with_phones(download))
    if not pairs:
        raise DataError(f"There are no *.phone.json beside *.wav in {download}.")
    folder.mkdir(parents=True, exist_ok=True)
    for phones, audio in pairs:
        shutil.copyfile(audio, folder / audio.name)
        shutil.copyfile(phones, folder / phones.name)
    return len(pairs)


def _with_phones(download: Path) -> Iterator[tuple[Path, Path]]:
    for phones in sorted(download.rglob("*.phone.json")):
        audio = phones.with_name(phones.name.replace(".phone.json", ".wav"))
        if audio.is_file():
            yield phones, audio


def _read_kaldi(download: Path, split: str) -> tuple[Path, dict[str, dict[str, str]]]:
    """Read the tables of a split: the root of its paths, and table → key → value."""
    found = sorted(download.rglob(f"{split}/wav.scp"))
    if not found:
        raise DataError(f"There is no {split}/wav.scp in {download}.")
    folder = found[0].parent
    try:
        return folder.parent, {
            table: dict(
                line.split(maxsplit=1)
                for line in (folder / table).read_text(encoding="utf-8").splitlines()
                if line.strip()
            )
            for table in TABLES
        }
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} is not a Kaldi data folder ({error}).") from error


def _evenly(names: list[str], count: int) -> list[str]:
    """Choose up to `count` names, evenly spaced."""
    return [names[i * len(names) // count] for i in range(count)] if len(names) > count else names


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("-") if part.isdigit())
