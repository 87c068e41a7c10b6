"""The camera: a portrait of the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jambatalk.face.face import Face
from jambatalk.face.mouth_opening import MouthOpening
from jambatalk.render.view import View

if TYPE_CHECKING:
    import pyrender

FIELD_OF_VIEW = np.radians(18.0)  # a portrait lens: a wide one distorts a face
HEAD_HEIGHT = 0.60  # of the picture, from the chin to the top of the head
HEAD_CENTRE = 0.58  # of the picture, from below: room for the neck and the collar


def portrait_camera(face: Face, view: View) -> tuple[pyrender.PerspectiveCamera, np.ndarray]:
    """Place the camera by the face at rest, so that heads of any size fill the picture alike.

    Returns:
        The camera and its (4, 4) pose.
    """
    import pyrender  # needs OpenGL

    centre, height = framing(face)
    distance = height / 2 / np.tan(FIELD_OF_VIEW / 2) / view.zoom
    depth = float(np.abs(face.template - centre).max())
    if "mouth_corners" in face.landmarks:
        lips = MouthOpening(face)(face.template)[0][:3]
        centre = centre + (1 - 1 / view.zoom) * (lips - centre)
    (sy, sp), (cy, cp) = (f(np.radians([view.yaw, view.pitch])) for f in (np.sin, np.cos))
    pose = np.eye(4)
    pose[:3, :3] = [[cy, -sp * sy, cp * sy], [0, cp, sp], [-sy, -sp * cy, cp * cy]]
    pose[:3, 3] = centre + distance * pose[:3, 2]
    near, far = max(distance - 2 * depth, 0.1 * distance), distance + 2 * depth
    return pyrender.PerspectiveCamera(FIELD_OF_VIEW, znear=near, zfar=far), pose


def framing(face: Face) -> tuple[np.ndarray, float]:
    """Return the point in the middle of the picture, (3,), and the picture's height there, metres.

    The head is what lies above the chin, without its hair, or the whole mesh of a face without that
    landmark.
    """
    points = np.delete(face.template, face.regions.get("hair", []), axis=0)
    if "chin" in face.landmarks:
        points = points[points[:, 1] >= points[face.landmarks["chin"], 1].min()]
    low, high = points.min(0), points.max(0)
    centre, height = (low + high) / 2, float(high[1] - low[1]) / HEAD_HEIGHT
    centre[1] += (0.5 - HEAD_CENTRE) * height
    return centre, height
