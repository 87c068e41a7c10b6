"""Fits the blendshapes of a face to lip landmarks tracked in a video.

The tracked points are first aligned to remove head movement. The fit then finds weights in 0..1,
sparse and smooth over time, whose landmarks move relative to the face at rest as the tracked lips
move relative to theirs.

Shapes: t frames, p points, k fitted blendshapes, K blendshapes of the face, m measurements per
frame. Lengths are in millimetres, so that a residual of 1 is on the scale of the tracker's noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jambatalk.face.face import Face

# Point numbers of MediaPipe's face mesh; lines run from the head's right to its left.
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LINES = {  # landmark of a face → the tracked line it lies on
    "inner_lip_upper": INNER_UPPER,
    "inner_lip_lower": INNER_LOWER,
    "outer_lip_upper": OUTER_UPPER,
    "outer_lip_lower": OUTER_LOWER,
}
CORNERS = (61, 291)
CHIN = (152,)
RIGID = (33, 133, 362, 263, 168, 6, 10, 1, 234, 454)  # points that speech hardly moves
EYE_CORNERS = (33, 263)

# Fitted blendshapes with the standard deviation of their weights in speech. Left and right move
# together: the tracker cannot tell an asymmetric mouth from a turned head. Captured blendshapes are
# not orthogonal: lips rolled in and pressed would take up the tracker's noise.
AMPLITUDE = {
    "jawOpen": 0.25,
    "mouthClose": 0.15,
    "mouthFunnel": 0.2,
    "mouthPucker": 0.25,
    "mouthStretch": 0.2,
    "mouthSmile": 0.1,
    "mouthPress": 0.04,
    "mouthLowerDown": 0.25,
    "mouthUpperUp": 0.2,
    "mouthRollLower": 0.06,
    "mouthRollUpper": 0.05,
    "mouthShrugLower": 0.05,
    "mouthShrugUpper": 0.05,
}
SPARSITY = 1.0  # linear penalty of a weight of one standard deviation: few blendshapes move at once
CHANGE = 0.12  # standard deviation of a weight's change from frame to frame
NOISE_MM = 0.5  # standard deviation of a tracked point, after smoothing along the lips
APERTURE_WEIGHT = 3.0  # of the lip aperture, relative to the positions of the lips
WIDTH_WEIGHT = 20.0  # of the mouth width


def remove_head_movement(landmarks: np.ndarray, index: list[int]) -> np.ndarray:
    """Align all frames by their rigid points (Procrustes analysis).

    Args:
        landmarks: (t, p, 3), x right in the image, y up, z towards the camera, all in one unit.
        index: MediaPipe number of each point.

    Returns:
        (t, p, 3), centred, in units of the distance between the outer eye corners.
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


def eye_distance(face: Face) -> float:
    """Return the distance of the outer eye corners, metres."""
    right, *_, left = face.template[face.landmarks["eye_corners"]]
    return float(np.linalg.norm(left - right))


