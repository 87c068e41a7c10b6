"""Reading predicted and target mesh motions, matching them by name and aligning their frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError, abbreviate
from jambatalk.evaluate import UNITS
from jambatalk.face.face import Face
from jambatalk.files.arrays import open_array
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample

LENGTH_TOLERANCE = 2  # frames
MAX_SIZE_RATIO = 2.0  # of a face in motion and at rest
CONDITION = "_condition_"  # separates a sequence's name from the style it was predicted in


@dataclass(frozen=True, eq=False)
class MeshMotion:
    """A mesh in motion.

    Attributes:
        name: the file's, without its suffix.
        vertices: (T, V, 3) float32, metres.
        fps: frames a second.
        face: the head it moves, where the file contains one.
    """

    name: str
    vertices: np.ndarray
    fps: float
    face: Face | None = None

    def __len__(self) -> int:
        return len(self.vertices)


def list_motions(folder: Path) -> dict[str, Path]:
    """List every .npy and .npz of a folder: name → file.

    Raises:
        DataError: no such folder, none in it, or two of one name.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", "Check the name.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".npy", ".npz") and not path.name.startswith("."):
            if path.stem in found:
                raise DataError(f"{folder} holds two motions '{path.stem}'.", "Keep one.")
            found[path.stem] = path
    if not found:
        raise DataError(
            f"There are no motions in {folder}.",
            "Give a folder of .npy (T, V·3) or (T, V, 3), or of saved motions (.npz).",
        )
    return found


def read_motion(path: Path, fps: float | None, unit: str = "m") -> MeshMotion:
    """Read one motion.

    Args:
        path: .npy of shape (T, V·3) or (T, V, 3), or a saved motion (.npz).
        fps: frame rate of an .npy; an .npz contains its own.
        unit: unit of an .npy, see :data:`jambatalk.evaluate.UNITS`; an .npz is in metres.

    Raises:
        DataError: not such a file, another shape, values that are not finite, or no frame rate.
    """
    if path.suffix == ".npz":
        motion = replace(Motion.load(path), pose=None)  # metrics ignore the pose of the head
        return MeshMotion(path.stem, motion.vertices(), motion.fps, motion.face)
    array = open_array(path)
    if array.ndim == 2 and array.shape[1] % 3 == 0 and array.shape[1] > 3:
        array = array.reshape(len(array), -1, 3)
    if array.ndim != 3 or array.shape[2] != 3 or not len(array):
        raise DataError(
            f"{path} has the shape {array.shape}.", "A motion is (T, V·3) or (T, V, 3) numbers."
        )
    if fps is None:
        raise DataError(f"{path} does not contain its frame rate.", "Give it with --fps.")
    vertices = np.asarray(array, np.float32) * np.float32(UNITS[unit])
    if not np.isfinite(vertices).all():
        raise DataError(
            f"{path} contains positions that are not numbers (NaN or infinity).", "Save it again."
        )
    return MeshMotion(path.stem, vertices, fps)


def condition_of(name: str) -> str:
    """Return what a motion's name says it was predicted in, or nothing."""
    return name.partition(CONDITION)[2]


def match(
    predictions: dict[str, Path], targets: dict[str, Path], folder: str, common: bool
) -> dict[str, list[Path]]:
    """Match predictions with targets by name: target's name → its predictions.

    A prediction has the name of its target, or that name followed by `_condition_STYLE`, of which
    there may be several.

    Args:
        folder: the predictions' folder, for messages.
        common: leave out unmatched sequences instead of refusing them.

    Raises:
        DataError: a name on one side has no counterpart on the other.
    """
    found: dict[str, list[Path]] = {}
    for name, path in predictions.items():
        found.setdefault(name if name in targets else name.partition(CONDITION)[0], []).append(path)
    if not common:
        for names, side, other in (
            (targets.keys() - found.keys(), "among the target motions", f"in {folder}"),
            (found.keys() - targets.keys(), f"in {folder}", "among the target motions"),
        ):
            if quoted := [f"'{name}'" for name in sorted(names)]:
                raise DataError(
                    f"{abbreviate(quoted)} {side} has no counterpart {other}.",
                    "Equal names belong together; --common scores only what all folders have.",
                )
    return {name: paths for name, paths in found.items() if name in targets}


def align(
    pred: MeshMotion, target: MeshMotion, resample: bool = False
) -> tuple[MeshMotion, MeshMotion]:
    """Bring a prediction and its target to the same frame rate and length.

    With `resample` the faster of two frame rates is brought to the slower one by linear
    interpolation, frame t staying at t/fps. Lengths may differ by 2 frames, and both are cut to the
    shorter.

    Returns:
        Prediction and target.

    Raises:
        DataError: different meshes, frame rates (without `resample`) or lengths.
    """
    count, pred_count = target.vertices.shape[1], pred.vertices.shape[1]
    if count != pred_count:
        raise DataError(
            f"'{pred.name}' has {pred_count} vertices, its target has {count}.",
            "Predict on the topology of the target motions.",
        )
    if target.face and pred.face and target.face.name != pred.face.name:
        raise DataError(
            f"'{pred.name}' is on head '{pred.face.name}', its target on '{target.face.name}'.",
            "Predict on the same head.",
        )
    if abs(target.fps - pred.fps) > 1e-3:
        if not resample:
            raise DataError(
                f"'{pred.name}' has {pred.fps:g} frames a second, its target {target.fps:g}.",
                "--resample brings the faster one to the slower one's rate.",
            )
        fps = min(target.fps, pred.fps)
        pred, target = _resampled(pred, fps), _resampled(target, fps)
    if abs(len(target) - len(pred)) > LENGTH_TOLERANCE:
        raise DataError(
            f"'{pred.name}' has {len(pred)} frames at {target.fps:g} a second, its target "
            f"{len(target)}.",
            f"They may differ by {LENGTH_TOLERANCE}: cut the prediction, or check --fps.",
        )
    length = min(len(pred), len(target))
    return cut(pred, length), cut(target, length)


def cut(motion: MeshMotion, length: int) -> MeshMotion:
    """Return the first `length` frames of a motion."""
    return replace(motion, vertices=motion.vertices[:length])


def _resampled(motion: MeshMotion, fps: float) -> MeshMotion:
    if abs(motion.fps - fps) < 1e-3:
        return motion
    return replace(motion, vertices=resample(motion.vertices, motion.fps, fps), fps=fps)


def check_template(template: np.ndarray, motion: MeshMotion) -> None:
    """Raise a DataError unless a template (V, 3) has a motion's number of vertices and size."""
    count = motion.vertices.shape[1]
    if len(template) != count:
        raise DataError(
            f"The template of '{motion.name}' has {len(template)} vertices, the motion {count}.",
            "Give a template of the same topology.",
        )
    sizes = [float(np.linalg.norm(np.ptp(mesh, 0))) for mesh in (template, motion.vertices[0])]
    if max(sizes) > MAX_SIZE_RATIO * min(sizes):
        raise DataError(
            f"The template of '{motion.name}' measures {sizes[0]:.3g} m, the motion "
            f"{sizes[1]:.3g} m.",
            "Bring both to one unit and name it with --unit.",
        )
