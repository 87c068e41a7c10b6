"""One visitor's live head: messages in, messages out. It knows no sockets.

From the visitor come:
    text    {"style": NAME, "strength": 0 to 1.5, "head": NAME}: how to speak, first of all and
            whenever it changes
    binary  sound: 16-bit little-endian samples at 16 kHz, at most MAX_CHUNK seconds of it
    text    {"end": true}: no more sound comes
To the visitor go:
    text    {"blendshapes": [...], "fps": 30, "look_ahead": seconds}: once, what the motion is made of
    binary  the number of a first frame, uint32, then frames, float32 (n, K + 3): the weights of the
            K blendshapes, and pitch, yaw and roll of the head in radians; little-endian. Frame i is
            what the head does at second i / fps of the sound
    text    {"end": true}: that was all
    text    {"error": WHY}: the server lets go
"""

from __future__ import annotations

import json
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import LiveError
from jambatalk.model.jambatalk import MAX_STRENGTH
from jambatalk.motion.nonverbal.nonverbal_stream import NonverbalStream
from jambatalk.speech import SAMPLE_RATE

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion
    from jambatalk.talking_head import TalkingHead

MAX_SECONDS = 600  # of a session
MAX_CHUNK = 1.0  # seconds in one message
MAX_TEXT = 1000  # characters in one message
MAX_AHEAD = 3.0  # seconds by which the sound may be ahead of the clock
MAX_BEHIND = 5.0  # seconds of sound that may wait to be heard
MAX_ORDERS = 20  # choices that may wait
WARM_UP = 3  # whole seconds that are heard again where the style changes
BLEND = 6  # frames from one style into the next


@dataclass(frozen=True)
class Choice:
    """How the head speaks."""

    style: str
    strength: float
    head: str


