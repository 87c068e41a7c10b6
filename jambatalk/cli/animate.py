"""Speech to video or motion: `animate`, `compare`, `draw`, `list`."""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Sequence
from pathlib import Path

from jambatalk import Speech, TalkingHead
from jambatalk.cli.options import (
    Stages,
    add_checkpoint,
    add_motion,
    add_speech,
    add_view,
    load_motion,
    nonverbal_of,
    view_of,
)
from jambatalk.errors import JambaTalkError
from jambatalk.export import FORMATS
from jambatalk.render import warm_up
from jambatalk.render.video import draw_video
from jambatalk.speech import MAX_SECONDS


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's commands."""
    animate = commands.add_parser("animate", help="speech to a video, or to its motion")
    add_speech(animate, f".mp4; or the motion alone: {', '.join(FORMATS)}")
    animate.add_argument(
        "--style", help="its name; see 'jambatalk list' (default: the neutral one)"
    )
    animate.set_defaults(run=_animate)

    compare = commands.add_parser("compare", help="the same speech in 2 to 4 styles, one video")
    add_speech(compare)
    compare.add_argument("--styles", required=True, metavar="A,B[,C,D]", help="comma-separated")
    compare.set_defaults(run=_compare)

    draw = commands.add_parser("draw", help="a saved motion (.npz) to a video")
    add_motion(draw)
    draw.add_argument("--speech", type=Path, help="the recording it belongs to, for the sound")
    draw.add_argument("-o", "--output", type=Path, required=True, help="an .mp4")
    add_view(draw)
    draw.set_defaults(run=_draw)

    listing = commands.add_parser("list", help="the styles and heads there are")
    add_checkpoint(listing)
    listing.set_defaults(run=_list)


def _animate(options: argparse.Namespace) -> None:
    _speak(options, [options.style] if options.style else None, captions=())


def _compare(options: argparse.Namespace) -> None:
    styles = [style.strip() for style in options.styles.split(",")]
    if not 2 <= len(styles) <= 4:
        raise JambaTalkError(f"{len(styles)} styles cannot be compared.", "Give 2 to 4.")
    _speak(options, styles, captions=styles)


def _speak(options: argparse.Namespace, styles: list[str] | None, captions: Sequence[str]) -> None:
    started, stages, view = time.perf_counter(), Stages(), view_of(options)
    nonverbal = nonverbal_of(options)
    suffix = options.output.suffix.lower()
    wants_motion = suffix in FORMATS and not captions
    if not wants_motion and suffix != ".mp4":
        others = "" if captions else f" For the motion: {', '.join(FORMATS)}."
        raise JambaTalkError(
            f"'{options.output}' is not a name for a video.", f"End it with .mp4.{others}"
        )
    stages("Reading", 0.0)
    speech = Speech.read(options.speech, options.max_seconds)
    if not wants_motion:
        warm_up()  # while the network is loaded
    stages("Loading", 0.0)
    # What is imported stays: looking through it for garbage takes a second now and one at the end.
    gc.disable()
    try:
        talking_head = TalkingHead.from_pretrained(options.checkpoint, options.device)
        gc.freeze()
    finally:
        gc.enable()
    styles = styles or [talking_head.styles[0]]
    motions = talking_head.compare(
        speech,
        styles,
        options.strength,
        options.head,
        nonverbal=nonverbal,
        seed=options.seed,
        progress=stages,
    )
    if wants_motion:
        stages("Exporting", 0.0)
        motions[0].export(options.output)
    else:
        talking_head.video(motions, speech, options.output, view, captions, stages)
    stages.finish()
    print(
        f"{speech.duration:.1f} s of speech in {time.perf_counter() - started:.1f} s: "
        f"{options.output}"
    )


def _draw(options: argparse.Namespace) -> None:
    motion, stages = load_motion(options), Stages()
    longest = max(MAX_SECONDS, motion.duration + 1.0)  # whatever could be animated
    speech = Speech.read(options.speech, longest) if options.speech else None
    draw_video([motion], speech, options.output, view_of(options), progress=stages)
    stages.finish()
    print(options.output)


def _list(options: argparse.Namespace) -> None:
    talking_head = TalkingHead.from_pretrained(options.checkpoint)
    print("Styles")
    for style in talking_head.styles:
        print(f"  {style:<10} {talking_head.style_notes.get(style, '')}")
    print("Heads")
    titles = talking_head.heads.titles
    width = max(map(len, titles))
    for number, (name, title) in enumerate(titles.items(), 1):
        print(f"  {number:2} {name:<{width}}  {title}")
