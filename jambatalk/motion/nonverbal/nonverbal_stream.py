"""Beyond the lips while somebody still speaks: what moves follows what was heard so far.

The parts are those of a whole recording, with their numbers, but each decides from frame to frame:
nobody knows yet when the next pause comes. So it is another life than that of the recording. What
is stressed is known a moment late: nods and brows begin on the accent, and not before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import (
    STILL,
    Nonverbal,
    blinks,
    brows,
    check_seed,
    gaze,
    wear,
)
from jambatalk.motion.nonverbal import (
    head_motion as head_motion,
)
from jambatalk.motion.nonverbal.curves import bumps, ease, wander
from jambatalk.motion.nonverbal.prosody import Prosody
from jambatalk.speech import SAMPLE_RATE, SILENCE_RMS, Speech

HOP = 0.2  # seconds; so often it is judged what is stressed and where the voice pauses
WINDOW = 6.0  # seconds of sound that are judged
SETTLED = 0.3  # seconds; what is heard later than this may still be judged otherwise
QUIET = 0.1  # of the loudest that was heard: below it nobody speaks


@dataclass(frozen=True, eq=False)
class Heard:
    """A stretch of time and what the voice does in it.

    Attributes:
        time: (n,) of the frames, seconds from the beginning.
        speaking: (n,) bool.
        accents, strengths: (a,) as in :class:`Prosody`, seconds from the beginning.
    """

    time: np.ndarray
    speaking: np.ndarray
    accents: np.ndarray
    strengths: np.ndarray


class NonverbalStream:
    """Blinks, brows, gaze and head motion for a motion that comes in pieces.

    The same sound and seed give the same life, however they are cut into pieces.

    Args:
        fps: frames a second of the motion.
        seed, nonverbal: as :func:`jambatalk.motion.nonverbal.add_nonverbal`.

    Raises:
        MotionError: no such seed.
    """

    look_ahead = SETTLED + HOP  # seconds of sound after a frame that must be heard, at most

    def __init__(self, fps: float, seed: int = 0, nonverbal: Nonverbal | None = None) -> None:
        check_seed(seed)
        self._wanted = nonverbal or Nonverbal()
        rngs = [np.random.default_rng([seed, number]) for number in range(4)]
        self._ear = _Ear(fps)
        self._head = _Head(fps, seed, rngs[0])
        self._eyes, self._brows, self._lids = _Eyes(rngs[1]), _Brows(rngs[2]), _Lids(rngs[3])
        self._lives = np.zeros((0, 9))  # direction 2, brows 3, lids 1, pose 3; not yet worn
        self._waiting: Motion | None = None

    def feed(self, samples: np.ndarray, motion: Motion) -> Motion:
        """Hears `samples` (n,) at 16 kHz, and gives those frames of `motion`, and of the motion
        before, whose life is known by now."""
        if self._wanted == STILL:
            return motion
        self._live(self._ear.feed(samples))
        return self._wear(motion)

    def finish(self, motion: Motion) -> Motion:
        """The last frames, when no more is heard."""
        if self._wanted == STILL:
            return motion
        waiting = 0 if self._waiting is None else len(self._waiting)
        self._live(self._ear.finish(waiting + len(motion) - len(self._lives)))
        return self._wear(motion)

    def _live(self, heard: Iterator[Heard]) -> None:
        for part in heard:
            direction, far = self._eyes.look(part)
            raised, closed = self._brows.raised(part), self._lids.closure(part, far)
            lives = np.column_stack([direction, raised, closed, self._head.poses(part)])
            self._lives = np.concatenate([self._lives, lives])

    def _wear(self, motion: Motion) -> Motion:
        if self._waiting is not None:
            weights = np.concatenate([self._waiting.weights, motion.weights])
            motion = replace(motion, weights=weights)
        count = min(len(motion), len(self._lives))
        lives, self._lives = np.split(self._lives, [count])
        ready, self._waiting = (
            replace(motion, weights=weights) for weights in np.split(motion.weights, [count])
        )
        wanted = self._wanted
        return wear(
            ready,
            direction=lives[:, :2] if wanted.gaze else None,
            raised=lives[:, 2:5] if wanted.brows else None,
            closed=lives[:, 5] if wanted.blinks else None,
            pose=lives[:, 6:] if wanted.head_motion else None,
        )


class _Ear:
    """Judges the last seconds again and again, always at the same moments of the sound."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._samples = np.zeros(0, np.float32)
        self._before = 0  # samples that are forgotten
        self._hops = 0  # that are judged
        self._frames = 0  # that are settled
        self._settled = 0.0  # seconds
        self._loudest = 0.0

    def feed(self, samples: np.ndarray) -> Iterator[Heard]:
        """What is settled by now."""
        self._samples = np.concatenate([self._samples, samples.astype(np.float32, copy=False)])
        hop, window = int(HOP * SAMPLE_RATE), int(WINDOW * SAMPLE_RATE)
        while (end := (self._hops + 1) * hop) <= self._before + len(self._samples):
            self._hops += 1
            start = max(end - window, 0)
            self._samples = self._samples[start - self._before :]
            self._before = start
            until = end / SAMPLE_RATE - SETTLED
            frames = int(np.ceil(until * self._fps - 1e-6)) - self._frames
            if frames > 0:
                yield self._judge(self._samples[: end - start], frames, until)

    def finish(self, frames: int) -> Iterator[Heard]:
        """The next `frames`, judged by all that was heard."""
        if frames > 0:
            yield self._judge(self._samples, frames, np.inf)

    def _judge(self, samples: np.ndarray, frames: int, until: float) -> Heard:
        prosody, before = self._prosody(samples), self._before / SAMPLE_RATE
        time = np.arange(self._frames, self._frames + frames) / self._fps
        accents = prosody.accents + before
        new = (accents >= self._settled) & (accents < until)
        self._frames += frames
        self._settled = until
        # Beyond what was heard nobody speaks.
        inside = time < before + prosody.seconds
        speaking = prosody.speaking(time - before) & inside
        return Heard(time, speaking, accents[new], prosody.strengths[new])

    def _prosody(self, samples: np.ndarray) -> Prosody:
        speech = Speech(samples if len(samples) else np.zeros(1, np.float32))
        self._loudest = max(self._loudest, speech.rms)
        if speech.rms < max(QUIET * self._loudest, SILENCE_RMS):
            speech = Speech(np.zeros_like(speech.samples))
        return Prosody.of(speech)


