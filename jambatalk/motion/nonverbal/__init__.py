"""Beyond the lips: blinks, brows, gaze and head motion, from the voice and a seed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np

from jambatalk.errors import MotionError
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import blinks, brows, head_motion
from jambatalk.motion.nonverbal.gaze import Eyes, Gaze
from jambatalk.motion.nonverbal.prosody import Prosody
from jambatalk.speech import Speech


@dataclass(frozen=True)
class Nonverbal:
    """What moves beside the mouth.

    Attributes:
        blinks: the lids.
        brows: they rise on what is stressed.
        gaze: the eyes hop, look away, and stay on the viewer while the head moves.
        head_motion: the head drifts, and nods on what is stressed.
    """

    blinks: bool = True
    brows: bool = True
    gaze: bool = True
    head_motion: bool = True

    @classmethod
    def of(cls, parts: Iterable[str]) -> Nonverbal:
        """These alone, by their names.

        Raises:
            MotionError: there is no such part.
        """
        parts = set(parts)
        if unknown := parts - set(PARTS):
            raise MotionError(
                f"'{min(unknown)}' is nothing that moves beside the mouth.",
                f"Choose among {', '.join(PARTS)}.",
            )
        return cls(**{part: part in parts for part in PARTS})


PARTS = tuple(field.name for field in fields(Nonverbal))
STILL = Nonverbal.of(())  # the mouth alone


def add_nonverbal(
    motion: Motion, speech: Speech, seed: int = 0, nonverbal: Nonverbal | None = None
) -> Motion:
    """The same motion of the mouth in a face that lives.

    Lids and gaze replace those of `motion`; raised brows are added to its brows; every other blendshape
    stays as it is. Where a face lacks the blendshapes, only its head moves. The same speech, seed and
    length give the same life, whatever the motion, and each part the same whether the others are
    there or not; but the eyes turn against the head only if it sways.

    Args:
        speech: what is said; its stresses and pauses time everything.
        seed: another one gives another life of the same kind.
        nonverbal: which parts; all by default.

    Raises:
        MotionError: the seed is no whole number from 0 on.
    """
    check_seed(seed)
    wanted = nonverbal or Nonverbal()
    if wanted == STILL or not len(motion):
        return motion
    rngs = [np.random.default_rng([seed, number]) for number in range(4)]
    prosody = Prosody.of(speech)
    time = np.arange(len(motion)) / motion.fps
    pose = head_motion.poses(time, motion.fps, prosody, rngs[0]) if wanted.head_motion else None
    gaze = Gaze.of(prosody, rngs[1])
    return wear(
        motion,
        direction=gaze.direction(time) if wanted.gaze else None,
        raised=brows.raised(time, prosody, rngs[2]) if wanted.brows else None,
        closed=blinks.closure(time, prosody, gaze.starts[gaze.far], rngs[3])
        if wanted.blinks
        else None,
        pose=pose,
    )


def wear(
    motion: Motion,
    direction: np.ndarray | None,
    raised: np.ndarray | None,
    closed: np.ndarray | None,
    pose: np.ndarray | None,
) -> Motion:
    """The same motion with what the parts do, None for those that do nothing.

    Args:
        direction: (T, 2) where the eyes look, yaw and elevation, radians.
        raised: (T, 3) weights of `brows.BLENDSHAPES`.
        closed: (T,) how far the lids are closed.
        pose: (T, 3) of the head, radians.
    """
    eyes, columns = Eyes.of(motion.face), _Columns(motion)
    if direction is not None and eyes:
        for blendshape, weight in eyes.look(direction, pose).items():
            columns[blendshape] = weight
    if raised is not None:
        for blendshape, weight in zip(brows.BLENDSHAPES, raised.T, strict=True):
            columns[blendshape] = columns[blendshape] + weight
    if closed is not None:
        for side in ("Left", "Right"):
            lowered = columns["eyeLookDown" + side] * (eyes.lids if eyes else 0.0)
            columns["eyeBlink" + side] = closed * (1.0 - lowered)  # lids follow the eyes down
            for blendshape in ("eyeWide", "eyeSquint"):  # or closed lids would not meet
                columns[blendshape + side] = columns[blendshape + side] * (1.0 - closed)
    pose = None if pose is None else pose.astype(np.float32)
    return replace(motion, weights=columns.weights, pose=pose)


def check_seed(seed: int) -> None:
    """Raises a MotionError if it is no seed."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise MotionError(f"{seed} is not a seed.", "Give a whole number from 0 on.")


class _Columns:
    """A copy of a motion's weights, blendshape by blendshape; what the face lacks is 0 and stays so."""

    def __init__(self, motion: Motion) -> None:
        self.weights = motion.weights.copy()
        self._places = {blendshape: k for k, blendshape in enumerate(motion.face.blendshapes)}

    def __getitem__(self, blendshape: str) -> np.ndarray:
        place = self._places.get(blendshape)
        return np.zeros(len(self.weights)) if place is None else self.weights[:, place]

    def __setitem__(self, blendshape: str, weight: np.ndarray) -> None:
        if blendshape in self._places:
            self.weights[:, self._places[blendshape]] = np.clip(weight, 0.0, 1.0)
