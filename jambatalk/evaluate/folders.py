"""Evaluation of folders of predictions against a folder of targets: `jambatalk evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jambatalk.data.vertex_folder import subject_of
from jambatalk.errors import DataError
from jambatalk.evaluate import UNITS
from jambatalk.evaluate.aperture_plot import ApertureCurves
from jambatalk.evaluate.brought_networks import BroughtNetworks
from jambatalk.evaluate.mesh_motion import (
    MeshMotion,
    align,
    check_template,
    condition_of,
    list_motions,
    match,
    read_motion,
)
from jambatalk.evaluate.mesh_regions import MeshRegions, choose_regions
from jambatalk.evaluate.phone_classes import read_phones
from jambatalk.evaluate.report import BEST_OF, Report, Score
from jambatalk.evaluate.sample_metrics import Condition, coverage_error, diversity
from jambatalk.evaluate.sequence_metrics import evaluate_sequence, lip_apertures
from jambatalk.evaluate.spoken_words import SUFFIXES as WORD_SUFFIXES
from jambatalk.evaluate.spoken_words import SpokenWords, read_words
from jambatalk.export.phones import SUFFIXES as PHONE_SUFFIXES
from jambatalk.face.mesh import read_templates
from jambatalk.model.phones import TimedPhone
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
        phones: folder with the phones of each recording, for errors by class, see
            :func:`jambatalk.evaluate.phone_classes.read_phones`.
        words: folder with the words of each recording, sentences of GRID, for lip reading, see
            :func:`jambatalk.evaluate.spoken_words.read_words`.
        syncnet: SyncNet's weights, which a user brings, for LSE-D and LSE-C.
        plrs: encoders of speech and of meshes, which a user brings, for PLRS.
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
    phones: Path | None = None
    words: Path | None = None
    syncnet: Path | None = None
    plrs: Sequence[Path] | None = None
    template: Path | None = None
    lip_region: str | None = None
    upper_region: str | None = None
    lip_pairs: Sequence[tuple[int, int]] | None = None


class _Sequence(NamedTuple):
    """What the predictions of a sequence are compared with; see :func:`evaluate_sequence`."""

    target: MeshMotion
    template: np.ndarray | None
    regions: MeshRegions
    samples: np.ndarray | None
    phones: Sequence[TimedPhone]
    spoken: SpokenWords | None
    judges: BroughtNetworks
    judged: dict[str, float]  # the target by the brought networks


class _Measured(NamedTuple):
    """One prediction of a sequence.

    Attributes:
        condition: what follows `_condition_` in its name, or nothing.
        fps, frames: at and over which it was compared.
        values: key of a metric → value.
        lips: its and the target's vertices of the lips, (T, L, 3) metres.
        apertures: its and the target's, (T,) metres.
    """

    condition: str
    fps: float
    frames: int
    values: dict[str, float]
    lips: tuple[np.ndarray, np.ndarray]
    apertures: tuple[np.ndarray, np.ndarray]


def evaluate_folders(
    predictions: Mapping[str, Path],
    targets: Path,
    config: EvaluationConfig,
    show: Callable[[ApertureCurves], object] | None = None,
    progress: Progress = no_progress,
) -> Report:
    """Evaluate predictions sequence by sequence; one sequence is in memory at a time.

    The scores of a sequence that was predicted in several styles or of several seeds
    (`NAME_condition_STYLE`, `NAME_condition_STYLE_seed_NUMBER`) are the means over them. A second
    prediction, "..., best", then has the scores of that with the least LVE in every sequence.

    Args:
        predictions: name → folder of motions.
        targets: folder of motions.
        show: called with the lip apertures of each sequence, the best of several predictions.

    Raises:
        DataError: files that cannot be compared; the message names them.
        SpeechError: a recording that cannot be read.
    """
    target_files = list_motions(targets)
    matched = {
        name: match(list_motions(folder), target_files, str(folder), config.common)
        for name, folder in predictions.items()
    }
    names = [name for name in target_files if all(name in files for files in matched.values())]
    if not names:
        raise DataError("The folders have no sequence in common.", "Equal names belong together.")
    several = {
        prediction: any(len(files[name]) > 1 for name in names)
        for prediction, files in matched.items()
    }
    recordings = _files_for(config.audio, names, "recording", "--audio")
    phones = _files_for(config.phones, names, "file of phones", "--phones", PHONE_SUFFIXES)
    words = _files_for(config.words, names, "file of words", "--words", WORD_SUFFIXES)
    judges = BroughtNetworks.load(config.syncnet, config.plrs)
    templates = read_templates(config.template) if config.template else {}
    templates = {who: template * UNITS[config.unit] for who, template in templates.items()}
    regions: MeshRegions | None = None
    means: dict[str, list[Score]] = {name: [] for name in predictions}
    bests: dict[str, list[Score]] = {name: [] for name in predictions}
    rates: set[float] = set()
    for done, name in enumerate(names):
        progress("Measuring", done / len(names))
        target = read_motion(target_files[name], config.fps, config.unit)
        subject = subject_of(name, list(templates))
        template = _template(target, subject, templates)
        regions = regions or _regions(target, template, config)
        samples = Speech.read(recordings[name]).samples if recordings else None
        timed = read_phones(phones[name]) if phones else ()
        spoken = read_words(words[name]) if words else None
        judged = {
            f"{key}_target": value
            for key, value in judges.scores(target, template, samples).items()
        }
        sequence = _Sequence(target, template, regions, samples, timed, spoken, judges, judged)
        shown: dict[str, np.ndarray] = {}
        for prediction, files in matched.items():
            measured = [_measure(path, sequence, config) for path in files[name]]
            rates.update(round(one.fps, 3) for one in measured)
            if len(rates) > 1:
                raise DataError(
                    f"Motions of {min(rates):g} and {max(rates):g} frames a second cannot be "
                    "compared in one table.",
                    "Evaluate them one by one, or predict at one rate.",
                )
            best = min(measured, key=lambda one: one.values["lve"])
            frames, values = best.frames, _mean([one.values for one in measured])
            values |= _of_several(measured)
            means[prediction].append(Score(prediction, name, subject, frames, values))
            bests[prediction].append(
                Score(f"{prediction}{BEST_OF}", name, subject, frames, best.values, best.condition)
            )
            shown[prediction + BEST_OF * several[prediction]], shown_target = best.apertures
        if show is not None:
            show(ApertureCurves(name, shown, shown_target, rates.copy().pop(), samples))
    progress("Measuring", 1.0)
    scores: list[Score] = []
    for prediction in predictions:
        scores += means[prediction] + bests[prediction] * several[prediction]
    settings: dict[str, object] = {
        "targets": targets.name,
        "predictions": {name: folder.name for name, folder in predictions.items()},
        "fps": rates.pop(),
        "regions": dict(regions.sources) if regions else {},
    }
    if len(names) < len(target_files):
        settings["left_out_targets"] = len(target_files) - len(names)
    return Report(scores, settings)


def _regions(
    target: MeshMotion, template: np.ndarray | None, config: EvaluationConfig
) -> MeshRegions:
    return choose_regions(
        target.vertices,
        target.vertices[0] if template is None else template,
        target.face,
        config.lip_region,
        config.upper_region,
        config.lip_pairs,
    )


def _measure(path: Path, sequence: _Sequence, config: EvaluationConfig) -> _Measured:
    target, template, regions, samples, phones, spoken, judges, judged = sequence
    pred = read_motion(path, config.pred_fps or config.fps, config.unit)
    pred, target = align(pred, target, config.resample)
    q, p = pred.vertices, target.vertices
    return _Measured(
        condition_of(path.stem),
        target.fps,
        len(target),
        evaluate_sequence(q, p, template, regions, target.fps, samples, phones, spoken)
        | judges.scores(pred, template, samples)
        | judged,
        (q[:, regions.lips], p[:, regions.lips]),
        lip_apertures(q, p, template, regions),
    )


def _of_several(measured: Sequence[_Measured]) -> dict[str, float]:
    """Compute the metrics of several predictions for one sequence: key → mm."""
    if len(measured) < 2:
        return {}
    frames = min(one.frames for one in measured)
    lips = [one.lips[0][:frames] for one in measured]
    conditions = [Condition.of(one.condition) for one in measured]
    return {
        "coverage": coverage_error(lips, measured[0].lips[1][:frames]) * 1e3,
        "style_diversity": diversity(lips, conditions, "style") * 1e3,
        "seed_diversity": diversity(lips, conditions, "seed") * 1e3,
    }


def _files_for(
    folder: Path | None,
    names: Sequence[str],
    what: str,
    option: str,
    suffixes: Sequence[str] = (),
) -> dict[str, Path]:
    """Find the file of each sequence in a folder, of any suffix or of some: name → file."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", f"Check {option}.")
    found = {
        path.stem: path
        for path in sorted(folder.iterdir())
        if path.is_file() and (not suffixes or path.suffix in suffixes)
    }
    for name in names:
        if name not in found:
            raise DataError(f"There is no {what} of '{name}' in {folder}.", f"Check {option}.")
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
    """Average over the predictions for a sequence, without NaN."""
    return {
        key: float(np.mean([v for row in values if np.isfinite(v := row[key])] or [np.nan]))
        for key in values[0]
    }
