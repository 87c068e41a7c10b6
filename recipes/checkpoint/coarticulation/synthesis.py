"""The teacher: what a face does while it says given phones.

Every channel of the mouth (`visemes.CHANNELS`) is the smoothest curve that comes near the targets
of the phones: it minimises

    Σ_t dominance(t)·(x(t) - target(t))² + τ⁴·Σ_t x''(t)²

with a time constant τ of the channel's own, a linear system with five diagonals. Short phones
insist for a short time and fall short of their targets, rounding begins before the vowel that is
rounded, since the consonants in between do not care, and P, B and M insist so much that the lips
close whatever stands beside them: one rule for what is called undershoot, coarticulation and seal.
(Penalised least squares as in smoothing splines; the articulatory idea is Öhman's, "Numerical
model of coarticulation", JASA 1967, and that of virtual targets beyond closure is Löfqvist and
Gracco's, JASA 1997.)

Lips that are apart then follow the loudness of the voice, too, as far as the style says: phones
come as a recogniser or an aligner hears them, and how far a vowel opens is how loud it gets.

Shapes: t frames, c channels, k blendshapes. The curves are computed at `RATE` and then sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded

from jambatalk.face import lips
from jambatalk.face.face import Face
from recipes.checkpoint.coarticulation.designed_styles import NEUTRAL, DesignedStyle
from recipes.checkpoint.coarticulation.visemes import CHANNELS, viseme_table
from recipes.checkpoint.corpus.phones import BILABIALS, DIPHTHONGS, SILENCE, Phone

RATE = 120.0  # frames a second of the curves
# τ in seconds: how long the channel takes to move
TIME = {
    "open": 0.035,
    "jaw": 0.050,
    "round": 0.060,
    "funnel": 0.055,
    "lower": 0.042,
    "upper": 0.042,
    "bite": 0.030,
    "tongue": 0.030,
    "tip": 0.028,
}
FIRST_PART = 0.55  # of a diphthong belongs to its first vowel
MIN_CLOSURE = 0.055  # seconds: a shorter one would fall between two frames of 30 a second
LINGER = 0.01  # seconds that lips take to part visibly after the burst
RELEASE = 0.2  # part of a P or B after its closure, where the sound does not show it
SETTLE, READY = 0.10, 0.06  # seconds of a pause in which the lips still come and go already
TONGUE = 0.5  # of tongueOut: further out it goes through the lip of a mouth hardly open
GAP = 14.0  # millimetres between the lips at `open` 1
JAW = 0.42  # jawOpen at `jaw` 1
LOUD, QUIET = 1.8, 0.1  # opening gained with the level of the sound, above a level
APART = 0.3  # `open` from which on the lips follow the level altogether


@dataclass(frozen=True, eq=False)
class Utterance:
    """Phones and how loud they were said.

    Attributes:
        phones: without gaps, from 0 on.
        effort: (n,) of each phone, 1 is usual; see `effort.measure_effort`.
        level: (t,) of the sound at `RATE`, see `effort.measure_level`; None where it is not known.
    """

    phones: Sequence[Phone]
    effort: np.ndarray
    level: np.ndarray | None = None

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.phones[-1].end


def synthesise(
    face: Face,
    utterance: Utterance,
    fps: float,
    frames: int | None = None,
    style: DesignedStyle = NEUTRAL,
) -> np.ndarray:
    """The motion of an utterance: (t, K) float32, frame i at i/fps seconds.

    Args:
        frames: t; by default as many as begin before the last phone ends.
    """
    if frames is None:
        frames = max(1, int(np.ceil(utterance.duration * fps)))
    curves = solve(utterance, style)
    at = np.arange(frames) / fps * RATE
    x = np.stack([np.interp(at, np.arange(len(curves)), curve) for curve in curves.T], 1)
    return articulate(face, x, style)


@dataclass(frozen=True, eq=False)
class Segment:
    """One target of the mouth: a phone, or half of a diphthong."""

    viseme: str
    start: float
    end: float
    effort: float


def segments(utterance: Utterance) -> list[Segment]:
    """What there is to aim at, one after the other."""
    found = []
    for phone, effort in zip(utterance.phones, utterance.effort, strict=True):
        start, end = phone.start, phone.end
        if phone.name in DIPHTHONGS:
            turn = start + FIRST_PART * (end - start)
            first, second = DIPHTHONGS[phone.name]
            found += [Segment(first, start, turn, effort), Segment(second, turn, end, effort)]
            continue
        if phone.name in BILABIALS:
            start, end = closure(phone)
        elif phone.name == SILENCE:  # lips take their time to rest, and part before they speak
            start, end = (
                start + min(SETTLE, phone.duration / 3),
                end - min(READY, phone.duration / 3),
            )
        found.append(Segment(phone.name, start, end, effort))
    return found


def closure(phone: Phone) -> tuple[float, float]:
    """When the lips of a P, B or M are closed, seconds: as the sound shows, or as is usual."""
    start, end = phone.start, phone.end
    if phone.closure:
        start, end = phone.closure
        end += LINGER
    elif phone.name != "M":
        end -= RELEASE * phone.duration
    short = max(0.0, MIN_CLOSURE - (end - start)) / 2
    return start - short, end + short


def solve(utterance: Utterance, style: DesignedStyle = NEUTRAL) -> np.ndarray:
    """The curves of all channels: (t, c) at `RATE`."""
    count = int(np.ceil(utterance.duration * RATE)) + 2
    target, dominance = score(segments(utterance), count, style)
    curves = np.empty((count, len(CHANNELS)))
    for c, channel in enumerate(CHANNELS):
        bands = smoother(dominance[:, c], TIME[channel] * style.slowness)
        curves[:, c] = solveh_banded(bands, dominance[:, c] * target[:, c])
    if utterance.level is not None:
        follow_level(curves, utterance.level, style)
    return curves


def follow_level(curves: np.ndarray, level: np.ndarray, style: DesignedStyle) -> None:
    """Moves the opening of lips and jaw in curves (t, c) towards what the level of the sound asks
    for; closed lips and a lip under the teeth stay."""
    x = {channel: c for c, channel in enumerate(CHANNELS)}
    at = np.minimum(np.arange(len(curves)), len(level) - 1)
    loud = LOUD * (level[at] - QUIET)
    part = style.loudness * _smooth(curves[:, x["open"]] / APART)
    part *= 1.0 - np.clip(curves[:, x["bite"]], 0.0, 1.0)
    for channel in ("open", "jaw"):
        asked = style.scale.get(channel, 1.0) * loud
        curves[:, x[channel]] += part * (asked - curves[:, x[channel]])


def score(
    parts: Sequence[Segment], count: int, style: DesignedStyle
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and dominances over time: two (t, c)."""
    table = viseme_table()
    time = np.arange(count) / RATE
    target = np.zeros((count, len(CHANNELS)))
    dominance = np.full((count, len(CHANNELS)), 1e-4)
    for part in parts:
        aim, weight = style.shape(part.viseme, part.effort, *table[part.viseme])
        near = window(part, time)[:, None] * weight
        stronger = near > dominance
        target = np.where(stronger, aim, target)
        dominance = np.where(stronger, near, dominance)
    return target, dominance


