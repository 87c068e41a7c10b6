"""The videos of a study: checked, and copied under names that tell nothing."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from jambatalk.errors import DataError, abbreviate
from jambatalk.files.ffmpeg import (
    INPUT_LIMITS,
    INSTALL,
    MAX_ALLOC,
    explain,
    ffmpeg_path,
    ffmpeg_program,
)
from jambatalk.files.regular import check_file
from jambatalk.progress import Progress, no_progress

SUFFIX = ".mp4"
KIND = "a video (.mp4)"
CURE = "Convert it: ffmpeg -i FILE -c:v libx264 -pix_fmt yuv420p -c:a aac NEW.mp4."
LARGEST = 500 << 20  # bytes of a video
MOST = 5000  # videos
TIMEOUT = 120.0  # seconds for one
ALIKE = 0.5  # seconds by which videos of a sentence may differ
SHORTEST, LONGEST = 0.5, 120.0  # seconds of a sentence
OTHER = " (other sentence)"  # what a system's name is followed by where its lips are of another one


@dataclass(frozen=True)
class Videos:
    """What participants see.

    Attributes:
        systems, sentences: their names.
        files: (system, sentence) → the copy.
        checks: sentence → the system, and a copy with its sound and the lips of another sentence.
    """

    systems: tuple[str, ...]
    sentences: tuple[str, ...]
    files: Mapping[tuple[str, str], Path]
    checks: Mapping[str, tuple[str, Path]]


def prepare_videos(
    folders: Mapping[str, Path],
    checks: int,
    seed: int,
    output: Path,
    progress: Progress = no_progress,
) -> Videos:
    """Check and copy the videos of several systems, without what else their files tell.

    Args:
        folders: system → folder of .mp4 (H.264 and AAC or MP3); equal names belong together.
        checks: sentences for which an attention check is made, of the first system's videos.
        seed: of their choice.
        output: an existing folder for the copies, whose names are random.

    Raises:
        DataError: folders that do not fit each other, or a file that browsers do not play.
    """
    found = {system: _list(folder) for system, folder in folders.items()}
    sentences = _common(found)
    if checks and len(sentences) < 2:
        raise DataError(
            "An attention check needs the lips of another sentence, and there is only one.",
            "Give more sentences, or --checks 0.",
        )
    files: dict[tuple[str, str], Path] = {}
    seconds: dict[tuple[str, str], float] = {}
    for done, sentence in enumerate(sentences):
        progress("Checking videos", done / len(sentences))
        for system, paths in found.items():
            key, source = (system, sentence), paths[sentence]
            files[key], seconds[key] = _copy(source, source, output)
        _check_lengths(sentence, {system: seconds[system, sentence] for system in found})
    first = next(iter(found))
    swapped = {}
    for sentence in Random(f"{seed} checks").sample(sentences, min(checks, len(sentences))):
        others = [other for other in sentences if other != sentence]
        length = seconds[first, sentence]
        lips = min(others, key=lambda other: abs(seconds[first, other] - length))
        swapped[sentence] = first, _copy(found[first][lips], found[first][sentence], output)[0]
    progress("Checking videos", 1.0)
    return Videos(tuple(found), tuple(sentences), files, swapped)


def _list(folder: Path) -> dict[str, Path]:
    """List the videos of a folder: sentence → file."""
    if not folder.is_dir():
        raise DataError(f"There is no folder '{folder}'.", "Give a folder of videos per system.")
    visible = (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    videos = {path.stem: path for path in visible if path.suffix.lower() == SUFFIX}
    if not videos:
        raise DataError(f"There are no videos (.mp4) in '{folder}'.", "Give one a sentence.")
    return videos


def _common(found: Mapping[str, Mapping[str, Path]]) -> list[str]:
    """Return the sentences, which all systems must have."""
    every = sorted(set().union(*found.values()))
    for system, videos in found.items():
        if missing := [f"{name}{SUFFIX}" for name in every if name not in videos]:
            raise DataError(
                f"'{system}' lacks {abbreviate(missing)}, which another folder has.",
                "Give every folder videos of the same names.",
            )
    if len(every) * len(found) > MOST:
        raise DataError(f"{len(every) * len(found)} videos are too many.", f"Give {MOST} at most.")
    return every


def _check_lengths(sentence: str, seconds: Mapping[str, float]) -> None:
    short, long = min(seconds, key=seconds.__getitem__), max(seconds, key=seconds.__getitem__)
    if seconds[long] - seconds[short] > ALIKE:
        raise DataError(
            f"'{sentence}{SUFFIX}' lasts {seconds[short]:.1f} s in '{short}' and "
            f"{seconds[long]:.1f} s in '{long}'.",
            "Equal names must be the same sentence: cut or rename them.",
        )


def _copy(video: Path, sound: Path, folder: Path) -> tuple[Path, float]:
    """Copy the picture of one video and the sound of another; return the file and its seconds."""
    check_file(video, DataError, KIND, CURE, LARGEST)
    copy = folder / f"{secrets.token_urlsafe(12)}{SUFFIX}"
    command = [ffmpeg_program(DataError), "-hide_banner", "-nostats", "-nostdin", *MAX_ALLOC]
    for path in (video, sound):
        command += [*INPUT_LIMITS, "-i", ffmpeg_path(path)]
    command += ["-map", "0:v:0", "-map", "1:a:0", "-c", "copy", "-map_metadata", "-1"]
    command += ["-map_chapters", "-1", "-shortest", "-movflags", "+faststart", str(copy)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as cause:
        raise DataError(f"'{video}' took too long to read.", CURE) from cause
    except OSError as cause:
        raise DataError(f"ffmpeg could not be started ({cause.strerror}).", INSTALL) from cause
    said = done.stderr.decode(errors="replace")
    if done.returncode:
        raise DataError(f"'{video}' is no video with sound ({explain(done.stderr)}).", CURE)
    if not (re.search(r"Video: h264\b", said) and re.search(r"Audio: (aac|mp3)\b", said)):
        raise DataError(
            f"'{video}' is not in H.264 with AAC or MP3, which all browsers play.", CURE
        )
    return copy, _seconds(said, video)


def _seconds(said: str, video: Path) -> float:
    found = re.search(r"Duration: (\d+):(\d+):(\d+\.\d+)", said)
    hours, minutes, rest = found.groups() if found else ("0", "0", "0")
    seconds = int(hours) * 3600 + int(minutes) * 60 + float(rest)
    if not SHORTEST <= seconds <= LONGEST:
        raise DataError(
            f"'{video}' lasts {seconds:.1f} s.", f"Give {SHORTEST:g} to {LONGEST:g} s a sentence."
        )
    return seconds
