"""The vertices on which metrics are computed, and the source of that choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError, abbreviate, brief
from jambatalk.face.face import Face
from jambatalk.face.lips import middle_pairs
from jambatalk.face.user_face import UPPER_FACE
from jambatalk.files.arrays import open_array, read_npz
from jambatalk.files.plain import read_json, read_text
from jambatalk.files.regular import damaged
from jambatalk.files.safe_pickle import read_pickle

LIPS = ("lips",)  # their name in FLAME's masks
NEAR = 0.05  # distance at rest of vertices that may touch, of the extent of the lips
SEARCHED_FRAMES = 100  # frames searched for the widest aperture


@dataclass(frozen=True, eq=False)
class MeshRegions:
    """The vertices of one topology on which metrics are computed.

    Attributes:
        lips: (n,) vertex indices for LVE and the other lip metrics.
        upper_face: (n,) vertex indices for FDD, or None.
        pairs: (n, 2) vertices of the upper and lower lip that touch in a closed mouth.
        up: (3,) unit vector from the lower to the upper lip.
        corners: (2,) vertices of the mouth's corners.
        sources: descriptions by "lips", "upper_face" and "aperture".
    """

    lips: np.ndarray
    upper_face: np.ndarray | None
    pairs: np.ndarray
    up: np.ndarray
    corners: np.ndarray
    sources: Mapping[str, str]


def choose_regions(
    vertices: np.ndarray,
    template: np.ndarray,
    face: Face | None = None,
    lips: str | None = None,
    upper_face: str | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
) -> MeshRegions:
    """Choose regions: the given ones, otherwise the face's own, otherwise found in the motion.

    Args:
        vertices: (T, V, 3), a target motion in which the mouth opens.
        template: (V, 3), the face at rest with closed lips.
        face: the face of the motion, if known.
        lips: FILE or FILE:NAME[+NAME...], see :func:`read_region`.
        upper_face: as `lips`.
        pairs: vertices of the upper and lower lip that touch.

    Raises:
        DataError: the lips are unknown, a file or name is missing, or an index is V or more.
    """
    count, sources = vertices.shape[1], {}
    lip_region = _region("lips", lips, LIPS, face, count)
    if lip_region is None:
        raise DataError(
            "The vertices of the lips are unknown.",
            "Give --lip-region FILE, such as FLAME_masks.pkl or BIWI's lve.txt.",
        )
    lip_index, sources["lips"] = lip_region
    upper_region = _region("upper_face", upper_face, UPPER_FACE, face, count)
    if upper_region is not None:
        sources["upper_face"] = upper_region[1]
    up = None
    if pairs is not None:
        found = _checked(np.array(pairs), "--lip-pairs", count)
        sources["aperture"] = f"vertices {', '.join(f'{u}:{v}' for u, v in found)}, as given"
    elif face and "inner_lip_upper" in face.landmarks:
        found, up = middle_pairs(face), np.array([0.0, 1.0, 0.0])  # as lips.aperture
        sources["aperture"] = f"middle third of the inner lips of head '{face.name}'"
    else:
        found = np.array([find_lip_pair(vertices, template, lip_index)])
        sources["aperture"] = (
            f"vertices {found[0, 0]} and {found[0, 1]}, found as the two lip vertices that lie "
            "together at rest and part the most"
        )
    return MeshRegions(
        lips=lip_index,
        upper_face=upper_region[0] if upper_region else None,
        pairs=found,
        up=_lip_direction(vertices, found) if up is None else up,
        corners=_corners(template, lip_index, face),
        sources=sources,
    )


def _region(
    name: str, source: str | None, names: Sequence[str], face: Face | None, count: int
) -> tuple[np.ndarray, str] | None:
    """Return a region's vertices and their source."""
    if source is not None:
        return read_region(source, names, count)
    if face is None or name not in face.regions:
        return None
    index = face.regions[name]
    return index, f"region '{name}' of head '{face.name}', {len(index)} vertices"


