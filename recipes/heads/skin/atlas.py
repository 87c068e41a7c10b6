"""The atlas of the skin: which point of the head each texel shows, and pictures made from it.

Values are kept flat, one row for each texel inside an island, so that a filter need not know where
the islands lie; a picture is made of them at the end, with borders grown into the background.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage, sparse

from recipes.heads.ict_facekit import IctFaceKit
from recipes.heads.materials import ATLAS, FACE_SIZE

SKIN_PARTS = ("face", "head", "mouth_socket", "eye_sockets")
BORDER = 16  # texels by which islands are grown, for filtering and mipmaps
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class SkinAtlas:
    """The texels inside the islands, in reading order.

    Attributes:
        shape: rows and columns of the picture.
        rows, columns: (n,) where the texels lie.
        corners: (n, 3) vertices of the triangle under each texel.
        weights: (n, 3) barycentric weights of these vertices.
        triangles: (F, 3) the skin, all parts.
        triangle: (n,) number of the triangle under each texel.
        pixels: (F, 3, 2) the triangles' corners in the picture: column, row.
        positions: (N, 3) metres, the head's vertices.
        normals: (N, 3) of length one.
    """

    shape: tuple[int, int]
    rows: np.ndarray
    columns: np.ndarray
    corners: np.ndarray
    weights: np.ndarray
    triangles: np.ndarray
    triangle: np.ndarray
    pixels: np.ndarray
    positions: np.ndarray
    normals: np.ndarray

    @classmethod
    def draw(cls, ict: IctFaceKit, scale: float = 1.0) -> SkinAtlas:
        """Rasterise the mean head's texture coordinates, at `scale` times the atlas' size."""
        triangles, uv_triangles = ict.triangles(SKIN_PARTS)
        pixels = atlas_pixels(ict.uv[uv_triangles]) * scale
        shape = round(ATLAS[0] * scale), round(ATLAS[1] * scale)
        owner = np.full(shape, -1, np.int32)
        weights = np.zeros((*shape, 3))
        for number, corners in enumerate(pixels):
            _fill(owner, weights, number, corners)
        rows, columns = np.nonzero(owner >= 0)
        triangle = owner[rows, columns]
        return cls(
            shape,
            rows,
            columns,
            triangles[triangle],
            weights[rows, columns],
            triangles,
            triangle,
            pixels,
            ict.positions,
            vertex_normals(ict.positions, triangles),
        )

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Interpolate values of the vertices (N, ...) at the texels (n, ...)."""
        return np.einsum("nk,nk...->n...", self.weights, values[self.corners])

    @cached_property
    def points(self) -> np.ndarray:
        """Where the texels lie on the head, (n, 3) metres."""
        return self.interpolate(self.positions)

    @cached_property
    def frames(self) -> tuple[np.ndarray, np.ndarray]:
        """The tangents of the shader: to the right and upwards along the surface, (n, 3) each."""
        normal = self.interpolate(self.normals)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        right = np.cross(UP, normal)
        right /= np.linalg.norm(right, axis=1, keepdims=True).clip(1e-6)
        return right, np.cross(normal, right)

    @cached_property
    def gathering(self) -> sparse.csr_matrix:
        """The matrix (N, n) that averages texels at the vertices; no texel, an empty row."""
        count = len(self.rows)
        index = np.repeat(np.arange(count), 3)
        shape = (len(self.positions), count)
        matrix = sparse.csr_matrix((self.weights.ravel(), (self.corners.ravel(), index)), shape)
        total = np.asarray(matrix.sum(1)).ravel()
        return sparse.diags_array(1 / np.where(total > 0, total, 1)) @ matrix

    def slopes(self, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far the normal leans to the right and upwards on a height field.

        Args:
            heights: (n,) metres above the head.

        Returns:
            (n,) twice: tangents of the angles.
        """
        picture = self.picture(heights[:, None])[..., 0]
        down, across = np.gradient(picture)
        gradient = np.stack([across, down], 1)[self.rows, :, self.columns]
        along = self._tangents[self.triangle]
        slope = np.einsum("nij,nj->ni", along, gradient)
        right, up = self.frames
        return -(slope * right).sum(1), -(slope * up).sum(1)

    @cached_property
    def _tangents(self) -> np.ndarray:
        """For each triangle the matrix (3, 2) from picture gradient to gradient on the head."""
        edges = np.diff(self.positions[self.triangles], axis=1)
        steps = np.diff(self.pixels, axis=1)
        area = np.linalg.det(steps)
        inverse = np.linalg.pinv(np.where(np.abs(area)[:, None, None] > 1e-9, steps, 0))
        jacobian = np.einsum("fij,fjk->fki", inverse, edges)  # (F, 3, 2): metres for each texel
        return np.linalg.pinv(jacobian).transpose(0, 2, 1)

    def picture(self, values: np.ndarray, background: tuple | float | None = None) -> np.ndarray:
        """Make a picture (rows, columns, k) of values (n, k); `background` lies beyond borders.

        By default the background is the values' mean.
        """
        full = np.empty((*self.shape, values.shape[1]))
        full[:] = values.mean(0) if background is None else background
        full[self.rows, self.columns] = values
        row, column = self._border
        near_row, near_column = self._nearest
        full[row, column] = full[near_row, near_column]
        return full

    @cached_property
    def inside(self) -> np.ndarray:
        """Whether a texel lies in an island, (rows, columns)."""
        inside = np.zeros(self.shape, bool)
        inside[self.rows, self.columns] = True
        return inside

    @cached_property
    def _distance(self) -> tuple[np.ndarray, np.ndarray]:
        return ndimage.distance_transform_edt(~self.inside, return_indices=True)

    @cached_property
    def _border(self) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = np.nonzero(~self.inside & (self._distance[0] <= BORDER))
        return rows, columns

    @cached_property
    def _nearest(self) -> np.ndarray:
        return self._distance[1][:, *self._border]


def atlas_pixels(uv: np.ndarray) -> np.ndarray:
    """Convert ICT-FaceKit's texture coordinates of triangles (F, 3, 2) to column and row."""
    x, y = uv[..., 0], 1 - uv[..., 1]
    back = (uv[..., 0].mean(1) > 1)[:, None]  # the second picture, at half the size
    half = FACE_SIZE / 2
    return np.stack(
        [
            np.where(back, FACE_SIZE + half * (x - 1), FACE_SIZE * x),
            np.where(back, half, 2 * half) * y,
        ],
        axis=-1,
    )


def vertex_normals(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Compute the normals (N, 3) of vertices, each triangle weighing as its area."""
    a, b, c = positions[triangles].transpose(1, 0, 2)
    area = np.cross(b - a, c - a)
    normals = np.zeros_like(positions)
    for k in range(3):
        np.add.at(normals, triangles[:, k], area)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)


def _fill(owner: np.ndarray, weights: np.ndarray, number: int, corners: np.ndarray) -> None:
    """Enter a triangle (3, 2), in texels, wherever it covers a texel's centre."""
    low = np.floor(corners.min(0) - 0.5).astype(int).clip(0)
    high = np.ceil(corners.max(0) + 0.5).astype(int)
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    (ax, ay), (bx, by), (cx, cy) = corners
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area == 0:
        return
    second = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
    third = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
    share = np.stack([1 - second - third, second, third], -1)
    row, column = np.nonzero(share.min(-1) >= -1e-9)
    target = (row + low[1], column + low[0])
    if len(row) and target[0].max() < owner.shape[0] and target[1].max() < owner.shape[1]:
        owner[target] = number
        weights[target] = share[row, column]