class _Eyes:
    """Where the eyes look, see :class:`jambatalk.motion.nonverbal.gaze.Gaze`."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._from, self._to, self._start = np.zeros(2), np.zeros(2), 0.0  # the last saccade
        self._until = self._fixation()
        self._back = np.inf  # when they come back to the viewer
        self._pause = 0.0  # since when nobody speaks; infinity while somebody does
        self._leave = np.inf  # when they look away

    def look(self, heard: Heard) -> tuple[np.ndarray, list[float]]:
        """Yaw and elevation (n, 2), radians, and when they turn far."""
        directions, far = [], []
        for time, speaking in zip(heard.time, heard.speaking, strict=True):
            self._plan(time, speaking)
            if time >= self._back or (time >= self._leave and np.isinf(self._back)):
                leaves = np.isinf(self._back)
                self._turn(time, gaze.away(self._rng) if leaves else self._hop())
                self._back = time + gaze.for_how_long(self._rng) if leaves else np.inf
                self._leave = time + self._rest() if leaves else self._leave
                self._until = time + self._fixation()
                far.append(time)
            elif time >= self._until and np.isinf(self._back):
                self._turn(time, self._hop())
                self._until = time + self._fixation()
            directions.append(self._at(time))
        return np.radians(directions), far

    def _plan(self, time: float, speaking: bool) -> None:
        if speaking:
            self._pause, self._leave = np.inf, np.inf
        elif np.isinf(self._pause):  # a pause begins
            self._pause = time
            thinks = self._rng.uniform() < gaze.AWAY_IN_PAUSE
            self._leave = time + (0.1 if thinks else self._rest())
        elif np.isinf(self._leave):
            self._leave = time + self._rest()

    def _turn(self, time: float, target: np.ndarray) -> None:
        self._from, self._to, self._start = self._at(time), target, time

    def _at(self, time: float) -> np.ndarray:
        way = self._to - self._from
        seconds = gaze.SACCADE + gaze.SACCADE_PER_DEGREE * np.linalg.norm(way)
        return self._from + way * ease((time - self._start) / seconds)

    def _hop(self) -> np.ndarray:
        return gaze.FEATURES * np.clip(self._rng.standard_normal(2), -2, 2)

    def _fixation(self) -> float:
        return gaze.FIXATION * np.exp(gaze.FIXATION_SPREAD * self._rng.standard_normal())

    def _rest(self) -> float:
        return 2.0 + self._rng.exponential(gaze.RESTING - 2.0)


class _Lids:
    """When the lids close, see :mod:`jambatalk.motion.nonverbal.blinks`."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._last, self._slow = -np.inf, 1.0  # the last blink
        self._spoke = False
        self._pause = 0.0  # since when nobody speaks
        self._plan(0.0, first=True)

    def closure(self, heard: Heard, far: list[float]) -> np.ndarray:
        """How far they are closed, (n,) from 0 to 1."""
        closed = []
        for time, speaking in zip(heard.time, heard.speaking, strict=True):
            ends, self._spoke = self._spoke and not speaking, bool(speaking)
            self._pause = time if speaking else self._pause
            early = time > max(self._next - blinks.EARLY, self._last + blinks.SHORTEST)
            if time >= self._next or (early and self._drawn and (ends or time in far)):
                self._last = time
                self._slow = np.exp(blinks.VARIES * self._rng.standard_normal())
                self._plan(time)
            closing, opening = blinks.CLOSING * self._slow, blinks.OPENING * self._slow
            stay, top = blinks.CLOSED * max(self._slow, 1.0), self._last + closing
            closed.append(
                min(ease(1 + (time - top) / closing), ease(1 - (time - top - stay) / opening))
            )
        return np.array(closed)

    def _plan(self, now: float, first: bool = False) -> None:
        rests = now - self._pause > blinks.REST
        mean = blinks.RESTING if rests else blinks.SPEAKING
        wait = mean * np.exp(blinks.SPREAD * self._rng.standard_normal() - blinks.SPREAD**2 / 2)
        self._next = now + max(wait * (self._rng.uniform() if first else 1.0), blinks.SHORTEST)
        self._drawn = self._rng.uniform() < blinks.DRAWN


