"""The held-out recordings on which a checkpoint is evaluated."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from jambatalk.errors import DataError
from jambatalk.face.face import Face
from jambatalk.speech import Speech
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.grid_corpus import TrackedLips, read_grid, read_tracked_lips
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.captured.lip_clips import held_out_clip_names
from recipes.checkpoint.corpus.align import Aligner
from recipes.checkpoint.corpus.phone_times import read_grid_alignments, read_sphinx
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.corpus.speech_sources import split_of
from recipes.checkpoint.evaluation.tracked_speech import (
    TrackedSpeech,
    people_phones,
    read_address,
    read_clips,
    recognised_phones,
)

SUFFIXES = (".wav", ".flac", ".ogg", ".opus")


class HeldOutData:
    """Readers of the held-out recordings; each is read once.

    Args:
        folder: contains `grid_s1/`, `grid_speakers/`, `address/`, `facegood/` and `speech/`, as
            training reads it.
        face: captured motion is fitted to its blendshapes.

    Raises:
        DataError: (by all attributes) a part of the data is missing.
    """

    def __init__(self, folder: Path, face: Face) -> None:
        self.folder, self.face = folder, face

    @cached_property
    def grid_clips(self) -> list[Clip]:
        """GRID's held-out clips with their captured motion."""
        folder = self.folder / "grid_s1"
        return list(read_grid(folder, self.face, held_out_clips(folder)))

    @cached_property
    def grid_tracked(self) -> dict[str, TrackedSpeech]:
        """These clips with their tracked lips: name → recording."""
        folder = self.folder / "grid_s1"
        return {clip.name: clip for clip in read_clips(folder, held_out_clips(folder))}

    def all_tracked_lips(self) -> Mapping[str, TrackedLips]:
        """Read the tracked lips of all clips of GRID: name → lips."""
        return read_tracked_lips(self.folder / "grid_s1")

    @cached_property
    def grid_phones(self) -> dict[str, list[Phone]]:
        """The phones of all clips of GRID that could be aligned: name → phones."""
        timed = read_grid_alignments(self.folder / "grid_s1")
        return {name: transcript.phones for name, transcript in timed.items() if transcript.phones}

    @cached_property
    def people(self) -> list[TrackedSpeech]:
        """The clips of GRID's speakers of whom nothing is learned."""
        folder = self.folder / "grid_speakers"
        return read_clips(folder, held_out_clip_names(folder))

    @cached_property
    def people_phones(self) -> dict[str, list[Phone]]:
        """The phones of these clips, aligned with their text: name → phones.

        Raises:
            NotInstalledError: the aligner is missing.
        """
        return people_phones(self.folder / "grid_speakers", self.people)

    @cached_property
    def address(self) -> TrackedSpeech:
        """The fluent speech, of which nothing is learned."""
        return read_address(self.folder / "address")

    @cached_property
    def address_phones(self) -> list[Phone]:
        """Its recognised phones.

        Raises:
            NotInstalledError: the recogniser or the aligner is missing.
        """
        return recognised_phones(self.address.speech)

    @cached_property
    def facegood_takes(self) -> list[Clip]:
        """FACEGOOD's held-out takes with their captured motion."""
        takes = read_facegood(self.folder / "facegood", self.face)
        held_out = [take for take in takes if is_held_out_take(take.name)]
        if not held_out:
            raise DataError(
                f"The held-out take is not in {self.folder / 'facegood'}.", "Check --data."
            )
        return held_out

    @cached_property
    def librivox(self) -> list[tuple[Speech, list[Phone]]]:
        """English speech with phone times."""
        return [
            (Speech.read(path), read_sphinx(path.with_suffix(".phone.json")).phones)
            for path in self._files("librivox_phones")
        ]

    @cached_property
    def readers(self) -> list[tuple[int, Speech, list[Phone]]]:
        """Age, speech and phones, aligned with the text, of speechocean762's held-out speakers.

        Raises:
            NotInstalledError: the aligner is missing.
        """
        folder, aligner, readers = self.folder / "speech" / "speechocean762", Aligner(), []
        self._files(folder.name)
        with (folder / "transcripts.tsv").open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if split_of(row["speaker"]) == "held_out":
                    speech = Speech.read(folder / row["file"])
                    phones = aligner(speech.samples, row["text"])
                    readers.append((int(row["age"]), speech, phones))
        return readers

    @cached_property
    def librispeech(self) -> list[Speech]:
        """English speech without phone times; most of its speakers are in the corpus too."""
        return [Speech.read(path) for path in self._files("librispeech")]

    @property
    def held_out_librispeech(self) -> list[Speech]:
        """Its speakers that the corpus holds out."""
        return [s for s in self.librispeech if split_of(s.name.split("-")[0]) == "held_out"]

    @cached_property
    def multilingual(self) -> list[Speech]:
        """English and other languages; the names end in their language."""
        return [Speech.read(path) for path in self._files("multilingual")]

    def _files(self, name: str) -> list[Path]:
        folder = self.folder / "speech" / name
        found = sorted(path for path in folder.glob("*.*") if path.suffix in SUFFIXES)
        if not found:
            raise DataError(f"There are no recordings in {folder}.", "Check --data.")
        return found
