"""Heads of people tracked in video beside their sound: pose, brows and lids, frame by frame.

Of the `address` there are 68 points a frame and no pose: the pose is that in which points of a
bundled head that do not move in speech (eye corners, ridge and tip of the nose), drawn without
perspective, lie nearest to theirs. Roll hangs on nothing else; pitch and yaw are larger by a fifth
if the nose stands out as little as in MediaPipe's face. In GRID the tracker gave the pose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.ndimage import median_filter
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from jambatalk.face.face import Face
from jambatalk.face.neck import head_rotation
from jambatalk.speech import Speech

FPS = 25.0
GRID_STARTS = 0.02  # seconds: the middle of the first frame
EYE_CORNERS, RIGID, BROWS = [36, 39, 42, 45], [36, 39, 42, 45, 27, 28, 29, 30], slice(17, 27)
EYES = (36, 42)  # first of the six points around each
CUT = 0.3  # of the distance of the eyes: further than a head moves from frame to frame
RIDGE, SLICE = 0.004, 0.003  # metres from the middle of the nose, and from a height on it
WINDOW = 25  # frames, in whose median the lids are open


@dataclass(frozen=True, eq=False)
class Take:
    """A head that speaks without a cut.

    Attributes:
        speech: the recording in which it does.
        start: time of the first frame in it, seconds; `FPS` frames a second follow.
        pose: (T, 3) pitch, yaw and roll in degrees, see :class:`jambatalk.face.neck.Neck`.
        brows: (T,) mean height of the brows over the eyes, percent of the distance of the outer
            eye corners; empty where unknown.
        lids: (T,) how far they are closed, 0 to 1; empty where unknown.
    """

    speech: Speech
    start: float
    pose: np.ndarray
    brows: np.ndarray
    lids: np.ndarray

    @property
    def times(self) -> np.ndarray:
        """Times of the frames in the recording, seconds."""
        return self.start + np.arange(len(self.pose)) / FPS


def read_address(folder: Path, face: Face) -> list[Take]:
    """Read the fluent speech, in its takes: the picture is cut once."""
    with np.load(folder / "motion.npz", allow_pickle=False) as file:
        points, start = file["landmarks"].astype(float), float(file["first_frame_s"])
    speech = Speech.read(folder / "address.flac")
    pose, brows, lids = _pose(points, face), _brow_height(points), _closure(points)
    brows = _without_pose(brows, pose)
    eyes = points[:, EYE_CORNERS]
    jump = np.linalg.norm(np.diff(eyes.mean(1), axis=0), axis=1)
    cuts = 1 + np.flatnonzero(jump > CUT * np.linalg.norm(eyes[1:, 3] - eyes[1:, 0], axis=1))
    edges = [0, *cuts.tolist(), len(points)]
    return [
        Take(speech, start + first / FPS, pose[first:last], brows[first:last], lids[first:last])
        for first, last in pairwise(edges)
    ]


def read_grid(folder: Path, every: int = 1) -> Iterator[Take]:
    """Read every so manieth clip in which the face was found throughout."""
    with np.load(folder / "motion.npz", allow_pickle=False) as file:
        names, offsets, frames = file["clip"], file["offsets"], file["frames"]
        matrices, tracked = file["head_pose"][:, :3, :3], file["tracked"]
    none = np.zeros(0)
    for name, first, count in list(zip(names, offsets, frames, strict=True))[::every]:
        if tracked[first : first + count].all():
            rotation = Rotation.from_matrix(matrices[first : first + count])
            pose = rotation.as_euler("YXZ", degrees=True)[:, [1, 0, 2]]
            speech = Speech.read(folder / "audio" / f"{name}.opus")
            yield Take(speech, GRID_STARTS, pose, none, none)


def _rigid_points(face: Face) -> np.ndarray:
    """Return the points (8, 3) of a face at rest that answer to `RIGID`, metres."""
    corners = face.template[face.landmarks["eye_corners"]]
    tip = face.template[face.landmarks["nose_tip"][0]]
    skin = face.template[face.regions["skin"]]
    ridge = []
    for part in (0.0, 1 / 3, 2 / 3):  # of the way from the eyes to the tip
        y = (1 - part) * corners[:, 1].mean() + part * tip[1]
        near = (np.abs(skin[:, 0]) < RIDGE) & (np.abs(skin[:, 1] - y) < SLICE)
        ridge.append([0.0, y, skin[near, 2].max()])
    return np.array([*corners, *ridge, tip])


def _pose(points: np.ndarray, face: Face) -> np.ndarray:
    """Fit the pose (T, 3) in degrees of points (T, 68, 2) in pixels.

    The points of the face are moved once, to lie on average where the person's are.
    """
    shape = _rigid_points(face)
    shape = shape - shape.mean(0)
    drawn = points[:, RIGID] * (1, -1)
    drawn = drawn - drawn.mean(1, keepdims=True)
    for _ in range(2):
        fitted, errors, last = [], [], np.array([0.0, 0.0, 0.0, 1000.0])
        for target in drawn:
            fit = least_squares(_errors, last, args=(shape, target), x_scale=(0.1, 0.1, 0.1, 1e3))
            last = fit.x
            fitted.append(last)
            errors.append(fit.fun.reshape(-1, 2) / last[3])
        pose = np.array(fitted)[:, :3]
        back = head_rotation(pose).as_matrix()[:, :2]  # R^T takes errors into the head's own frame
        move = -np.einsum("tji,tkj->tki", back, np.array(errors)).mean(0)
        shape = shape + move * (1, 1, 0)  # nothing tells depth from rotation
    return np.degrees(pose)


def _errors(values: np.ndarray, shape: np.ndarray, target: np.ndarray) -> np.ndarray:
    return (values[3] * head_rotation(values[:3]).apply(shape)[:, :2] - target).ravel()


def _brow_height(points: np.ndarray) -> np.ndarray:
    """Measure the height (T,) of the brows over the line of the eyes, percent of its length."""
    eyes = points[:, EYE_CORNERS]
    line = eyes[:, 3] - eyes[:, 0]
    length = np.linalg.norm(line, axis=1)
    up = np.stack([line[:, 1], -line[:, 0]], 1) / length[:, None]
    height = np.einsum("tkj,tj->tk", points[:, BROWS] - eyes.mean(1, keepdims=True), up)
    return 100 * height.mean(1) / length


def _without_pose(brows: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Take from the brows' height what a polynomial of the pose explains."""
    pitch, yaw, roll = pose.T
    terms = np.stack([np.ones_like(pitch), pitch, pitch**2, yaw, yaw**2, roll], 1)
    return brows - terms @ np.linalg.lstsq(terms, brows, rcond=None)[0]


def _closure(points: np.ndarray) -> np.ndarray:
    """Measure how far the lids (T,) are closed, compared with the second around each frame."""
    open_by = np.zeros(len(points))
    for first in EYES:
        outer, a, b, inner, c, d = (points[:, first + k] for k in range(6))
        height = np.linalg.norm(a - d, axis=1) + np.linalg.norm(b - c, axis=1)
        open_by += height / np.linalg.norm(outer - inner, axis=1)
    return np.clip(1 - open_by / median_filter(open_by, WINDOW), 0.0, 1.0)
