"""Motion: what a face does over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from jambatalk.errors import FaceError, MotionError, abbreviate, brief, did_you_mean
from jambatalk.face import lips
from jambatalk.face.check_face import check_face
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.face.neck import Neck
from jambatalk.files.arrays import read_npz
from jambatalk.files.regular import damaged
from jambatalk.files.unfinished import whole_file
from jambatalk.motion.resample import resample

FRAMES_AT_ONCE = 64
LARGEST = 1e6  # weight, metre or radian in a file; the shader and other programs take no more
FACE = "face."  # prefix of the names of a face's arrays in a saved motion
SAVE_AGAIN = "Save it again with Motion.save() or 'jambatalk animate ... -o motion.npz'."


@dataclass(frozen=True, eq=False)
class Motion:
    """Blendshape weights over time, vertex offsets over time, or both, on one face.

    Vertices are template + deltas · weights + offsets, turned by the head's pose.

    Attributes:
        weights: (T, K) float32, one column for each blendshape of `face`; (T, 0) for a face without
            blendshapes.
        fps: frames a second.
        face: the head that moves.
        offsets: (T, V, 3) float32, metres; None for none.
        pose: (T, 3) float32, pitch, yaw and roll of the head in radians, see :class:`Neck`; None
            for a head that does not move.

    Raises:
        MotionError: arrays whose shapes do not fit the face or each other, or that hold NaN or
            infinity.
    """

    weights: np.ndarray
    fps: float
    face: Face
    offsets: np.ndarray | None = None
    pose: np.ndarray | None = None

    @classmethod
    def of_vertices(cls, offsets: np.ndarray, fps: float, face: Face) -> Motion:
        """Build a motion from vertex offsets (T, V, 3) alone, every blendshape at rest."""
        return cls(np.zeros((len(offsets), len(face.blendshapes)), np.float32), fps, face, offsets)

    def __post_init__(self) -> None:
        self._check_shapes()
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise MotionError(f"{self.fps} is not a frame rate.", "Give frames a second, above 0.")
        arrays = {"weights": self.weights, "a pose": self.pose, "offsets": self.offsets}
        for name, array in arrays.items():
            if array is not None and not all(
                np.isfinite(array[part]).all() for part in self._parts()
            ):
                raise MotionError(f"The motion has {name} that are not numbers (NaN or infinity).")

    def _check_shapes(self) -> None:
        if self.weights.ndim != 2 or self.weights.shape[1] != len(self.face.blendshapes):
            raise MotionError(
                f"Weights of shape {self.weights.shape} do not fit the "
                f"{len(self.face.blendshapes)} blendshapes of head '{self.face.name}'.",
                "Give (T, K) weights: one row for each frame, one column for each blendshape.",
            )
        if self.pose is not None and self.pose.shape != (len(self), 3):
            raise MotionError(
                f"A pose of shape {self.pose.shape} does not fit {len(self)} frames.",
                "Give pitch, yaw and roll for each frame.",
            )
        if self.offsets is not None and self.offsets.shape != (
            len(self),
            *self.face.template.shape,
        ):
            raise MotionError(
                f"Offsets of shape {self.offsets.shape} do not fit {len(self)} frames of "
                f"the {len(self.face.template)} vertices of head '{self.face.name}'.",
                "Give (T, V, 3) offsets.",
            )

    def changed(self, **values: Any) -> Motion:
        """Return a copy with other fields, of which only the shapes are checked.

        For values derived from a valid motion: `dataclasses.replace` scans all numbers again.
        """
        motion = object.__new__(Motion)
        for field in fields(self):
            value = values.get(field.name, getattr(self, field.name))
            object.__setattr__(motion, field.name, value)
        motion._check_shapes()
        return motion

    def first(self, frames: int) -> Motion:
        """Return its first frames, at most this many."""
        pose = None if self.pose is None else self.pose[:frames]
        return self.changed(weights=self.weights[:frames], pose=pose)

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self) / self.fps

    def vertices(self) -> np.ndarray:
        """Compute all frames at once: (T, V, 3) in metres. 62 kB a frame for a bundled head."""
        return self._vertices(slice(None))

    def frames(self) -> Iterator[np.ndarray]:
        """Compute one frame after the other: (V, 3) in metres."""
        # Not one by one: NumPy's BLAS starts a thread for each product, which then waits in a loop
        # and takes a core from whatever draws or encodes the frame.
        for part in self._parts():
            yield from self._vertices(part)

    def _parts(self) -> Iterator[slice]:
        for start in range(0, len(self), FRAMES_AT_ONCE):
            yield slice(start, start + FRAMES_AT_ONCE)

    def _vertices(self, part: slice) -> np.ndarray:
        vertices = self.face.vertices(self.weights[part])
        if self.offsets is not None:
            vertices = vertices + self.offsets[part]
        return vertices if self.pose is None else self._neck.turn(vertices, self.pose[part])

    @cached_property
    def _neck(self) -> Neck:
        return Neck.of(self.face)

    def on(self, head: Face | str | int) -> Motion:
        """Retarget to another head with the same blendshapes.

        Args:
            head: a face, or the name or number of a bundled head.

        Raises:
            FaceError: there is no bundled head of that name or number.
            MotionError: the head has other blendshapes, or another mesh where vertices move.

        Example:
            >>> motion.on("kofi").save("kofi.npz")
        """
        face = head if isinstance(head, Face) else load_head(head)
        if face.blendshapes != self.face.blendshapes:
            raise MotionError(
                f"Head '{face.name}' does not have the blendshapes of this motion.",
                "Choose a head with the same blendshapes, in the same order.",
            )
        if self.offsets is not None and not np.array_equal(face.triangles, self.face.triangles):
            raise MotionError(
                f"Head '{face.name}' does not have the mesh of this motion, which moves vertices."
            )
        return self.changed(face=face)

    def resampled(self, fps: float, frames: int | None = None) -> Motion:
        """Interpolate linearly at another frame rate: frame t stays at t / fps seconds.

        Args:
            frames: length of the result; by default as long in seconds as this motion.

        Raises:
            MotionError: `fps` is not positive, or not a number.

        Example:
            >>> motion.resampled(60).save("motion60.npz")
        """
        check_fps(fps)
        if fps == self.fps and frames in (None, len(self)):
            return self
        arrays = {"weights": self.weights, "offsets": self.offsets, "pose": self.pose}
        return self.changed(
            fps=fps,
            **{
                name: None if array is None else resample(array, self.fps, fps, frames)
                for name, array in arrays.items()
            },
        )

    def sealed(self) -> Motion:
        """Close lips that nearly close, see :func:`lips.seal`."""
        return self.changed(weights=lips.seal(self.face, self.weights, self.offsets))

    def lip_aperture(self) -> np.ndarray:
        """Measure the lip aperture over time, (T,) metres, see :func:`lips.aperture`."""
        return lips.aperture(self.face, self.weights, self.offsets)

    def lip_width(self) -> np.ndarray:
        """Measure the distance of the mouth's corners over time, (T,) metres."""
        return lips.width(self.face, self.weights, self.offsets)

    def blendshape(self, name: str) -> np.ndarray:
        """Return one blendshape's weight over time, (T,).

        Raises:
            MotionError: the face has no such blendshape.
        """
        names = self.face.blendshapes
        if name not in names:
            name = brief(name)
            others = f"Choose one of {abbreviate(names, 20)}." if names else ""
            cure = did_you_mean(name, names, others)
            raise MotionError(f"There is no blendshape '{name}'.", cure)
        return self.weights[:, names.index(name)]

    def save(self, path: str | Path) -> Path:
        """Write an .npz file, which :meth:`load` reads, and return its path.

        It holds weights, fps, blendshapes (their names) and head (its name); pose where the head
        moves; where vertices move, offsets and the whole face, as arrays named "face.*".

        Raises:
            MotionError: the file cannot be written.
        """
        path = Path(path)
        arrays: dict[str, np.ndarray] = {
            "weights": self.weights,
            "fps": np.array(self.fps, np.float64),
            "blendshapes": np.array(self.face.blendshapes, dtype=str),
            "head": np.array(self.face.name),
        }
        if self.pose is not None:
            arrays["pose"] = self.pose
        if self.offsets is not None:
            arrays |= {FACE + name: array for name, array in self.face.to_arrays().items()}
            arrays["offsets"] = self.offsets
        with whole_file(path, MotionError) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Motion:
        """Read a saved motion, on the bundled head it names or the face it holds.

        Raises:
            MotionError: the file is missing, damaged or no motion, or its blendshapes are not those
                of its head. FaceError: there is no bundled head of its head's name.
        """
        arrays = read_npz(path, MotionError, "a saved motion", SAVE_AGAIN)
        try:
            return cls(
                weights=_numbers(arrays, "weights", 2),
                fps=_rate(arrays),
                face=_face(arrays),
                offsets=_numbers(arrays, "offsets", 3) if "offsets" in arrays else None,
                pose=_numbers(arrays, "pose", 2) if "pose" in arrays else None,
            )
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            reason = f"there is no {error}" if isinstance(error, KeyError) else error
            raise damaged(path, reason, MotionError, "a saved motion", SAVE_AGAIN) from error
        except MotionError as error:
            raise MotionError(f"'{path}': {error.what}", SAVE_AGAIN) from error
        except FaceError as error:
            raise FaceError(f"'{path}': {error.what}", error.cure) from error


