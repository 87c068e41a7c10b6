"""Which triangles of hair, brows and lashes are opaque, in part or whole, or have soft edges."""

from __future__ import annotations

import numpy as np

SOLID = 0.6  # alpha from which a strand is opaque where edges are blended
FAINT = 0.05  # alpha below which nothing is seen
SIZE = 512  # pixels of the picture that is examined
STEPS = 9  # along each side of a triangle
_places = np.array([(i, j) for i in range(STEPS + 1) for j in range(STEPS + 1 - i)]) / STEPS
BARYCENTRIC = np.column_stack([_places, 1 - _places.sum(1)]).astype(np.float32)


def opaque_and_soft(
    corners: np.ndarray, alpha: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tell of each triangle whether it is opaque, in part so, and in part half transparent.

    Drawing each triangle only where it is needed takes half the time.

    Args:
        corners: (F, 3, 2), texture coordinates, v up.
        alpha: (height, width) from 0 to 1, the first row at the top.

    Returns:
        Three masks (F,).
    """
    height, width = alpha.shape
    uv = np.einsum("pk,fkc->fpc", BARYCENTRIC, corners)
    columns = np.clip((uv[..., 0] * width).astype(int), 0, width - 1)
    rows = np.clip(((1 - uv[..., 1]) * height).astype(int), 0, height - 1)
    seen = alpha[rows, columns]
    opaque, soft = seen >= SOLID, (seen > FAINT) & (seen < SOLID)
    return opaque.all(1), opaque.any(1), soft.any(1)
