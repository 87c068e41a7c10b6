"""For researchers: `convert`, `train`, `predict`, `evaluate`, `render-compare`, ..."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from jambatalk.cli import bench, study
from jambatalk.cli.options import (
    add_device,
    add_regions,
    add_set,
    add_view,
    from_options,
    lip_pairs,
    names_of,
    split_commas,
    unique_names,
    view_from,
)
from jambatalk.cli.stage_timer import StageTimer
from jambatalk.evaluate import UNITS

if TYPE_CHECKING:
    from jambatalk.cli import Commands
    from jambatalk.evaluate.aperture_plot import ApertureCurves


def add_commands(commands: Commands) -> None:
    """Add this module's commands."""
    _add_convert(commands)
    _add_train(commands)
    _add_predict(commands)
    _add_evaluate(commands)
    bench.add_commands(commands)
    _add_render_compare(commands)
    study.add_commands(commands)


def _add_convert(commands: Commands) -> None:
    convert = commands.add("convert", "published weights to a checkpoint folder")
    add = convert.add_argument
    add("weights", type=Path, nargs="+", help="the authors' .pth; of CodeTalker both stages")
    add(
        "--network",
        default="jambatalk",
        metavar="NAME",
        help="whose weights: jambatalk, faceformer, codetalker, selftalk, facexhubert or "
        "facediffuser (default: jambatalk)",
    )
    add(
        "--layout",
        required=True,
        metavar="NAME",
        help="vocaset or biwi; of facediffuser also multiface, beat and uudamm",
    )
    add("--lip-mask", type=Path, help="FLAME_masks.pkl or BIWI_lip.pkl, where vertices move")
    add("--template", type=Path, help="a .ply or .obj of the mesh, FLAME_sample.ply; the same")
    add(
        "--templates",
        type=Path,
        nargs="+",
        default=(),
        help="whose faces become heads: templates.pkl, .ply, .obj (default: the template's own)",
    )
    add("-o", "--output", type=Path, required=True, help="the checkpoint folder")
    add(
        "--unit",
        type=float,
        help="metres per unit of the templates (default: that of the training set where it is "
        "known, or else guessed from their size)",
    )
    add("--encoder-config", type=Path, help="JSON of a speech encoder other than the published")
    add("--for-training", action="store_true", help="keep the lip reader and the text encoder")
    add(
        "--as-published",
        action="store_true",
        help="refuse recordings of more than 600 frames, as FaceFormer's and CodeTalker's code",
    )
    convert.set_defaults(run=_convert)


def _add_train(commands: Commands) -> None:
    train = commands.add("train", "train a network, see docs/training.md", verbose=True)
    train.add_argument("config", type=Path, help="a YAML file such as configs/vocaset.yaml")
    train.add_argument(
        "changes",
        nargs="*",
        metavar="key=value",
        help="values that override it: data.folder=PATH epochs=5",
    )
    train.add_argument("-o", "--output", type=Path, help="folder of the run (default: runs/NAME)")
    train.add_argument("--resume", action="store_true", help="continue where that run stopped")
    train.set_defaults(run=_train)


def _add_predict(commands: Commands) -> None:
    predict = commands.add("predict", "motions for a split of a data set, for 'evaluate'")
    add = predict.add_argument
    add("checkpoint", help="a folder, or OWNER/NAME on the hub")
    add_set(predict)
    add("-o", "--output", type=Path, required=True, help="folder of the predictions")
    add(
        "--targets", type=Path, help="folder for the captured motions, and their sounds in its wav/"
    )
    add(
        "--styles",
        metavar="A,B",
        help="several for each recording, or 'all' (default: the subject's own, or the neutral "
        "one)",
    )
    add(
        "--unit",
        type=float,
        help="metres per unit of the set's vertices (default: guessed from its size, or the "
        "published network's)",
    )
    add("--seed", type=int, default=0, help="of a network that draws at random (default: 0)")
    add_device(predict)
    predict.set_defaults(run=_predict)


def _add_evaluate(commands: Commands) -> None:
    evaluate = commands.add("evaluate", "compare predicted with captured motions: LVE, FDD, ...")
    add = evaluate.add_argument
    add("targets", type=Path, help="folder of captured motions: .npy (T, V·3), or .npz")
    add("predictions", type=Path, nargs="+", help="folders with the same names")
    add("-o", "--output", type=Path, required=True, help="folder of the report")
    add("--names", metavar="A,B", help="of the predictions (default: folders)")
    add("--audio", type=Path, help="folder of recordings, for what depends on sound, and plots")
    add("--template", type=Path, help="faces at rest, for FDD: .ply, .obj, .npy, .pkl or a folder")
    _add_files(evaluate)
    add_regions(evaluate)
    add("--common", action="store_true", help="leave out sequences that some folder lacks")
    add("--plots", action="store_true", help="plot the lip aperture of every sequence")
    evaluate.set_defaults(run=_evaluate)


def _add_render_compare(commands: Commands) -> None:
    video = commands.add(
        "render-compare", "captured and predicted motions side by side in one video"
    )
    video.add_argument("target", type=Path, help="a captured motion, .npy or .npz")
    video.add_argument("predictions", type=Path, nargs="+", help="one to eight")
    video.add_argument("-o", "--output", type=Path, required=True, help="an .mp4")
    video.add_argument("--speech", type=Path, help="the recording they belong to")
    video.add_argument("--captions", metavar="A,B,...", help="default: target, and the folders")
    video.add_argument("--template", type=Path, help="the triangles of .npy: a .ply or .obj")
    _add_files(video)
    video.add_argument("--resample", action="store_true", help="bring all to the slowest rate")
    add_view(video)
    video.set_defaults(run=_render_compare)


