"""The head: it drifts, turns a little with every phrase, and nods on what is stressed."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.nonverbal.curves import bumps, ease, glide, smooth, wander
from jambatalk.motion.nonverbal.prosody import Prosody

# Degrees of pitch, yaw and roll. Heads move all the while their owners speak: widely when they
# begin after a pause, sharply on what is loud and stressed (Hadar, Steiner and Rose, Journal of
# Nonverbal Behavior 8, 1984), in time with pitch and loudness (Munhall et al., Psychological
# Science 15, 2004).
LIMITS = np.array([4.0, 5.0, 3.0])  # never reached
DRIFT = np.array([0.6, 0.9, 0.5])  # standard deviation while somebody speaks
CALM = 0.5  # of it while nobody does
DRIFT_SPACING = 1.1  # seconds, see :func:`wander`
TURN = np.array([0.5, 1.5, 0.8])  # standard deviation from phrase to phrase
TURN_SECONDS, TURNS_APART = 1.0, 1.6
NOD = 1.9  # degrees down, of an accent of strength 1
# A nod begins on the accent and is lowest after it (Kim, Cvejic and Davis, Speech Communication 57,
# 2014).
NOD_LATE, NOD_RISE, NOD_FALL = 0.08, 0.22, 0.50  # seconds
NOD_RECOVERY = 1.5  # seconds within which the head is up again by as much
BREATH, BREATH_SECONDS = 0.15, 4.0  # degrees of pitch; 15 breaths a minute at rest
START = 0.7  # seconds in which it begins and ends, with the face to the front


def poses(time: np.ndarray, fps: float, prosody: Prosody, rng: np.random.Generator) -> np.ndarray:
    """Pitch, yaw and roll over time, (T, 3) radians, see :class:`jambatalk.face.neck.Neck`.

    Zero at the beginning and the end, and on average.
    """
    drifting = np.stack([wander(time, DRIFT_SPACING, rng) for _ in range(3)], axis=1)
    awake = smooth(prosody.speaking(time).astype(float), 0.4 * fps)
    pose = DRIFT * drifting * (CALM + (1 - CALM) * awake)[:, None]
    pose += _turns(time, prosody, rng)
    nods = bumps(
        time,
        prosody.accents + NOD_LATE,
        NOD * prosody.strengths * rng.uniform(0.6, 1.0, len(prosody.accents)),
        *(NOD_RISE, 0.0, NOD_FALL),
    )
    pose[:, 0] += nods - smooth(nods, NOD_RECOVERY * fps)
    phase = time / BREATH_SECONDS + 0.15 * wander(time, 2 * BREATH_SECONDS, rng)
    pose[:, 0] += BREATH * np.sin(2 * np.pi * phase)
    pose = LIMITS * np.tanh(pose / LIMITS)
    ramp = min(START, prosody.seconds / 4)
    there = ease(np.minimum(time, time[-1:] - time) / ramp)[:, None]  # 0 in the first and last
    pose = there * (pose - (there * pose).sum(0) / max(there.sum(), 1.0))
    return np.radians(pose)


def _turns(time: np.ndarray, prosody: Prosody, rng: np.random.Generator) -> np.ndarray:
    """Where the head points from phrase to phrase, (T, 3) degrees."""
    starts: list[float] = []
    for start in np.concatenate([[0.0], prosody.pauses[:, 1]]) - 0.15:
        if start < prosody.seconds and (not starts or start - starts[-1] >= TURNS_APART):
            starts.append(start)
    values = TURN * rng.standard_normal((len(starts), 3))
    return glide(time, np.array(starts), np.full(len(starts), TURN_SECONDS), values)
