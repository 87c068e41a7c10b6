"""Folders of predictions against a folder of true motions: the work of `jambatalk evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.data.folder import subject_of
from jambatalk.errors import DataError
from jambatalk.evaluate.aperture_plot import plot_openings, require_matplotlib
from jambatalk.evaluate.mesh_motion import (
    MeshMotion,
    aligned,
    check_template,
    list_motions,
    match,
    read_motion,
    read_rest,
)
from jambatalk.evaluate.mesh_regions import Regions
from jambatalk.evaluate.report import Report, Score
from jambatalk.evaluate.sequence_metrics import measure, openings
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import Speech


@dataclass(frozen=True)
class Setting:
    """How files are to be understood.

    Attributes:
        fps: frame rate of true .npy files. predicted_fps: of predicted ones, if it is another.
        unit: of .npy files and templates, see :data:`jambatalk.evaluate.UNITS`.
        resample: bring the faster of truth and prediction to the other's frame rate.
        common: leave out sequences that some folder lacks, instead of refusing.
        audio: a folder with a recording of each sequence, for the measures that need one.
        template: the faces at rest, see :func:`jambatalk.evaluate.mesh_motion.read_rest`; saved motions
            bring their own.
        lip_region, upper_region: see :func:`jambatalk.evaluate.mesh_regions.read_region`; saved motions
            bring their own.
        lip_pairs: upper and lower lip vertices that touch; None to find them.
    """

    fps: float | None = None
    predicted_fps: float | None = None
    unit: str = "m"
    resample: bool = False
    common: bool = False
    audio: Path | None = None
    template: Path | None = None
    lip_region: str | None = None
    upper_region: str | None = None
    lip_pairs: Sequence[tuple[int, int]] | None = None


def evaluate_folders(
    truth: Path,
    predictions: Mapping[str, Path],
    setting: Setting,
    plots: Path | None = None,
    progress: Progress = no_progress,
) -> Report:
    """Scores predictions, sequence by sequence; one sequence is in memory at a time.

    Where a sequence was predicted in several styles (`NAME_condition_STYLE`) its score is the mean
    over them.

    Args:
        truth: a folder of motions. predictions: name → folder of motions.
        plots: where the lips' opening of each sequence is drawn; None for no plots.

    Raises:
        DataError: what cannot be compared; the message names the file.
        SpeechError: a recording that cannot be read.
        JambaTalkError: plots without matplotlib.
    """
    if plots is not None:
        require_matplotlib()
    true_files = list_motions(truth)
    matched = {
        name: match(true_files, list_motions(folder), str(folder), setting.common)
        for name, folder in predictions.items()
    }
    names = [name for name in true_files if all(name in files for files in matched.values())]
    if not names:
        raise DataError("The folders have no sequence in common.", "Equal names belong together.")
    recordings = _recordings(setting.audio, names)
    templates = read_rest(setting.template, setting.unit) if setting.template else {}
    regions, scores, rates = None, [], set()
    for done, name in enumerate(names):
        progress("Measuring", done / len(names))
        true = read_motion(true_files[name], setting.fps, setting.unit)
        subject = subject_of(name, list(templates))
        rest = _rest(true, subject, templates)
        regions = regions or Regions.choose(
            true.vertices,
            true.vertices[0] if rest is None else rest,
            true.face,
            setting.lip_region,
            setting.upper_region,
            setting.lip_pairs,
        )
        speech = Speech.read(recordings[name]).samples if recordings else None
        curves: dict[str, np.ndarray] = {}
        for whose, files in matched.items():
            rows = []
            for path in files[name]:
                said = read_motion(path, setting.predicted_fps or setting.fps, setting.unit)
                seen, said = aligned(true, said, setting.resample)
                rows.append(measure(seen.vertices, said.vertices, rest, regions, seen.fps, speech))
                if plots is not None:
                    style = path.stem.removeprefix(name)
                    seen_opening, opening = openings(seen.vertices, said.vertices, rest, regions)
                    curves[f"{whose}{style}"] = opening
            rates.add(round(seen.fps, 3))
            if len(rates) > 1:
                raise DataError(
                    f"Motions of {min(rates):g} and {max(rates):g} frames a second cannot stand in "
                    "one table.",
                    "Evaluate them one by one, or predict at one rate.",
                )
            scores.append(Score(whose, name, subject, len(seen), _mean(rows)))
        if plots is not None:
            plot_openings(plots / f"{name}.png", name, seen_opening, curves, seen.fps, speech)
    progress("Measuring", 1.0)
    left_out = len(true_files) - len(names)
    return Report(
        scores,
        {
            "truth": truth.name,
            "predictions": {name: folder.name for name, folder in predictions.items()},
            "frames_a_second": rates.pop(),
            "regions": dict(regions.sources),
            **({"true_sequences_left_out": left_out} if left_out else {}),
        },
    )


def _recordings(folder: Path | None, names: Sequence[str]) -> dict[str, Path]:
    if folder is None:
        return {}
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", "Check --audio.")
    found = {path.stem: path for path in sorted(folder.iterdir()) if path.is_file()}
    for name in names:
        if name not in found:
            raise DataError(f"There is no recording of '{name}' in {folder}.", "Check --audio.")
    return found


def _rest(true: MeshMotion, subject: str, templates: Mapping[str, np.ndarray]) -> np.ndarray | None:
    if not templates:
        return true.face.template if true.face else None
    if subject not in templates:
        raise DataError(
            f"There is no template of '{subject}', whom '{true.name}' shows.",
            f"--template has {', '.join(sorted(templates))}.",
        )
    check_template(templates[subject], true)
    return templates[subject]


def _mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean over the styles in which a sequence was predicted."""
    return {
        key: float(np.mean([v for row in rows if np.isfinite(v := row[key])] or [np.nan]))
        for key in rows[0]
    }