class _Brows:
    """When the brows rise, see :mod:`jambatalk.motion.nonverbal.brows`."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._last = -np.inf
        self._heights, self._stay = np.zeros(3), 0.0  # of the last

    def raised(self, heard: Heard) -> np.ndarray:
        """Weights of `brows.BLENDSHAPES`, (n, 3)."""
        curve = self._curve(heard.time)
        for at, strength in zip(heard.accents, heard.strengths, strict=True):
            luck, height = self._rng.uniform(), self._rng.uniform(0.7, 1.0)
            uneven, stay = np.exp((brows.UNEVEN, brows.VARIES) * self._rng.standard_normal(2))
            likely = strength >= brows.WEAKEST and luck < 0.75 * strength
            if likely and at - self._last >= brows.APART:
                height *= brows.LOWEST + (brows.HIGHEST - brows.LOWEST) * strength
                self._heights = height * np.array([1.0, uneven, 1 / uneven])
                self._last, self._stay = at, brows.STAY * stay
                curve = self._curve(heard.time)
        return curve

    def _curve(self, time: np.ndarray) -> np.ndarray:
        top = np.array([self._last + brows.RISE])
        bump = bumps(time, top, np.ones(1), brows.RISE, self._stay, brows.FALL)
        return np.clip(bump[:, None] * self._heights, 0.0, 1.0)


class _Head:
    """How the head sways, see :mod:`jambatalk.motion.nonverbal.head_motion`."""

    def __init__(self, fps: float, seed: int, rng: np.random.Generator) -> None:
        self._fps, self._seed, self._rng = fps, seed, rng
        self._awake = self._nodded = 0.0  # running means
        self._spoke = False
        self._from, self._to, self._start = np.zeros(3), np.zeros(3), -np.inf  # the last turn
        self._tops, self._heights = np.zeros(0), np.zeros(0)  # of the last nods

    def poses(self, heard: Heard) -> np.ndarray:
        """Pitch, yaw and roll, (n, 3) radians."""
        time = heard.time
        pose = head_motion.DRIFT * np.stack([self._wander(time, k) for k in range(3)], axis=1)
        pose *= (head_motion.CALM + (1 - head_motion.CALM) * self._wakefulness(heard.speaking))[
            :, None
        ]
        pose += self._turns(heard)
        pose[:, 0] += self._nods(heard)
        breath = time / head_motion.BREATH_SECONDS
        breath = breath + 0.15 * self._wander(time, 3, 2 * head_motion.BREATH_SECONDS)
        pose[:, 0] += head_motion.BREATH * np.sin(2 * np.pi * breath)
        pose = head_motion.LIMITS * np.tanh(pose / head_motion.LIMITS)
        return np.radians(pose * ease(time / head_motion.START)[:, None])

    def _wander(
        self, time: np.ndarray, axis: int, spacing: float = head_motion.DRIFT_SPACING
    ) -> np.ndarray:
        # The same points from the beginning every time, only more of them.
        return wander(time, spacing, np.random.default_rng([self._seed, 4, axis]))

    def _wakefulness(self, speaking: np.ndarray) -> np.ndarray:
        awake = []
        for spoken in speaking:
            self._awake += (spoken - self._awake) / (0.4 * self._fps)
            awake.append(self._awake)
        return np.array(awake)

    def _turns(self, heard: Heard) -> np.ndarray:
        turns = []
        for time, speaking in zip(heard.time, heard.speaking, strict=True):
            begins, self._spoke = speaking and not self._spoke, bool(speaking)
            if begins and time - self._start >= head_motion.TURNS_APART:
                self._from, self._start = self._to, time
                self._to = head_motion.TURN * self._rng.standard_normal(3)
            part = ease((time - self._start) / head_motion.TURN_SECONDS)
            turns.append(self._from + (self._to - self._from) * part)
        return np.array(turns)

    def _nods(self, heard: Heard) -> np.ndarray:
        heights = heard.strengths * self._rng.uniform(0.6, 1.0, len(heard.accents))
        recent = self._tops > heard.time[0] - head_motion.NOD_FALL
        self._tops = np.append(self._tops[recent], heard.accents + head_motion.NOD_RISE)
        self._heights = np.append(self._heights[recent], head_motion.NOD * heights)
        nods = bumps(
            heard.time, self._tops, self._heights, head_motion.NOD_RISE, 0.0, head_motion.NOD_FALL
        )
        for k, nod in enumerate(nods):  # slowly the head comes up again
            self._nodded += (nod - self._nodded) / (head_motion.NOD_RECOVERY * self._fps)
            nods[k] = nod - self._nodded
        return nods
