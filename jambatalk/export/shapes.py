"""A motion as a few shapes and how much of each, which is what a morph animation holds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import ExportError

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

log = logging.getLogger(__name__)

TOLERANCE = 1e-4  # metres; aimed at: a sixth of a pixel in a picture of 512
LARGEST_ERROR = 1e-3  # metres; beyond it lips would visibly not meet
MOST_COMPONENTS = 128  # two shapes each; 256 layers are what WebGL promises
FRAMES_STUDIED = 1024  # evenly spaced; those between hardly leave what they span
FRAMES_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Shapes:
    """vertices = template + weights · deltas, with at most `error` between the two.

    Attributes:
        names: K names.
        deltas: (K, V, 3) float32, metres.
        weights: (T, K) float32.
        error: the farthest that any vertex lies from its place in any frame, metres.
    """

    names: tuple[str, ...]
    deltas: np.ndarray
    weights: np.ndarray
    error: float = 0.0


def shapes_of(motion: Motion) -> Shapes:
    """The face's blendshapes as they are; where vertices move on their own, followed by principal
    components of their offsets, as many as keep every vertex within `TOLERANCE`.

    A component is two shapes, one for each direction, because Blender cuts imported weights below
    0 and above 1; at 1 each moves as far as this motion ever goes.

    Raises:
        ExportError: even `MOST_COMPONENTS` leave more than `LARGEST_ERROR`.
    """
    face = motion.face
    if motion.offsets is None:
        return Shapes(face.blendshapes, face.deltas, motion.weights)
    components, weights, error = _compress(motion.offsets)
    largest = np.stack([weights.max(0, initial=0.0), -weights.min(0, initial=0.0)])  # (2, K)
    names, deltas, columns = [*face.blendshapes], [*face.deltas], [*motion.weights.T]
    for number, (component, weight) in enumerate(zip(components, weights.T, strict=True)):
        for sign, side, size in zip((1, -1), ("plus", "minus"), largest[:, number], strict=True):
            if size > 0:
                names.append(f"motion_{number + 1:03}_{side}")
                deltas.append(sign * size * component)
                columns.append((sign * weight / size).clip(0.0))
    shape = (len(names), *face.template.shape)
    return Shapes(
        tuple(names),
        np.array(deltas, np.float32).reshape(shape),
        np.array(columns, np.float32).reshape(len(names), len(motion)).T,
        error,
    )


def _compress(offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Offsets (T, V, 3) as components (K, V, 3), weights (T, K), and the error in metres."""
    flat = offsets.reshape(len(offsets), -1)
    components = _principal_components(flat)
    weights = np.concatenate([flat[part] @ components.T for part in _parts(flat)])

    def error(count: int) -> float:
        rests = (flat[part] - weights[part, :count] @ components[:count] for part in _parts(flat))
        return max(np.linalg.norm(rest.reshape(-1, 3), axis=1).max() for rest in rests)

    least, most = 0, len(components)
    if error(most) > TOLERANCE:
        least = most
    while least < most:  # the fewest that will do
        middle = (least + most) // 2
        least, most = (least, middle) if error(middle) <= TOLERANCE else (middle + 1, most)
    reached = float(error(most))
    message = f"{most} components hold the motion to {1000 * reached:.2f} mm."
    if reached > LARGEST_ERROR:
        raise ExportError(
            f"This motion does not fit into morph targets: {message}",
            "Export .npy or .zip, which hold the vertices themselves.",
        )
    log.log(logging.INFO if reached <= TOLERANCE else logging.WARNING, message)
    return components[:most].reshape(most, *offsets.shape[1:]), weights[:, :most], reached


def _principal_components(flat: np.ndarray) -> np.ndarray:
    """The first of (T, D), not centred, so that rest stays rest; orthonormal, (K, D)."""
    step = -(-len(flat) // FRAMES_STUDIED)
    studied = flat[::step]
    # in float64, of which there is never a whole copy
    columns = (part.astype(np.float64) for part in np.array_split(studied, 16, axis=1))
    values, vectors = np.linalg.eigh(sum(part @ part.T for part in columns))  # ascending
    kept = np.flatnonzero(values > values[-1] * 1e-10)[::-1][:MOST_COMPONENTS]
    return (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32).T @ studied


def _parts(flat: np.ndarray) -> Iterator[slice]:
    for start in range(0, len(flat), FRAMES_AT_ONCE):
        yield slice(start, start + FRAMES_AT_ONCE)
