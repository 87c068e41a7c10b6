"""Coarticulation model: lip, jaw and tongue motion synthesised from timed phones.

Every articulatory channel (`visemes.CHANNELS`) is the smoothest curve x that stays near the targets
of the phones. It minimises

    Σ_t dominance(t)·(x(t) - target(t))² + τ⁴·Σ_t x''(t)²

where τ is the channel's time constant: a pentadiagonal linear system (penalised least squares, as
in smoothing splines). One rule covers three effects: short phones are dominant only briefly and
undershoot their targets; rounding starts before a rounded vowel because the consonants before it
have little dominance over it; P, B and M are so dominant that the lips close in any context.

Dominance follows Öhman, "Numerical model of coarticulation", JASA 1967; targets beyond closure
follow Löfqvist and Gracco, JASA 1997.

While the lips are apart, their aperture also follows the loudness of the speech by a share, since
phone times are estimates and vowel aperture grows with vocal effort.

Shapes: t frames, c channels, K blendshapes. Curves are computed at `RATE`, then resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded

from jambatalk.face import lips
from jambatalk.face.face import Face
from recipes.checkpoint.coarticulation.visemes import CHANNELS, viseme_table
from recipes.checkpoint.corpus.phones import BILABIALS, DIPHTHONGS, SILENCE, VOWELS, Phone

RATE = 120.0  # frames per second of the curves
# time constants τ, seconds
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
VOCAL = np.isin(CHANNELS, ("open", "jaw"))  # channels that grow with vocal effort
FIRST_PART = 0.55  # share of a diphthong that belongs to its first vowel
MIN_CLOSURE = 0.055  # seconds: a shorter one could fall between two frames at 30 fps
LINGER = 0.01  # seconds from the burst until the lips visibly part
RELEASE = 0.2  # share of a P or B after its closure, where no closure was detected
SETTLE, READY = 0.10, 0.06  # seconds at both ends of a pause in which the lips still move
TONGUE = 0.5  # largest tongueOut: beyond, the tongue intersects the lip of a nearly closed mouth
APERTURE = 13.0  # millimetres of lip aperture at `open` 1
# weights of blendshapes where their channel is 1
JAW, LOWER, UPPER, STRETCH, SMILE = 0.39, 0.66, 0.77, 0.42, 0.2
LOUD, QUIET = 1.8, 0.1  # aperture per unit of level, and the level that counts as silence
APART = 0.3  # `open` from which the lips follow the level fully
LOUDNESS = 0.3  # share of the aperture that follows the level


@dataclass(frozen=True, eq=False)
class Utterance:
    """Timed phones with their vocal effort and the loudness of the recording.

    Attributes:
        phones: contiguous, starting at 0.
        effort: (n,) of each phone, 1 is average; see `effort.measure_effort`.
        level: (t,) loudness at `RATE`, see `effort.measure_level`; None if unknown.
    """

    phones: Sequence[Phone]
    effort: np.ndarray
    level: np.ndarray | None = None

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return self.phones[-1].end


def synthesise(
    face: Face,
    utterance: Utterance,
    fps: float,
    frames: int | None = None,
    loudness: float = LOUDNESS,
) -> np.ndarray:
    """Synthesise the motion of an utterance: (frames, K) float32 weights, frame i at i/fps seconds.

    Args:
        frames: number of frames; by default all that begin before the last phone ends.
        loudness: share of the lip aperture that follows the level.
    """
    if frames is None:
        frames = max(1, int(np.ceil(utterance.duration * fps)))
    curves = channel_curves(utterance, loudness)
    at = np.arange(frames) / fps * RATE
    x = np.stack([np.interp(at, np.arange(len(curves)), curve) for curve in curves.T], 1)
    return articulate(face, x)


@dataclass(frozen=True, eq=False)
class Segment:
    """An articulatory target with its time span: a phone, or half of a diphthong."""

    viseme: str
    start: float
    end: float
    effort: float


def segments(utterance: Utterance) -> list[Segment]:
    """Split an utterance into consecutive targets."""
    found = []
    for phone, effort in zip(utterance.phones, utterance.effort, strict=True):
        start, end = phone.start, phone.end
        if phone.name in DIPHTHONGS:
            turn = start + FIRST_PART * (end - start)
            first, second = DIPHTHONGS[phone.name]
            found += [Segment(first, start, turn, effort), Segment(second, turn, end, effort)]
            continue
        if phone.name in BILABIALS:
            start, end = closure_interval(phone)
        elif phone.name == SILENCE:  # lips come to rest late and part before the next sound
            start, end = (
                start + min(SETTLE, phone.duration / 3),
                end - min(READY, phone.duration / 3),
            )
        found.append(Segment(phone.name, start, end, effort))
    return found


def closure_interval(phone: Phone) -> tuple[float, float]:
    """Return the start and end in seconds of the lip closure of a P, B or M.

    This is the closure detected in the sound, or a typical one within the phone.
    """
    start, end = phone.start, phone.end
    if phone.closure:
        start, end = phone.closure
        end += LINGER
    elif phone.name != "M":
        end -= RELEASE * phone.duration
    short = max(0.0, MIN_CLOSURE - (end - start)) / 2
    return start - short, end + short


def channel_curves(utterance: Utterance, loudness: float = LOUDNESS) -> np.ndarray:
    """Solve for the curves of all channels: (t, c) at `RATE`."""
    count = int(np.ceil(utterance.duration * RATE)) + 2
    target, dominance = target_tracks(segments(utterance), count)
    curves = np.empty((count, len(CHANNELS)))
    for c, channel in enumerate(CHANNELS):
        bands = banded_system(dominance[:, c], TIME[channel])
        curves[:, c] = solveh_banded(bands, dominance[:, c] * target[:, c])
    if utterance.level is not None:
        follow_level(curves, utterance.level, loudness)
    return curves


def follow_level(curves: np.ndarray, level: np.ndarray, loudness: float) -> None:
    """Blend lip and jaw opening of curves (t, c) towards the loudness `level`, in place.

    Closed lips, and a lower lip under the upper teeth, are left unchanged.
    """
    x = {channel: c for c, channel in enumerate(CHANNELS)}
    at = np.minimum(np.arange(len(curves)), len(level) - 1)
    loud = LOUD * (level[at] - QUIET)
    share = loudness * _smoothstep(curves[:, x["open"]] / APART)
    share *= 1.0 - np.clip(curves[:, x["bite"]], 0.0, 1.0)
    for channel in ("open", "jaw"):
        curves[:, x[channel]] += share * (loud - curves[:, x[channel]])


def target_tracks(parts: Sequence[Segment], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and dominances over time, both (count, c): at each frame the most dominant."""
    table = viseme_table()
    time = np.arange(count) / RATE
    target = np.zeros((count, len(CHANNELS)))
    dominance = np.full((count, len(CHANNELS)), 1e-4)
    for part in parts:
        aim, weight = table[part.viseme]
        if part.viseme in VOWELS:
            aim = np.where(VOCAL, aim * part.effort, aim)
        near = dominance_window(part, time)[:, None] * weight
        stronger = near > dominance
        target = np.where(stronger, aim, target)
        dominance = np.where(stronger, near, dominance)
    return target, dominance


