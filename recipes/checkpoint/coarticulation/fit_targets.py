"""Fits what phones want of the lips to two people's lips: `python -m recipes.checkpoint.coarticulation.fit_targets`.

For the channels `open` and `round` it finds the targets and dominances whose curves come nearest
to the opening and width of the lips in GRID and in FACEGOOD, held back towards the table in
`visemes`. It prints them with how well they do on what is held out; the table is then edited by
hand. Two people, since a fit to GRID alone takes its man's habits for everybody's: in FACEGOOD's
held-out take r of the taught opening falls from 0.50 to 0.29; fitted to both it is 0.58.

The curve of a channel is x = A⁻¹·(w·T) with A = D + diag(w), so one more solve with A gives the
gradient of any loss on x: λ = A⁻¹·∂L/∂x, ∂L/∂T = λ·w, ∂L/∂w = λ·(T - x).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.linalg import solveh_banded
from scipy.optimize import minimize

from jambatalk.face import lips
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.motion.resample import resample
from jambatalk.speech import Speech
from recipes.checkpoint.captured import grid_corpus
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.coarticulation.synthesis import (
    RATE,
    TIME,
    Utterance,
    segments,
    smoother,
    synthesise,
    window,
)
from recipes.checkpoint.coarticulation.visemes import CHANNELS, viseme_table
from recipes.checkpoint.corpus.closures import detect_closures
from recipes.checkpoint.corpus.phone_times import read_grid_alignments
from recipes.checkpoint.corpus.phones import BILABIALS, Phone, fill_silences
from recipes.checkpoint.corpus.recording import Recording, recording_path

FPS = 25.0
LAG = 0.01  # seconds the lips are late against the sound's closures
PRIOR = 0.05  # how strongly the table is kept, per frame
REPEATS = {"open": 4, "round": 2}  # of FACEGOOD's takes, which have a fifth of GRID's frames
SHUT = 0.001  # metres: lips less apart than this are closed
BLENDSHAPES = ("mouthPucker", "mouthStretch", "mouthSmile")  # what `round` moves


@dataclass(frozen=True, eq=False)
class TrackedClip:
    """Phones, and per frame the opening and width of the lips in metres; whether to fit to it."""

    phones: list[Phone]
    opening: np.ndarray
    width: np.ndarray
    learned: bool

    def resample(self, values: np.ndarray, count: int) -> np.ndarray:
        """Values (t,) at 25 frames a second as (count,) at the teacher's rate."""
        return np.interp(np.arange(count) / RATE + LAG, np.arange(len(values)) / FPS, values)


def read_clips(folder: Path, face: Face) -> list[TrackedClip]:
    """The GRID clips with phone times that were tracked throughout."""
    held_out = held_out_clips(folder)
    right, *_, left = face.template[face.landmarks["eye_corners"]]
    scale = float(np.linalg.norm(left - right))
    alignments = read_grid_alignments(folder)
    clips = []
    for name, seen in grid_corpus.read_tracked_lips(folder).items():
        said = alignments[name].phones
        if not said or not seen.tracked.all():
            continue
        samples = Speech.read(folder / "audio" / f"{name}.opus").samples
        opening = (
            seen.aperture - np.percentile(seen.aperture, 8)
        ) * scale  # from where the lips touch
        width = (seen.width - np.median(seen.width[:8])) * scale
        heard = detect_closures(samples, fill_silences(said))
        clips.append(TrackedClip(heard, opening, width, name not in held_out))
    return clips


