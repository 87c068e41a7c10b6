"""GRID: audio, alignments and tracked faces, of speaker 1 and of the others.

The format is that of `captured.grid_corpus`.
"""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError, NotInstalledError
from jambatalk.speech import Speech
from recipes.checkpoint.corpus.align import Aligner
from recipes.checkpoint.corpus.phone_times import PAUSES
from recipes.checkpoint.prepare_data.track_landmarks import TrackedFace, Tracker
from recipes.checkpoint.prepare_data.transcode import transcode

log = logging.getLogger(__name__)

SPEAKER = "s1"
SPEAKER_FOLDER = re.compile(r"s\d+")
TICKS = 25_000  # time units per second of .align files
FPS = 25.0


def convert_grid(download: Path, data: Path, face_landmarker: Path | None) -> int:
    """Convert all clips and return their number.

    Speaker 1 goes to `grid_s1`, the others to `grid_speakers`, where clips are SPEAKER_CLIP.

    Args:
        face_landmarker: MediaPipe's model file.

    Raises:
        DataError: the download is incomplete.
        NotInstalledError: MediaPipe is missing.
    """
    videos, alignments = _find(download, "mpg"), _find(download, "align")
    clips = sorted(set(videos) & set(alignments))
    own = [clip for clip in clips if clip.startswith(f"{SPEAKER}_")]
    if not own:
        raise DataError(f"There are no {SPEAKER}/*.mpg with *.align in {download}.")
    others = [clip for clip in clips if clip not in own]
    short = {clip.removeprefix(f"{SPEAKER}_"): clip for clip in own}
    for folder, names in (("grid_s1", short), ("grid_speakers", {clip: clip for clip in others})):
        _convert_clips(
            {name: videos[clip] for name, clip in names.items()},
            {name: alignments[clip] for name, clip in names.items()},
            data / folder,
            face_landmarker,
        )
    return len(clips)


def _convert_clips(
    videos: dict[str, Path], alignments: dict[str, Path], folder: Path, face_landmarker: Path | None
) -> None:
    """Convert clips, name → files, into a folder; what is there already is left as it is."""
    clips = sorted(videos)
    if not clips:
        return
    for clip in clips:
        transcode(videos[clip], folder / "audio" / f"{clip}.opus")
    if not (folder / "alignments.json").exists():
        words = {clip: read_align(alignments[clip]) for clip in clips}
        phones = _align_phones(folder / "audio", words)
        aligned = {clip: {"words": words[clip], "phones": phones[clip]} for clip in clips}
        (folder / "alignments.json").write_text(json.dumps(aligned))
    if not (folder / "motion.npz").exists():
        tracker = Tracker(face_landmarker)
        write_motion(folder, {clip: tracker(videos[clip], FPS) for clip in clips})


def read_align(path: Path) -> list[tuple[str, float, float]]:
    """Read the words of an .align file: [(word, start, end), ...] in seconds.

    Raises:
        DataError: the file is not of this format.
    """
    try:
        rows = [
            line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
        ]
        return [(word, int(start) / TICKS, int(end) / TICKS) for start, end, word in rows]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a GRID alignment ({error}).") from error


def write_motion(folder: Path, faces: dict[str, TrackedFace]) -> None:
    """Write `motion.npz` from the tracked faces of all clips."""
    tracked = list(faces.values())
    np.savez_compressed(
        folder / "motion.npz",
        clip=np.array(list(faces)),
        frames=np.array([len(face.tracked) for face in tracked]),
        fps=np.float32(FPS),
        landmarks=np.concatenate([face.landmarks for face in tracked]),
        landmark_index=np.array(tracked[0].index),
        lips=np.concatenate([face.lips for face in tracked]),
        lips_names=np.array(["lip_open", "lip_width"]),
        tracked=np.concatenate([face.tracked for face in tracked]),
    )


def _find(download: Path, ending: str) -> dict[str, Path]:
    """Find the speakers' files with an ending: SPEAKER_CLIP → path."""
    found = {}
    for path in sorted(download.rglob(f"*.{ending}")):
        for part in path.relative_to(download).parts[:-1]:
            if SPEAKER_FOLDER.fullmatch(part):
                found[f"{part}_{path.stem}"] = path
    return found


def _align_phones(
    audio: Path, words: dict[str, list[tuple[str, float, float]]]
) -> dict[str, list | None]:
    """Align the phones of all clips, None where that fails; see `corpus.phone_times`."""
    try:
        aligner = Aligner()
    except NotInstalledError as error:
        log.warning("The clips get no phone times: %s", error)
        return dict.fromkeys(words)
    aligned: dict[str, list | None] = {}
    for clip, rows in words.items():
        text = " ".join(word for word, *_ in rows if word not in PAUSES)
        try:
            phones = aligner(Speech.read(audio / f"{clip}.opus").samples, text)
        except DataError as error:
            log.info("%s gets no phone times: %s", clip, error)
            aligned[clip] = None
            continue
        rows_of_phones = [
            (f"{phone.name}{phone.stress or ''}", phone.start, phone.duration) for phone in phones
        ]
        aligned[clip] = [(text, 0.0, phones[-1].end, rows_of_phones)]
    return aligned
