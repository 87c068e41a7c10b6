"""Fits a face's blendshapes to lip landmarks tracked in a video.

The tracked face is first freed from head movement and brought to the size of the head. What its
lips then do relative to their own rest is what the head's lips shall do: weights in 0..1, few and
smooth, whose landmarks follow best.

Shapes: t frames, p points, k fitted blendshapes. Lengths in millimetres inside, so that a residual of
1 weighs like the tracker's noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jambatalk.face.face import Face

# MediaPipe face mesh points, from the head's right to its left where they form a row.
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
CORNERS = (61, 291)
CHIN = (152,)
RIGID = (33, 133, 362, 263, 168, 6, 10, 1, 234, 454)  # what speaking hardly moves
EYE_CORNERS = (33, 263)

# What is fitted, with the amplitude that speech usually has (standard deviation of the weight).
# Left and right move together: the tracker cannot tell a crooked mouth from a turned head.
AMPLITUDE = {
    "jawOpen": 0.25,
    "mouthClose": 0.15,
    "mouthFunnel": 0.2,
    "mouthPucker": 0.25,
    "mouthStretch": 0.2,
    "mouthSmile": 0.1,
    "mouthPress": 0.1,
    "mouthLowerDown": 0.25,
    "mouthUpperUp": 0.2,
    "mouthRollLower": 0.15,
    "mouthRollUpper": 0.15,
    "mouthShrugLower": 0.1,
    "mouthShrugUpper": 0.1,
}
CHANGE = 0.12  # standard deviation of a weight's change from frame to frame
NOISE_MM = 0.5  # of a tracked point, after smoothing over the lips
GAP_WEIGHT = 3.0  # the opening between the lips counts this much more than where they are
WIDTH_WEIGHT = 3.0  # and so does the width of the mouth


def remove_head_movement(landmarks: np.ndarray, index: list[int]) -> np.ndarray:
    """Brings all frames onto one another by their rigid points (Procrustes analysis).

    Args:
        landmarks: (t, p, 3) x right in the picture, y up, z towards the camera, one unit for all.
        index: the MediaPipe number of each point.

    Returns:
        (t, p, 3), centred, in distances between the outer eye corners.
    """
    rigid = [index.index(i) for i in RIGID]
    x = landmarks - landmarks[:, rigid].mean(1, keepdims=True)
    x = x / np.sqrt((x[:, rigid] ** 2).sum((1, 2), keepdims=True))
    reference = x[:, rigid].mean(0)
    for _ in range(3):
        u, _, vt = np.linalg.svd(np.einsum("tpi,pj->tij", x[:, rigid], reference))
        flip = np.linalg.det(u @ vt) < 0
        u[flip, :, -1] *= -1  # a rotation, never a mirror
        aligned = np.einsum("tji,tpj->tpi", u @ vt, x)
        reference = aligned[:, rigid].mean(0)
    left, right = (aligned[:, index.index(i)].mean(0) for i in EYE_CORNERS)
    return aligned / np.linalg.norm(right - left)


@dataclass(frozen=True)
class LandmarkFit:
    """Fits one face to landmarks in the order of `index` (MediaPipe numbers)."""

    face: Face
    index: list[int]

    def __call__(self, aligned: np.ndarray, rest: np.ndarray, borders: np.ndarray) -> np.ndarray:
        """Fits all frames at once.

        Args:
            aligned: (t, p, 3) from :func:`remove_head_movement`; NaN where nothing was tracked.
            rest: (t, p, 3) the same face at rest with closed lips.
            borders: (t,) bool, True at the first frame of each clip: nothing is smoothed over it.

        Returns:
            (t, K) float32, all blendshapes of the face; those not fitted are 0.
        """
        targets = self._rows(aligned - rest) * self._millimetres()
        seen = np.isfinite(targets).all(1)
        targets = np.where(seen[:, None], targets, 0.0)
        spread, groups = self._spread()
        deltas = self._basis_rows(groups)  # (k, rows)
        weight = self._row_weights()
        amplitude = np.array(list(AMPLITUDE.values()))
        gram = (deltas * weight) @ deltas.T / NOISE_MM**2  # (k, k)
        pull = (targets * weight) @ deltas.T / NOISE_MM**2  # (t, k)
        solution = _solve(gram, pull, seen, 1 / amplitude**2, 1 / CHANGE**2, borders)
        return (solution @ spread).astype(np.float32)

    def _millimetres(self) -> float:
        right, *_, left = self.face.template[self.face.landmarks["eye_corners"]]
        return float(np.linalg.norm(left - right)) * 1e3

    def _rows(self, points: np.ndarray) -> np.ndarray:
        """What is compared, from tracked points (t, p, 3): x and y of lips, corners and chin,
        the opening at each pair of inner-lip points, and the width between the inner corners;
        (t, rows)."""

        def row(numbers: tuple[int, ...]) -> np.ndarray:
            return points[:, [self.index.index(i) for i in numbers], :2]

        count = len(self.face.landmarks["inner_lip_upper"])
        lips = [
            _resample(row(numbers), count)
            for numbers in (INNER_UPPER, INNER_LOWER, OUTER_UPPER, OUTER_LOWER)
        ]
        gap = lips[0][..., 1] - lips[1][..., 1]
        where = np.concatenate([*lips, row(CORNERS), row(CHIN)], 1)
        inner = row((INNER_UPPER[0], INNER_UPPER[-1]))[..., 0]
        return np.concatenate([where.reshape(len(points), -1), gap, np.diff(inner)], 1)

    def _basis_rows(self, groups: list[list[int]]) -> np.ndarray:
        """The same rows for each group of blendshapes at weight 1, millimetres: (k, rows)."""
        marks, deltas = self.face.landmarks, self.face.deltas * 1e3
        names = ("inner_lip_upper", "inner_lip_lower", "outer_lip_upper", "outer_lip_lower")
        where = np.concatenate([marks[n] for n in (*names, "mouth_corners", "chin")])
        gap = deltas[:, marks["inner_lip_upper"], 1] - deltas[:, marks["inner_lip_lower"], 1]
        right, left = marks["mouth_corners"]
        width = deltas[:, [left], 0] - deltas[:, [right], 0]
        rows = np.concatenate([deltas[:, where, :2].reshape(len(deltas), -1), gap, width], 1)
        return np.stack([rows[group].sum(0) for group in groups])

    def _row_weights(self) -> np.ndarray:
        pairs = len(self.face.landmarks["inner_lip_upper"])
        places = 4 * pairs + len(CORNERS) + len(CHIN)
        # points of one lip are not independent: together they count like three
        weights = np.full(2 * places, 3 / pairs), np.full(pairs, GAP_WEIGHT), [WIDTH_WEIGHT]
        return np.concatenate(weights)

    def _spread(self) -> tuple[np.ndarray, list[list[int]]]:
        """How fitted blendshapes (k) become all of the face's (K): (k, K), and their indices."""
        blendshapes = self.face.blendshapes
        groups = [
            [i for i, a in enumerate(blendshapes) if a in (name, f"{name}Left", f"{name}Right")]
            for name in AMPLITUDE
        ]
        spread = np.zeros((len(groups), len(blendshapes)))
        for k, group in enumerate(groups):
            spread[k, group] = 1.0
        return spread, groups