def window(part: Segment, time: np.ndarray) -> np.ndarray:
    """When a segment insists: 1 in its middle, half at its edges, (t,)."""
    half = max(part.end - part.start, 0.02) / 2
    return np.exp(-0.7 * ((time - (part.start + part.end) / 2) / half) ** 4)


def smoother(dominance: np.ndarray, seconds: float) -> np.ndarray:
    """The matrix of the least squares problem as the upper bands `solveh_banded` takes: (3, t)."""
    stiff = (seconds * RATE) ** 4
    count = len(dominance)
    diagonal, first, second = np.full(count, 6.0), np.full(count, -4.0), np.ones(count)
    diagonal[[0, -1]], diagonal[[1, -2]] = 1.0, 5.0
    first[0] = second[0] = second[1] = 0.0
    first[[1, -1]] = -2.0
    return np.stack([stiff * second, stiff * first, stiff * diagonal + dominance])


def articulate(face: Face, curves: np.ndarray, style: DesignedStyle = NEUTRAL) -> np.ndarray:
    """Channels (t, c) as weights of the face's blendshapes (t, K).

    The gap between the lips comes out as asked, whatever else they do: where jaw and lips open the
    mouth too far mouthClose takes it back, where they do not open it enough the jaw does.
    """
    x = {channel: curves[:, c] for c, channel in enumerate(CHANNELS)}
    opened = np.clip(x["open"], 0.0, 1.3)
    pressed = np.clip(-x["open"] / 0.25, 0.0, 1.0)
    free = _smooth(opened / 0.25)  # 0 where the lips touch
    bite = np.clip(x["bite"], 0.0, 1.0)
    weights = np.zeros((len(curves), len(face.blendshapes)))

    def put(blendshape: str, value: np.ndarray | float) -> None:
        for side in (blendshape, f"{blendshape}Left", f"{blendshape}Right"):
            if side in face.blendshapes:
                weights[:, face.blendshapes.index(side)] += value

    put("jawOpen", JAW * np.clip(x["jaw"], 0.0, 1.2))
    put("mouthPucker", np.clip(x["round"], 0.0, 1.0))
    put("mouthFunnel", np.clip(x["funnel"], 0.0, 1.0) * free)
    spread = np.clip(-x["round"], 0.0, 1.0)
    put("mouthStretch", 0.55 * spread)
    put("mouthSmile", 0.2 * spread)
    put("mouthLowerDown", np.clip(x["lower"], 0.0, 1.0) * free * (1 - bite))
    put("mouthUpperUp", np.clip(x["upper"], 0.0, 1.0) * np.maximum(free, bite * (1 - pressed)))
    put("mouthRollLower", 0.55 * bite + 0.12 * pressed)
    put("mouthShrugLower", 0.25 * bite)
    put("mouthRollUpper", 0.10 * pressed)
    put("mouthPress", 0.06 * pressed)
    put("tongueUp", np.clip(x["tip"], 0.0, 1.0))
    put("tongueOut", np.clip(x["tongue"], 0.0, TONGUE) * free)
    for blendshape, value in style.posture.items():
        put(blendshape, value)
    weights = np.clip(weights, 0.0, 1.0).astype(np.float32)
    return with_aperture(face, weights, opened * GAP * 1e-3)


def with_aperture(face: Face, weights: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Weights (t, K) whose lips are `gap` (t,) metres apart, by mouthClose and jawOpen."""
    jaw = face.blendshapes.index("jawOpen")
    unit = np.zeros(len(face.blendshapes), np.float32)
    rest = lips.aperture(face, unit)
    unit[jaw] = 1.0
    reach = lips.aperture(face, unit) - rest
    missing = gap - lips.aperture(face, weights)
    opened = weights.copy()
    opened[:, jaw] += np.clip(missing, 0.0, None) / reach
    return lips.close(face, opened, -missing).astype(np.float32)


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
