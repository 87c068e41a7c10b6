"""How well the bundled head's blendshapes reproduce lips tracked in video, speaker by speaker.

    python benchmarks/landmark_fit.py DATA/grid_s1 DATA/grid_speakers

Each folder is in the format of `recipes.checkpoint.captured.grid_corpus`; clips of several speakers
are named SPEAKER_CLIP. Medians over a speaker's clips of Pearson's r over time and of the standard
deviation over that of the tracked lips, of lip aperture and mouth width.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from jambatalk.evaluate.curve_metrics import correlation
from jambatalk.face import lips
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from recipes.checkpoint.captured.grid_corpus import TrackedLips, fit_grid, read_tracked_lips
from recipes.checkpoint.captured.landmark_fit import eye_distance

HEADER = "| speaker | clips | r(lip_open) | r(lip_width) | sd of lip_open | sd of lip_width |"


def scores(face: Face, weights: np.ndarray, tracked: TrackedLips) -> list[float]:
    """Return r of aperture and width, and their standard deviations over the tracked ones."""
    eyes, found = eye_distance(face), tracked.tracked
    pairs = [
        (lips.aperture(face, weights)[found] / eyes, tracked.aperture[found]),
        (lips.width(face, weights)[found] / eyes, tracked.width[found]),
    ]
    r = [correlation(fitted, target) for fitted, target in pairs]
    return [*r, *(float(fitted.std() / target.std()) for fitted, target in pairs)]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="with motion.npz")
    face = load_head(1)
    print(f"{HEADER}\n|{'---|' * 6}")
    for folder in parser.parse_args().folders:
        by_speaker: dict[str, list[list[float]]] = defaultdict(list)
        tracked = read_tracked_lips(folder)
        for name, weights in fit_grid(folder, face).items():
            if tracked[name].tracked.sum() > 1:
                speaker = name.split("_")[0] if "_" in name else folder.name
                by_speaker[speaker].append(scores(face, weights, tracked[name]))
        for speaker, rows in by_speaker.items():
            aperture_r, width_r, aperture_sd, width_sd = np.median(rows, 0)
            print(
                f"| {speaker} | {len(rows)} | {aperture_r:.3f} | {width_r:.3f} "
                f"| {aperture_sd:.2f} | {width_sd:.2f} |"
            )


if __name__ == "__main__":
    main()
