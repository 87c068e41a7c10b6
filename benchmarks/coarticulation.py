"""Rule-based coarticulation against tracked and captured lips.

    python benchmarks/coarticulation.py --data DATA --corpus CORPUS

Synthesised motion is compared with the lips tracked in GRID's held-out clips and captured in
FACEGOOD's held-out take, beside the level of the sound alone; and in recordings with phone times
lip apertures are measured by phone. The phones of FACEGOOD, which is Mandarin, were recognised.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from jambatalk.evaluate.curve_metrics import at_times, correlation
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.grid_corpus import read_tracked_lips
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.coarticulation.synthesis import LOUDNESS
from recipes.checkpoint.corpus.effort import measure_level
from recipes.checkpoint.corpus.phone_times import read_sphinx
from recipes.checkpoint.corpus.recording import Recording, read_corpus
from recipes.checkpoint.evaluation.phone_rows import phone_rows
from recipes.checkpoint.evaluation.phone_statistics import PhoneStatistics

FPS = 30.0
SHARES = (0.0, LOUDNESS, 0.7, 1.0)  # of the aperture that follow the level
SPEECHOCEAN = 150  # recordings of speechocean762 to measure

Curves = dict[str, np.ndarray]


def synthesise(face: Face, recording: Recording, loudness: float = LOUDNESS) -> Motion:
    """Synthesise the motion of a recording by the coarticulation model."""
    return Motion(recording.synthesise(face, FPS, loudness), FPS, face)


def captured_curves(data: Path, face: Face) -> Iterator[tuple[str, str, float, Curves]]:
    """Yield data set, recording, frame rate and curves (T,) of the held-out recordings."""
    names = held_out_clips(data / "grid_s1")
    for name, lips in read_tracked_lips(data / "grid_s1", names).items():
        if lips.tracked.all():
            yield "GRID", name, lips.fps, {"aperture": lips.aperture, "width": lips.width}
    for clip in read_facegood(data / "facegood", face):
        if is_held_out_take(clip.name):
            motion = Motion(resample(clip.weights, clip.fps, FPS), FPS, face)
            names_of_curves = ("aperture", "width", "jaw")
            yield "FACEGOOD", clip.name, FPS, {n: _curve(motion, n) for n in names_of_curves}


def correlate(data: Path, corpus: dict[str, Recording], face: Face) -> dict[tuple[str, str], float]:
    """Compute the median r over recordings: (data set and curve, predictor) → r."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for source, name, fps, curves in captured_curves(data, face):
        if name not in corpus:
            continue
        recording = corpus[name]
        motions = {f"loudness {part:g}": synthesise(face, recording, part) for part in SHARES}
        for curve, target in curves.items():
            times = np.arange(len(target)) / fps
            predictions = {
                predictor: at_times(_curve(motion, curve), FPS, times)
                for predictor, motion in motions.items()
            }
            predictions["level alone"] = measure_level(recording.samples, fps, len(target))
            for predictor, pred in predictions.items():
                values[f"{source}, {curve}", predictor].append(correlation(pred, target))
    return {key: float(np.median(r)) for key, r in values.items()}


def _curve(motion: Motion, name: str) -> np.ndarray:
    if name == "jaw":
        return motion.blendshape("jawOpen")
    return motion.lip_aperture() if name == "aperture" else motion.lip_width()


def main() -> None:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with grid_s1/")
    parser.add_argument(
        "--corpus", type=Path, required=True, help="of 'python -m recipes.checkpoint.corpus'"
    )
    options = parser.parse_args()
    face = load_head(1)
    captured = {recording.name: recording for recording in read_corpus(options.corpus, "captured")}
    r = correlate(options.data, captured, face)
    predictors = list(dict.fromkeys(predictor for _, predictor in r))
    print(f"| r with | {' | '.join(predictors)} |\n|{'---|' * (len(predictors) + 1)}")
    for curve in dict.fromkeys(curve for curve, _ in r):
        print(f"| {curve} | {' | '.join(f'{r[curve, p]:.2f}' for p in predictors)} |")

    folder = options.data / "speech" / "librivox_phones"
    librivox, speechocean = PhoneStatistics(), PhoneStatistics()
    for recording in read_corpus(options.corpus, "evaluation"):
        if recording.source == "librivox":
            phones = read_sphinx(folder / f"{recording.name}.phone.json").phones
            librivox.add(synthesise(face, recording).lip_aperture(), FPS, phones)
    train = (r for r in read_corpus(options.corpus, "train") if r.source == "speechocean762")
    for recording in islice(train, SPEECHOCEAN):
        speechocean.add(synthesise(face, recording).lip_aperture(), FPS, recording.phones)
    print("\n| | LibriVox | speechocean762 |\n|---|---|---|")
    columns = [
        phone_rows({"neutral": statistics}, PhoneStatistics())
        for statistics in (librivox, speechocean)
    ]
    for left, right in zip(*columns, strict=True):
        print(f"| {left.metric} | {left.format(left.value)} | {right.format(right.value)} |")


if __name__ == "__main__":
    main()
