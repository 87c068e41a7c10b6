"""The jobs of a batch, one for each recording of a folder tree, and which files are complete."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from jambatalk.errors import BatchError, ModelError
from jambatalk.export import FORMATS
from jambatalk.face.library import checkpoint_heads
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.files.plain import read_json
from jambatalk.files.unfinished import whole_file
from jambatalk.motion.mood import MOODS, SteadyMood, check_mood
from jambatalk.motion.motion import check_fps
from jambatalk.motion.nonverbal import Nonverbal, check_seed
from jambatalk.render.view import View
from jambatalk.speech import MAX_SECONDS

# Suffixes of recordings among the other files of a folder; ffmpeg reads them all.
# fmt: off
RECORDINGS = (
    ".wav", ".w64", ".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".aac", ".m4a", ".amr",
    ".ogg", ".oga", ".opus", ".mp4", ".m4v", ".mov", ".3gp", ".mka", ".mkv", ".webm", ".avi",
    ".asf", ".wma", ".wmv", ".ts",
)
# fmt: on
VIDEO = ".mp4"
CHECKPOINT_FILES = (".json", ".safetensors", ".npz")
STATE = ".jambatalk"  # folder in the results, with the record of complete files


@dataclass(frozen=True)
class Settings:
    """Options for all recordings.

    Attributes:
        styles: one file each; by default the neutral one. Own styles may be given as their files.
        own_styles: files of those among `styles` that are not the checkpoint's.
        formats: suffixes, ".mp4" and those of :data:`jambatalk.export.FORMATS`.
        strength, head, nonverbal, seed, mood: see :meth:`jambatalk.TalkingHead.animate`.
        fps: frame rate of the exports, by default the model's.
        view: of the videos.
        max_seconds: the longest recording accepted.
        checkpoint: a folder, or a name on the hub.
        device: see :meth:`jambatalk.TalkingHead.from_pretrained`.
    """

    styles: tuple[str, ...] = ()
    own_styles: tuple[str, ...] = ()
    formats: tuple[str, ...] = (VIDEO,)
    strength: float = 1.0
    head: str = "1"
    nonverbal: Nonverbal = Nonverbal()  # noqa: RUF009  frozen
    seed: int = 0
    mood: SteadyMood = MOODS[0]
    fps: float | None = None
    view: View = View()  # noqa: RUF009  frozen
    max_seconds: float = MAX_SECONDS
    checkpoint: str = str(DEFAULT_CHECKPOINT)
    device: str = "auto"


@dataclass(frozen=True)
class Output:
    """One file to write.

    Attributes:
        path: where to write it.
        style: of the motion.
        key: digest of the recording's state and of all settings that this file depends on.
    """

    path: Path
    style: str
    key: str


@dataclass(frozen=True)
class Job:
    """One recording, and the files to write for it.

    Attributes:
        name: path relative to the folder of recordings.
        recording: its path. size: of that file, bytes.
        outputs: one file for each style and format.
        results: folder of all results.
        fault: why it cannot be run, where `name` is a folder that cannot be searched.
    """

    name: str
    recording: Path
    size: int
    outputs: tuple[Output, ...]
    results: Path
    fault: str = ""

    def missing(self) -> list[Output]:
        """Return the outputs that do not exist, or were made from other input."""
        complete = self._complete()
        return [
            output
            for output in self.outputs
            if complete.get(output.path.name) != output.key or not os.path.isfile(output.path)
        ]

    def mark_complete(self, output: Output) -> None:
        """Record that this output is complete."""
        complete = self._complete() | {output.path.name: output.key}
        with whole_file(self._record, BatchError) as unfinished:
            unfinished.write_text(json.dumps(complete, indent=1))

    @property
    def _record(self) -> Path:
        return self.results / STATE / self.name / "complete.json"

    def _complete(self) -> dict[str, str]:
        """Return file name → key."""
        try:
            complete = read_json(self._record, BatchError)
        except BatchError:  # none yet, or damaged
            return {}
        return complete if isinstance(complete, dict) else {}


@contextmanager
def alone_in(results: Path) -> Iterator[None]:
    """Keep other batches out of a folder of results.

    Raises:
        BatchError: another one is at work there, or it cannot be written to.
    """
    try:
        (results / STATE).mkdir(parents=True, exist_ok=True)
        lock = FileLock(results / STATE / "lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise BatchError(
            f"Another batch is at work in {results}.", "Wait for its end, or choose another folder."
        ) from error
    except OSError as error:
        raise BatchError(
            f"The folder {results} cannot be written to ({error.strerror}).",
            "Choose another folder.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def plan(recordings: Path, results: Path, settings: Settings) -> tuple[list[Job], Settings]:
    """Return the jobs for a folder tree, and the settings with all names resolved.

    `sub/hello.wav` becomes `sub/hello.wav.STYLE.FORMAT`, so that no two recordings share a name.

    Raises:
        BatchError: no recordings, an unknown format or frame rate, results inside the
            recordings, or a folder that cannot be written to.
        ModelError: no such checkpoint, style or strength.
        FaceError, MotionError: no such head, or no valid seed.
    """
    recordings, results = recordings.resolve(), results.resolve()
    if not recordings.is_dir():
        raise BatchError(f"There is no folder {recordings}.", "Check the name.")
    if results.is_relative_to(recordings):
        raise BatchError(
            f"The results in {results} would lie among the recordings.", "Choose another folder."
        )
    existing = next(folder for folder in (results, *results.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise BatchError(f"The folder {results} cannot be written to.", "Choose another folder.")
    settings, checkpoint_key = _resolved(settings)
    unreadable: list[OSError] = []
    jobs = []
    for path in _recordings(recordings, unreadable.append):
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
        jobs.append(Job(name.as_posix(), path, state[0], outputs, results))
    for error in unreadable:
        path = Path(error.filename)
        fault = f"The folder '{path}' cannot be searched ({error.strerror}). Open it to this user."
        jobs.append(Job(path.relative_to(recordings).as_posix(), path, 0, (), results, fault))
    if not jobs:
        raise BatchError(
            f"There are no recordings in {recordings}.",
            f"These suffixes are read: {' '.join(RECORDINGS)}",
        )
    return jobs, settings


def _resolved(settings: Settings) -> tuple[Settings, str]:
    """Check all settings; return them with full names, and a digest of the checkpoint."""
    from jambatalk.model.checkpoint import fetch_checkpoint
    from jambatalk.model.speaking_style import check_strength
    from jambatalk.networks.checkpoint import read_any_config
    from jambatalk.styles.own_style import is_style_file

    check_strength(settings.strength)
    check_seed(settings.seed)
    check_mood(settings.mood)
    if settings.fps is not None:
        check_fps(settings.fps)
    formats = tuple(dict.fromkeys(settings.formats))
    if not formats:
        raise BatchError("There is no format to write.", "Leave --formats out for mp4.")
    if unknown := set(formats) - {VIDEO, *FORMATS}:
        known = ", ".join(name.removeprefix(".") for name in (VIDEO, *FORMATS))
        raise BatchError(
            f"There is no format '{min(unknown).removeprefix('.')}'.", f"Choose among {known}."
        )
    folder = fetch_checkpoint(settings.checkpoint)
    config = read_any_config(folder)
    files = [Path(style).resolve() for style in settings.styles if is_style_file(style)]
    named = [Path(style).stem if is_style_file(style) else style for style in settings.styles]
    styles = tuple(dict.fromkeys(named)) or config.styles[:1]
    for path in files:
        if not path.is_file():
            raise ModelError(f"There is no style '{path}'.", "Check the name.")
    if unknown := set(styles) - {*config.styles, *(path.stem for path in files)}:
        raise ModelError(
            f"There is no style '{min(unknown)}'.", f"Choose from {', '.join(config.styles)}."
        )
    local = Path(settings.checkpoint).is_dir()
    settings = replace(
        settings,
        styles=styles,
        own_styles=tuple(str(path) for path in dict.fromkeys(files)),
        formats=formats,
        head=checkpoint_heads(folder).load(settings.head).name,
        # workers may have another working directory
        checkpoint=str(folder.resolve()) if local else settings.checkpoint,
    )
    return settings, _content(folder, files)


def _recordings(folder: Path, on_error: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield the recordings in alphabetical order, without hidden files and folders."""
    for parent, folders, files in os.walk(folder, onerror=on_error):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in RECORDINGS:
                yield Path(parent, name)


