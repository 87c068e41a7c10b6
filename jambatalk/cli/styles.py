"""Styles of one's own: `style fit`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from jambatalk.cli.options import add_checkpoint
from jambatalk.cli.stage_timer import StageTimer
from jambatalk.speech import MAX_SECONDS, Speech

if TYPE_CHECKING:
    from jambatalk.cli import Commands
    from jambatalk.styles.fit import LipScores

NO_HELP = (
    "It follows these lips no better than the neutral style does. Try a longer clip, or one with "
    "more speech in it; check that track and sound begin together."
)


def add_commands(commands: Commands) -> None:
    """Add this module's commands."""
    style = commands.add("style", "'style fit': an own style from a clip of lips, docs/styles.md")
    add = style.add_argument
    add("action", choices=("fit",))
    add("track", type=Path, help="ARKit weights (.csv, .json, .npz), or lip curves (.csv)")
    add("speech", type=Path, help="the sound of the same clip: an audio or video file")
    add("-o", "--output", type=Path, required=True, help="the style, NAME or NAME.safetensors")
    add("--fps", type=float, help="of a .csv whose times are missing or wrong")
    add_checkpoint(style)
    style.set_defaults(run=_fit)


def _fit(options: argparse.Namespace) -> None:
    from jambatalk.face.library import checkpoint_heads
    from jambatalk.model.checkpoint import fetch_checkpoint
    from jambatalk.styles.lip_track import LipTrack
    from jambatalk.talking_head import TalkingHead

    timer = StageTimer()
    timer("Reading", 0.0)
    face = checkpoint_heads(fetch_checkpoint(options.checkpoint)).load(1)
    track = LipTrack.read(options.track, face, options.fps)
    speech = Speech.read(options.speech, MAX_SECONDS)
    timer("Loading", 0.0)
    talking_head = TalkingHead.from_pretrained(options.checkpoint, options.device)
    fit = talking_head.fit_style(track, speech, timer)
    timer.finish()
    path = fit.style.save(options.output)
    late = f"{abs(fit.lag):.2f} s {'late' if fit.lag > 0 else 'early'}" if fit.lag else "in time"
    rest = speech.duration - fit.seconds
    print(f"The track was {late}. Fitted to {fit.seconds:.1f} s; on the last {rest:.1f} s:")
    print(f"  {'':<12} r open   width   amplitude open   width")
    print(_row("neutral", fit.neutral))
    print(_row(path.stem, fit.own))
    if not fit.helps:
        print(NO_HELP)
    print(f"{path}: try 'jambatalk animate SPEECH --style {path} -o out.mp4'")


def _row(name: str, scores: LipScores) -> str:
    (r_open, r_width), (open_by, width_by) = scores.r, scores.amplitude
    return f"  {name:<12} {r_open:6.2f}  {r_width:6.2f}   {open_by:14.2f}  {width_by:6.2f}"
