"""Fits what phones want of the lips to a real speaker's lips: `python -m jambatalk.corpus.tune`.

For the channels `open` and `round` it finds the targets and insistences whose curves come nearest
to the opening and width of the lips tracked in GRID, held back towards the table in `visemes`. It
prints them with how well they do on clips it did not see; the table is then edited by hand, since
one man's lips are not everybody's and GRID does not hold every phone.

The curve of a channel is x = A⁻¹·(w·T) with A = D + diag(w), so one more solve with A gives the
gradient of any loss on x: λ = A⁻¹·∂L/∂x, ∂L/∂T = λ·w, ∂L/∂w = λ·(T - x).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.linalg import solveh_banded
from scipy.optimize import minimize

from jambatalk import lips
from jambatalk.corpus.closures import hear_closures
from jambatalk.corpus.phones import BILABIALS, Phone, checked, from_arpabet
from jambatalk.corpus.teacher import RATE, TIME, Utterance, segments, smoother, teach, window
from jambatalk.corpus.visemes import CHANNELS, viseme_table
from jambatalk.data.held_out import held_out_clips
from jambatalk.face import Face, load_head
from jambatalk.speech import Speech

FPS = 25.0
HELD_OUT_EVERY = 5  # clips
LAG = 0.01  # seconds the tracked lips are late against the sound's closures
PRIOR = 0.02  # how strongly the table is kept, per frame
ACTIONS = ("mouthPucker", "mouthStretch", "mouthSmile")  # what `round` moves


@dataclass(frozen=True, eq=False)
class TrackedClip:
    """A GRID clip: phones, and per frame the opening and width of the lips in metres."""

    phones: list[Phone]
    opening: np.ndarray
    width: np.ndarray

    def at_rate(self, values: np.ndarray, count: int) -> np.ndarray:
        """Values (t,) at 25 frames a second as (count,) at the teacher's rate."""
        return np.interp(np.arange(count) / RATE + LAG, np.arange(len(values)) / FPS, values)


def read_clips(folder: Path, face: Face, every: int = 2) -> list[TrackedClip]:
    """Every second GRID clip with phone times that was tracked throughout and is not held out."""
    held_out = held_out_clips(folder)
    right, *_, left = face.template[face.landmarks["eye_corners"]]
    scale = float(np.linalg.norm(left - right))
    alignments = json.loads((folder / "alignments.json").read_text())
    clips = []
    with np.load(folder / "motion.npz", allow_pickle=False) as file:
        names, frames, measures = file["clip"].tolist(), file["frames"], file["lips"]
        tracked = file["tracked"]
    ends = np.cumsum(frames)
    for name, start, end in list(zip(names, ends - frames, ends, strict=True))[::every]:
        words = alignments[name]["phones"]
        if name in held_out or not words or not tracked[start:end].all():
            continue
        phones = checked(
            Phone(from_arpabet(symbol)[0], at, at + length)
            for word in words
            for symbol, at, length in word[3]
        )
        samples = Speech.read(folder / "audio" / f"{name}.opus").samples
        opening, width = measures[start:end, 0], measures[start:end, 1]
        opening = opening - np.percentile(opening, 8)  # where the lips touch
        width = (width - np.median(width[:8])) * scale
        clips.append(TrackedClip(hear_closures(samples, phones), opening * scale, width))
    return clips


