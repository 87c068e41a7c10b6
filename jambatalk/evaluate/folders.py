"""Evaluation of folders of predictions against a folder of targets: `jambatalk evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.data.vertex_folder import subject_of
from jambatalk.errors import DataError
from jambatalk.evaluate import UNITS
from jambatalk.evaluate.aperture_plot import plot_apertures, require_matplotlib
from jambatalk.evaluate.mesh_motion import (
    MeshMotion,
    align,
    check_template,
    list_motions,
    match,
    read_motion,
)
from jambatalk.evaluate.mesh_regions import MeshRegions, choose_regions
from jambatalk.evaluate.report import Report, Score
from jambatalk.evaluate.sequence_metrics import evaluate_sequence, lip_apertures
from jambatalk.face.mesh import read_templates
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import Speech


@dataclass(frozen=True)
class EvaluationConfig:
    """How the files of an evaluation are read.

    Attributes:
        fps: frame rate of .npy files.
        pred_fps: frame rate of predicted .npy files, if it differs.
        unit: of .npy files and templates, see :data:`jambatalk.evaluate.UNITS`.
        resample: bring the faster of prediction and target to the other's frame rate.
        common: leave out sequences that a folder lacks, instead of raising an error.
        audio: folder with a recording of each sequence, for the metrics that need one.
        template: faces at rest in the `unit`, see :func:`jambatalk.face.mesh.read_templates`;
            saved motions contain their own.
        lip_region: see :func:`jambatalk.evaluate.mesh_regions.read_region`; saved motions contain
            their own.
        upper_region: as `lip_region`.
        lip_pairs: vertices of the upper and lower lip that touch; None to find them.
    """

    fps: float | None = None
    pred_fps: float | None = None
    unit: str = "m"
    resample: bool = False
    common: bool = False
    audio: Path | None = None
    template: Path | None = None
    lip_region: str | None = None
    upper_region: str | None = None
    lip_pairs: Sequence[tuple[int, int]] | None = None


def evaluate_folders(
    predictions: Mapping[str, Path],
    targets: Path,
    config: EvaluationConfig,
    plots: Path | None = None,
    progress: Progress = no_progress,
) -> Report:
    """Evaluate predictions sequence by sequence; one sequence is in memory at a time.

    The scores of a sequence that was predicted in several styles (`NAME_condition_STYLE`) are the
    means over them.

    Args:
        predictions: name → folder of motions.
        targets: folder of motions.
        plots: folder for plots of the lip aperture; None for no plots.

    Raises:
        DataError: files that cannot be compared; the message names them.
        SpeechError: a recording that cannot be read.
        NotInstalledError: plots without matplotlib.
    """
    if plots is not None:
        require_matplotlib()
    target_files = list_motions(targets)
    matched = {
        name: match(list_motions(folder), target_files, str(folder), config.common)
        for name, folder in predictions.items()
    }
    sequences = [name for name in target_files if all(name in files for files in matched.values())]
    if not sequences:
        raise DataError("The folders have no sequence in common.", "Equal names belong together.")
    recordings = _recordings(config.audio, sequences)
    templates = read_templates(config.template) if config.template else {}
    templates = {who: template * UNITS[config.unit] for who, template in templates.items()}
    regions: MeshRegions | None = None
    scores: list[Score] = []
    rates: set[float] = set()
    for done, name in enumerate(sequences):
        progress("Measuring", done / len(sequences))
        target = read_motion(target_files[name], config.fps, config.unit)
        subject = subject_of(name, list(templates))
        template = _template(target, subject, templates)
        if regions is None:
            regions = choose_regions(
                target.vertices,
                target.vertices[0] if template is None else template,
                target.face,
                config.lip_region,
                config.upper_region,
                config.lip_pairs,
            )
        samples = Speech.read(recordings[name]).samples if recordings else None
        apertures: dict[str, np.ndarray] = {}
        for prediction, files in matched.items():
            values = []
            for path in files[name]:
                pred = read_motion(path, config.pred_fps or config.fps, config.unit)
                pred, aligned = align(pred, target, config.resample)
                q, p = pred.vertices, aligned.vertices
                values.append(evaluate_sequence(q, p, template, regions, aligned.fps, samples))
                if plots is not None:
                    label = prediction + path.stem.removeprefix(name)
                    apertures[label], target_aperture = lip_apertures(q, p, template, regions)
            rates.add(round(aligned.fps, 3))
            if len(rates) > 1:
                raise DataError(
                    f"Motions of {min(rates):g} and {max(rates):g} frames a second cannot be "
                    "compared in one table.",
                    "Evaluate them one by one, or predict at one rate.",
                )
            scores.append(Score(prediction, name, subject, len(aligned), _mean(values)))
        if plots is not None:
            path = plots / f"{name}.png"
            plot_apertures(path, name, apertures, target_aperture, aligned.fps, samples)
    progress("Measuring", 1.0)
    settings: dict[str, object] = {
        "targets": targets.name,
        "predictions": {name: folder.name for name, folder in predictions.items()},
        "fps": rates.pop(),
        "regions": dict(regions.sources) if regions else {},
    }
    if len(sequences) < len(target_files):
        settings["left_out_targets"] = len(target_files) - len(sequences)
    return Report(scores, settings)


def _recordings(folder: Path | None, sequences: Sequence[str]) -> dict[str, Path]:
    if folder is None:
        return {}
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", "Check --audio.")
    found = {path.stem: path for path in sorted(folder.iterdir()) if path.is_file()}
    for name in sequences:
        if name not in found:
            raise DataError(f"There is no recording of '{name}' in {folder}.", "Check --audio.")
    return found


def _template(
    target: MeshMotion, subject: str, templates: Mapping[str, np.ndarray]
) -> np.ndarray | None:
    if not templates:
        return target.face.template if target.face else None
    if subject not in templates:
        raise DataError(
            f"There is no template of '{subject}', the subject of '{target.name}'.",
            f"--template has {', '.join(sorted(templates))}.",
        )
    check_template(templates[subject], target)
    return templates[subject]


def _mean(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average over the styles in which a sequence was predicted, without NaN."""
    return {
        key: float(np.mean([v for row in values if np.isfinite(v := row[key])] or [np.nan]))
        for key in values[0]
    }
