"""Motion: what a face does over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from jambatalk.errors import MotionError
from jambatalk.face import lips
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.face.neck import Neck

FRAMES_AT_ONCE = 64
FACE = "face."  # before the names of a face's arrays in a saved motion


@dataclass(frozen=True, eq=False)
class Motion:
    """Weights of a face's blendshapes over time, or offsets of its vertices, or both:
    vertices = template + deltas · weights + offsets, then turned by the pose of the head.

    Attributes:
        weights: (T, K) float32, one row a frame, one column an blendshape of `face`; (T, 0) for a face
            without blendshapes.
        fps: frames a second.
        face: the head that wears it.
        offsets: (T, V, 3) float32, metres; None for none.
        pose: (T, 3) float32, pitch, yaw and roll of the head in radians, see :class:`Neck`; None
            for a head that keeps still.
    """

    weights: np.ndarray
    fps: float
    face: Face
    offsets: np.ndarray | None = None
    pose: np.ndarray | None = None

    @classmethod
    def of_vertices(cls, offsets: np.ndarray, fps: float, face: Face) -> Motion:
        """A motion of offsets (T, V, 3) alone, every blendshape at rest."""
        return cls(np.zeros((len(offsets), len(face.blendshapes)), np.float32), fps, face, offsets)

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or self.weights.shape[1] != len(self.face.blendshapes):
            raise MotionError(
                f"Weights of shape {self.weights.shape} do not fit the "
                f"{len(self.face.blendshapes)} blendshapes of head '{self.face.name}'.",
                "Give one row a frame and one column an blendshape.",
            )
        if not np.isfinite(self.weights).all():
            raise MotionError("The motion holds weights that are not numbers.")
        if self.pose is not None and self.pose.shape != (len(self.weights), 3):
            raise MotionError(
                f"A pose of shape {self.pose.shape} does not fit {len(self.weights)} frames.",
                "Give pitch, yaw and roll a frame.",
            )
        if self.pose is not None and not np.isfinite(self.pose).all():
            raise MotionError("The motion holds a pose that is not numbers.")
        if self.offsets is None:
            return
        if self.offsets.shape != (len(self.weights), *self.face.template.shape):
            raise MotionError(
                f"Offsets of shape {self.offsets.shape} do not fit {len(self.weights)} frames of "
                f"the {len(self.face.template)} vertices of head '{self.face.name}'.",
                "Give one (V, 3) a frame.",
            )
        if not all(np.isfinite(self.offsets[part]).all() for part in self._parts()):
            raise MotionError("The motion holds offsets that are not numbers.")

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self) / self.fps

    def vertices(self) -> np.ndarray:
        """All frames at once: (T, V, 3) in metres. 62 kB a frame for a bundled head."""
        return self._vertices(slice(None))

    def frames(self) -> Iterator[np.ndarray]:
        """One frame after the other: (V, 3) in metres."""
        # Not one by one: NumPy's BLAS starts a thread for each product, which then waits in a loop
        # and takes a core from whoever draws or encodes the frame.
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

    def on(self, face: Face) -> Motion:
        """The same motion worn by another head with the same blendshapes.

        Raises:
            MotionError: it has others; or the motion is one of vertices, and they are connected
                differently.
        """
        if face.blendshapes != self.face.blendshapes:
            raise MotionError(f"Head '{face.name}' does not have the blendshapes of this motion.")
        same = np.array_equal(face.triangles, self.face.triangles)
        if self.offsets is not None and not same:
            raise MotionError(
                f"Head '{face.name}' does not have the mesh of this motion, which moves vertices."
            )
        return replace(self, face=face)

    def sealed(self) -> Motion:
        """The same motion with lips that close where they nearly do, see :func:`lips.seal`."""
        return replace(self, weights=lips.seal(self.face, self.weights, self.offsets))

    def lip_aperture(self) -> np.ndarray:
        """How far the lips are apart over time, (T,) metres, see :func:`lips.aperture`."""
        return lips.aperture(self.face, self.weights, self.offsets)

    def lip_width(self) -> np.ndarray:
        """Distance of the mouth's corners over time, (T,) metres."""
        return lips.width(self.face, self.weights, self.offsets)

    def blendshape(self, name: str) -> np.ndarray:
        """One blendshape's weight over time, (T,)."""
        if name not in self.face.blendshapes:
            raise MotionError(f"There is no blendshape '{name}'.")
        return self.weights[:, self.face.blendshapes.index(name)]

    def save(self, path: str | Path) -> Path:
        """Writes an .npz: weights, fps, blendshapes (their names) and head; where the head moves, its
        pose; where vertices move, also their offsets and the face itself. Returns the path."""
        path, own = Path(path), {}
        if self.pose is not None:
            own["pose"] = self.pose
        if self.offsets is not None:
            own |= {FACE + name: array for name, array in self.face.to_arrays().items()}
            own["offsets"] = self.offsets
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                weights=self.weights,
                fps=np.float64(self.fps),
                blendshapes=np.array(self.face.blendshapes, dtype=str),
                head=np.array(self.face.name),
                **own,
            )
        return path

    @classmethod
    def load(cls, path: str | Path) -> Motion:
        """Reads what :meth:`save` wrote, on the bundled head it names or the face it holds.

        Raises:
            MotionError: not such a file, or its blendshapes are not this head's.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                offsets, pose = file.get("offsets"), file.get("pose")
                if offsets is None:
                    face = load_head(str(file["head"]))
                else:
                    own = [name for name in file.files if name.startswith(FACE)]
                    face = Face.from_arrays({name.removeprefix(FACE): file[name] for name in own})
                blendshapes = tuple(file["blendshapes"].tolist())
                weights, fps = file["weights"], float(file["fps"])
        except (OSError, ValueError, KeyError) as error:
            raise MotionError(f"'{path}' is not a saved motion ({error}).") from error
        if blendshapes != face.blendshapes:
            raise MotionError(f"The blendshapes in '{path}' are not those of head '{face.name}'.")
        return cls(weights, fps, face, offsets, pose)
