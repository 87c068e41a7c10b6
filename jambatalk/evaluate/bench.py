"""Several networks on one data set, one table: `jambatalk bench`."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from jambatalk.data.dataset import Dataset
from jambatalk.data.registry import open_dataset
from jambatalk.errors import DataError, JambaTalkError, abbreviate
from jambatalk.evaluate.aperture_plot import ApertureCurves, plot_apertures, require_matplotlib
from jambatalk.evaluate.comparison_video import compare_video
from jambatalk.evaluate.folders import EvaluationConfig, evaluate_folders
from jambatalk.evaluate.mesh_motion import CONDITION, read_motion
from jambatalk.evaluate.predictions import SOUNDS, SplitPrediction
from jambatalk.evaluate.report import BEST_OF, Report
from jambatalk.evaluate.speed import measure_speed
from jambatalk.model.checkpoint import fetch_checkpoint
from jambatalk.model.device import choose_device
from jambatalk.networks.checkpoint import read_any_config
from jambatalk.networks.config import NetworkConfig
from jambatalk.progress import Progress, no_progress
from jambatalk.render.clip_grid import MOST
from jambatalk.render.view import View
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead

PLOT = "apertures.png"
VIDEO = "comparison.mp4"


@dataclass(frozen=True)
class BenchConfig:
    """What is measured, and on what.

    Attributes:
        set: name of the data set, see :data:`jambatalk.data.registry.DATASETS`.
        data: its folder.
        split: of it.
        seeds: how many samples are drawn of a network that draws at random.
        sentences: names of recordings to plot, of which the first is also filmed; none for the
            first one of the split.
        seconds: length of the recording that is timed, 0 to time nothing.
        unit: metres per unit of the set's vertices; None to guess it.
        device: of the networks.
        evaluation: regions, phones and resampling; the sounds are the set's.
        view: of the video; None for no video.
    """

    set: str
    data: Path
    split: str = "test"
    seeds: int = 3
    sentences: tuple[str, ...] = ()
    seconds: float = 10.0
    unit: float | None = None
    device: str = "auto"
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    view: View | None = None


def bench(
    networks: Mapping[str, str | Path],
    config: BenchConfig,
    folder: Path,
    progress: Progress = no_progress,
) -> tuple[Report, list[Path]]:
    """Predict a split with several networks, measure, time, and write one table.

    A subject of whom the network has a style is predicted in it, others once in every style that it
    was trained in; networks that draw at random with every seed. Predictions that exist are kept.

    Args:
        networks: name → checkpoint, see :meth:`TalkingHead.from_pretrained`.
        folder: for `targets/`, `predictions/NAME/`, the report (`report.md`, `.tex`, `.json`,
            `sequences.csv`), the plot and the video.

    Returns:
        The report, and the files of it that were written, plot and video among them.

    Raises:
        ModelError: a checkpoint that cannot be loaded. DataError: a set, split or sentence that is
        not there, or outputs that differ from the set's or among the networks.
        NotInstalledError: matplotlib is not installed. RenderError, VideoError: the video cannot be
        made; the table is then written.
    """
    require_matplotlib()
    _check_alike(networks)
    device = choose_device(config.device)
    if config.view is not None and len(networks) >= MOST:
        raise JambaTalkError(
            f"A video shows {MOST - 1} networks, not {len(networks)}.", "Make none: --no-video."
        )
    dataset = open_dataset(config.set, config.data, config.split)
    sentences = _sentences(config, dataset)
    targets, speeds = folder / "targets", {}
    drawn: list[str] = []
    for name, source in networks.items():
        stages = _named(name, progress)
        stages("loading", 0.0)
        split = SplitPrediction(TalkingHead.from_pretrained(source, device), dataset, config.unit)
        split.write_targets(targets, stages)
        seeds = range(config.seeds) if split.draws_at_random() else range(1)
        drawn += [name] * (len(seeds) > 1)
        predictions = folder / "predictions" / name
        split.write_predictions(predictions, seeds=seeds, every_style=True, progress=stages)
        del split  # frees the network before the next one, or the same one, is loaded
        if config.seconds:
            stages("timing", 0.0)
            samples = np.resize(dataset[0].audio, round(config.seconds * SAMPLE_RATE))
            speeds[name] = measure_speed(source, device, samples)
    shown: list[ApertureCurves] = []

    def show(curves: ApertureCurves) -> None:
        if curves.sequence in sentences:
            shown.append(curves)

    report = evaluate_folders(
        {name: folder / "predictions" / name for name in networks},
        targets,
        replace(config.evaluation, audio=targets / SOUNDS),
        show,
        progress,
    )
    settings = {"set": dataset.name, **report.settings}
    if drawn:
        settings["seeds"] = f"{config.seeds} of {', '.join(drawn)}"
    if speeds:
        settings["timed"] = f"{config.seconds:g} s of speech, {_machine(device)}"
    report = replace(report, settings=settings, networks=speeds)
    written = [*report.write(folder), folder / PLOT]
    plot_apertures(folder / PLOT, shown)
    if config.view is not None:
        _film(report, list(networks), sentences[0], folder, config, progress)
        written.append(folder / VIDEO)
    return report, written


def _check_alike(networks: Mapping[str, str | Path]) -> None:
    """Check that the outputs of all networks have one unit, before any is loaded."""
    kinds: dict[str, str] = {}
    for name, source in networks.items():
        config = read_any_config(fetch_checkpoint(source))
        if not config.vertices:
            kind = "weights of blendshapes (--set tracks)"
        elif isinstance(config, NetworkConfig) and config.relative:
            kind = f"{config.vertices} vertices, scaled to each face (FaceXHuBERT's BIWI)"
        else:
            kind = f"{config.vertices} vertices"
        kinds.setdefault(kind, name)
    if len(kinds) > 1:
        (kind, name), (other_kind, other), *_ = kinds.items()
        raise DataError(
            f"'{name}' predicts {kind}, '{other}' {other_kind}: one table cannot hold both.",
            "Give each kind a bench, with its own set and output.",
        )


def _sentences(config: BenchConfig, dataset: Dataset) -> tuple[str, ...]:
    names = [entry.name for entry in dataset.entries]
    missing = [f"'{name}'" for name in config.sentences if name not in names]
    if missing:
        raise DataError(
            f"There is no recording {abbreviate(missing)} in '{dataset.name}'.",
            f"It has {abbreviate(names)}.",
        )
    return config.sentences or (names[0],)


def _named(network: str, progress: Progress) -> Progress:
    """Put a network's name before the stages of its work."""
    return lambda stage, done: progress(f"{network}: {stage.lower()}", done)


def _film(
    report: Report,
    networks: list[str],
    sentence: str,
    folder: Path,
    config: BenchConfig,
    progress: Progress,
) -> None:
    """Render a sentence's target beside the prediction of each network, of several the best."""
    best = {s.prediction: s.condition for s in report.scores if s.sequence == sentence}
    targets = folder / "targets"
    motions, captions = [read_motion(targets / f"{sentence}.npz", None)], ["target"]
    for name in networks:
        condition = best.get(f"{name}{BEST_OF}", "")
        file = f"{sentence}{CONDITION}{condition}.npz" if condition else f"{sentence}.npz"
        motions.append(read_motion(folder / "predictions" / name / file, None))
        captions.append(f"{name}{BEST_OF}" if condition else name)
    speech = Speech.read(targets / SOUNDS / f"{sentence}.wav")
    resample = config.evaluation.resample
    compare_video(motions, captions, None, speech, folder / VIDEO, config.view, resample, progress)


def _machine(device: str) -> str:
    if device != "cpu":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, threads: {torch.get_num_threads()}"
