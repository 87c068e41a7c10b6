"""How near the teacher's lips come to real ones: `python benchmarks/coarticulation.py --data DATA --corpus
CORPUS`.

Against the lips tracked in GRID's held-out clips and those captured in FACEGOOD's held-out take,
beside the mere level of the sound; and, in recordings with phone times, what the lips do in the
sounds. In FACEGOOD, Mandarin, nobody wrote the phones down: they were recognised.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
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
from recipes.checkpoint.coarticulation.designed_styles import NEUTRAL
from recipes.checkpoint.corpus.effort import measure_level
from recipes.checkpoint.corpus.phone_times import read_sphinx
from recipes.checkpoint.corpus.recording import Recording, read_corpus
from recipes.checkpoint.evaluation.phone_rows import phone_rows
from recipes.checkpoint.evaluation.phone_statistics import PhoneStatistics

FPS = 30.0
LOUDNESS = (0.0, NEUTRAL.loudness, 0.7, 1.0)  # how much of the opening follows the level
SPOKEN = 150  # recordings of speechocean762 to look at


def animate(face: Face, recording: Recording, loudness: float = NEUTRAL.loudness) -> Motion:
    """What the teacher makes of a recording."""
    style = replace(NEUTRAL, loudness=loudness)
    return Motion(recording.synthesise(face, FPS, [style])[0], FPS, face)


def real_lips(data: Path, face: Face) -> Iterator[tuple[str, str, float, dict[str, np.ndarray]]]:
    """What is held out: set, recording, frames a second, and the curves (T,) of each measure."""
    names = held_out_clips(data / "grid_s1")
    for name, lips in read_tracked_lips(data / "grid_s1", names).items():
        if lips.tracked.all():
            yield "GRID", name, lips.fps, {"opening": lips.aperture, "width": lips.width}
    for clip in read_facegood(data / "facegood", face):
        if is_held_out_take(clip.name):
            captured = Motion(resample(clip.weights, clip.fps, FPS), FPS, face)
            curves = {"opening": captured.lip_aperture(), "width": captured.lip_width()}
            yield "FACEGOOD", clip.name, FPS, curves | {"jaw": captured.blendshape("jawOpen")}


def follow(data: Path, corpus: dict[str, Recording], face: Face) -> dict[tuple[str, str], float]:
    """Median r over the recordings of a set: (set and measure, who follows) → r."""
    found: dict[tuple[str, str], list[float]] = {}
    for source, name, fps, real in real_lips(data, face):
        if name not in corpus:
            continue
        recording = corpus[name]
        motions = {f"teacher, {part:g}": animate(face, recording, part) for part in LOUDNESS}
        for measure, curve in real.items():
            times = np.arange(len(curve)) / fps
            says = {
                who: at_times(_curve(motion, measure), FPS, times)
                for who, motion in motions.items()
            }
            says["level"] = measure_level(recording.samples, fps, len(curve))
            for who, said in says.items():
                r = correlation(curve, said)
                found.setdefault((f"{source}, {measure}", who), []).append(r)
    return {key: float(np.median(values)) for key, values in found.items()}


def _curve(motion: Motion, measure: str) -> np.ndarray:
    if measure == "jaw":
        return motion.blendshape("jawOpen")
    return motion.lip_aperture() if measure == "opening" else motion.lip_width()


def main() -> None:
    """Prints two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with grid_s1/ in it")
    parser.add_argument(
        "--corpus", type=Path, required=True, help="of 'python -m recipes.checkpoint.corpus'"
    )
    options = parser.parse_args()
    face = load_head(1)
    captured = {recording.name: recording for recording in read_corpus(options.corpus, "captured")}
    found = follow(options.data, captured, face)
    who = list(dict.fromkeys(name for _, name in found))
    print(f"| r with | {' | '.join(who)} |\n|{'---|' * (len(who) + 1)}")
    for measure in dict.fromkeys(measure for measure, _ in found):
        print(f"| {measure} | {' | '.join(f'{found[measure, name]:.2f}' for name in who)} |")

    folder = options.data / "speech" / "librivox_phones"
    read = PhoneStatistics()
    for recording in read_corpus(options.corpus, "evaluation"):
        if recording.source == "librivox":
            said = read_sphinx(folder / f"{recording.name}.phone.json").phones
            read.add(animate(face, recording).lip_aperture(), FPS, said)
    spoken = PhoneStatistics()
    trained = (r for r in read_corpus(options.corpus, "train") if r.source == "speechocean762")
    for recording in islice(trained, SPOKEN):
        spoken.add(animate(face, recording).lip_aperture(), FPS, recording.phones)
    print("\n| | LibriVox | speechocean762 |\n|---|---|---|")
    none = PhoneStatistics()
    columns = [phone_rows({"neutral": part}, none) for part in (read, spoken)]
    for here, there in zip(*columns, strict=True):
        print(f"| {here.metric} | {here.format(here.value)} | {there.format(there.value)} |")


if __name__ == "__main__":
    main()
