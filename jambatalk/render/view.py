"""View: size, camera, background, shading and light of a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jambatalk.errors import RenderError
from jambatalk.render.light import LIGHTS, STUDIO

SHADINGS = ("skin", "plain", "clay")
MIN_SIZE, MAX_SIZE = 64, 2048  # pixels
MAX_YAW, MAX_PITCH = 90.0, 30.0  # degrees
MAX_ZOOM = 4.0


@dataclass(frozen=True)
class View:
    """Size, camera, background, shading and light of a picture.

    Attributes:
        size: width and height in pixels, even, 64 to 2048.
        background: "#rrggbb".
        yaw: degrees, -90 to 90; positive turns the camera to the head's own left.
        pitch: degrees, -30 to 30; positive lifts the camera, which goes on looking at the head.
        zoom: 1 for the head, to 4; the closer it is, the more the camera looks at the lips.
        shading: "skin", the face as it is; "plain" for slow machines, without fine structure,
            wrinkles and antialiasing, lit per vertex; or "clay", one colour, which shows the shape.
        light: a name of `LIGHTS`: "studio", "soft", "side", "evening" or "cool".

    Raises:
        RenderError: a value is out of range.
    """

    size: int = 512
    background: str = "#2b3036"
    yaw: float = 0.0
    pitch: float = 0.0
    zoom: float = 1.0
    shading: str = "skin"
    light: str = STUDIO

    def __post_init__(self) -> None:
        if not isinstance(self.size, int) or not MIN_SIZE <= self.size <= MAX_SIZE or self.size % 2:
            raise RenderError(
                f"A picture of {self.size} pixels cannot be drawn.",
                f"Choose an even size from {MIN_SIZE} to {MAX_SIZE}.",
            )
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(self.background)):
            raise RenderError(
                f"'{self.background}' is not a colour.",
                "Write it as #rrggbb, like '#2b3036'.",
            )
        for name, angle, most in (("yaw", self.yaw, MAX_YAW), ("pitch", self.pitch, MAX_PITCH)):
            if not -most <= angle <= most:  # also NaN
                raise RenderError(
                    f"The camera cannot be turned by {angle} degrees.",
                    f"Choose a {name} from {-most:g} to {most:g}.",
                )
        if not 1 <= self.zoom <= MAX_ZOOM:
            raise RenderError(f"{self.zoom} is not a zoom.", f"Choose 1 to {MAX_ZOOM:g}.")
        if self.shading not in SHADINGS:
            raise RenderError(
                f"There is no shading '{self.shading}'.", f"Choose {' or '.join(SHADINGS)}."
            )
        if self.light not in LIGHTS:
            raise RenderError(
                f"There is no light '{self.light}'.", f"Choose {' or '.join(LIGHTS)}."
            )
