"""View: size, camera, background and shading of a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jambatalk.errors import RenderError

SHADINGS = ("skin", "plain", "clay")
MIN_SIZE, MAX_SIZE = 64, 2048  # pixels
MAX_YAW = 90.0  # degrees


@dataclass(frozen=True)
class View:
    """Size, camera, background and shading of a picture.

    Attributes:
        size: width and height in pixels, even, 64 to 2048.
        background: "#rrggbb".
        yaw: degrees, -90 to 90; positive turns the camera to the head's own left.
        shading: "skin", the face as it is; "plain" for slow machines, without fine structure,
            wrinkles and antialiasing, lit per vertex; or "clay", one colour, which shows the shape.

    Raises:
        RenderError: a value is out of range.
    """

    size: int = 512
    background: str = "#2b3036"
    yaw: float = 0.0
    shading: str = "skin"

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
        if not -MAX_YAW <= self.yaw <= MAX_YAW:  # also NaN
            raise RenderError(
                f"The camera cannot be turned by {self.yaw} degrees.",
                f"Choose a yaw from {-MAX_YAW:g} to {MAX_YAW:g}.",
            )
        if self.shading not in SHADINGS:
            raise RenderError(
                f"There is no shading '{self.shading}'.", f"Choose {' or '.join(SHADINGS)}."
            )
