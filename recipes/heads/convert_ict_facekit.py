"""Convert ICT-FaceKit's published files to the folder from which the heads are built.

python -m recipes.heads.convert_ict_facekit FaceXModel -o ict_facekit

`FaceXModel` holds the Light model: `generic_neutral_mesh.obj`, an OBJ for each expression, and
`identity000.obj` to `identity099.obj`, all of one topology. Written are displacements in half
precision, those under 2 micrometres dropped.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError, JambaTalkError

NEUTRAL = "generic_neutral_mesh.obj"
INDICES = "vertex_indices.json"  # of landmarks
IDENTITIES = 60  # of 100 principal modes: the others are finer than the skin's pictures
STILL = 2e-4  # centimetres
CURE = "Give the folder FaceXModel of https://github.com/ICT-VGL/ICT-FaceKit."


def convert(source: Path, out: Path) -> None:
    """Write `expressions.npz` and `identities.npz`, and copy the neutral mesh and its landmarks.

    Raises:
        DataError: a file is missing or of another topology.
    """
    neutral = _positions(source / NEUTRAL)
    meshes = sorted(path.stem for path in source.glob("*.obj"))
    identities = [name for name in meshes if name.startswith("identity")][:IDENTITIES]
    kept = {Path(NEUTRAL).stem, *identities}
    expressions = [n for n in meshes if n not in kept and not n.startswith("identity")]
    if len(identities) < IDENTITIES or not expressions:
        raise DataError(f"'{source}' does not hold the Light model.", CURE)
    out.mkdir(parents=True, exist_ok=True)
    for file, names in (("expressions", expressions), ("identities", identities)):
        deltas = np.stack([_positions(source / f"{n}.obj", len(neutral)) - neutral for n in names])
        deltas[np.linalg.norm(deltas, axis=2) < STILL] = 0
        np.savez_compressed(
            out / f"{file}.npz", names=np.array(names), deltas=deltas.astype(np.float16)
        )
    for file in (NEUTRAL, INDICES):
        try:
            shutil.copyfile(source / file, out / file)
        except OSError as error:
            raise DataError(f"'{source / file}' cannot be read ({error}).", CURE) from error


def _positions(path: Path, count: int | None = None) -> np.ndarray:
    try:
        lines = path.read_text("utf-8").splitlines()
        rows = [line.split()[1:4] for line in lines if line.startswith("v ")]
        positions = np.array(rows, np.float64).reshape(-1, 3)
    except (OSError, ValueError) as error:
        raise DataError(f"'{path}' cannot be read ({error}).", CURE) from error
    if count is not None and len(positions) != count:
        raise DataError(f"'{path}' has {len(positions)} vertices, not {count}.", CURE)
    return positions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(
        "python -m recipes.heads.convert_ict_facekit", description=__doc__.split("\n")[0]
    )
    parser.add_argument("source", type=Path, help="FaceXModel, unpacked")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        convert(options.source, options.output)
    except JambaTalkError as error:
        print(f"convert_ict_facekit: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
