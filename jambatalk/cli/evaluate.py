"""How good it is: `evaluate`, `render-compare`, `evaluate-default`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from jambatalk.cli.options import Stages, add_checkpoint, add_view, view_of
from jambatalk.errors import DataError
from jambatalk.evaluate import UNITS


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's commands."""
    evaluate = commands.add_parser(
        "evaluate", help="measure predicted motions against true ones: LVE, FDD, ..."
    )
    evaluate.add_argument("truth", type=Path, help="folder of .npy (T, V·3), or of motions (.npz)")
    evaluate.add_argument("predictions", type=Path, nargs="+", help="folders with the same names")
    evaluate.add_argument("-o", "--output", type=Path, required=True, help="folder of the report")
    evaluate.add_argument("--names", metavar="A,B", help="of the predictions (default: folders)")
    evaluate.add_argument("--audio", type=Path, help="folder of recordings, for beat and plots")
    evaluate.add_argument(
        "--template", type=Path, help="faces at rest, for FDD: .ply, .obj, .npy, .pkl or a folder"
    )
    evaluate.add_argument(
        "--lip-region", metavar="FILE[:NAME]", help="FLAME_masks.pkl, lve.txt, ...: the lips"
    )
    evaluate.add_argument(
        "--upper-region", metavar="FILE[:NAME+NAME]", help="the same for FDD's upper face"
    )
    evaluate.add_argument(
        "--lip-pairs", metavar="U:L[,U:L]", help="lip vertices that touch (default: found)"
    )
    _add_files(evaluate)
    evaluate.add_argument(
        "--common", action="store_true", help="leave out sequences that some folder lacks"
    )
    evaluate.add_argument("--plots", action="store_true", help="draw every sequence's lip opening")
    evaluate.set_defaults(run=_evaluate)

    video = commands.add_parser(
        "render-compare", help="a true and predicted motions side by side in one video"
    )
    video.add_argument("truth", type=Path, help=".npy or .npz")
    video.add_argument("predictions", type=Path, nargs="+", help="one to three")
    video.add_argument("-o", "--output", type=Path, required=True, help="an .mp4")
    video.add_argument("--speech", type=Path, help="the recording they belong to")
    video.add_argument("--captions", metavar="A,B,...", help="default: truth, and the folders")
    video.add_argument("--template", type=Path, help="the triangles of .npy: a .ply or .obj")
    _add_files(video)
    add_view(video)
    video.set_defaults(run=_render_compare)

    default = commands.add_parser(
        "evaluate-default", help="measure a checkpoint on recordings that it never heard"
    )
    default.add_argument(
        "--data", type=Path, required=True, help="with grid_s1/, facegood/ and speech/ in it"
    )
    default.add_argument(
        "--without-grid", metavar="CHECKPOINT", help="another one that was trained without GRID"
    )
    default.add_argument(
        "--floors", action="store_true", help="measure what little effort reaches, too (10 minutes)"
    )
    default.add_argument("-o", "--output", type=Path, help="a .json for the table")
    default.add_argument(
        "--card", action="store_true", help="put the table into the checkpoint's README.md, too"
    )
    add_checkpoint(default)
    default.set_defaults(run=_evaluate_default)


def _add_files(parser: argparse.ArgumentParser) -> None:
    """What an .npy does not say of itself."""
    parser.add_argument("--fps", type=float, help="frames a second of .npy files")
    parser.add_argument("--pred-fps", type=float, help="of the predicted ones, if it is another")
    parser.add_argument("--unit", choices=UNITS, default="m", help="of .npy files (default: m)")
    parser.add_argument(
        "--resample", action="store_true", help="bring the faster one to the other's frame rate"
    )