class ChannelFit:
    """Fits one channel to what it should have done, `wanted`: one (t,) at `RATE` for each clip."""

    def __init__(self, channel: str, clips: list[TrackedClip], wanted: list[np.ndarray]) -> None:
        self.phones = sorted(viseme_table())
        c = CHANNELS.index(channel)
        table = np.stack([viseme_table()[name][:, c] for name in self.phones])
        self.start = np.concatenate([table[:, 0], np.log(np.maximum(table[:, 1], 0.05))])
        self.free = np.array([channel != "open" or name not in BILABIALS for name in self.phones])
        self.positive, self.seconds, self.wanted = channel == "open", TIME[channel], wanted
        near = [self._nearest(clip, len(y)) for clip, y in zip(clips, wanted, strict=True)]
        self.who = np.concatenate([who for who, _ in near])
        self.near = np.concatenate([part for _, part in near])
        # all clips in a row: D without couplings between them
        self.stiff = np.hstack([smoother(np.zeros(len(y)), self.seconds) for y in wanted])

    def _nearest(self, clip: TrackedClip, count: int) -> tuple[np.ndarray, np.ndarray]:
        time, best = np.arange(count) / RATE, np.zeros(count)
        who = np.full(count, self.phones.index("SIL"))
        for part in segments(Utterance(clip.phones, np.ones(len(clip.phones)))):
            near = window(part, time)
            who[near > best] = self.phones.index(part.viseme)
            best = np.maximum(best, near)
        return who, best

    def curve(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The curves of all clips in a row, with matrix, insistences and targets."""
        count = len(self.phones)
        insistence = self.near * np.exp(values[count:])[self.who] + 1e-4
        bands = self.stiff.copy()
        bands[2] += insistence
        target = values[:count][self.who]
        return solveh_banded(bands, insistence * target), bands, insistence, target

    def solve(self, seen: np.ndarray) -> np.ndarray:
        """Targets and logarithms of insistences that fit best where `seen`, (2·phones,)."""
        wanted, count = np.concatenate(self.wanted), len(self.phones)

        def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
            x, bands, insistence, target = self.curve(values)
            given, slope = x, np.ones_like(x)
            if self.positive:  # lips that are pressed are closed
                given, slope = np.logaddexp(0, 40 * x) / 40, 1 / (1 + np.exp(-40 * x))
            error = (given - wanted) * seen
            back = solveh_banded(bands, error * slope)
            by_target = np.bincount(self.who, back * insistence, count)
            by_insistence = np.bincount(self.who, back * insistence * (target - x), count)
            keep = PRIOR * seen.sum() / count * np.repeat([1.0, 0.15], count)
            gradient = np.concatenate([by_target, by_insistence])
            gradient += keep * (values - self.start)
            gradient[~np.tile(self.free, 2)] = 0.0
            return 0.5 * float(error @ error + keep @ (values - self.start) ** 2), gradient

        return minimize(loss, self.start, jac=True, method="L-BFGS-B", options={"maxiter": 80}).x

    def report(self, values: np.ndarray, seen: np.ndarray) -> None:
        """Prints what was found, and how it does on the clips that were not seen."""
        count = len(self.phones)
        for title, given in (("table", self.start), ("fitted", values)):
            x = self.curve(given)[0].clip(0.0 if self.positive else None)
            ends = np.cumsum([len(y) for y in self.wanted])
            rows = [
                (np.corrcoef(x[e - len(y) : e], y)[0, 1], x[e - len(y) : e].std() / y.std())
                for e, y in zip(ends, self.wanted, strict=True)
                if not seen[e - 1]
            ]
            print(f"{title}: r {np.median(rows, 0)[0]:.3f}, sd ratio {np.median(rows, 0)[1]:.2f}")
        frames = np.bincount(self.who, minlength=count)
        for i, name in enumerate(self.phones):
            if frames[i] > RATE:
                old, new = self.start[[i, i + count]], values[[i, i + count]]
                print(
                    f"  {name:4s} {old[0]:5.2f}/{np.exp(old[1]):.2f} → "
                    f"{new[0]:5.2f}/{np.exp(new[1]):.2f}  ({frames[i] / RATE:.1f} s)"
                )


def main() -> None:
    """Fits `open` and `round`, and prints them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with grid_s1/ in it")
    face = load_head(1)
    clips = read_clips(parser.parse_args().data / "grid_s1", face)
    opening, rounding = [], []
    for clip in clips:
        count = round(len(clip.opening) / FPS * RATE)
        opening.append(clip.at_rate(clip.opening / np.percentile(clip.opening, 95), count))
        rounding.append(clip.at_rate(_rounding(face, clip), count))
    for channel, wanted in (("open", opening), ("round", rounding)):
        print(channel)
        seen = np.concatenate(
            [np.full(len(y), i % HELD_OUT_EVERY != 0) for i, y in enumerate(wanted)]
        )
        fit = ChannelFit(channel, clips, wanted)
        fit.report(fit.solve(seen), seen)


def _rounding(face: Face, clip: TrackedClip) -> np.ndarray:
    """The `round` that would give a clip's lips their width, with all else as taught: (t,)."""
    utterance = Utterance(clip.phones, np.ones(len(clip.phones)))
    weights = teach(face, utterance, FPS, len(clip.width))
    for i, action in enumerate(face.actions):
        if action.startswith(ACTIONS):
            weights[:, i] = 0.0
    pucker = np.zeros(len(face.actions), np.float32)
    rest = lips.width(face, pucker)
    pucker[face.actions.index("mouthPucker")] = 1.0
    return (clip.width - (lips.width(face, weights) - rest)) / (lips.width(face, pucker) - rest)


if __name__ == "__main__":
    main()