@dataclass(frozen=True)
class LandmarkFit:
    """Fits the blendshapes of a face to landmarks in the order of `index` (MediaPipe numbers)."""

    face: Face
    index: list[int]

    def __call__(self, aligned: np.ndarray, rest: np.ndarray, borders: np.ndarray) -> np.ndarray:
        """Fit all frames jointly.

        Args:
            aligned: (t, p, 3) from :func:`remove_head_movement`; NaN where tracking failed.
            rest: (t, p, 3), the same face at rest with closed lips.
            borders: (t,) bool, True at the first frame of each clip, where smoothing stops.

        Returns:
            (t, K) float32 weights of all blendshapes of the face; those not fitted are 0.
        """
        lines = self._facing(rest.mean(0))
        targets = self._measurements(aligned - rest, lines) * (eye_distance(self.face) * 1e3)
        tracked = np.asarray(np.isfinite(targets).all(axis=1))
        targets = np.where(tracked[:, None], targets, 0.0)
        spread, groups = self._spread()
        deltas = self._group_measurements(groups)  # (k, m)
        weight = self._measurement_weights()
        amplitude = np.array(list(AMPLITUDE.values()))
        gram = (deltas * weight) @ deltas.T / NOISE_MM**2  # (k, k)
        pull = (targets * weight) @ deltas.T / NOISE_MM**2  # (t, k)
        pull -= SPARSITY / amplitude
        solution = _solve(gram, pull, tracked, 1 / amplitude**2, 1 / CHANGE**2, borders)
        return (solution @ spread).astype(np.float32)

    def _facing(self, rest: np.ndarray) -> list[np.ndarray]:
        """Find where on the tracked lines of the lips the face's landmarks lie.

        Args:
            rest: (p, 3), the tracked face at rest.

        Returns:
            For each of `LINES`: (n,) numbers of tracked points, with fractions.
        """
        right, left = (rest[self.index.index(i), 0] for i in (INNER_UPPER[0], INNER_UPPER[-1]))
        own_right, own_left = self.face.template[self.face.landmarks["mouth_corners"], 0]
        found = []
        for landmark, numbers in LINES.items():
            across = (rest[[self.index.index(i) for i in numbers], 0] - right) / (left - right)
            own = self.face.template[self.face.landmarks[landmark], 0]
            wanted = (own - own_right) / (own_left - own_right)
            found.append(np.interp(wanted, across, np.arange(len(numbers))))
        return found

    def _measurements(self, points: np.ndarray, lines: list[np.ndarray]) -> np.ndarray:
        """Measure tracked points (t, p, 3): (t, m).

        The measurements are x and y of lips, corners and chin, the lip aperture at each pair of
        inner-lip points, and the distance of the inner mouth corners.

        Args:
            lines: of :meth:`_facing`.
        """

        def line(numbers: tuple[int, ...]) -> np.ndarray:
            return points[:, [self.index.index(i) for i in numbers], :2]

        lips = [
            _resample(line(numbers), at) for numbers, at in zip(LINES.values(), lines, strict=True)
        ]
        aperture = lips[0][..., 1] - lips[1][..., 1]
        positions = np.concatenate([*lips, line(CORNERS), line(CHIN)], 1)
        inner = line((INNER_UPPER[0], INNER_UPPER[-1]))[..., 0]
        return np.concatenate([positions.reshape(len(points), -1), aperture, np.diff(inner)], 1)

    def _group_measurements(self, groups: list[list[int]]) -> np.ndarray:
        """Measure each group of blendshapes at weight 1, millimetres: (k, m)."""
        marks = self.face.landmarks
        index = [marks[name] for name in (*LINES, "mouth_corners", "chin")]
        ends = np.cumsum([len(numbers) for numbers in index])
        moved = self.face.deltas[:, np.concatenate(index), :2] * 1e3  # (K, p, 2)
        upper, lower, *_, corners, _ = np.split(moved, ends[:-1], axis=1)
        aperture = upper[..., 1] - lower[..., 1]
        width = corners[:, 1:, 0] - corners[:, :1, 0]
        measured = np.concatenate([moved.reshape(len(moved), -1), aperture, width], 1)
        return np.stack([measured[group].sum(0) for group in groups])

    def _measurement_weights(self) -> np.ndarray:
        """Return the weight of each measurement: (m,)."""
        pairs = len(self.face.landmarks["inner_lip_upper"])
        points = 4 * pairs + len(CORNERS) + len(CHIN)
        # points of one lip are correlated: together they count as three
        positions, aperture = np.full(2 * points, 3 / pairs), np.full(pairs, APERTURE_WEIGHT)
        return np.concatenate([positions, aperture, [WIDTH_WEIGHT]])

    def _spread(self) -> tuple[np.ndarray, list[list[int]]]:
        """Return the matrix (k, K) from fitted to all blendshapes, and each group's indices."""
        blendshapes = self.face.blendshapes
        groups = [
            [i for i, a in enumerate(blendshapes) if a in (name, f"{name}Left", f"{name}Right")]
            for name in AMPLITUDE
        ]
        spread = np.zeros((len(groups), len(blendshapes)))
        for k, group in enumerate(groups):
            spread[k, group] = 1.0
        return spread, groups


def _resample(line: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Interpolate points (t, n, 2) at numbers with fractions (m,): (t, m, 2)."""
    before = np.minimum(position.astype(int), line.shape[1] - 2)
    share = (position - before)[:, None]
    return line[:, before] * (1 - share) + line[:, before + 1] * share


def _solve(
    gram: np.ndarray,
    pull: np.ndarray,
    tracked: np.ndarray,
    small: np.ndarray,
    smooth: float,
    borders: np.ndarray,
    steps: int = 300,
) -> np.ndarray:
    """Minimise Σ_t tracked_t·|residual|² + Σ small·w² + Σ smooth·(w_t - w_{t-1})² in 0 ≤ w ≤ 1.

    The residual's square is wᵀ·gram·w - 2·wᵀ·pull and a constant.

    Accelerated projected gradient (FISTA; Beck and Teboulle, 2009).
    """
    joined = ~borders[1:, None]
    step = 1.0 / (np.linalg.eigvalsh(gram)[-1] + small.max() + 4 * smooth)
    w = previous = np.zeros_like(pull)
    for n in range(steps):
        v = w + n / (n + 3) * (w - previous)
        change = np.diff(v, axis=0) * joined * smooth
        gradient = (v @ gram - pull) * tracked[:, None] + v * small
        gradient[1:] += change
        gradient[:-1] -= change
        previous, w = w, np.clip(v - step * gradient, 0.0, 1.0)
    return w