class LiveSession:
    """Turns a visitor's sound into motion; of the sound it keeps the last seconds alone.

    :meth:`take` checks and is quick; :meth:`work` computes, and may run on another thread.
    """

    def __init__(
        self, talking_head: TalkingHead, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.ended = False
        self._talking_head, self._clock = talking_head, clock
        self._inbox: deque[np.ndarray | Choice | None] = deque()  # None is the end
        self._began = clock()
        self._chosen = False
        self._taken = 0  # samples
        self._mouth: _Mouth | None = None
        self._life: NonverbalStream | None = None
        self._sent = 0  # frames

    def take(self, message: bytes | str) -> None:
        """Accepts a message, for :meth:`work` to answer.

        Raises:
            LiveError: it is none of those above, or too large, too early or too late.
        """
        if self._clock() - self._began > MAX_SECONDS + MAX_AHEAD:
            raise LiveError(f"{MAX_SECONDS // 60} minutes are over.", "Start again to go on.")
        if isinstance(message, str):
            if sum(not isinstance(order, np.ndarray) for order in [*self._inbox]) >= MAX_ORDERS:
                raise LiveError("Style and head change too fast.", "Start again.")
            order = self._order(message)
            self._chosen |= order is not None
        else:
            order = self._sound(message)
        if not self._chosen:
            raise LiveError("Sound came before a style and a head.", "Reload the page.")
        self._inbox.append(order)

    def _order(self, text: str) -> Choice | None:
        try:
            if len(text) > MAX_TEXT:
                raise ValueError(text[:MAX_TEXT])
            given = json.loads(text)
            if given == {"end": True}:
                return None
            choice = Choice(str(given["style"]), float(given["strength"]), str(given["head"]))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise LiveError("The page sent what is not understood.", "Reload it.") from error
        if choice.style not in self._talking_head.styles:
            raise LiveError(f"There is no style '{choice.style}'.", "Choose another.")
        if choice.head not in self._talking_head.heads.names:
            raise LiveError(f"There is no head '{choice.head}'.", "Choose another.")
        if not 0 <= choice.strength <= MAX_STRENGTH:  # NaN fails too
            raise LiveError(f"{choice.strength} is no strength.", f"Choose 0 to {MAX_STRENGTH}.")
        return choice

    def _sound(self, message: bytes) -> np.ndarray:
        if len(message) % 2 or len(message) > 2 * MAX_CHUNK * SAMPLE_RATE:
            raise LiveError(
                f"{len(message)} bytes are no sound.",
                f"Send 16-bit samples at 16 kHz, at most {MAX_CHUNK:g} s at a time.",
            )
        self._taken += len(message) // 2
        seconds = self._taken / SAMPLE_RATE
        if seconds > self._clock() - self._began + MAX_AHEAD:
            raise LiveError("The sound came faster than it was spoken.", "Start again.")
        heard = self._mouth.heard if self._mouth else 0
        if self._taken - heard > MAX_BEHIND * SAMPLE_RATE:
            raise LiveError(
                "This server is too busy to keep up.", "Try again later, or animate a recording."
            )
        return np.frombuffer(message, "<i2").astype(np.float32) / 2**15

    def work(self) -> Iterator[bytes | str]:
        """Hears what was taken, all that waits at once, and yields the answers."""
        sound: list[np.ndarray] = []
        while self._inbox and not self.ended:
            order = self._inbox.popleft()
            if isinstance(order, np.ndarray):
                sound.append(order)
                continue
            yield from self._hear(sound)
            sound = []
            if order is None:
                yield from self._end()
            else:
                yield from self._choose(order)
        yield from self._hear(sound)

    def _choose(self, choice: Choice) -> Iterator[bytes | str]:
        if self._mouth is None:
            self._mouth = mouth = _Mouth(self._talking_head, choice)
            self._life = NonverbalStream(mouth.fps)
            look_ahead = max(mouth.look_ahead, self._life.look_ahead)
            yield json.dumps(
                {"blendshapes": mouth.blendshapes, "fps": mouth.fps, "look_ahead": look_ahead}
            )
        else:
            nothing = np.zeros(0, np.float32)
            yield from self._frames(self._life.feed(nothing, self._mouth.change(choice)))

    def _hear(self, sound: list[np.ndarray]) -> Iterator[bytes]:
        if sound:
            samples = np.concatenate(sound)
            yield from self._frames(self._life.feed(samples, self._mouth.feed(samples)))

    def _end(self) -> Iterator[bytes | str]:
        yield from self._frames(self._life.finish(self._mouth.finish()))
        yield json.dumps({"end": True})
        self.ended = True

    def _frames(self, motion: Motion) -> Iterator[bytes]:
        if len(motion):
            rows = np.hstack([motion.weights, motion.pose]).astype("<f4")
            yield struct.pack("<I", self._sent) + rows.tobytes()
            self._sent += len(motion)


class _Mouth:
    """A motion stream whose style and head may change."""

    def __init__(self, talking_head: TalkingHead, choice: Choice) -> None:
        self._talking_head = talking_head
        self._stream = talking_head.stream(**asdict(choice))
        self.fps, self.look_ahead = self._stream.fps, self._stream.look_ahead
        self.blendshapes = talking_head.heads.load(choice.head).blendshapes
        self.heard = 0  # samples
        self._past = np.zeros(0, np.float32)  # the last of them, from a whole second on
        self._frames = 0  # given
        self._known = 0  # of them, what the stream has given too
        self._last = np.zeros(len(self.blendshapes), np.float32)  # the last of them
        self._blended = BLEND  # frames since the style changed

    def feed(self, samples: np.ndarray) -> Motion:
        """The frames that are now certain."""
        self.heard += len(samples)
        self._past = np.concatenate([self._past, samples])
        longer = len(self._past) // SAMPLE_RATE - WARM_UP
        self._past = self._past[max(longer, 0) * SAMPLE_RATE :]
        return self._new(self._stream.feed(samples))

    def change(self, choice: Choice) -> Motion:
        """Goes on in another style or on another head, by a stream that hears the past again."""
        self._stream = self._talking_head.stream(**asdict(choice))
        self._known = round((self.heard - len(self._past)) / SAMPLE_RATE * self.fps)
        self._blended = 0
        return self._new(self._stream.feed(self._past))

    def finish(self) -> Motion:
        """The last frames."""
        return self._new(self._stream.finish())

    def _new(self, motion: Motion) -> Motion:
        """What was not given yet; the first frames of another style come out of the last one."""
        fresh = max(self._frames - self._known, 0)
        self._known += len(motion)
        weights = motion.weights[fresh:].copy()
        for row in weights[: BLEND - self._blended]:
            self._blended += 1
            row[:] = self._last + (row - self._last) * self._blended / BLEND
            self._last = row
        self._last = weights[-1] if len(weights) else self._last
        self._frames += len(weights)
        return replace(motion, weights=weights)
