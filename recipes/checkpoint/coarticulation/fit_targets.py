"""Fit viseme targets to captured lips: `python -m recipes.checkpoint.coarticulation.fit_targets`.

For the channels `open` and `round` this finds the targets and dominances whose curves are nearest
to the lip aperture and mouth width of the GRID and FACEGOOD speakers, regularised towards the table
in `visemes`, and prints them with their scores on held-out recordings. The table is then edited by
hand. Two speakers, since a fit to GRID alone generalises badly: on FACEGOOD's held-out take, r of
the synthesised aperture falls from 0.50 to 0.29; fitted to both it is 0.58.

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
from recipes.checkpoint.captured.landmark_fit import eye_distance
from recipes.checkpoint.coarticulation.synthesis import (
    RATE,
    TIME,
    Utterance,
    banded_system,
    dominance_window,
    segments,
    synthesise,
)
from recipes.checkpoint.coarticulation.visemes import CHANNELS, viseme_table
from recipes.checkpoint.corpus.closures import detect_closures
from recipes.checkpoint.corpus.phone_times import read_grid_alignments
from recipes.checkpoint.corpus.phones import BILABIALS, Phone, fill_silences
from recipes.checkpoint.corpus.recording import Recording, recording_path

FPS = 25.0
LAG = 0.01  # seconds by which the lips lag the closures detected in the sound
PRIOR = 0.05  # weight of the table per frame
REPEATS = {"open": 4, "round": 2}  # of FACEGOOD's takes, which have a fifth of GRID's frames
SHUT = 0.001  # metres: lips with a smaller aperture are closed
BLENDSHAPES = ("mouthPucker", "mouthStretch", "mouthSmile")  # driven by `round`


@dataclass(frozen=True, eq=False)
class TrackedClip:
    """A recording with phones and captured lips.

    Attributes:
        phones: with times.
        aperture, width: (t,) at `FPS`, metres.
        training: whether to fit to it; otherwise it is held out.
    """

    phones: list[Phone]
    aperture: np.ndarray
    width: np.ndarray
    training: bool

    def resample(self, values: np.ndarray, count: int) -> np.ndarray:
        """Resample (t,) values from `FPS` to (count,) at `RATE`."""
        return np.interp(np.arange(count) / RATE + LAG, np.arange(len(values)) / FPS, values)


def read_clips(folder: Path, face: Face) -> list[TrackedClip]:
    """Read the GRID clips that have phone times and were tracked in every frame."""
    held_out = held_out_clips(folder)
    scale = eye_distance(face)
    alignments = read_grid_alignments(folder)
    clips = []
    for name, tracked in grid_corpus.read_tracked_lips(folder).items():
        phones = alignments[name].phones
        if not phones or not tracked.tracked.all():
            continue
        samples = Speech.read(folder / "audio" / f"{name}.opus").samples
        closed = np.percentile(tracked.aperture, 8)  # where the lips touch
        aperture = (tracked.aperture - closed) * scale
        width = (tracked.width - np.median(tracked.width[:8])) * scale
        phones = detect_closures(samples, fill_silences(phones))
        clips.append(TrackedClip(phones, aperture, width, name not in held_out))
    return clips


def read_takes(data: Path, corpus: Path, face: Face) -> list[TrackedClip]:
    """Read FACEGOOD's takes, with the phones recognised in them when the corpus was built."""
    takes = []
    for clip in read_facegood(data / "facegood", face):
        phones = Recording.load(recording_path(corpus, "facegood", clip.name)).phones
        weights = resample(clip.weights, clip.fps, FPS)[: int(phones[-1].end * FPS)]
        aperture, width = lips.aperture(face, weights), lips.width(face, weights)
        rest = np.median(width[aperture < SHUT])
        training = not is_held_out_take(clip.name)
        takes.append(TrackedClip(phones, aperture.clip(0.0), width - rest, training))
    return takes


