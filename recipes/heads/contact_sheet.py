"""Draw all heads in all their states into one picture, to judge them by eye.

python -m recipes.heads.contact_sheet -o sheet.jpg [--only NAME ...] [--views VIEW ...]

A row a head; a column for each view: the head turned, the mouth in close-up for six sounds (as the
coarticulation model articulates them), and expressions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from jambatalk.errors import JambaTalkError
from jambatalk.face.face import Face
from jambatalk.face.library import HeadLibrary
from jambatalk.face.neck import Neck
from jambatalk.files.bundled import HEADS
from jambatalk.render.camera import portrait_camera
from jambatalk.render.frames import draw_frames
from jambatalk.render.view import View
from recipes.checkpoint.coarticulation.synthesis import articulate
from recipes.checkpoint.coarticulation.visemes import viseme_table

CLOSE_UP = 1536  # pixels of the picture from which a close-up is cut
MOUTH, EYES = 0.085, 0.13  # metres that a close-up shows


@dataclass(frozen=True)
class State:
    """A column of the sheet.

    Attributes:
        yaw: degrees by which the camera is turned.
        pitch: degrees by which the head nods down.
        sound: phone whose target the face takes; "" for none.
        weights: blendshape, without its side → weight, added.
        close: landmark at the middle of a close-up; "" for the whole head.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    sound: str = ""
    weights: dict[str, float] = field(default_factory=dict)
    close: str = ""


SMILE = {"mouthSmile": 0.75, "cheekSquint": 0.5, "mouthUpperUp": 0.15}
FROWN = {"mouthFrown": 0.6, "browDown": 0.8, "noseSneer": 0.2}
RAISED = {"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 0.4}
LIPS = "mouth_corners"
STATES = {
    "front": State(),
    "left": State(yaw=40),
    "right": State(yaw=-40),
    "profile": State(yaw=-60, sound="AA"),
    "up": State(pitch=-20, sound="EH"),
    "down": State(pitch=20),
    "rest": State(close=LIPS),
    "AA": State(sound="AA", close=LIPS),
    "IY": State(sound="IY", close=LIPS),
    "UW": State(yaw=40, sound="UW", close=LIPS),
    "F": State(sound="F", close=LIPS),
    "M": State(yaw=-40, sound="M", close=LIPS),
    "TH": State(yaw=40, sound="TH", close=LIPS),
    "L": State(yaw=-40, sound="L", close=LIPS),
    "eyes": State(close="eye_corners"),
    "blink": State(weights={"eyeBlink": 1.0}, close="eye_corners"),
    "half": State(weights={"eyeBlink": 0.5}, close="eye_corners"),
    "smile": State(yaw=20, weights=SMILE),
    "frown": State(weights=FROWN),
    "raised": State(weights=RAISED),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(
        "python -m recipes.heads.contact_sheet", description=__doc__.split("\n")[0]
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--heads", type=Path, default=HEADS, help="default: %(default)s")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these heads")
    parser.add_argument("--views", nargs="+", metavar="VIEW", choices=STATES, default=list(STATES))
    parser.add_argument("--cell", type=int, default=256, help="pixels (default: %(default)s)")
    options = parser.parse_args(arguments)
    library = HeadLibrary(options.heads)
    try:
        rows = []
        for name in options.only or library.names:
            face = library.load(name)
            cells = [draw_state(face, STATES[view], options.cell) for view in options.views]
            rows.append(np.concatenate(cells, axis=1))
    except JambaTalkError as error:
        print(f"contact_sheet: {error}", file=sys.stderr)
        return 1
    Image.fromarray(np.concatenate(rows)).save(options.output, quality=75)
    return 0


def draw_state(face: Face, state: State, size: int) -> np.ndarray:
    """Draw a face in a state: (size, size, 3) uint8 RGB."""
    weights = np.zeros((1, len(face.blendshapes)), np.float32)
    if state.sound:
        weights = articulate(face, viseme_table()[state.sound][:1])
    for name, amount in state.weights.items():
        for k, blendshape in enumerate(face.blendshapes):
            if blendshape in (name, f"{name}Left", f"{name}Right"):
                weights[0, k] = min(weights[0, k] + amount, 1.0)
    pose = np.radians([state.pitch, 0.0, 0.0])
    (vertices,) = Neck.of(face).turn(face.vertices(weights), pose[None])
    view = View(size=CLOSE_UP if state.close else 2 * size, yaw=state.yaw)
    (picture,) = draw_frames(face, [vertices], view)
    image = Image.fromarray(picture)
    if state.close:
        centre = vertices[face.landmarks[state.close]].mean(0)
        width = MOUTH if state.close == LIPS else EYES
        image = image.crop(_square(face, state.yaw, centre, width))
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))


def _square(
    face: Face, yaw: float, centre: np.ndarray, width: float
) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a square around a point, in pixels."""
    lens, pose = portrait_camera(face, View(yaw=yaw))
    seen = np.linalg.inv(pose) @ [*centre, 1.0]
    scale = CLOSE_UP / 2 / np.tan(lens.yfov / 2) / -seen[2]
    x, y = CLOSE_UP / 2 + scale * seen[0], CLOSE_UP / 2 - scale * seen[1]
    half = scale * width / 2
    return x - half, y - half, x + half, y + half


if __name__ == "__main__":
    sys.exit(main())
