"""Head, brows and blinks of people who speak, beside those generated for the same sound.

    python benchmarks/head_motion.py DATA

DATA holds `address/` (fluent; nothing else is fitted to), `grid_s1/` and `grid_speakers/` (seated
readers, clips of 3 s). Every curve is taken about its mean over a take and smoothed (Gaussian, sd
0.08 s) against the tracker's noise. Columns:

    sd, 95 %      standard deviation, and the 2.5th and 97.5th percentile
    speed         root mean square of the first derivative
    acceleration  and of the second
    half          lag in seconds at which the autocorrelation falls below 0.5
    r             Pearson's r with loudness in dB (smoothed, sd 0.3 s), at the best lag within 0.5 s
    lag           that lag in seconds, above 0 where the motion comes later

Degrees for the head; percent of the distance of the outer eye corners for the brows' height. Blinks
are those a minute, and the part of them that begins within 0.3 s of the start or end of a phrase,
beside the part of the time that lies there.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d
from tracked_heads import FPS, Take, read_address, read_grid

from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.motion.nonverbal import nonverbal_values
from jambatalk.motion.nonverbal.blending import LIDS, POSE, UPPER_FACE
from jambatalk.motion.nonverbal.prosody import ProsodyStream
from jambatalk.motion.nonverbal.upper_face import BLENDSHAPES
from jambatalk.motion.nonverbal.voice_features import BLOCK, HOP, RATE, VoiceFeatures

SMOOTH, LOUDNESS = 0.08 * FPS, 0.3 * RATE
LAGS = range(-round(0.5 * FPS), round(0.5 * FPS) + 1)
BELOW = 30.0  # dB below the loudest: quieter sound counts as this
CLOSED = 0.3  # of the lids, where a blink begins
NEAR = 0.3  # seconds from the edge of a phrase
AXES = ("pitch", "yaw", "roll", "brows")


def generate(takes: Sequence[Take], times: int, face: Face) -> list[Take]:
    """Generate the motion of the same recordings so many times, each with another seed, at the
    times of the same frames."""
    generated = []
    for number in range(times):
        for recording, take in enumerate(takes):
            frames = round(take.speech.duration * FPS)
            values = nonverbal_values(take.speech, FPS, frames, number * len(takes) + recording)
            now = np.arange(frames) / FPS
            curves = [*np.degrees(values[:, POSE]).T, _brow_height(values, face), values[:, LIDS]]
            pitch, yaw, roll, brows, lids = (np.interp(take.times, now, c) for c in curves)
            pose = np.stack([pitch, yaw, roll], 1)
            generated.append(Take(take.speech, take.start, pose, brows, lids))
    return generated


def _brow_height(values: np.ndarray, face: Face) -> np.ndarray:
    corners = face.template[face.landmarks["eye_corners"]]
    chosen = [face.blendshapes.index(name) for name in BLENDSHAPES]
    raised = face.deltas[chosen][:, face.regions["brows"], 1].mean(1)
    return 100 * values[:, UPPER_FACE] @ raised / np.linalg.norm(corners[3] - corners[0])


def loudness(take: Take) -> np.ndarray:
    """Measure loudness (T,) in dB at the frames of a take."""
    features = VoiceFeatures()
    whole = len(take.speech.samples) // (BLOCK * HOP) * BLOCK * HOP
    blocks = take.speech.samples[:whole].reshape(-1, BLOCK * HOP)
    values = np.concatenate([features.step(block)[0] for block in blocks])
    values = np.maximum(values, np.percentile(values, 95) - BELOW)
    smooth = gaussian_filter1d(values, LOUDNESS)
    return np.interp(take.times, np.arange(len(smooth)) / RATE, smooth)


def curve_row(curves: Sequence[np.ndarray], louds: Sequence[np.ndarray]) -> list[str]:
    """Describe one curve of several takes, (T,) each, and the loudness beside it."""
    curves = [gaussian_filter1d(c - c.mean(), SMOOTH) for c in curves]
    louds = [(v - v.mean()) for v in louds]
    speeds = [np.gradient(c) * FPS for c in curves]
    whole = np.concatenate(curves)
    low, high = np.percentile(whole, [2.5, 97.5])
    speed = _rms(np.concatenate(speeds))
    acceleration = _rms(np.concatenate([np.gradient(s) * FPS for s in speeds]))
    r, lag = max(
        ((_correlation(curves, louds, lag), lag) for lag in LAGS), key=lambda pair: abs(pair[0])
    )
    return [
        f"{whole.std():.2f}",
        f"{low:.1f} … {high:.1f}",
        f"{speed:.1f}",
        f"{acceleration:.0f}",
        f"{_half_time(curves):.2f}",
        f"{r:.2f}",
        f"{lag / FPS:.2f}",
    ]


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _correlation(curves: Sequence[np.ndarray], others: Sequence[np.ndarray], lag: int) -> float:
    """Correlate curves with others `lag` frames earlier, of all takes together."""
    pairs = [(c[max(lag, 0) :][: len(c) - abs(lag)], o[max(-lag, 0) :][: len(o) - abs(lag)])
             for c, o in zip(curves, others, strict=True)]  # fmt: skip
    a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return float(np.corrcoef(a, b)[0, 1])


def _half_time(curves: Sequence[np.ndarray]) -> float:
    variance = sum(c @ c for c in curves)
    for lag in range(1, min(map(len, curves))):
        if sum(c[lag:] @ c[:-lag] for c in curves) < 0.5 * variance:
            return lag / FPS
    return np.inf


def blink_row(takes: Sequence[Take]) -> str:
    """Describe the blinks of several takes."""
    blinks, near, minutes = 0, 0, 0.0
    covered: list[np.ndarray] = []
    for take in takes:
        speaking = np.concatenate([p.speaking for p in ProsodyStream().feed(take.speech.samples)])
        edges = (1 + np.flatnonzero(np.diff(speaking.astype(int)))) / RATE
        begins = np.flatnonzero(np.diff((take.lids > CLOSED).astype(int), prepend=1) == 1)
        close = np.abs(take.times[:, None] - edges).min(1, initial=np.inf) < NEAR
        blinks, near = blinks + len(begins), near + int(close[begins].sum())
        minutes, covered = minutes + len(take.lids) / FPS / 60, [*covered, close]
    part = f"{near / max(blinks, 1):.0%} of the blinks, {np.concatenate(covered).mean():.0%} of the"
    return f"{blinks / minutes:.1f} blinks a minute; near the edges of phrases {part} time"


def main() -> None:
    """Print a Markdown table and the blinks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=8, help="of the generated motion")
    parser.add_argument("--every", type=int, default=10, help="of the clips of grid_s1")
    options = parser.parse_args()
    face = load_head(1)
    address = read_address(options.data / "address", face)
    s1 = list(read_grid(options.data / "grid_s1", options.every))
    people = list(read_grid(options.data / "grid_speakers"))
    sets = {
        "address": address,
        "address, generated": generate(address, options.seeds, face),
        "GRID s1": s1,
        "GRID s1, generated": generate(s1, 1, face),
        "GRID, 16 others": people,
        "GRID, 16 others, generated": generate(people, 1, face),
    }
    print("| speech | curve | sd | 95 % | speed | acceleration | half | r | lag |")
    print(f"|{'---|' * 9}")
    for name, takes in sets.items():
        louds = [loudness(take) for take in takes]
        for axis, title in enumerate(AXES):
            curves = [take.brows if title == "brows" else take.pose[:, axis] for take in takes]
            if len(curves[0]):
                print(f"| {name} | {title} | {' | '.join(curve_row(curves, louds))} |")
    for name in ("address", "address, generated"):
        print(f"\n{name}: {blink_row(sets[name])}")


if __name__ == "__main__":
    main()
