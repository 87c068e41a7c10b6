"""A motion as a few morph targets and their weights, which is what animation formats hold."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import ExportError

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

log = logging.getLogger(__name__)

TOLERANCE = 1e-4  # metres; the aim: a sixth of a pixel in a picture of 512
LARGEST_ERROR = 1e-3  # metres; beyond it lips would visibly not meet
MAX_COMPONENTS = 128  # of two targets each; WebGL guarantees 256 layers
SAMPLED_FRAMES = 1024  # evenly spaced; the others hardly leave the space they span
CHUNK = 64  # frames


@dataclass(frozen=True, eq=False)
class MorphTargets:
    """Morph targets with template + weights · deltas ≈ the motion's vertices before its pose.

    Attributes:
        names: K names.
        deltas: (K, V, 3) float32, metres.
        weights: (T, K) float32.
        error: largest distance of a vertex from its exact position, metres.
    """

    names: tuple[str, ...]
    deltas: np.ndarray
    weights: np.ndarray
    error: float = 0.0


def morph_targets(motion: Motion) -> MorphTargets:
    """Take the face's blendshapes, and principal components of the vertices' offsets.

    As many components are used as keep every vertex within `TOLERANCE`. Each is split into two
    targets, one per direction, because Blender clips imported weights to 0..1; at weight 1 a target
    moves as far as this motion ever goes.

    Raises:
        ExportError: even `MAX_COMPONENTS` leave more than `LARGEST_ERROR`.
    """
    face = motion.face
    if motion.offsets is None:
        return MorphTargets(face.blendshapes, face.deltas, motion.weights)
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
    return MorphTargets(
        tuple(names),
        np.array(deltas, np.float32).reshape(shape),
        np.array(columns, np.float32).reshape(len(names), len(motion)).T,
        error,
    )


def _compress(offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Split offsets (T, V, 3) into components (K, V, 3), weights (T, K) and the error in metres."""
    flat = offsets.reshape(len(offsets), -1)
    components = _principal_components(flat)
    weights = np.concatenate([flat[chunk] @ components.T for chunk in _chunks(flat)])

    def error(count: int) -> float:
        residuals = (flat[c] - weights[c, :count] @ components[:count] for c in _chunks(flat))
        return float(max(np.linalg.norm(r.reshape(-1, 3), axis=1).max() for r in residuals))

    fewest = bisect_left(range(len(components)), True, key=lambda count: error(count) <= TOLERANCE)
    reached = error(fewest)
    message = f"{fewest} components hold the motion to {1000 * reached:.2f} mm."
    if reached > LARGEST_ERROR:
        raise ExportError(
            f"This motion does not fit into morph targets: {message}",
            "Export .npy or .zip, which hold the vertices themselves.",
        )
    log.log(logging.INFO if reached <= TOLERANCE else logging.WARNING, message)
    return components[:fewest].reshape(-1, *offsets.shape[1:]), weights[:, :fewest], reached


def _principal_components(flat: np.ndarray) -> np.ndarray:
    """Find the first components (K, D) of (T, D), orthonormal; not centred, so rest stays rest."""
    step = -(-len(flat) // SAMPLED_FRAMES)
    sampled = flat[::step]
    # in float64, of which there is never a whole copy
    columns = (part.astype(np.float64) for part in np.array_split(sampled, 16, axis=1))
    gram = sum((part @ part.T for part in columns), start=np.zeros((len(sampled),) * 2))
    values, vectors = np.linalg.eigh(gram)  # ascending
    kept = np.flatnonzero(values > values[-1] * 1e-10)[::-1][:MAX_COMPONENTS]
    components: np.ndarray = (vectors[:, kept] / np.sqrt(values[kept])).T.astype(np.float32)
    return components @ sampled


def _chunks(flat: np.ndarray) -> Iterator[slice]:
    for start in range(0, len(flat), CHUNK):
        yield slice(start, start + CHUNK)
