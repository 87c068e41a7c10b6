"""Reading true and predicted meshes in motion, and setting them frame against frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.evaluate import UNITS
from jambatalk.face.face import Face
from jambatalk.face.templates import read_templates
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample

FORGIVEN = 2  # frames by which two lengths may differ; then both are cut to the shorter
ALIKE = 2.0  # times that a face in motion may be larger or smaller than at rest
CONDITION = "_condition_"  # between a sequence's name and the style it was predicted in


@dataclass(frozen=True, eq=False)
class MeshMotion:
    """A mesh in motion.

    Attributes:
        name: the file's, without its ending.
        vertices: (T, V, 3) float32, metres.
        fps: frames a second.
        face: whose mesh it is, where the file says so.
    """

    name: str
    vertices: np.ndarray
    fps: float
    face: Face | None = None

    def __len__(self) -> int:
        return len(self.vertices)


def list_motions(folder: Path) -> dict[str, Path]:
    """Name → file of every .npy and .npz in a folder.

    Raises:
        DataError: no such folder, none in it, or two of one name.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", "Check the name.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".npy", ".npz"):
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
    """Reads one motion.

    Args:
        path: .npy of shape (T, V·3) or (T, V, 3), or a motion saved as .npz.
        fps: of an .npy, which does not say; an .npz does.
        unit: of an .npy, see :data:`jambatalk.evaluate.UNITS`; an .npz is in metres.

    Raises:
        DataError: not such a file, of another shape, with numbers that are none, or without fps.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.", "Check the name and the folder.")
    if path.suffix == ".npz":
        motion = Motion.load(path)
        motion = replace(motion, pose=None)  # measures are of the face, not of the head
        return MeshMotion(path.stem, motion.vertices(), motion.fps, motion.face)
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}).", "Save it with numpy.save.") from error
    if array.ndim == 2 and array.shape[1] % 3 == 0 and array.shape[1] > 3:
        array = array.reshape(len(array), -1, 3)
    if array.ndim != 3 or array.shape[2] != 3 or not len(array) or array.dtype.kind not in "fi":
        raise DataError(
            f"{path} holds {array.dtype} of shape {array.shape}.",
            "A motion is (T, V·3) or (T, V, 3) numbers.",
        )
    if fps is None:
        raise DataError(f"{path} does not say its frame rate.", "Give it with --fps.")
    vertices = np.asarray(array, np.float32) * np.float32(UNITS[unit])
    if not np.isfinite(vertices).all():
        raise DataError(f"{path} contains positions that are not numbers (NaN or infinity).")
    return MeshMotion(path.stem, vertices, fps)


def match(
    truth: dict[str, Path], predicted: dict[str, Path], whose: str, common: bool
) -> dict[str, list[Path]]:
    """True name → the predictions for it.

    A prediction has the name of its truth, or that name with `_condition_STYLE` behind it, of which
    there may be several.

    Args:
        whose: the predictions' folder, for messages.
        common: leave out what has no counterpart instead of refusing it.

    Raises:
        DataError: a name on one side has no counterpart on the other.
    """
    found: dict[str, list[Path]] = {}
    for name, path in predicted.items():
        found.setdefault(name if name in truth else name.partition(CONDITION)[0], []).append(path)
    if not common:
        for names, there, here in (
            (truth.keys() - found.keys(), "among the true motions", f"in {whose}"),
            (found.keys() - truth.keys(), f"in {whose}", "among the true motions"),
        ):
            if names:
                raise DataError(
                    f"{_some(sorted(names))} {there} has no counterpart {here}.",
                    "Equal names belong together; --common scores only what all folders have.",
                )
    return {name: paths for name, paths in found.items() if name in truth}


def aligned(
    truth: MeshMotion, predicted: MeshMotion, resample: bool = False
) -> tuple[MeshMotion, MeshMotion]:
    """Both with the same vertices, frame rate and length.

    Frame rates must agree, or with `resample` the faster is brought to the slower one's by linear
    interpolation, frame t staying at t/fps. Lengths may differ by 2 frames, and both are cut to the
    shorter.

    Raises:
        DataError: what cannot be compared.
    """
    count, other = truth.vertices.shape[1], predicted.vertices.shape[1]
    if count != other:
        raise DataError(
            f"'{predicted.name}' has {other} vertices, its truth has {count}.",
            "Predict on the topology of the true motions.",
        )
    if truth.face and predicted.face and truth.face.name != predicted.face.name:
        raise DataError(
            f"'{predicted.name}' is on head '{predicted.face.name}', its truth on "
            f"'{truth.face.name}'.",
            "Predict on the same head.",
        )
    if abs(truth.fps - predicted.fps) > 1e-3:
        if not resample:
            raise DataError(
                f"'{predicted.name}' has {predicted.fps:g} frames a second, its truth "
                f"{truth.fps:g}.",
                "--resample brings the faster one to the slower one's rate.",
            )
        slower = min(truth.fps, predicted.fps)
        truth, predicted = resampled(truth, slower), resampled(predicted, slower)
    if abs(len(truth) - len(predicted)) > FORGIVEN:
        raise DataError(
            f"'{predicted.name}' has {len(predicted)} frames at {truth.fps:g} a second, its truth "
            f"{len(truth)}.",
            f"They may differ by {FORGIVEN}: cut what was predicted, or check --fps.",
        )
    length = min(len(truth), len(predicted))
    return tuple(replace(m, vertices=m.vertices[:length]) for m in (truth, predicted))


def resampled(motion: MeshMotion, fps: float) -> MeshMotion:
    """The motion at another frame rate, see :func:`recipes.checkpoint.captured.clip.resample`."""
    if abs(motion.fps - fps) < 1e-3:
        return motion
    flat = resample(motion.vertices.reshape(len(motion), -1), motion.fps, fps)
    return replace(motion, vertices=flat.reshape(len(flat), -1, 3), fps=fps)


def read_rest(source: Path, unit: str = "m") -> dict[str, np.ndarray]:
    """The faces at rest that motions are offsets from: subject → (V, 3) metres.

    Args:
        source: see :func:`jambatalk.face.templates.read_templates`; a mesh is one for all.
        unit: theirs, see :data:`jambatalk.evaluate.UNITS`.

    Raises:
        DataError: there are none.
    """
    return {who: rest * UNITS[unit] for who, rest in read_templates(source).items()}


def check_template(template: np.ndarray, motion: MeshMotion) -> None:
    """Refuses a template (V, 3) that is not that of a motion.

    Raises:
        DataError: it has another number of vertices, or is in another unit.
    """
    count = motion.vertices.shape[1]
    if len(template) != count:
        raise DataError(
            f"The template of '{motion.name}' has {len(template)} vertices, the motion {count}.",
            "Give a template of the same topology.",
        )
    sizes = [float(np.linalg.norm(np.ptp(mesh, 0))) for mesh in (template, motion.vertices[0])]
    if max(sizes) > ALIKE * min(sizes):
        raise DataError(
            f"The template of '{motion.name}' is {sizes[0]:.3g} m large, the motion "
            f"{sizes[1]:.3g} m.",
            "Bring both to one unit and name it with --unit.",
        )


def _some(names: list[str], shown: int = 5) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(f"'{name}'" for name in names[:shown]) + more