def dominance_window(part: Segment, time: np.ndarray) -> np.ndarray:
    """Return the dominance of a segment over time (t,): 1 in its middle, half at its edges."""
    half = max(part.end - part.start, 0.02) / 2
    return np.exp(-0.7 * ((time - (part.start + part.end) / 2) / half) ** 4)


def banded_system(dominance: np.ndarray, seconds: float) -> np.ndarray:
    """Return the least-squares matrix as upper bands for `solveh_banded`: (3, t)."""
    stiff = (seconds * RATE) ** 4
    count = len(dominance)
    diagonal, first, second = np.full(count, 6.0), np.full(count, -4.0), np.ones(count)
    diagonal[[0, -1]], diagonal[[1, -2]] = 1.0, 5.0
    first[0] = second[0] = second[1] = 0.0
    first[[1, -1]] = -2.0
    return np.stack([stiff * second, stiff * first, stiff * diagonal + dominance])


def articulate(face: Face, curves: np.ndarray) -> np.ndarray:
    """Convert channels (t, c) to blendshape weights (t, K) of a face.

    The lip aperture is exactly the one the `open` channel sets: mouthClose compensates where jaw
    and lips open the mouth too far, jawOpen where they do not open it enough.
    """
    x = {channel: curves[:, c] for c, channel in enumerate(CHANNELS)}
    opened = np.clip(x["open"], 0.0, 1.3)
    pressed = np.clip(-x["open"] / 0.25, 0.0, 1.0)
    free = _smoothstep(opened / 0.25)  # 0 where the lips touch
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
    put("mouthStretch", STRETCH * spread)
    put("mouthSmile", SMILE * spread)
    put("mouthLowerDown", LOWER * np.clip(x["lower"], 0.0, 1.0) * free * (1 - bite))
    raised = np.maximum(free, bite * (1 - pressed))
    put("mouthUpperUp", UPPER * np.clip(x["upper"], 0.0, 1.0) * raised)
    put("mouthRollLower", 0.65 * bite + 0.12 * pressed)
    put("mouthShrugLower", 0.10 * bite)
    put("mouthRollUpper", 0.10 * pressed)
    put("mouthPress", 0.06 * pressed)
    put("tongueUp", np.clip(x["tip"], 0.0, 1.0))
    put("tongueOut", np.clip(x["tongue"], 0.0, TONGUE) * free)
    weights = np.clip(weights, 0.0, 1.0).astype(np.float32)
    return with_aperture(face, weights, opened * APERTURE * 1e-3)


def with_aperture(face: Face, weights: np.ndarray, aperture: np.ndarray) -> np.ndarray:
    """Adjust mouthClose and jawOpen of weights (t, K) to a lip aperture (t,) in metres."""
    jaw = face.blendshapes.index("jawOpen")
    unit = np.zeros(len(face.blendshapes), np.float32)
    rest = lips.aperture(face, unit)
    unit[jaw] = 1.0
    reach = lips.aperture(face, unit) - rest
    missing = aperture - lips.aperture(face, weights)
    opened = weights.copy()
    opened[:, jaw] += np.clip(missing, 0.0, None) / reach
    return lips.close(face, opened, -missing).astype(np.float32)


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
