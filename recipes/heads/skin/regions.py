"""Regions of the head's skin, as soft masks at the atlas' texels: lips, lids, ears, scalp, beard.

Distances are metres from the curves in `landmarks.py`, measured in space, so that no seam shows.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw
from scipy.interpolate import PchipInterpolator
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from recipes.heads.ict_facekit import PARTS
from recipes.heads.materials import ATLAS
from recipes.heads.skin import landmarks as at
from recipes.heads.skin.atlas import SkinAtlas
from recipes.heads.skin.diffusion import Diffusion
from recipes.heads.skin.noise import smooth_step
from recipes.heads.skin.photographs import Photographs

SHAVED = "young_darkskinned_male_diffuse"  # its shaved hair stands out best
MEMBRANE = 0.004  # metres before the mouth's lining, where lips turn into it
CROWN, CROWN_GAP = 0.05, 0.02  # metres: hair higher than this goes on over gaps of that width
FINE = 4  # pixels for each texel when a polygon is filled


class Regions:
    """Masks (n,) from 0 to 1, and distances (n,) in metres."""

    def __init__(self, atlas: SkinAtlas, diffusion: Diffusion, photographs: Photographs) -> None:
        self._atlas, self._diffusion, self._photographs = atlas, diffusion, photographs
        self._scale = ATLAS[0] / atlas.shape[0]
        self.x = (atlas.columns + 0.5) * self._scale  # full-size texels
        self.y = (atlas.rows + 0.5) * self._scale
        self._face_tree = cKDTree(np.stack([self.x, self.y], 1))

    # lips and mouth

    @cached_property
    def lip_depth(self) -> np.ndarray:
        """Metres inside the vermilion's border, negative outside."""
        return self._depth(self.lip_border)

    @cached_property
    def lips(self) -> np.ndarray:
        """The vermilion, with the soft border of lips."""
        return smooth_step(-0.0007, 0.0011, self.lip_depth) * (1 - self.mouth)

    @cached_property
    def mouth_depth(self) -> np.ndarray:
        """Metres behind the line where the lips meet, negative before it."""
        return self._depth(_curve(at.UPPER_CONTACT, at.LOWER_CONTACT))

    @cached_property
    def mouth(self) -> np.ndarray:
        """The inside of the mouth: mucous membrane."""
        socket = cKDTree(self._atlas.points[self._belongs("mouth_socket")])
        behind, _ = socket.query(self._atlas.points, distance_upper_bound=MEMBRANE)
        socket_near = smooth_step(MEMBRANE, 0.0005, np.minimum(behind, MEMBRANE))
        return np.maximum(smooth_step(0.002, 0.006, self.mouth_depth), socket_near)

    @cached_property
    def lip_border(self) -> np.ndarray:
        """The vermilion's border, a closed line in texels: (k, 2)."""
        return _curve(at.UPPER_BORDER, at.LOWER_BORDER)

    # eyes

    @cached_property
    def lid_distance(self) -> np.ndarray:
        """Metres from the edge of the nearest lid's hole; 0 in the sockets."""
        loops = self._atlas.positions[self._lid_vertices]
        distance, _ = cKDTree(loops).query(self._atlas.points)
        return np.where(self._belongs("eye_sockets"), 0.0, distance)

    @cached_property
    def _lid_vertices(self) -> np.ndarray:
        """The vertices where the face's islands end at the eyes."""
        triangles = self._atlas.triangles
        edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        low, high = PARTS["eye_sockets"]
        socket = (edges >= low) & (edges < high)
        return np.unique(edges[socket.any(1) & ~socket.all(1)])

    @cached_property
    def upper_lids(self) -> np.ndarray:
        """Where lid shadow is put on."""
        return self.near(at.UPPER_LID, 0.0085) * smooth_step(0.0, 0.001, self.lid_distance)

    # other features

    @cached_property
    def nostrils(self) -> np.ndarray:
        """The dark inside of the nose."""
        inside = np.zeros(len(self.x))
        for x, y in at.both(at.NOSTRIL):
            radius = np.hypot((self.x - x) / 20, (self.y - y) / 15)
            inside = np.maximum(inside, smooth_step(1.25, 0.55, radius))
        return inside

    @cached_property
    def ears(self) -> np.ndarray:
        """Both ears, front and back."""
        left, top, right, bottom = at.EAR
        x = np.minimum(self.x, 2 * at.MIDDLE - self.x)
        box = (x > left) & (x < right) & (self.y > top) & (self.y < bottom)
        return self._soft(self._within(box, 0.002), 0.002)

    @cached_property
    def around_ears(self) -> np.ndarray:
        """The ears and where they are rooted, which pictures and mesh place differently."""
        return self._soft(self._within(self.ears > 0.5, 0.006), 0.003)

    @cached_property
    def scalp(self) -> np.ndarray:
        """Where hair grows: drawn in front, as the darkest picture shows it at the back."""
        values = self._photographs.blend({SHAVED: 1.0})
        low = self._diffusion.blur(*self._diffusion.gather(values, None, 0.003))
        back = self._atlas.interpolate(self._largest(low.mean(1) < 0.125).astype(float)) > 0.5
        back = self._within(back, CROWN_GAP) & (self._atlas.points[:, 1] > CROWN) | back
        half = np.array(at.HAIRLINE, float)
        front = self._polygon(half) | self._polygon(half * [-1, 1] + [2 * at.MIDDLE, 0])
        return smooth_step(0.1, 1.0, self._soft(front | back, 0.009))

    @cached_property
    def shaved(self) -> np.ndarray:
        """Where any of the pictures may show shaved hair: more than the scalp."""
        half = np.array(at.SHAVED, float)
        front = self._polygon(half) | self._polygon(half * [-1, 1] + [2 * at.MIDDLE, 0])
        return self._soft(front | self._within(self.scalp > 0.5, 0.013), 0.004)

    @cached_property
    def beard(self) -> np.ndarray:
        """Where a beard grows."""
        half = np.array(at.BEARD, float)
        other = half * [-1, 1] + [2 * at.MIDDLE, 0]
        inside = self._polygon(half) | self._polygon(other)
        return self._soft(inside, 0.006) * smooth_step(0.0005, -0.0025, self.lip_depth)

    def near(self, place: tuple[float, float], radius: float) -> np.ndarray:
        """Return a bell around a place and its mirror image, `radius` metres wide."""
        centre = self._atlas.points[self._face_tree.query(at.both(place))[1]]
        distance, _ = cKDTree(centre).query(self._atlas.points)
        return np.exp(-((distance / radius) ** 2))

    def spread(self, line: np.ndarray) -> np.ndarray:
        """Return points (m, 3) on the head along a line (k, 2) in texels, closely set."""
        steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
        along = np.r_[0, np.cumsum(steps)]
        dense = np.linspace(0, along[-1], max(int(along[-1] * 2), 2))
        points = np.stack([np.interp(dense, along, line[:, k]) for k in (0, 1)], 1)
        return self._atlas.points[self._face_tree.query(points)[1]]

    def _depth(self, line: np.ndarray) -> np.ndarray:
        closed = np.concatenate([line, line[:1]])
        distance, _ = cKDTree(self.spread(closed)).query(self._atlas.points)
        inside = self._polygon(line) | self._belongs("mouth_socket")
        return np.where(inside, distance, -distance)

    def _polygon(self, line: np.ndarray) -> np.ndarray:
        """Return which texels lie in a polygon (k, 2) of the face's picture."""
        size = (ATLAS[0] * FINE // 2, ATLAS[0] * FINE // 2)
        image = Image.new("1", size)
        ImageDraw.Draw(image).polygon([tuple(p) for p in line * FINE / 2], fill=1)
        mask = np.asarray(image)
        row = (self.y * FINE / 2).astype(int)
        column = (self.x * FINE / 2).astype(int)
        face = self.x < ATLAS[0]
        return mask[row.clip(0, size[1] - 1), column.clip(0, size[0] - 1)] & face

    def _soft(self, mask: np.ndarray, sigma: float) -> np.ndarray:
        return self._diffusion.texels(mask[:, None].astype(float), sigma)[:, 0].clip(0, 1)

    def _within(self, mask: np.ndarray, reach: float) -> np.ndarray:
        """Return which texels lie within `reach` metres of a mask."""
        tree = cKDTree(self._atlas.points[mask])
        distance, _ = tree.query(self._atlas.points, distance_upper_bound=reach)
        return np.isfinite(distance)

    def _belongs(self, part: str) -> np.ndarray:
        low, high = PARTS[part]
        return np.asarray(((self._atlas.corners >= low) & (self._atlas.corners < high)).any(1))

    def _largest(self, mask: np.ndarray) -> np.ndarray:
        """Return the largest connected piece of a mask of the vertices (N,)."""
        edges = self._atlas.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        edges = edges[mask[edges].all(1)]
        count = len(mask)
        graph = coo_array((np.ones(len(edges)), edges.T), (count, count))
        _, label = connected_components(graph, directed=False)
        return mask & (label == np.bincount(label[mask]).argmax())


def _curve(upper: tuple, lower: tuple) -> np.ndarray:
    """Join two lines that run from the right corner to the middle into a closed curve (k, 2)."""
    curves = []
    for line in (upper, lower):
        points = at.mirrored(line)
        smooth = PchipInterpolator(points[:, 0], points[:, 1])
        angle = np.linspace(np.pi, 0, 160)
        x = at.MIDDLE + (at.MIDDLE - points[0, 0]) * np.cos(angle)
        curves.append(np.stack([x, smooth(x)], 1))
    return np.concatenate([curves[0], curves[1][-2:0:-1]])
