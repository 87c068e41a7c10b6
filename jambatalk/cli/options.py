"""Arguments that several commands take, and how they tell their progress."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from jambatalk import Motion
from jambatalk.face.library import checkpoint_heads
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.motion.nonverbal import PARTS, Nonverbal
from jambatalk.render.view import SHADINGS, View
from jambatalk.speech import MAX_SECONDS


def add_speech(parser: argparse.ArgumentParser, output: str = "an .mp4") -> None:
    """The recording, where the result goes (`output` says what), and how it is performed."""
    parser.add_argument("speech", type=Path, help="an audio or video file")
    parser.add_argument("-o", "--output", type=Path, required=True, help=output)
    add_performance(parser)


def add_performance(parser: argparse.ArgumentParser) -> None:
    """All but the style: its strength, head, what is alive, checkpoint and view."""
    parser.add_argument("--strength", type=float, default=1.0, help="of the style (default: 1)")
    parser.add_argument("--head", default="1", help="name or number (default: 1)")
    parser.add_argument(
        "--nonverbal",
        default="all",
        metavar="PARTS",
        help=f"what moves beside the mouth: all, none, or some of {','.join(PARTS)} (default: all)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of what moves there (default: 0)")
    parser.add_argument(
        "--max-seconds", type=float, default=MAX_SECONDS, help="longest speech taken"
    )
    add_checkpoint(parser)
    add_view(parser)


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """Which network, and where it runs."""
    parser.add_argument(
        "--checkpoint", default=DEFAULT_CHECKPOINT, help="a folder, or OWNER/NAME on the hub"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")


def add_motion(parser: argparse.ArgumentParser) -> None:
    """A saved motion, and another head for it."""
    parser.add_argument("motion", type=Path, help="what 'animate -o motion.npz' wrote")
    parser.add_argument("--head", help="another head than the saved one")
    parser.add_argument(
        "--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="whose heads (a folder)"
    )


def load_motion(options: argparse.Namespace) -> Motion:
    """What `add_motion` asked for."""
    motion, heads = Motion.load(options.motion), checkpoint_heads(options.checkpoint)
    return motion.on(heads.load(options.head)) if options.head else motion


def add_view(parser: argparse.ArgumentParser) -> None:
    """The fields of :class:`View`."""
    view = View()
    parser.add_argument("--size", type=int, default=view.size, help="pixels (default: 512)")
    parser.add_argument("--background", default=view.background, help="#rrggbb")
    parser.add_argument("--yaw", type=float, default=view.yaw, help="of the camera, degrees")
    parser.add_argument("--shading", choices=SHADINGS, default=view.shading)


def view_of(options: argparse.Namespace) -> View:
    """What `add_view` asked for."""
    return View(options.size, options.background, options.yaw, options.shading)


def nonverbal_of(options: argparse.Namespace) -> Nonverbal:
    """What `--nonverbal` asked for."""
    usual = {"all": PARTS, "none": ()}
    named = [part.strip() for part in options.nonverbal.split(",")]
    return Nonverbal.of(usual.get(options.nonverbal, named))


class Stages:
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
