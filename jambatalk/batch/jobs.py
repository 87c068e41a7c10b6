"""What is to be done: a job for each recording of a folder tree, and what of it is done already."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote

from jambatalk.errors import BatchError, ModelError
from jambatalk.export import FORMATS
from jambatalk.face.library import checkpoint_heads
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.motion.nonverbal import Nonverbal, check_seed
from jambatalk.render.view import View
from jambatalk.speech import MAX_SECONDS

# By these a recording is known among the other files of a folder; ffmpeg reads them all.
RECORDINGS = (
    *(".wav", ".w64", ".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".aac", ".m4a", ".amr"),
    *(".ogg", ".oga", ".opus", ".mp4", ".m4v", ".mov", ".3gp", ".mka", ".mkv", ".webm", ".avi"),
    *(".asf", ".wma", ".wmv", ".ts"),
)
VIDEO = ".mp4"
CONTENT = (".json", ".safetensors", ".npz")  # of a checkpoint: network, names, heads
STATE = ".jambatalk"  # the folder of the results that holds what a later run must know


@dataclass(frozen=True)
class Settings:
    """How every recording is animated.

    Attributes:
        styles: each in a file of its own; none for the neutral one.
        formats: suffixes, ".mp4" and those of :data:`jambatalk.export.FORMATS`.
        strength, head, nonverbal, seed: see :meth:`jambatalk.TalkingHead.animate`.
        view: of the videos.
        max_seconds: the longest recording taken.
        checkpoint: a folder, or a name on the hub. device: where the network runs.
    """

    styles: tuple[str, ...] = ()
    formats: tuple[str, ...] = (VIDEO,)
    strength: float = 1.0
    head: str = "1"
    nonverbal: Nonverbal = Nonverbal()  # noqa: RUF009  frozen
    seed: int = 0
    view: View = View()  # noqa: RUF009  frozen
    max_seconds: float = MAX_SECONDS
    checkpoint: str = str(DEFAULT_CHECKPOINT)
    device: str = "cpu"


@dataclass(frozen=True)
class Output:
    """One file that is wanted.

    Attributes:
        path: where it will lie.
        style: in which the recording is spoken.
        key: changes whenever the recording or a setting does on which this file depends.
    """

    path: Path
    style: str
    key: str


@dataclass(frozen=True)
class Job:
    """One recording, and the files wanted of it.

    Attributes:
        name: its path below the folder of recordings.
        recording: its path. size: of that file, bytes.
        outputs: for each style one file a format.
        folder: its own, for what is unfinished and for the record of what is complete.
    """

    name: str
    recording: Path
    size: int
    outputs: tuple[Output, ...]
    folder: Path

    def missing(self) -> list[Output]:
        """The outputs that are not there, or are not of this recording and these settings."""
        made = self._made()
        return [o for o in self.outputs if made.get(o.path.name) != o.key or not _is_file(o.path)]

    def record(self, output: Output) -> None:
        """From now on this output is complete."""
        made = self._made() | {output.path.name: output.key}
        unfinished = self._record.with_suffix(".new")
        unfinished.write_text(json.dumps(made, indent=1))
        unfinished.replace(self._record)

    @property
    def workplace(self) -> Path:
        """A folder for files that are not complete."""
        return self.folder / "unfinished"

    @property
    def _record(self) -> Path:
        return self.folder / "made.json"

    def _made(self) -> dict[str, str]:
        """File name → key."""
        try:
            made = json.loads(self._record.read_text())
        except (OSError, ValueError):  # none yet, or damaged: it is made anew
            return {}
        return made if isinstance(made, dict) else {}


def plan(recordings: Path, results: Path, settings: Settings) -> tuple[list[Job], Settings]:
    """The jobs for a folder tree, and the settings with every name resolved.

    `sub/hello.wav` becomes `sub/hello.wav.STYLE.FORMAT`: no two recordings share a name.

    Raises:
        BatchError: there are no recordings, an unknown format, folders within each other, or
            results that cannot be written.
        ModelError: no such checkpoint, style or strength.
        FaceError, MotionError: no such head or seed.
    """
    recordings, results = recordings.resolve(), results.resolve()
    if not recordings.is_dir():
        raise BatchError(f"There is no folder {recordings}.", "Check the name.")
    if results.is_relative_to(recordings):
        raise BatchError(
            f"The results in {results} would lie among the recordings.", "Choose another folder."
        )
    there = next(folder for folder in (results, *results.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise BatchError(f"Nothing can be written into {results}.", "Choose another folder.")
    settings, checkpoint_key = _resolved(settings)
    jobs = []
    for path in _recordings(recordings):
        name, state = path.relative_to(recordings), _state(path)
        outputs = tuple(
            Output(
                (results / name).with_name(f"{name.name}.{_file_name(style)}{suffix}"),
                style,
                _key(state, style, suffix, settings, checkpoint_key),
            )
            for style in settings.styles
            for suffix in settings.formats
        )
        jobs.append(Job(name.as_posix(), path, state[0], outputs, results / STATE / name))
    if not jobs:
        raise BatchError(
            f"There are no recordings in {recordings}.",
            f"They are known by their suffixes: {' '.join(RECORDINGS)}",
        )
    return jobs, settings


def _resolved(settings: Settings) -> tuple[Settings, str]:
    """The settings with all names checked, and a key for the checkpoint's content."""
    from jambatalk.model.checkpoint import fetch_checkpoint, read_config
    from jambatalk.model.jambatalk import check_strength

    check_strength(settings.strength)
    check_seed(settings.seed)
    formats = tuple(dict.fromkeys(settings.formats))
    if not formats:
        raise BatchError("There is no format to write.", "Leave --formats out for mp4.")
    if unknown := set(formats) - {VIDEO, *FORMATS}:
        known = ", ".join(name.removeprefix(".") for name in (VIDEO, *FORMATS))
        raise BatchError(
            f"There is no format '{min(unknown).removeprefix('.')}'.", f"Choose among {known}."
        )
    folder = fetch_checkpoint(settings.checkpoint)
    config = read_config(folder)
    styles = tuple(dict.fromkeys(settings.styles)) or config.styles[:1]
    if unknown := set(styles) - set(config.styles):
        raise ModelError(
            f"There is no style '{min(unknown)}'.", f"Choose from {', '.join(config.styles)}."
        )
    local = Path(settings.checkpoint).is_dir()
    settings = replace(
        settings,
        styles=styles,
        formats=formats,
        head=checkpoint_heads(folder).load(settings.head).name,
        # workers are in folders, and on machines, of their own
        checkpoint=str(folder.resolve()) if local else settings.checkpoint,
    )
    return settings, _content(folder)


def _recordings(folder: Path) -> Iterator[Path]:
    """In alphabetical order; hidden files and folders are left alone."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in RECORDINGS:
                yield Path(parent, name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the disk does not answer: what fails then is noted
        return False


def _file_name(style: str) -> str:
    return quote(style, safe="").replace(".", "%2E")  # no dots: `a.b` + `c` is not `a` + `b.c`


def _state(path: Path) -> tuple[int, int]:
    """Size and time of change, by which rsync too knows a file; zeros if it cannot be looked at,
    which is said when it is read."""
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_size, state.st_mtime_ns


def _key(
    recording: tuple[int, int], style: str, suffix: str, settings: Settings, checkpoint_key: str
) -> str:
    about = {
        "recording": recording,
        "checkpoint": checkpoint_key,
        "style": [style, settings.strength],
        "head": settings.head,
        "alive": [asdict(settings.nonverbal), settings.seed],
        "view": asdict(settings.view) if suffix == VIDEO else None,
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]


def _content(folder: Path) -> str:
    """A digest of a checkpoint's files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in CONTENT):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
