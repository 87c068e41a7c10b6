"""What a visitor asks for: a video, or a motion alone."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from jambatalk.motion.mood import MOODS
from jambatalk.motion.nonverbal import PARTS
from jambatalk.render.view import View

CAPTURED = "captured"  # in place of a style


@dataclass(frozen=True)
class VideoRequest:
    """The inputs of one video, see :class:`jambatalk.View` for size to light.

    A motion alone needs none of these seven.
    """

    recording: str  # path of the audio file
    styles: Sequence[str]  # one style for a single head; 2 to 4 for heads side by side
    strength: float
    head: str
    size: int = View.size
    background: str = View.background
    yaw: float = View.yaw
    pitch: float = View.pitch
    zoom: float = View.zoom
    shading: str = View.shading
    light: str = View.light
    nonverbal: Sequence[str] = PARTS  # names of the parts that move
    seed: int = 0  # of the nonverbal motion
    mood: str = MOODS[0]
    intensity: float = 1.0  # of the mood
    exports: Sequence[str] = ()  # suffixes of formats in which the first style's motion is written
    session: str | None = None  # Gradio's session hash, under which results are kept; None: nobody
    language: str = "en"  # of the captions
    truth: str | None = None  # path of a saved motion, captured with the recording

    @property
    def heads(self) -> list[str]:
        """The styles of the heads side by side; CAPTURED, the last, stands for the truth's."""
        return [*self.styles, *([CAPTURED] if self.truth else [])]

    def motion(self, style: str) -> Hashable:
        """Return all that the motion in a style depends on beside the recording."""
        nonverbal = tuple(self.nonverbal), self.seed
        return style, self.strength, self.head, nonverbal, self.mood, self.intensity

    def video(self) -> Hashable:
        """Return all that the video and the exports depend on beside the recording."""
        motions = *map(self.motion, self.styles), self.truth
        return (*motions, *self._view.values(), *self.exports, self.language)

    @property
    def view(self) -> View:
        """What the video shows.

        Raises:
            RenderError: a value is out of range.
        """
        return View(**self._view)

    @property
    def _view(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(View)}


def motion_request(
    recording: str,
    styles: str | Sequence[str],
    strength: float,
    head: str,
    nonverbal: Sequence[str],
    seed: int,
    mood: str,
    intensity: float,
    truth: str | None = None,
) -> VideoRequest:
    """Return the request of a motion alone, in one style or several."""
    return VideoRequest(
        recording,
        [styles] if isinstance(styles, str) else styles,
        strength,
        head,
        nonverbal=nonverbal,
        seed=seed,
        mood=mood,
        intensity=intensity,
        truth=truth,
    )