def check_fps(fps: float) -> None:
    """Raise a MotionError for a frame rate of 0, below, above 1000 or NaN."""
    if not 0 < fps <= 1000:
        raise MotionError(f"{fps} is not a frame rate.", "Give 1 to 1000 frames a second.")


def _numbers(arrays: Mapping[str, np.ndarray], name: str, ndim: int) -> np.ndarray:
    array = arrays[name]
    if array.ndim != ndim or array.dtype.kind not in "fiu":
        raise ValueError(f"'{name}' of shape {array.shape} and type {array.dtype} is not expected")
    if ndim and array.size and not np.abs(array).max() <= LARGEST:  # NaN fails too
        raise ValueError(f"'{name}' holds NaN, infinity or more than {LARGEST:g}")
    return array.astype(np.float64 if ndim == 0 else np.float32, copy=False)


def _rate(arrays: Mapping[str, np.ndarray]) -> float:
    fps = float(_numbers(arrays, "fps", 0))
    check_fps(fps)
    return fps


def _face(arrays: Mapping[str, np.ndarray]) -> Face:
    """Return the face that a saved motion holds or names."""
    if "offsets" in arrays:
        own = [name for name in arrays if name.startswith(FACE)]
        face = Face.from_arrays({name.removeprefix(FACE): arrays[name] for name in own})
        check_face(face)
    else:
        face = load_head(str(arrays["head"]))
    if tuple(arrays["blendshapes"].tolist()) != face.blendshapes:
        raise ValueError(f"its blendshapes are not those of head '{face.name}'")
    return face