def _resample(row: np.ndarray, count: int) -> np.ndarray:
    """A row of points (t, n, 2) from corner to corner at `count` inner places: (t, count, 2)."""
    place = np.linspace(0, row.shape[1] - 1, count + 2)[1:-1]
    before = np.floor(place).astype(int)
    part = (place - before)[:, None]
    return row[:, before] * (1 - part) + row[:, before + 1] * part


def _solve(
    gram: np.ndarray,
    pull: np.ndarray,
    seen: np.ndarray,
    small: np.ndarray,
    smooth: float,
    borders: np.ndarray,
    steps: int = 300,
) -> np.ndarray:
    """Minimises Σ_t seen_t·|data|² + Σ small·w² + Σ smooth·(w_t - w_{t-1})² over 0 ≤ w ≤ 1.

    By accelerated projected gradient (FISTA, Beck and Teboulle 2009).
    """
    joined = ~borders[1:, None]
    step = 1.0 / (np.linalg.eigvalsh(gram)[-1] + small.max() + 4 * smooth)
    w = previous = np.zeros_like(pull)
    for n in range(steps):
        v = w + n / (n + 3) * (w - previous)
        change = np.diff(v, axis=0) * joined * smooth
        gradient = (v @ gram - pull) * seen[:, None] + v * small
        gradient[1:] += change
        gradient[:-1] -= change
        previous, w = w, np.clip(v - step * gradient, 0.0, 1.0)
    return w