def read_region(source: str, names: Sequence[str], count: int) -> tuple[np.ndarray, str]:
    """Read vertex indices from a file; returns them and a description of their source.

    Args:
        source: FILE or FILE:NAME[+NAME...]. FILE is a .pkl, .npz or .json with a list of indices
            for each name, such as FLAME_masks.pkl, or a .txt or .npy with the indices alone.
        names: the names to read where `source` has none.
        count: number of vertices.

    Raises:
        DataError: missing or malformed file, unknown name, an index of `count` or more.
    """
    path, chosen = Path(source), list(names)
    if not path.exists() and ":" in source:
        file, _, given = source.rpartition(":")
        path, chosen = Path(file), given.split("+")
    content = _read(path)
    description = path.name
    if isinstance(content, Mapping):
        missing = [name for name in chosen if name not in content]
        if missing:
            raise DataError(
                f"There is no region '{brief(missing[0])}' in {path}.",
                f"Write {path.name}:NAME with one of {abbreviate(sorted(map(str, content)), 20)}.",
            )
        content = [content[name] for name in chosen]
        description = f"{path.name}, {' + '.join(chosen)}"
    else:
        content = [content]
    index = np.concatenate([_indices(part, path) for part in content])
    index = np.unique(_checked(index, str(path), count))
    return index, f"{description}, {len(index)} vertices"


def _indices(values: object, path: Path) -> np.ndarray:
    try:
        return np.ravel(np.asarray(values))
    except (ValueError, OverflowError) as error:  # lists of different lengths
        raise damaged(path, error, kind="a list of vertex indices") from error


def find_lip_pair(vertices: np.ndarray, template: np.ndarray, lips: np.ndarray) -> tuple[int, int]:
    """Find a vertex of the upper and one of the lower lip between which the mouth opens.

    Of all lip vertices that lie together at rest these are the two that come furthest apart. The
    lower one is that which moves more, because it follows the jaw.

    Args:
        vertices: (T, V, 3), a motion in which the mouth opens.
        template: (V, 3), the face at rest with closed lips.
        lips: (n,) vertex indices.

    Raises:
        DataError: the lips do not open.
    """
    from scipy.spatial import cKDTree

    rest = template[lips]
    extent = float(np.linalg.norm(np.ptp(rest, axis=0)))
    near = cKDTree(rest).query_pairs(NEAR * extent, output_type="ndarray")
    frames = vertices[:: max(1, len(vertices) // SEARCHED_FRAMES), lips]
    distance = np.zeros(len(near))
    for frame in frames:
        apart = np.linalg.norm(frame[near[:, 0]] - frame[near[:, 1]], axis=-1)
        distance = np.maximum(distance, apart)
    distance -= np.linalg.norm(rest[near[:, 0]] - rest[near[:, 1]], axis=-1)
    if not len(near) or distance.max() < NEAR * extent:
        raise DataError(
            "The lips do not open in the first target motion, so their aperture cannot be found.",
            "Name vertices that touch with --lip-pairs UPPER:LOWER, and check --lip-region.",
        )
    pair = near[distance.argmax()]
    moved = np.linalg.norm(frames[:, pair] - rest[pair], axis=-1).max(0)
    upper, lower = lips[pair[np.argsort(moved)]]
    return int(upper), int(lower)


def _corners(template: np.ndarray, lips: np.ndarray, face: Face | None) -> np.ndarray:
    """Return the mouth's corners (2,): the face's, or the lip vertices furthest apart at rest."""
    if face and "mouth_corners" in face.landmarks:
        return face.landmarks["mouth_corners"]
    from scipy.spatial.distance import pdist, squareform

    apart = squareform(pdist(template[lips].astype(np.float64)))
    return lips[list(np.unravel_index(apart.argmax(), apart.shape))]


def _lip_direction(vertices: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Compute the unit vector from the lower to the upper lip in the widest frame."""
    between = (vertices[:, pairs[:, 0]] - vertices[:, pairs[:, 1]]).mean(1).astype(np.float64)
    distance = np.linalg.norm(between, axis=-1)
    return between[distance.argmax()] / max(distance.max(), 1e-12)


def _read(path: Path) -> object:
    if path.suffix == ".pkl":
        return read_pickle(path)
    if path.suffix == ".npz":
        return read_npz(path, kind="a region file")
    if path.suffix == ".npy":
        return open_array(path)
    if path.suffix == ".json":
        return read_json(path, kind="a region file")
    if path.suffix != ".txt":
        raise DataError(
            f"'{path}' is not a region file.", "Give a .pkl, .npz, .npy, .json or .txt of indices."
        )
    text = read_text(path, kind="a region file")
    try:
        return [int(index) for index in text.replace(",", " ").split()]
    except ValueError as error:
        raise damaged(path, error, kind="a region file") from error


def _checked(index: np.ndarray, source: str, count: int) -> np.ndarray:
    if not index.size or not np.issubdtype(index.dtype, np.integer):
        raise DataError(f"{source} holds no vertex indices.", "Give integers from 0 on.")
    if index.min() < 0 or index.max() >= count:
        raise DataError(
            f"{source} names vertex {index.max() if index.max() >= count else index.min()}, "
            f"but the meshes have {count}.",
            "It belongs to another topology.",
        )
    return index