def read_takes(data: Path, corpus: Path, face: Face) -> list[TrackedClip]:
    """FACEGOOD's takes, with the phones that were recognised in them when the corpus was built."""
    takes = []
    for clip in read_facegood(data / "facegood", face):
        phones = Recording.load(recording_path(corpus, "facegood", clip.name)).phones
        weights = resample(clip.weights, clip.fps, FPS)[: int(phones[-1].end * FPS)]
        opening, width = lips.aperture(face, weights), lips.width(face, weights)
        rest = np.median(width[opening < SHUT])
        learned = not is_held_out_take(clip.name)
        takes.append(TrackedClip(phones, opening.clip(0.0), width - rest, learned))
    return takes


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
        """The curves of all clips in a row, with matrix, dominances and targets."""
        count = len(self.phones)
        dominance = self.near * np.exp(values[count:])[self.who] + 1e-4
        bands = self.stiff.copy()
        bands[2] += dominance
        target = values[:count][self.who]
        return solveh_banded(bands, dominance * target), bands, dominance, target

    def solve(self) -> np.ndarray:
        """Targets and logarithms of dominances that fit best, (2·phones,)."""
        wanted, count = np.concatenate(self.wanted), len(self.phones)

        def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
            x, bands, dominance, target = self.curve(values)
            given, slope = x, np.ones_like(x)
            if self.positive:  # lips that are pressed are closed
                given, slope = np.logaddexp(0, 40 * x) / 40, 1 / (1 + np.exp(-40 * x))
            error = given - wanted
            back = solveh_banded(bands, error * slope)
            by_target = np.bincount(self.who, back * dominance, count)
            by_dominance = np.bincount(self.who, back * dominance * (target - x), count)
            keep = PRIOR * len(wanted) / count * np.repeat([1.0, 0.15], count)
            gradient = np.concatenate([by_target, by_dominance])
            gradient += keep * (values - self.start)
            gradient[~np.tile(self.free, 2)] = 0.0
            return 0.5 * float(error @ error + keep @ (values - self.start) ** 2), gradient

        return minimize(loss, self.start, jac=True, method="L-BFGS-B", options={"maxiter": 80}).x

    def report(self, people: str, values: np.ndarray) -> None:
        """Prints how the table and what was found do here: medians over clips."""
        for title, given in (("table", self.start), ("fitted", values)):
            x = self.curve(given)[0].clip(0.0 if self.positive else None)
            ends = np.cumsum([len(y) for y in self.wanted])
            rows = [
                (np.corrcoef(x[e - len(y) : e], y)[0, 1], x[e - len(y) : e].std() / y.std())
                for e, y in zip(ends, self.wanted, strict=True)
            ]
            r, spread = np.median(rows, 0)
            print(f"{people}, {title}: r {r:.3f}, sd ratio {spread:.2f}")


def main() -> None:
    """Fits `open` and `round`, and prints them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with grid_s1/ and facegood/")
    parser.add_argument(
        "--corpus", type=Path, required=True, help="of 'python -m recipes.checkpoint.corpus'"
    )
    options, face = parser.parse_args(), load_head(1)
    clips = read_clips(options.data / "grid_s1", face)
    takes = read_takes(options.data, options.corpus, face)
    for channel, repeats in REPEATS.items():
        print(channel)
        learn = [clip for clip in clips if clip.learned]
        learn += [take for take in takes if take.learned] * repeats
        found = ChannelFit(channel, learn, _wanted(channel, learn, face)).solve()
        for name, people in (("GRID", clips), ("FACEGOOD", takes)):
            unseen = [clip for clip in people if not clip.learned]
            ChannelFit(channel, unseen, _wanted(channel, unseen, face)).report(name, found)
        _print_table(channel, found)


def _wanted(channel: str, clips: list[TrackedClip], face: Face) -> list[np.ndarray]:
    """What a channel should have done in each clip, (t,) at `RATE`."""
    wanted = []
    for clip in clips:
        count = round(len(clip.opening) / FPS * RATE)
        rounds = channel == "round"
        values = _rounding(face, clip) if rounds else clip.opening / np.percentile(clip.opening, 95)
        wanted.append(clip.resample(values, count))
    return wanted


def _print_table(channel: str, values: np.ndarray) -> None:
    c, count = CHANNELS.index(channel), len(viseme_table())
    for i, (name, row) in enumerate(sorted(viseme_table().items())):
        target, dominance = values[i], np.exp(values[i + count])
        print(f"  {name:4s} {row[0, c]:5.2f}/{row[1, c]:.2f} → {target:5.2f}/{dominance:.2f}")


def _rounding(face: Face, clip: TrackedClip) -> np.ndarray:
    """The `round` that would give a clip's lips their width, with all else as taught: (t,)."""
    utterance = Utterance(clip.phones, np.ones(len(clip.phones)))
    weights = synthesise(face, utterance, FPS, len(clip.width))
    for i, blendshape in enumerate(face.blendshapes):
        if blendshape.startswith(BLENDSHAPES):
            weights[:, i] = 0.0
    pucker = np.zeros(len(face.blendshapes), np.float32)
    rest = lips.width(face, pucker)
    pucker[face.blendshapes.index("mouthPucker")] = 1.0
    return (clip.width - (lips.width(face, weights) - rest)) / (lips.width(face, pucker) - rest)


if __name__ == "__main__":
    main()
