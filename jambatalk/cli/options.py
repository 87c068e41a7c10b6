"""Arguments that several commands share, and the objects they describe."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jambatalk.errors import DataError
from jambatalk.export import FORMATS
from jambatalk.face.library import checkpoint_heads
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.motion.mood import MAX_INTENSITY, MOODS, VOICE, SteadyMood, check_mood
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import PARTS, Nonverbal
from jambatalk.render.light import LIGHTS
from jambatalk.render.view import SHADINGS, View
from jambatalk.speech import MAX_SECONDS

if TYPE_CHECKING:
    from jambatalk.talking_head import TalkingHead

Config = TypeVar("Config")


def add_speech(parser: argparse.ArgumentParser, output: str = "an .mp4") -> None:
    """Add the recording, the output (`output` describes it) and the animation's options."""
    parser.add_argument("speech", type=Path, help="an audio or video file")
    add_max_seconds(parser)
    add_output(parser, output)


def add_text(parser: argparse.ArgumentParser, output: str) -> None:
    """Add a text, its voice, the output (`output` describes it) and the animation's options."""
    parser.add_argument("text", help="what to say; '-' reads it from standard input")
    parser.add_argument("--voice", help="a name, see 'jambatalk voices' (default: the first)")
    add_output(parser, output)


def add_output(parser: argparse.ArgumentParser, output: str) -> None:
    """Add the output, which `output` describes, and the animation's options."""
    parser.add_argument("-o", "--output", type=Path, required=True, help=output)
    add_animation(parser)


def add_style(parser: argparse.ArgumentParser) -> None:
    """Add the speaking style."""
    parser.add_argument(
        "--style",
        help="a name, see 'jambatalk list', or an own style's file (default: the neutral one)",
    )


def add_max_seconds(parser: argparse.ArgumentParser) -> None:
    """Add the longest recording that is accepted."""
    parser.add_argument(
        "--max-seconds", type=float, default=MAX_SECONDS, help="of a recording (default: 600)"
    )


def add_animation(parser: argparse.ArgumentParser) -> None:
    """Add strength, head, mood, nonverbal motion, seed, checkpoint, device and view."""
    add = parser.add_argument
    add(
        "--strength",
        type=float,
        default=1.0,
        help="of the style: 0 neutral, 1 normal, 1.5 exaggerated; of the neutral one, 0 still "
        "(default: 1)",
    )
    add("--head", default="1", help="name or number (default: 1)")
    add(
        "--nonverbal",
        default="all",
        metavar="PARTS",
        help=f"motion beside the mouth: all, none, or some of {','.join(PARTS)} (default: all)",
    )
    add(
        "--mood",
        default=MOODS[0],
        help=f"{', '.join(MOODS)}; or {VOICE}: as lively as the voice, a rule (default: neutral)",
    )
    add(
        "--mood-intensity",
        type=float,
        default=1.0,
        metavar="X",
        help=f"0 to {MAX_INTENSITY} (default: 1)",
    )
    add("--seed", type=int, default=0, help="of that motion (default: 0)")
    add_checkpoint(parser)
    add_view(parser)


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """Add the checkpoint and its device."""
    parser.add_argument(
        "--checkpoint",
        default=str(DEFAULT_CHECKPOINT),
        help="a folder, or OWNER/NAME on the Hugging Face hub (default: the bundled one)",
    )
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the device."""
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto, a GPU if any)"
    )


def name_styles(talking_head: TalkingHead, styles: Iterable[str]) -> tuple[str, ...]:
    """Return the names of styles; those given as files are added to the talking head."""
    from jambatalk.styles.own_style import is_style_file

    return tuple(
        talking_head.add_style(style) if is_style_file(style) else style for style in styles
    )


def add_motion(parser: argparse.ArgumentParser) -> None:
    """Add a saved motion and the head to put it on."""
    parser.add_argument("motion", type=Path, help="written by 'animate -o motion.npz'")
    parser.add_argument("--head", help="another head than the saved one")
    parser.add_argument(
        "--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="folder that holds that head"
    )


def load_motion(options: argparse.Namespace) -> Motion:
    """Load the motion that `add_motion` describes."""
    motion, heads = Motion.load(options.motion), checkpoint_heads(options.checkpoint)
    return motion.on(heads.load(options.head)) if options.head else motion


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the options of files for other programs."""
    parser.add_argument(
        "--fps", type=float, help=f"frames a second of {', '.join(FORMATS)} (default: the motion's)"
    )
    parser.add_argument(
        "--no-sound", action="store_true", help="write no .wav beside .glb, .csv and .json"
    )


