"""Face landmarks of a video, tracked by MediaPipe (the extra `tracking`).

Needs the model file `face_landmarker.task` of MediaPipe's Face Landmarker, from
https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker (Apache-2.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError, NotInstalledError
from recipes.checkpoint.captured.grid_corpus import UNIT
from recipes.checkpoint.captured.landmark_fit import (
    CHIN,
    INNER_LOWER,
    INNER_UPPER,
    OUTER_LOWER,
    OUTER_UPPER,
    RIGID,
)
from recipes.checkpoint.prepare_data.transcode import read_frames

MODEL_PAGE = "https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker"
INDEX = tuple(
    dict.fromkeys((*OUTER_LOWER, *OUTER_UPPER, *INNER_LOWER, *INNER_UPPER, *RIGID, *CHIN))
)
POINTS = 478  # of MediaPipe's face mesh with irises
PUPILS = (468, 473)
INNER_PAIRS = ((82, 87), (13, 14), (312, 317))  # upper and lower, in the middle of the mouth
INNER_CORNERS = (78, 308)
LOST = -32768  # landmark of a frame without a face


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """The landmarks of one video, see `captured.grid_corpus`.

    Attributes:
        index: number of each point in MediaPipe's face mesh.
        landmarks: (T, P, 3) int16, MediaPipe's normalised image coordinates times `UNIT` (y by the
            height of the image, x and z by its width).
        lips: (T, 2) float32, lip aperture and mouth width over the distance of the pupils.
        tracked: (T,) bool.
    """

    index: tuple[int, ...]
    landmarks: np.ndarray
    lips: np.ndarray
    tracked: np.ndarray


class Tracker:
    """Tracks faces by MediaPipe's Face Landmarker.

    Args:
        model: `face_landmarker.task`.

    Raises:
        DataError: the model file is missing.
        NotInstalledError: MediaPipe is missing.
    """

    def __init__(self, model: Path | None) -> None:
        try:
            import mediapipe
        except ImportError as error:
            raise NotInstalledError(
                "MediaPipe, which tracks the faces of GRID, is not installed.",
                "Run 'pip install -e .[tracking]'.",
            ) from error
        if model is None or not model.is_file():
            raise DataError(
                "MediaPipe's model face_landmarker.task is missing.",
                f"Download it from {MODEL_PAGE} and pass it by --face-landmarker.",
            )
        self.mediapipe, self.model = mediapipe, model

    def __call__(self, video: Path, fps: float) -> TrackedFace:
        """Track the face of a video.

        Raises:
            DataError: the video cannot be read.
        """
        vision = self.mediapipe.tasks.vision
        options = vision.FaceLandmarkerOptions(
            base_options=self.mediapipe.tasks.BaseOptions(model_asset_path=str(self.model)),
            running_mode=vision.RunningMode.VIDEO,
        )
        rows, aspect = [], 1.0
        with vision.FaceLandmarker.create_from_options(options) as landmarker:
            for number, frame in enumerate(read_frames(video)):
                image = self.mediapipe.Image(
                    image_format=self.mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame)
                )
                faces = landmarker.detect_for_video(image, round(number * 1000 / fps))
                aspect = frame.shape[0] / frame.shape[1]
                rows.append(
                    [(point.x, point.y, point.z) for point in faces.face_landmarks[0]]
                    if faces.face_landmarks
                    else np.full((POINTS, 3), np.nan)
                )
        return measure_face(np.array(rows, np.float64).reshape(-1, POINTS, 3), aspect)


def measure_face(mesh: np.ndarray, aspect: float) -> TrackedFace:
    """Select landmarks and measure the lips.

    Args:
        mesh: (T, 478, 3), MediaPipe's normalised image coordinates; NaN without a face.
        aspect: height over width of the image.
    """
    tracked = np.isfinite(mesh).all((1, 2))
    points = mesh * [1.0, aspect, 1.0]  # one unit for all three: image widths

    def distance(a: int, b: int) -> np.ndarray:
        return np.linalg.norm(points[:, a] - points[:, b], axis=-1)

    pupils = np.maximum(distance(*PUPILS), 1e-6)
    opening = np.mean([distance(upper, lower) for upper, lower in INNER_PAIRS], 0)
    lips = np.stack([opening, distance(*INNER_CORNERS)], 1) / pupils[:, None]
    landmarks = np.where(tracked[:, None, None], mesh[:, INDEX] * UNIT, LOST)
    return TrackedFace(
        index=INDEX,
        landmarks=landmarks.round().clip(LOST, -LOST - 1).astype(np.int16),
        lips=np.where(tracked[:, None], lips, 0.0).astype(np.float32),
        tracked=tracked,
    )
