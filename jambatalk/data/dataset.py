"""A set of recordings: speech with its motion, read from disk one at a time.

What all sets have in common is done here: halving of frame rates, equal lengths, validation.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jambatalk.data.recording_files import MotionSource, SoundSource
from jambatalk.errors import DataError, abbreviate
from jambatalk.speech import SAMPLE_RATE

log = logging.getLogger(__name__)

FASTEST = 45.0  # frames a second: faster motion is halved
TOLERANCE = 0.5  # seconds by which sound and motion may differ; the longer is cut


@dataclass(frozen=True, eq=False)
class Recording:
    """One item of a :class:`Dataset`.

    Attributes:
        name: unique within its set.
        subject: name of the speaker.
        audio: (n,) float32, 16 kHz mono, as long as the motion.
        fps: frames a second of the motion.
        vertices: (T, V, 3) float32 in the set's own unit; None where weights were captured.
        weights: (T, K) float32, of the set's `blendshapes`; None where vertices were captured.
        template: (V, 3) float32, the subject's neutral face; None for weights.
    """

    name: str
    subject: str
    audio: np.ndarray
    fps: float
    vertices: np.ndarray | None = None
    weights: np.ndarray | None = None
    template: np.ndarray | None = None

    def __len__(self) -> int:
        """Frames, T."""
        motion = self.weights if self.vertices is None else self.vertices
        return 0 if motion is None else len(motion)

    def offsets(self, scale: float) -> np.ndarray:
        """Return the vertices' offsets from the template times `scale`, (T, V, 3) float32."""
        assert self.vertices is not None
        assert self.template is not None
        return (self.vertices - self.template) * np.float32(scale)


@dataclass(frozen=True)
class Entry:
    """Files of one recording, not read yet."""

    name: str
    subject: str
    sound: SoundSource
    motion: MotionSource


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[Recording]):
    """Recordings, read from disk when indexed; can be pickled for loader processes.

    Motion captured at more than 45 frames a second loses every second frame, as published for
    VOCASET (60 to 30). Where sound and motion differ by up to half a second, the longer is cut.

    Attributes:
        name: of the set and the split.
        entries: files of the recordings.
        captured_fps: frame rate on disk; `fps` is that of the recordings.
        templates: subject → (V, 3) float32, the neutral face; empty for weights.
        blendshapes: names of the K weights; empty for vertices.

    Raises:
        DataError: no recording, a subject without template, a wrong number of vertices, or sound
            and motion that differ by more than half a second.
    """

    name: str
    entries: Sequence[Entry]
    captured_fps: float
    templates: Mapping[str, np.ndarray] = field(default_factory=dict)
    blendshapes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.entries:
            raise DataError(f"There is no recording in '{self.name}'.", "Check folder and split.")
        for entry in self.entries if not self.blendshapes else ():
            self._check_vertices(entry)
        self._check_lengths()

    @property
    def fps(self) -> float:
        """Frame rate of the recordings."""
        return self.captured_fps / self._stride

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the subjects, sorted."""
        return tuple(sorted({entry.subject for entry in self.entries}))

    @property
    def vertex_count(self) -> int:
        """V, or 0 where weights were captured."""
        return len(next(iter(self.templates.values()))) if self.templates else 0

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Recording:  # type: ignore[override]  # no slices
        """Read one recording; raises DataError if it is unreadable or not finite."""
        entry = self.entries[index]
        audio = entry.sound.read()
        frames = min(self._frames(entry), int(len(audio) / SAMPLE_RATE * self.fps + 1e-6))
        motion = entry.motion.read(slice(0, frames * self._stride, self._stride))
        motion = np.ascontiguousarray(motion, np.float32)
        if not np.isfinite(motion).all():
            bad = int(np.flatnonzero(~np.isfinite(motion).reshape(frames, -1).all(1))[0])
            raise DataError(
                f"The motion of '{entry.name}' is not finite in frame {bad * self._stride} "
                f"({entry.motion.path}).",
                _leave_out(entry.name),
            )
        return Recording(
            name=entry.name,
            subject=entry.subject,
            audio=audio[: round(frames / self.fps * SAMPLE_RATE)],
            fps=self.fps,
            vertices=None if self.blendshapes else motion,
            weights=motion if self.blendshapes else None,
            template=self.templates.get(entry.subject),
        )

    def frame_count(self, index: int) -> int:
        """Estimate the frames of a recording from headers, to within one or two."""
        entry = self.entries[index]
        return min(self._frames(entry), int(entry.sound.seconds * self.fps + 1e-6))

    @property
    def _stride(self) -> int:
        return 2 if self.captured_fps > FASTEST else 1

    def _frames(self, entry: Entry) -> int:
        return -(-entry.motion.shape[0] // self._stride)

    def _check_vertices(self, entry: Entry) -> None:
        template = self.templates.get(entry.subject)
        if template is None:
            known = ", ".join(self.templates) or "none"
            raise DataError(
                f"There is no template of '{entry.subject}', the subject of '{entry.name}'.",
                f"Add the subject's neutral face to the templates (there are: {known}).",
            )
        count = entry.motion.shape[1]
        if count != len(template):
            raise DataError(
                f"{entry.motion.path} has {count} vertices, the template of '{entry.subject}' "
                f"{len(template)}.",
                "Both must have the same topology: check that they come from one set.",
            )

    def _check_lengths(self) -> None:
        differing = []
        for entry in self.entries:
            motion, sound = entry.motion.shape[0] / self.captured_fps, entry.sound.seconds
            if abs(motion - sound) > TOLERANCE:
                differing.append(f"'{entry.name}' (sound {sound:.2f} s, motion {motion:.2f} s)")
            elif min(motion, sound) < 1 / self.fps:
                raise DataError(f"'{entry.name}' is empty.", _leave_out(entry.name))
        if differing:
            raise DataError(
                f"In '{self.name}' the lengths of sound and motion differ by more than "
                f"{TOLERANCE} s: {abbreviate(differing, 3)}, at {self.captured_fps:g} frames "
                "a second.",
                "Check the frame rate. " + _leave_out(differing[0].split("'")[1]),
            )


def _leave_out(name: str) -> str:
    return f'Name it in the folder\'s dataset.json: {{"leave_out": ["{name}"]}}.'


def check_folder(folder: Path, cure: str = "Check the path of the training set.") -> Path:
    """Return the folder as a path; raises DataError if there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", cure)
    return folder