def _evaluate(options: argparse.Namespace) -> None:
    from jambatalk.evaluate.folders import Setting, evaluate_folders

    folders = options.predictions
    names = _names(options.names, [folder.resolve().name for folder in folders], "--names")
    if len(set(names)) < len(names):
        raise DataError("Two predictions have the same name.", "Give names with --names A,B.")
    stages = Stages()
    report = evaluate_folders(
        options.truth,
        dict(zip(names, folders, strict=True)),
        Setting(
            fps=options.fps,
            predicted_fps=options.pred_fps,
            unit=options.unit,
            resample=options.resample,
            common=options.common,
            audio=options.audio,
            template=options.template,
            lip_region=options.lip_region,
            upper_region=options.upper_region,
            lip_pairs=_pairs(options.lip_pairs),
        ),
        options.output / "plots" if options.plots else None,
        stages,
    )
    written = report.write(options.output)
    stages.finish()
    print(report.markdown())
    print("\n".join(map(str, written)))


def _render_compare(options: argparse.Namespace) -> None:
    from jambatalk.evaluate.comparison_video import compare_video, face_of_mesh
    from jambatalk.evaluate.meshes import read_motion
    from jambatalk.speech import Speech

    stages, view = Stages(), view_of(options)
    stages("Reading", 0.0)
    face = face_of_mesh(options.template, options.unit) if options.template else None
    speech = Speech.read(options.speech) if options.speech else None
    files = [options.truth, *options.predictions]
    rates = [options.fps] + [options.pred_fps or options.fps] * len(options.predictions)
    motions = [read_motion(p, fps, options.unit) for p, fps in zip(files, rates, strict=True)]
    usual = ["truth", *(path.resolve().parent.name for path in options.predictions)]
    captions = _names(options.captions, usual, "--captions")
    compare_video(motions, captions, face, speech, options.output, view, options.resample, stages)
    stages.finish()
    print(options.output)


def _evaluate_default(options: argparse.Namespace) -> None:
    from jambatalk.talking_head import TalkingHead
    from jambatalk.train.model_card import split_at_measures, write_measures
    from recipes.checkpoint.evaluation.benchmark_table import table, to_dicts
    from recipes.checkpoint.evaluation.evaluate import evaluate_default

    stages = Stages()
    stages("Loading", 0.0)
    if options.card:
        split_at_measures(Path(options.checkpoint))  # or all would be measured in vain
    talking_head = TalkingHead.from_pretrained(options.checkpoint, options.device)
    other = None
    if options.without_grid:
        other = TalkingHead.from_pretrained(options.without_grid, options.device)
    rows = evaluate_default(talking_head, options.data, other, stages)
    floors = {}
    if options.floors:
        from recipes.checkpoint.evaluation.baselines import gru_floor, linear_floor

        stages("Floors", 0.0)
        floors["linear"] = linear_floor(options.data)
        stages("Floors", 0.5)
        floors["quick GRU"] = gru_floor(talking_head.model, options.data)
    stages.finish()
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        content = {"rows": to_dicts(rows), "floors": floors}
        options.output.write_text(json.dumps(content, indent=2) + "\n")
    measured = table(rows, floors)
    if options.card:
        command = "jambatalk evaluate-default --data DATA"
        command += " --floors" if options.floors else ""
        command += " --without-grid CHECKPOINT" if options.without_grid else ""
        write_measures(Path(options.checkpoint), measured, f"{command} --card")
    print(measured)


def _names(given: str | None, usual: Sequence[str], option: str) -> list[str]:
    names = [name.strip() for name in given.split(",")] if given else list(usual)
    if len(names) != len(usual):
        raise DataError(
            f"{option} has {len(names)} names for {len(usual)}.", "Separate them by commas."
        )
    return names


def _pairs(given: str | None) -> list[tuple[int, int]] | None:
    if given is None:
        return None
    pairs = [pair.split(":") for pair in given.split(",")]
    if not all(len(pair) == 2 and all(n.strip().isdigit() for n in pair) for pair in pairs):
        raise DataError(
            f"'{given}' are no pairs of vertices.", "Write UPPER:LOWER[,UPPER:LOWER...]."
        )
    return [(int(upper), int(lower)) for upper, lower in pairs]