def add_set(parser: argparse.ArgumentParser) -> None:
    """Add a data set and one of its splits."""
    add = parser.add_argument
    add("--set", required=True, metavar="NAME", help="vocaset, biwi, folder or tracks")
    add("--data", type=Path, required=True, help="folder of the set")
    add("--split", default="test", help="of the set (default: test; BIWI has test-a and test-b)")


def add_regions(parser: argparse.ArgumentParser) -> None:
    """Add the vertices and the phones that are measured."""
    add = parser.add_argument
    add("--lip-region", metavar="FILE[:NAME]", help="FLAME_masks.pkl, lve.txt, ...: the lips")
    add("--upper-region", metavar="FILE[:NAME+NAME]", help="the same for FDD's upper face")
    add("--lip-pairs", metavar="U:L[,U:L]", help="lip vertices that touch (default: found)")
    add("--phones", type=Path, help="folder of .json or .TextGrid, for Lip-max in P, B, M ...")
    add("--words", type=Path, help="the same of words, GRID's sentences: to read them off the lips")
    add("--syncnet", type=Path, metavar="FILE", help="SyncNet's weights, for LSE-D and LSE-C")
    add(
        "--plrs",
        type=Path,
        nargs=2,
        metavar=("SPEECH.onnx", "MESH.onnx"),
        help="two encoders, for PLRS",
    )
    add("--resample", action="store_true", help="bring the faster one to the other's frame rate")


def lip_pairs(given: str | None) -> list[tuple[int, int]] | None:
    """Read the pairs of vertices that `--lip-pairs` names; None where it is not given."""
    if given is None:
        return None
    pairs = [pair.split(":") for pair in given.split(",")]
    if not all(len(pair) == 2 and all(n.strip().isdigit() for n in pair) for pair in pairs):
        raise DataError(
            f"'{given}' are no pairs of vertices.", "Write UPPER:LOWER[,UPPER:LOWER...]."
        )
    return [(int(upper), int(lower)) for upper, lower in pairs]


def names_of(given: str | None, usual: Sequence[str], option: str) -> list[str]:
    """Return a name for each of several things: as given, or the usual ones.

    Raises:
        DataError: another number of names.
    """
    names = list(split_commas(given)) if given else list(usual)
    if len(names) != len(usual):
        raise DataError(
            f"{option} has {len(names)} names for {len(usual)}.", "Separate them by commas."
        )
    return names


def unique_names(given: str | None, usual: Sequence[str], option: str) -> list[str]:
    """Return what :func:`names_of` does; raises DataError also if a name comes twice."""
    names = names_of(given, usual, option)
    if len(set(names)) < len(names):
        raise DataError("Two have the same name.", f"Give names with {option} A,B.")
    return names


def add_view(parser: argparse.ArgumentParser) -> None:
    """Add the fields of :class:`View`."""
    view = View()
    parser.add_argument("--size", type=int, default=view.size, help="pixels (default: 512)")
    parser.add_argument("--background", default=view.background, help="#rrggbb")
    parser.add_argument("--yaw", type=float, default=view.yaw, help="of the camera, degrees")
    parser.add_argument("--pitch", type=float, default=view.pitch, help="lifts it, degrees")
    parser.add_argument("--zoom", type=float, default=view.zoom, help="1 to 4, at the lips")
    parser.add_argument("--shading", choices=SHADINGS, default=view.shading)
    parser.add_argument("--light", choices=LIGHTS, default=view.light)


def view_from(options: argparse.Namespace) -> View:
    """Build the view that `add_view` describes."""
    return View(**{field.name: getattr(options, field.name) for field in fields(View)})


def nonverbal_from(options: argparse.Namespace) -> Nonverbal:
    """Build the parts of nonverbal motion that `--nonverbal` names."""
    presets: dict[str, tuple[str, ...]] = {"all": PARTS, "none": ()}
    return Nonverbal.of(presets.get(options.nonverbal, split_commas(options.nonverbal)))


def mood_from(options: argparse.Namespace) -> SteadyMood:
    """Build the mood that `--mood` and `--mood-intensity` describe, and check it."""
    mood = {options.mood: options.mood_intensity}
    check_mood(mood)
    return mood


def from_options(cls: type[Config], options: argparse.Namespace, **others: Any) -> Config:
    """Build a dataclass from the arguments that have its fields' names, and from others."""
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    return cls(**given | others)


def split_commas(text: str) -> tuple[str, ...]:
    """Split a comma-separated argument; empty parts are dropped."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
