"""The camera: a portrait of the head."""

from __future__ import annotations

import numpy as np
import pyrender

from jambatalk.face.face import Face

FIELD_OF_VIEW = np.radians(18.0)  # a portrait lens: a wide one distorts a face
HEAD_HEIGHT = 0.60  # of the picture, from the chin to the top of the head
HEAD_CENTRE = 0.58  # of the picture, from below: room for the neck and the collar


def portrait_camera(face: Face, yaw: float) -> tuple[pyrender.PerspectiveCamera, np.ndarray]:
    """Place the camera by the face at rest, so that heads of any size fill the picture alike.

    Args:
        yaw: degrees around the head, positive to its own left.

    Returns:
        The camera and its (4, 4) pose.
    """
    points = face.template
    if "chin" in face.landmarks:  # otherwise the whole mesh is the head
        points = points[points[:, 1] >= points[face.landmarks["chin"], 1].min()]
    low, high = points.min(0), points.max(0)
    centre = (low + high) / 2
    height = (high[1] - low[1]) / HEAD_HEIGHT  # of the picture, metres
    centre[1] += (0.5 - HEAD_CENTRE) * height
    distance = height / 2 / np.tan(FIELD_OF_VIEW / 2)
    depth = float(np.abs(face.template - centre).max())
    sine, cosine = np.sin(np.radians(yaw)), np.cos(np.radians(yaw))
    pose = np.eye(4)
    pose[:3, :3] = [[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]
    pose[:3, 3] = centre + distance * pose[:3, 2]
    near, far = max(distance - 2 * depth, 0.1 * distance), distance + 2 * depth
    return pyrender.PerspectiveCamera(FIELD_OF_VIEW, znear=near, zfar=far), pose