def _file_name(style: str) -> str:
    return quote(style, safe="").replace(".", "%2E")  # no dots: `a.b` + `c` is not `a` + `b.c`


def _state(path: Path) -> tuple[int, int]:
    """Return size and time of modification, or zeros; an unreadable file is reported when read."""
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_size, state.st_mtime_ns


def _key(
    recording: tuple[int, int], style: str, suffix: str, settings: Settings, checkpoint_key: str
) -> str:
    content = {
        "recording": recording,
        "checkpoint": checkpoint_key,
        "style": [style, settings.strength],
        "head": settings.head,
        "nonverbal": [asdict(settings.nonverbal), settings.seed],
        "mood": settings.mood,
        "fps": settings.fps if suffix != VIDEO else None,
        "view": asdict(settings.view) if suffix == VIDEO else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _content(folder: Path, own_styles: Sequence[Path]) -> str:
    """Return a digest of a checkpoint's files and of own styles."""
    digest = hashlib.sha256()
    files = sorted(path for path in folder.rglob("*") if path.suffix in CHECKPOINT_FILES)
    names = [path.relative_to(folder).as_posix() for path in files]
    for name, path in zip(
        [*names, *(path.name for path in own_styles)], [*files, *own_styles], strict=True
    ):
        digest.update(name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
