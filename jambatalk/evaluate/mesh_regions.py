"""Which vertices a measure looks at, and where that choice comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.face.face import Face
from jambatalk.face.lips import middle_pairs
from jambatalk.face.user_face import UPPER_FACE
from jambatalk.files.origins import origin

LIPS = ("lips",)  # what FLAME's masks call them
NEAR = 0.05  # of the lips' extent: vertices this near at rest may touch
LOOKS = 100  # frames that are searched for the widest opening


@dataclass(frozen=True, eq=False)
class Regions:
    """The vertices of one topology that the measures look at.

    Attributes:
        lips: (n,) vertex indices for LVE and the other lip measures.
        upper_face: (n,) for FDD; None where there is no such region.
        pairs: (n, 2) vertices of the upper and lower lip that touch when it is closed.
        up: (3,) the direction from the lower to the upper lip.
        sources: "lips", "upper_face" and "opening" → the file or head they come from, in words.
    """

    lips: np.ndarray
    upper_face: np.ndarray | None
    pairs: np.ndarray
    up: np.ndarray
    sources: Mapping[str, str]

    @classmethod
    def choose(
        cls,
        vertices: np.ndarray,
        rest: np.ndarray,
        face: Face | None = None,
        lips: str | None = None,
        upper_face: str | None = None,
        pairs: Sequence[tuple[int, int]] | None = None,
    ) -> Regions:
        """What is named, else what the face brings, else what is found.

        Args:
            vertices: (T, V, 3) a true motion in which the mouth opens.
            rest: (V, 3) the face with closed lips.
            face: whose motion it is, where that is known.
            lips, upper_face: FILE or FILE:NAME[+NAME...], see :func:`read_region`.
            pairs: upper and lower lip vertices that touch.

        Raises:
            DataError: nobody says where the lips are, a file or name is missing, or an index is
                beyond V.
        """
        count, sources, upper = vertices.shape[1], {}, None
        own = face.regions if face else {}
        if lips is not None:
            index, sources["lips"] = read_region(lips, LIPS, count)
        elif "lips" in own:
            index, sources["lips"] = own["lips"], _whose("lips", face)
        else:
            raise DataError(
                "It is not known which vertices are the lips.",
                "Give --lip-region FILE, such as FLAME_masks.pkl or BIWI's lve.txt.",
            )
        if upper_face is not None:
            upper, sources["upper_face"] = read_region(upper_face, UPPER_FACE, count)
        elif "upper_face" in own:
            upper, sources["upper_face"] = own["upper_face"], _whose("upper_face", face)
        up = None
        if pairs is not None:
            found = _checked(np.array(pairs), "--lip-pairs", count)
            sources["opening"] = f"vertices {', '.join(f'{u}:{v}' for u, v in found)}, as given"
        elif face and "inner_lip_upper" in face.landmarks:
            found, up = middle_pairs(face), np.array([0.0, 1.0, 0.0])  # as lips.aperture
            sources["opening"] = f"middle third of the inner lips of head '{face.name}'"
        else:
            found = np.array([find_pair(vertices, rest, index)])
            sources["opening"] = (
                f"vertices {found[0, 0]} and {found[0, 1]}, found as the two lip vertices that lie "
                "together at rest and part the most"
            )
        return cls(index, upper, found, _up(vertices, found) if up is None else up, sources)


def _whose(region: str, face: Face) -> str:
    return f"region '{region}' of head '{face.name}', {len(face.regions[region])} vertices"


def read_region(source: str, names: Sequence[str], count: int) -> tuple[np.ndarray, str]:
    """Vertex indices from a file, and where they come from in words.

    Args:
        source: FILE or FILE:NAME[+NAME...]. FILE is a .pkl, .npz or .json with a list of indices
            for each name (FLAME_masks.pkl is one), or a .txt or .npy with the indices alone.
        names: taken where `source` names none.
        count: how many vertices there are.

    Raises:
        DataError: missing or malformed file, unknown name, an index of `count` or more.
    """
    path, asked = Path(source), list(names)
    if not path.exists() and ":" in source:
        file, _, wanted = source.rpartition(":")
        path, asked = Path(file), wanted.split("+")
    content = _read(path)
    said = path.name
    if isinstance(content, Mapping):
        missing = [name for name in asked if name not in content]
        if missing:
            raise DataError(
                f"There is no region '{missing[0]}' in {path}.",
                f"Write {path.name}:NAME with one of {', '.join(map(str, sorted(content)))}.",
            )
        content = np.concatenate([np.ravel(np.asarray(content[name])) for name in asked])
        said = f"{path.name}, {' + '.join(asked)}"
    index = np.unique(_checked(np.ravel(np.asarray(content)), str(path), count))
    return index, f"{said}, {len(index)} vertices"


def find_pair(vertices: np.ndarray, rest: np.ndarray, lips: np.ndarray) -> tuple[int, int]:
    """The vertices of the upper and the lower lip between which the mouth opens.

    Of all lip vertices that lie together at rest, the two that are ever furthest apart; of them the
    lower one is that which moves more, for it goes with the jaw.

    Args:
        vertices: (T, V, 3) a motion in which the mouth opens. rest: (V, 3) with closed lips.

    Raises:
        DataError: the lips do not open.
    """
    from scipy.spatial import cKDTree

    still = rest[lips]
    extent = float(np.linalg.norm(np.ptp(still, axis=0)))
    near = cKDTree(still).query_pairs(NEAR * extent, output_type="ndarray")
    frames = vertices[:: max(1, len(vertices) // LOOKS), lips]
    apart = np.zeros(len(near))
    for frame in frames:
        apart = np.maximum(apart, np.linalg.norm(frame[near[:, 0]] - frame[near[:, 1]], axis=-1))
    apart -= np.linalg.norm(still[near[:, 0]] - still[near[:, 1]], axis=-1)
    if not len(near) or apart.max() < NEAR * extent:
        raise DataError(
            "The lips do not open in the first true motion, so what opens cannot be found.",
            "Name vertices that touch with --lip-pairs UPPER:LOWER, and check --lip-region.",
        )
    pair = near[apart.argmax()]
    moved = np.linalg.norm(frames[:, pair] - still[pair], axis=-1).max(0)
    upper, lower = lips[pair[np.argsort(moved)]]
    return int(upper), int(lower)


def _up(vertices: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """From the lower to the upper lip in the widest frame."""
    between = (vertices[:, pairs[:, 0]] - vertices[:, pairs[:, 1]]).mean(1).astype(np.float64)
    distance = np.linalg.norm(between, axis=-1)
    return between[distance.argmax()] / max(distance.max(), 1e-12)


def _read(path: Path) -> object:
    try:
        if path.suffix == ".pkl":
            from jambatalk.files.unpickle import read_pickle

            return read_pickle(path)
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if path.suffix == ".json":
            return json.loads(path.read_text())
        if path.suffix == ".txt":
            return np.array(path.read_text().replace(",", " ").split(), int)
    except FileNotFoundError:
        raise DataError(f"There is no region file {path}.", origin(path)) from None
    except (OSError, ValueError) as error:
        raise DataError(f"The region file {path} cannot be read ({error}).") from error
    raise DataError(
        f"'{path}' is not a region file.", "Give a .pkl, .npz, .npy, .json or .txt of indices."
    )


def _checked(index: np.ndarray, source: str, count: int) -> np.ndarray:
    if not index.size or not np.issubdtype(index.dtype, np.integer):
        raise DataError(f"{source} holds no vertex indices.", "Give whole numbers from 0 on.")
    if index.min() < 0 or index.max() >= count:
        raise DataError(
            f"{source} names vertex {index.max() if index.max() >= count else index.min()}, "
            f"but the meshes have {count}.",
            "It belongs to another topology.",
        )
    return index
