"""The published splits of VOCASET and BIWI, by subject and sentence, and their topologies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jambatalk.data.dataset import Entry
from jambatalk.errors import DataError


class Split(NamedTuple):
    """Subjects and numbers of their sentences."""

    subjects: tuple[str, ...]
    sentences: range


# Cudeiro et al., "Capture, Learning, and Synthesis of 3D Speaking Styles", CVPR 2019.
_VOCASET_TRAIN = (
    "FaceTalk_170725_00137_TA",
    "FaceTalk_170728_03272_TA",
    "FaceTalk_170811_03274_TA",
    "FaceTalk_170904_00128_TA",
    "FaceTalk_170904_03276_TA",
    "FaceTalk_170912_03278_TA",
    "FaceTalk_170913_03279_TA",
    "FaceTalk_170915_00223_TA",
)
_VOCASET_VAL = ("FaceTalk_170811_03275_TA", "FaceTalk_170908_03277_TA")
_VOCASET_TEST = ("FaceTalk_170731_00024_TA", "FaceTalk_170809_00138_TA")
VOCASET = {
    "train": Split(_VOCASET_TRAIN, range(1, 41)),
    "val": Split(_VOCASET_VAL, range(21, 41)),
    "test": Split(_VOCASET_TEST, range(21, 41)),
    "all": Split(_VOCASET_TRAIN + _VOCASET_VAL + _VOCASET_TEST, range(1, 41)),
}

# Fan et al., "FaceFormer", CVPR 2022: "test-a" has other sentences of the training subjects,
# "test-b" other subjects. Haque and Yumak, "FaceXHuBERT", ICMI 2023: everybody's neutral and
# emotional sentences.
_BIWI_TRAINED = ("F2", "F3", "F4", "M3", "M4", "M5")
_BIWI_OTHERS = ("F1", "F5", "F6", "F7", "F8", "M1", "M2", "M6")
BIWI = {
    "train": Split(_BIWI_TRAINED, range(1, 33)),
    "val": Split(_BIWI_TRAINED, range(33, 37)),
    "test-a": Split(_BIWI_TRAINED, range(37, 41)),
    "test-b": Split(_BIWI_OTHERS, range(37, 41)),
    "all": Split(_BIWI_TRAINED + _BIWI_OTHERS, range(1, 41)),
    "both-train": Split(_BIWI_TRAINED + _BIWI_OTHERS, range(1, 37)),
    "both-val": Split(_BIWI_TRAINED + _BIWI_OTHERS, range(37, 39)),
    "both-test": Split(_BIWI_TRAINED + _BIWI_OTHERS, range(39, 41)),
}


def select_split(
    entries: Iterable[Entry], splits: Mapping[str, Split], name: str, where: str
) -> list[Entry]:
    """Return the recordings of a split. Single sentences may be missing, as in VOCASET itself.

    Args:
        entries: those of the whole set, listed only if the split exists.
        where: names the set in messages.

    Raises:
        DataError: an unknown split, or a subject without any recording.
    """
    if name not in splits:
        raise DataError(f"There is no split '{name}'.", f"Choose one of {', '.join(splits)}.")
    split = splits[name]
    selected = [
        entry
        for entry in entries
        if entry.subject in split.subjects and sentence_number(entry.name) in split.sentences
    ]
    missing = sorted(set(split.subjects) - {entry.subject for entry in selected})
    if missing:
        numbers = f"{split.sentences.start} to {split.sentences.stop - 1}"
        raise DataError(
            f"{where} has no recording (sentences {numbers}) of {', '.join(missing)}.",
            "Complete the set, or open it as 'folder' with other splits in dataset.json.",
        )
    return selected


def check_vertices(
    templates: Mapping[str, np.ndarray], counts: Sequence[int], name: str, folder: Path
) -> None:
    """Raise a DataError unless all templates have a number of vertices of the set `name`."""
    for subject, template in templates.items():
        if len(template) not in counts:
            raise DataError(
                f"The template of '{subject}' in {folder} has {len(template)} vertices, {name}'s "
                f"have {' or '.join(map(str, counts))}.",
                f"Check that it is {name}'s, or open the folder as 'folder'.",
            )


def is_emotional(name: str) -> bool:
    """Tell whether a recording of BIWI is of an emotional sentence, "F2_e07", not "F2_07"."""
    return name.rpartition("_")[2][:1] == "e"


def sentence_number(name: str) -> int | None:
    """Return the number at the end of a name: 7 for "F2_e07" and "..._sentence07"."""
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if digits else None
