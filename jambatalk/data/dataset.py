"""A set of recordings: speech with the motion that belongs to it, read one at a time from disk.

What every set has in common happens here, once: frame rates are halved, lengths made equal, and
what does not fit is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jambatalk.data.lazy import Motion, Sound
from jambatalk.errors import DataError
from jambatalk.speech import SAMPLE_RATE

log = logging.getLogger(__name__)

FASTEST = 45.0  # frames a second: what was captured faster is given at half its rate
TOLERANCE = 0.5  # seconds by which sound and motion may differ: the longer one is cut


@dataclass(frozen=True, eq=False)
class Recording:
    """One item of a :class:`Dataset`.

    Attributes:
        name: unique within its set.
        subject: whose face and voice it is.
        audio: (n,) float32, 16 kHz mono, as long as the motion.
        fps: frames a second of the motion.
        vertices: (T, V, 3) float32 in the set's own unit; None where weights were captured.
        weights: (T, K) float32, of the set's `blendshapes`; None where vertices were captured.
        template: (V, 3) float32, the subject's face at rest; None for weights.
    """

    name: str
    subject: str
    audio: np.ndarray
    fps: float
    vertices: np.ndarray | None = None
    weights: np.ndarray | None = None
    template: np.ndarray | None = None

    def __len__(self) -> int:
        """Its frames, T."""
        motion = self.weights if self.vertices is None else self.vertices
        return len(motion)


@dataclass(frozen=True)
class Entry:
    """Where one recording lies. A reader of some format lists these; nothing is read yet."""

    name: str
    subject: str
    sound: Sound
    motion: Motion


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[Recording]):
    """Recordings read from disk when they are asked for; can be pickled for loader processes.

    Motion captured at more than 45 frames a second loses every second frame, as is published for
    VOCASET (60 to 30): this is the one place where that happens.
    Sound and motion never end in the same moment; up to half a second the longer is cut.

    Attributes:
        name: of the set and the split.
        entries: where the recordings lie.
        captured_fps: frames a second on disk; `fps` is what is given.
        templates: subject → (V, 3) float32, the face at rest; empty for weights.
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
        """Frames a second of the recordings."""
        return self.captured_fps / self._every

    @property
    def subjects(self) -> tuple[str, ...]:
        """All that occur, sorted."""
        return tuple(sorted({entry.subject for entry in self.entries}))

    @property
    def vertex_count(self) -> int:
        """V, 0 where weights were captured."""
        return len(next(iter(self.templates.values()))) if self.templates else 0

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Recording:
        """Reads one recording.

        Raises:
            DataError: a file that can no longer be read, or numbers that are none (NaN, infinity).
        """
        entry = self.entries[index]
        audio = entry.sound.read()
        frames = min(self._frames(entry), int(len(audio) / SAMPLE_RATE * self.fps + 1e-6))
        motion = entry.motion.read(slice(0, frames * self._every, self._every))
        motion = np.ascontiguousarray(motion, np.float32)
        if not np.isfinite(motion).all():
            bad = int(np.flatnonzero(~np.isfinite(motion).reshape(frames, -1).all(1))[0])
            raise DataError(
                f"The motion of '{entry.name}' is not a number in frame {bad * self._every} "
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
        """Frames of a recording as its headers tell, to one or two; nothing is read."""
        entry = self.entries[index]
        return min(self._frames(entry), int(entry.sound.seconds * self.fps + 1e-6))

    @property
    def _every(self) -> int:
        return 2 if self.captured_fps > FASTEST else 1

    def _frames(self, entry: Entry) -> int:
        return -(-entry.motion.shape[0] // self._every)  # the first frame stays

    def _check_vertices(self, entry: Entry) -> None:
        template = self.templates.get(entry.subject)
        if template is None:
            known = ", ".join(self.templates) or "none"
            raise DataError(
                f"There is no template of '{entry.subject}', whose recording '{entry.name}' is.",
                f"Add that face at rest to the templates (there are: {known}).",
            )
        count = entry.motion.shape[1]
        if count != len(template):
            raise DataError(
                f"{entry.motion.path} has {count} vertices, the template of '{entry.subject}' "
                f"{len(template)}.",
                "Both must have the same topology: check that they come from one set.",
            )

    def _check_lengths(self) -> None:
        apart = []
        for entry in self.entries:
            motion, sound = entry.motion.shape[0] / self.captured_fps, entry.sound.seconds
            if abs(motion - sound) > TOLERANCE:
                apart.append(f"'{entry.name}' (sound {sound:.2f} s, motion {motion:.2f} s)")
            elif min(motion, sound) < 1 / self.fps:
                raise DataError(f"'{entry.name}' is empty.", _leave_out(entry.name))
        if apart:
            more = f" and {len(apart) - 3} more" if len(apart) > 3 else ""
            raise DataError(
                f"In '{self.name}' the lengths of sound and motion differ by more than "
                f"{TOLERANCE} s: {', '.join(apart[:3])}{more}, at {self.captured_fps:g} frames a "
                "second.",
                "Check the frame rate; otherwise " + _leave_out(apart[0].split("'")[1]),
            )


def _leave_out(name: str) -> str:
    return f'name it in the folder\'s dataset.json: {{"leave_out": ["{name}"]}}.'


def check_folder(folder: Path, cure: str = "Check the path of the training set.") -> Path:
    """The folder as a path.

    Raises:
        DataError: there is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", cure)
    return folder
