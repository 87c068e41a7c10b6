"""The command line: `jambatalk COMMAND`."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from jambatalk import Motion, Speech, TalkingHead, View
from jambatalk.errors import JambaTalkError
from jambatalk.face import head_titles
from jambatalk.render import warm_up
from jambatalk.render.view import SHADINGS
from jambatalk.speech import MAX_SECONDS
from jambatalk.talking_head import DEFAULT_CHECKPOINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status. Errors are one or two lines on stderr."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if getattr(options, "verbose", False) else logging.WARNING,
        format="%(message)s",
    )
    try:
        options.run(options)
    except JambaTalkError as error:
        print(f"jambatalk: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\njambatalk: stopped.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jambatalk", description="Speech to 3D talking head.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    animate = commands.add_parser("animate", help="speech to a video, or to its motion")
    _add_speech(animate)
    animate.add_argument(
        "--style", help="its name; see 'jambatalk list' (default: the neutral one)"
    )
    animate.set_defaults(run=_animate)

    compare = commands.add_parser("compare", help="the same speech in 2 to 4 styles, one video")
    _add_speech(compare)
    compare.add_argument("--styles", required=True, metavar="A,B[,C,D]", help="comma-separated")
    compare.set_defaults(run=_compare)

    draw = commands.add_parser("draw", help="a saved motion (.npz) to a video")
    draw.add_argument("motion", type=Path, help="what 'animate -o motion.npz' wrote")
    draw.add_argument("--speech", type=Path, help="the recording it belongs to, for the sound")
    draw.add_argument("-o", "--output", type=Path, required=True, help="an .mp4")
    draw.add_argument("--head", help="another head than the saved one")
    _add_view(draw)
    draw.set_defaults(run=_draw)

    listing = commands.add_parser("list", help="the styles and heads there are")
    _add_checkpoint(listing)
    listing.set_defaults(run=_list)

    app = commands.add_parser("app", help="open the page to speak into")
    app.set_defaults(run=_app)

    train = commands.add_parser("train", help="train the bundled checkpoint anew")
    train.add_argument("--data", type=Path, required=True, help="with grid_s1/ and facegood/ in it")
    train.add_argument("-o", "--output", type=Path, required=True, help="the checkpoint folder")
    train.add_argument("--steps", type=int, help="optimiser steps (default: as the bundled one)")
    train.set_defaults(run=_train, verbose=True)

    heads = commands.add_parser("build-heads", help="make assets/heads anew from MakeHuman's data")
    heads.add_argument("-o", "--output", type=Path, help="default: assets/heads")
    heads.set_defaults(run=_build_heads, verbose=True)
    return parser


def _add_speech(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("speech", type=Path, help="an audio or video file")
    parser.add_argument("-o", "--output", type=Path, required=True, help=".mp4, or .npz for motion")
    parser.add_argument("--strength", type=float, default=1.0, help="of the style (default: 1)")
    parser.add_argument("--head", default="1", help="name or number (default: 1)")
    parser.add_argument(
        "--max-seconds", type=float, default=MAX_SECONDS, help="longest speech taken"
    )
    _add_checkpoint(parser)
    _add_view(parser)


def _add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint", default=DEFAULT_CHECKPOINT, help="a folder, or OWNER/NAME on the hub"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")


def _add_view(parser: argparse.ArgumentParser) -> None:
    view = View()
    parser.add_argument("--size", type=int, default=view.size, help="pixels (default: 512)")
    parser.add_argument("--background", default=view.background, help="#rrggbb")
    parser.add_argument("--yaw", type=float, default=view.yaw, help="of the camera, degrees")
    parser.add_argument("--shading", choices=SHADINGS, default=view.shading)


def _view(options: argparse.Namespace) -> View:
    return View(options.size, options.background, options.yaw, options.shading)


class _Stages:
    """Prints how long each stage took, and what is being done on a terminal."""

    def __init__(self) -> None:
        self.stage, self.started = "", time.perf_counter()

    def __call__(self, stage: str, done: float) -> None:
        """A progress callback."""
        if stage != self.stage:
            self.finish()
            self.stage, self.started = stage, time.perf_counter()
        if sys.stdout.isatty():
            print(f"\r  {stage:<10} {done:4.0%}", end="", flush=True)

    def finish(self) -> None:
        """The stage now under way is over."""
        if self.stage:
            start = "\r" if sys.stdout.isatty() else ""
            print(f"{start}  {self.stage:<10} {time.perf_counter() - self.started:5.1f} s")
        self.stage = ""


def _animate(options: argparse.Namespace) -> None:
    _speak(options, [options.style] if options.style else None, captions=())


def _compare(options: argparse.Namespace) -> None:
    styles = [style.strip() for style in options.styles.split(",")]
    if not 2 <= len(styles) <= 4:
        raise JambaTalkError(f"{len(styles)} styles cannot be compared.", "Give 2 to 4.")
    _speak(options, styles, captions=styles)


def _speak(options: argparse.Namespace, styles: list[str] | None, captions: Sequence[str]) -> None:
    started, stages, view = time.perf_counter(), _Stages(), _view(options)
    wants_motion = options.output.suffix == ".npz" and not captions
    if not wants_motion and options.output.suffix.lower() != ".mp4":
        raise JambaTalkError(f"'{options.output}' is not a name for a video.", "End it with .mp4.")
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
    motions = talking_head.compare(speech, styles, options.strength, options.head, stages)
    if wants_motion:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        motions[0].save(options.output)
    else:
        talking_head.video(motions, speech, options.output, view, captions, stages)
    stages.finish()
    print(
        f"{speech.duration:.1f} s of speech in {time.perf_counter() - started:.1f} s: "
        f"{options.output}"
    )


def _draw(options: argparse.Namespace) -> None:
    from jambatalk.face import load_head
    from jambatalk.talking_head import draw_video

    motion, stages = Motion.load(options.motion), _Stages()
    if options.head:
        motion = motion.on(load_head(options.head))
    speech = Speech.read(options.speech) if options.speech else None
    draw_video([motion], speech, options.output, _view(options), progress=stages)
    stages.finish()
    print(options.output)


def _list(options: argparse.Namespace) -> None:
    talking_head = TalkingHead.from_pretrained(options.checkpoint)
    print("Styles")
    for style in talking_head.styles:
        print(f"  {style:<10} {talking_head.style_notes.get(style, '')}")
    print("Heads")
    for number, (name, title) in enumerate(head_titles().items(), 1):
        print(f"  {number:2} {name:<7} {title}")


def _app(options: argparse.Namespace) -> None:
    from jambatalk.ui.page import launch

    launch()


def _train(options: argparse.Namespace) -> None:
    from jambatalk.train.default import train_default
    from jambatalk.train.loop import TrainConfig

    config = TrainConfig(steps=options.steps) if options.steps else TrainConfig()
    scores = train_default(options.data, options.output, config)
    print(", ".join(f"{name} {value:.3f}" for name, value in scores.items()))


def _build_heads(options: argparse.Namespace) -> None:
    from jambatalk.face import HEADS
    from jambatalk.heads.build import build

    build(None, options.output or HEADS)


if __name__ == "__main__":
    sys.exit(main())