def _add_files(parser: argparse.ArgumentParser) -> None:
    """Add what an .npy file does not state."""
    parser.add_argument("--fps", type=float, help="frames a second of .npy files")
    parser.add_argument("--pred-fps", type=float, help="of the predicted ones, if it is another")
    parser.add_argument("--unit", choices=UNITS, default="m", help="of .npy files (default: m)")


def _evaluate(options: argparse.Namespace) -> None:
    from jambatalk.evaluate.aperture_plot import plot_apertures, require_matplotlib
    from jambatalk.evaluate.folders import EvaluationConfig, evaluate_folders

    def plot(curves: ApertureCurves) -> None:
        plot_apertures(options.output / "plots" / f"{curves.sequence}.png", [curves])

    if options.plots:
        require_matplotlib()
    folders = options.predictions
    names = unique_names(options.names, [folder.resolve().name for folder in folders], "--names")
    timer = StageTimer()
    report = evaluate_folders(
        dict(zip(names, folders, strict=True)),
        options.targets,
        from_options(EvaluationConfig, options, lip_pairs=lip_pairs(options.lip_pairs)),
        plot if options.plots else None,
        timer,
    )
    written = report.write(options.output)
    timer.finish()
    print(report.markdown())
    print("\n".join(map(str, written)))


def _render_compare(options: argparse.Namespace) -> None:
    from jambatalk.evaluate.comparison_video import compare_video, face_of_mesh
    from jambatalk.evaluate.mesh_motion import read_motion
    from jambatalk.speech import Speech

    timer, view = StageTimer(), view_from(options)
    timer("Reading", 0.0)
    face = face_of_mesh(options.template, options.unit) if options.template else None
    speech = Speech.read(options.speech) if options.speech else None
    files = [options.target, *options.predictions]
    rates = [options.fps] + [options.pred_fps or options.fps] * len(options.predictions)
    motions = [read_motion(p, fps, options.unit) for p, fps in zip(files, rates, strict=True)]
    usual = ["target", *(path.resolve().parent.name for path in options.predictions)]
    captions = names_of(options.captions, usual, "--captions")
    compare_video(motions, captions, face, speech, options.output, view, options.resample, timer)
    timer.finish()
    print(options.output)


def _convert(options: argparse.Namespace) -> None:
    from jambatalk.files.origins import WEIGHTS
    from jambatalk.networks.conversion import Conversion
    from jambatalk.networks.convert import convert

    convert(from_options(Conversion, options), options.output)
    if options.network in ("jambatalk", "selftalk") and not options.for_training:
        print("Left out the lip reader and the text encoder, which only training needs.")
    print(WEIGHTS[options.network].origin)
    print(f"{options.output}: try 'jambatalk list --checkpoint {options.output}'")


def _train(options: argparse.Namespace) -> None:
    from jambatalk.train.config_file import load_config
    from jambatalk.train.loop import CHECKPOINT, train
    from jambatalk.train.published_task import PublishedTask
    from jambatalk.train.recording_task import RecordingTask
    from jambatalk.train.training_config import TrainingConfig

    config = load_config(options.config, TrainingConfig, options.changes)
    folder = options.output or Path("runs") / options.config.stem
    task = RecordingTask if config.network.name == "jambatalk" else PublishedTask
    scores = train(lambda: task(config), config, folder, options.resume)
    print(", ".join(f"{name} {value:.5g}" for name, value in scores.items()))
    print(f"{folder / CHECKPOINT}: try 'jambatalk list --checkpoint {folder / CHECKPOINT}'")


def _predict(options: argparse.Namespace) -> None:
    from jambatalk.data.registry import open_dataset
    from jambatalk.evaluate.predictions import SOUNDS, SplitPrediction
    from jambatalk.talking_head import TalkingHead

    timer = StageTimer()
    timer("Opening", 0.0)
    dataset = open_dataset(options.set, options.data, options.split)
    timer("Loading", 0.0)
    talking_head = TalkingHead.from_pretrained(options.checkpoint, options.device)
    split = SplitPrediction(talking_head, dataset, options.unit)
    styles = _styles(options.styles, talking_head.styles)
    if options.targets:  # first, since it reads every recording and so finds damaged ones
        written = split.write_targets(options.targets, timer)
        timer.finish()
        _report(options.targets, written, len(dataset), "captured motions")
    written = split.write_predictions(options.output, styles, [options.seed], progress=timer)
    timer.finish()
    _report(options.output, written, len(dataset) * max(1, len(styles)), "predictions")
    if options.targets:
        both, sounds = f"{options.targets} {options.output}", options.targets / SOUNDS
        print(f"try 'jambatalk evaluate {both} -o REPORT --audio {sounds}'")


def _styles(given: str | None, known: tuple[str, ...]) -> list[str]:
    if given is None:
        return []
    return list(known) if given == "all" else list(split_commas(given))


def _report(folder: Path, written: int, of: int, what: str) -> None:
    existing = f", {of - written} existed" if written < of else ""
    print(f"{folder}: {written} {what} written{existing}")
