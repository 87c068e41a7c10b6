"""One client's live head: messages in, messages out, whatever carries them.

From the client come:
    text    {"style": NAME, "strength": 0 to 1.5, "head": NAME}: first of all, and at every change;
            "mood": NAME and "intensity": 0 to 1.5 may go with it, else the mood is neutral
    binary  sound: 16-bit little-endian samples at 16 kHz, at most MAX_CHUNK seconds of it
    text    {"end": true}: no more sound comes
To the client go:
    text    {"blendshapes": [...], "fps": 30, "look_ahead": seconds}: once, how to read the frames
    binary  the number of a first frame, uint32, then frames, float32 (n, K + 3): the weights of the
            K blendshapes, and pitch, yaw and roll of the head in radians; little-endian. Frame i
            belongs to second i / fps of the sound
    text    {"end": true}: no more frames come
    text    {"error": WHY}: the server closes the connection
"""

from __future__ import annotations

import json
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import LiveError, MotionError
from jambatalk.model.speaking_style import MAX_STRENGTH
from jambatalk.motion.mood import MOODS, check_mood
from jambatalk.speech import SAMPLE_RATE

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion
    from jambatalk.motion.stream import MotionStream
    from jambatalk.talking_head import TalkingHead

MAX_SECONDS = 600  # of a session
MAX_CHUNK = 1.0  # seconds in one message
MAX_TEXT = 1000  # characters in one message
MAX_AHEAD = 3.0  # seconds by which the sound may be ahead of the clock
MAX_BEHIND = 5.0  # seconds of sound that may wait to be animated
MAX_CHOICES = 20  # that may wait
MAX_IDLE = 15.0  # seconds without sound
MAX_RATE = 100  # messages a second; sound comes in 25


@dataclass(frozen=True)
class Choice:
    """Style, head and mood."""

    style: str
    strength: float
    head: str
    mood: dict[str, float]


class LiveSession:
    """Turns a client's sound into motion.

    :meth:`take` checks messages and is quick; :meth:`work` computes, and may run on another thread.
    """

    def __init__(
        self, talking_head: TalkingHead, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.ended = False
        self._talking_head, self._clock = talking_head, clock
        self._inbox: deque[np.ndarray | Choice | None] = deque()  # None is the end
        self._began = clock()
        self._chosen = False
        self._taken = self._fed = 0  # samples
        self._messages = 0
        self._heard = clock()  # when the last samples came
        self._stream: MotionStream | None = None
        self._sent = 0  # frames

    def take(self, message: bytes | str) -> None:
        """Accept a message, for :meth:`work` to answer.

        Raises:
            LiveError: an unknown message, or one that is too large, too early or too late.
        """
        if self._clock() - self._began > MAX_SECONDS + MAX_AHEAD:
            raise LiveError(f"{MAX_SECONDS // 60} minutes are over.", "Start again to go on.")
        self._messages += 1
        if self._messages > MAX_RATE * (self._clock() - self._began + MAX_AHEAD):
            raise LiveError("Messages come too fast.", "Start again.")
        if isinstance(message, str):
            if sum(not isinstance(item, np.ndarray) for item in list(self._inbox)) >= MAX_CHOICES:
                raise LiveError("Style and head change too fast.", "Start again.")
            item: np.ndarray | Choice | None = self._choice(message)
            self._chosen |= item is not None
        else:
            item = self._sound(message)
        if not self._chosen:
            raise LiveError("The session must begin with a style and a head.", "Reload the page.")
        self._inbox.append(item)

    @property
    def patience(self) -> float:
        """Seconds for which the next samples may still be awaited."""
        return max(0.0, MAX_IDLE - (self._clock() - self._heard))

    def _choice(self, text: str) -> Choice | None:
        try:
            if len(text) > MAX_TEXT:
                raise ValueError(text[:MAX_TEXT])
            given = json.loads(text)
            if given == {"end": True}:
                return None
            mood = {str(given.get("mood", MOODS[0])): float(given.get("intensity", 1))}
            choice = Choice(str(given["style"]), float(given["strength"]), str(given["head"]), mood)
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            OverflowError,
            RecursionError,
        ) as error:
            raise LiveError("The page sent an unknown message.", "Reload it.") from error
        if choice.style not in self._talking_head.styles:
            raise LiveError(f"There is no style '{choice.style}'.", "Choose another.")
        if choice.head not in self._talking_head.heads.names:
            raise LiveError(f"There is no head '{choice.head}'.", "Choose another.")
        if not 0 <= choice.strength <= MAX_STRENGTH:  # NaN fails too
            raise LiveError(f"{choice.strength} is not a strength.", f"Choose 0 to {MAX_STRENGTH}.")
        try:
            check_mood(choice.mood)
        except MotionError as error:
            raise LiveError(error.what, error.cure) from error
        return choice

    def _sound(self, message: bytes) -> np.ndarray:
        if len(message) % 2 or len(message) > 2 * MAX_CHUNK * SAMPLE_RATE:
            raise LiveError(
                f"{len(message)} bytes are not a chunk of sound.",
                f"Send 16-bit samples at 16 kHz, at most {MAX_CHUNK:g} s at a time.",
            )
        self._taken += len(message) // 2
        if message:  # an empty one is no sound
            self._heard = self._clock()
        seconds = self._taken / SAMPLE_RATE
        if seconds > self._clock() - self._began + MAX_AHEAD:
            raise LiveError("The sound came faster than real time.", "Start again.")
        if self._taken - self._fed > MAX_BEHIND * SAMPLE_RATE:
            raise LiveError(
                "This server is too busy to keep up.", "Try again later, or animate a recording."
            )
        return np.frombuffer(message, "<i2").astype(np.float32) / 2**15

    def work(self) -> Iterator[bytes | str]:
        """Animate all sound that waits, and yield the answers."""
        sound: list[np.ndarray] = []
        while self._inbox and not self.ended:
            item = self._inbox.popleft()
            if isinstance(item, np.ndarray):
                sound.append(item)
                continue
            yield from self._feed(sound)
            sound = []
            if item is None:
                yield from self._end()
            else:
                yield from self._choose(item)
        yield from self._feed(sound)

    def _choose(self, choice: Choice) -> Iterator[str]:
        if self._stream is not None:
            self._stream.change(**asdict(choice))
            return
        self._stream = stream = self._talking_head.stream(**asdict(choice))
        hello = {
            "blendshapes": stream.face.blendshapes,
            "fps": stream.fps,
            "look_ahead": stream.look_ahead,
        }
        yield json.dumps(hello)

    def _feed(self, sound: list[np.ndarray]) -> Iterator[bytes]:
        if sound and self._stream:
            samples = np.concatenate(sound)
            self._fed += len(samples)
            yield from self._frames(self._stream.feed(samples))

    def _end(self) -> Iterator[bytes | str]:
        if self._stream:
            yield from self._frames(self._stream.finish())
        yield json.dumps({"end": True})
        self.ended = True

    def _frames(self, motion: Motion) -> Iterator[bytes]:
        if len(motion) and motion.pose is not None:
            frames = np.hstack([motion.weights, motion.pose]).astype("<f4")
            yield struct.pack("<I", self._sent) + frames.tobytes()
            self._sent += len(motion)