class ChannelFit:
    """Fits one channel to target curves.

    Args:
        channel: one of `CHANNELS`.
        clips: recordings to fit to.
        wanted: the target curve of each clip, (t,) at `RATE`.
    """

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
        # all clips in sequence, uncoupled from one another
        self.stiff = np.hstack([banded_system(np.zeros(len(y)), self.seconds) for y in wanted])

    def _nearest(self, clip: TrackedClip, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return, for each frame, the index of the dominant phone and its window's value."""
        time, best = np.arange(count) / RATE, np.zeros(count)
        who = np.full(count, self.phones.index("SIL"))
        for part in segments(Utterance(clip.phones, np.ones(len(clip.phones)))):
            near = dominance_window(part, time)
            who[near > best] = self.phones.index(part.viseme)
            best = np.maximum(best, near)
        return who, best

    def curve(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the curves of all clips in sequence, with matrix, dominances and targets."""
        count = len(self.phones)
        dominance = self.near * np.exp(values[count:])[self.who] + 1e-4
        bands = self.stiff.copy()
        bands[2] += dominance
        target = values[:count][self.who]
        return solveh_banded(bands, dominance * target), bands, dominance, target

    def solve(self) -> np.ndarray:
        """Return the best targets and logarithms of dominances: (2·phones,)."""
        wanted, count = np.concatenate(self.wanted), len(self.phones)

        def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
            x, bands, dominance, target = self.curve(values)
            pred, slope = x, np.ones_like(x)
            if self.positive:  # negative values mean closed lips: softplus
                pred, slope = np.logaddexp(0, 40 * x) / 40, 1 / (1 + np.exp(-40 * x))
            error = pred - wanted
            back = solveh_banded(bands, error * slope)
            by_target = np.bincount(self.who, back * dominance, count)
            by_dominance = np.bincount(self.who, back * dominance * (target - x), count)
            prior = PRIOR * len(wanted) / count * np.repeat([1.0, 0.15], count)
            gradient = np.concatenate([by_target, by_dominance])
            gradient += prior * (values - self.start)
            gradient[~np.tile(self.free, 2)] = 0.0
            return 0.5 * float(error @ error + prior @ (values - self.start) ** 2), gradient

        return minimize(loss, self.start, jac=True, method="L-BFGS-B", options={"maxiter": 80}).x

    def report(self, speaker: str, values: np.ndarray) -> None:
        """Print the scores of the table and of fitted values: medians over clips."""
        for title, given in (("table", self.start), ("fitted", values)):
            x = self.curve(given)[0]
            if self.positive:
                x = x.clip(0.0)
            ends = np.cumsum([len(y) for y in self.wanted])
            rows = [
                (np.corrcoef(x[e - len(y) : e], y)[0, 1], x[e - len(y) : e].std() / y.std())
                for e, y in zip(ends, self.wanted, strict=True)
            ]
            r, spread = np.median(rows, 0)
            print(f"{speaker}, {title}: r {r:.3f}, sd ratio {spread:.2f}")


def main() -> None:
    """Fit `open` and `round`, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with grid_s1/ and facegood/")
    parser.add_argument(
        "--corpus", type=Path, required=True, help="built by 'python -m recipes.checkpoint.corpus'"
    )
    options, face = parser.parse_args(), load_head(1)
    clips = read_clips(options.data / "grid_s1", face)
    takes = read_takes(options.data, options.corpus, face)
    for channel, repeats in REPEATS.items():
        print(channel)
        training = [clip for clip in clips if clip.training]
        training += [take for take in takes if take.training] * repeats
        fitted = ChannelFit(channel, training, _wanted(channel, training, face)).solve()
        for name, recordings in (("GRID", clips), ("FACEGOOD", takes)):
            held_out = [clip for clip in recordings if not clip.training]
            ChannelFit(channel, held_out, _wanted(channel, held_out, face)).report(name, fitted)
        _print_table(channel, fitted)


def _wanted(channel: str, clips: list[TrackedClip], face: Face) -> list[np.ndarray]:
    """Return the target curve of a channel in each clip: (t,) at `RATE`."""
    wanted = []
    for clip in clips:
        count = round(len(clip.aperture) / FPS * RATE)
        if channel == "round":
            values = _rounding(face, clip)
        else:
            values = clip.aperture / np.percentile(clip.aperture, 95)
        wanted.append(clip.resample(values, count))
    return wanted


def _print_table(channel: str, values: np.ndarray) -> None:
    c, count = CHANNELS.index(channel), len(viseme_table())
    for i, (name, row) in enumerate(sorted(viseme_table().items())):
        target, dominance = values[i], np.exp(values[i + count])
        print(f"  {name:4s} {row[0, c]:5.2f}/{row[1, c]:.2f} → {target:5.2f}/{dominance:.2f}")


def _rounding(face: Face, clip: TrackedClip) -> np.ndarray:
    """Return the `round` channel (t,) that reproduces a clip's mouth width.

    All other channels are as synthesised.
    """
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
