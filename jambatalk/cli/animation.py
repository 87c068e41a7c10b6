"""Speech or text to a video or motion: `animate`, `say`, `compare`, `draw`, `phones`, ..."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jambatalk.cli.options import (
    add_checkpoint,
    add_export,
    add_max_seconds,
    add_motion,
    add_speech,
    add_style,
    add_text,
    add_view,
    load_motion,
    mood_from,
    name_styles,
    nonverbal_from,
    split_commas,
    view_from,
)
from jambatalk.cli.stage_timer import StageTimer
from jambatalk.errors import JambaTalkError, VoiceError
from jambatalk.export import FORMATS, check_name, export_motion
from jambatalk.export.phones import SUFFIXES, check_phones_name, export_phones
from jambatalk.files.unfinished import scratch_folder
from jambatalk.motion.captured import beside
from jambatalk.motion.mood.tags import MoodSpan, read_tags
from jambatalk.motion.motion import Motion, check_fps
from jambatalk.progress import Progress
from jambatalk.speech import MAX_SECONDS, Speech
from jambatalk.voices import INSTALL, clean_text, known_voices, list_voices, load_voice

if TYPE_CHECKING:
    from jambatalk.cli import Commands

VIDEO_OR_MOTION = f".mp4; or the motion alone: {', '.join(FORMATS)}"


def add_commands(commands: Commands) -> None:
    """Add this module's commands."""
    animate = commands.add("animate", "speech to a video, or to motion for other programs")
    add_speech(animate, VIDEO_OR_MOTION)
    add_style(animate)
    add_export(animate)
    animate.set_defaults(run=_animate)

    say = commands.add("say", "a text, spoken by a synthetic voice, to a video or to motion")
    add_text(say, VIDEO_OR_MOTION)
    add_style(say)
    add_export(say)
    say.set_defaults(run=_say)

    compare = commands.add("compare", "the same speech in 2 to 4 styles, side by side in one video")
    add_speech(compare)
    compare.add_argument(
        "--styles", required=True, metavar="A,B[,C,D]", help="names or own styles' files"
    )
    compare.add_argument(
        "--truth",
        type=Path,
        help="a saved motion (.npz), captured with the speech, beside 1 to 4 styles; .npy: "
        "'render-compare'",
    )
    compare.set_defaults(run=_compare)

    draw = commands.add("draw", "a saved motion (.npz) to a video")
    add_motion(draw)
    draw.add_argument("--speech", type=Path, help="the recording it belongs to, for the sound")
    draw.add_argument("-o", "--output", type=Path, required=True, help="an .mp4")
    add_view(draw)
    draw.set_defaults(run=_draw)

    export = commands.add("export", "a saved motion (.npz) to a file for other programs")
    add_motion(export)
    export.add_argument("-o", "--output", type=Path, required=True, help=", ".join(FORMATS))
    export.add_argument("--speech", type=Path, help="the recording it belongs to, for the sound")
    add_export(export)
    export.set_defaults(run=_export)

    phones = commands.add("phones", "the phones of speech with their times")
    phones.add_argument("speech", type=Path, help="an audio or video file")
    phones.add_argument(
        "-o", "--output", type=Path, help=f"{' or '.join(SUFFIXES)} (default: print them)"
    )
    add_max_seconds(phones)
    add_checkpoint(phones)
    phones.set_defaults(run=_phones)

    voices = commands.add("voices", "the voices of 'say', and what they need")
    voices.set_defaults(run=_voices)

    listing = commands.add("list", "the styles and heads of a checkpoint")
    add_checkpoint(listing)
    listing.set_defaults(run=_list)


def _animate(options: argparse.Namespace) -> None:
    _check_export(options)
    _run(options, _read, (options.style,) if options.style else ())


def _say(options: argparse.Namespace) -> None:
    _check_export(options)
    voice = load_voice(options.voice)
    text = options.text
    if text == "-":
        text = sys.stdin.buffer.read().decode(errors="replace")
    said, spans = read_tags(clean_text(text))
    with scratch_folder(VoiceError) as folder:
        sound = folder / "speech.wav"  # at the voice's own rate, for the video

        def speak(options: argparse.Namespace, progress: Progress) -> Speech:
            return Speech.read(voice.write(said, sound, progress))

        _run(options, speak, (options.style,) if options.style else (), text=(said, spans))


def _check_export(options: argparse.Namespace) -> None:
    if options.output.suffix.lower() == ".mp4" and (options.fps is not None or options.no_sound):
        raise JambaTalkError(
            "A video has the model's frame rate, and sound.",
            "Leave --fps and --no-sound out, or choose another format.",
        )
    if options.fps is not None:
        check_fps(options.fps)


def _compare(options: argparse.Namespace) -> None:
    styles = split_commas(options.styles)
    truth = Motion.load(options.truth) if options.truth else None
    fewest = 1 if truth else 2
    if not fewest <= len(styles) <= 4:
        raise JambaTalkError(
            f"'compare' takes {fewest} to 4 styles, not {len(styles)}.", "See --styles."
        )
    _run(options, _read, styles, captions=True, truth=truth)


def _read(options: argparse.Namespace, progress: Progress) -> Speech:
    progress("Reading", 0.0)
    return Speech.read(options.speech, options.max_seconds)


def _run(
    options: argparse.Namespace,
    read: Callable[[argparse.Namespace, Progress], Speech],
    styles: tuple[str, ...],
    captions: bool = False,
    text: tuple[str, Sequence[MoodSpan]] = ("", ()),
    truth: Motion | None = None,
) -> None:
    from jambatalk.render.worker_pool import warm_up
    from jambatalk.talking_head import TalkingHead

    started, timer, view = time.perf_counter(), StageTimer(), view_from(options)
    nonverbal, mood = nonverbal_from(options), mood_from(options)
    suffix = options.output.suffix.lower()
    to_export = suffix in FORMATS and not captions
    if not to_export and suffix != ".mp4":
        others = "" if captions else f" For the motion: {', '.join(FORMATS)}."
        raise JambaTalkError(
            f"'{options.output}' is not a name for a video.", f"End it with .mp4.{others}"
        )
    speech = read(options, timer)
    if not to_export:
        warm_up()  # while the network is loaded
    timer("Loading", 0.0)
    # The imported modules stay: searching them for garbage costs a second now and one at the end.
    gc.disable()
    try:
        talking_head = TalkingHead.from_pretrained(options.checkpoint, options.device)
        styles = name_styles(talking_head, styles)
        gc.freeze()
    finally:
        gc.enable()
    course = talking_head.place_moods(*text, speech) or mood
    motions = talking_head.compare(
        speech,
        styles or talking_head.styles[:1],
        options.strength,
        options.head,
        nonverbal=nonverbal,
        seed=options.seed,
        progress=timer,
        mood=course,
    )
    if to_export:
        timer("Exporting", 0.0)
        sound = None if options.no_sound else speech
        export_motion(motions[0], options.output, fps=options.fps, speech=sound)
    else:
        shown = [*styles] if captions else []
        if truth is not None:
            motions, shown = [*motions, beside(truth, motions[0])], [*shown, "Captured"]
        talking_head.video(motions, speech, options.output, view, shown, timer)
    timer.finish()
    print(
        f"{speech.duration:.1f} s of speech in {time.perf_counter() - started:.1f} s: "
        f"{options.output}"
    )


def _draw(options: argparse.Namespace) -> None:
    from jambatalk.render.video import draw_video

    motion, timer = load_motion(options), StageTimer()
    speech = _read_speech(options, motion.duration)
    draw_video([motion], speech, options.output, view_from(options), progress=timer)
    timer.finish()
    print(options.output)


def _export(options: argparse.Namespace) -> None:
    check_name(options.output)
    motion, timer = load_motion(options), StageTimer()
    timer("Exporting", 0.0)
    speech = None if options.no_sound else _read_speech(options, motion.duration)
    export_motion(motion, options.output, fps=options.fps, speech=speech)
    timer.finish()
    print(options.output)


def _read_speech(options: argparse.Namespace, duration: float) -> Speech | None:
    """Read the recording of a saved motion, which may be as long as the motion, in seconds."""
    return Speech.read(options.speech, max(MAX_SECONDS, duration + 1)) if options.speech else None


def _phones(options: argparse.Namespace) -> None:
    from jambatalk.talking_head import TalkingHead

    if options.output:
        check_phones_name(options.output)
    speech = Speech.read(options.speech, options.max_seconds)
    talking_head = TalkingHead.from_pretrained(options.checkpoint, options.device)
    found = talking_head.phones(speech)
    if options.output:
        print(export_phones(found, options.output))
        return
    for phone in found:
        print(f"{phone.start:9.3f} {phone.end:9.3f}  {phone.name}")


def _voices(options: argparse.Namespace) -> None:
    del options
    voices = known_voices()
    width = max(len(voice.name) for voice in voices)
    for voice in voices:
        missing = voice.synthesiser.missing()
        needs = f"  (needs {missing})" if missing else ""
        print(f"{voice.name:<{width}}  {voice.title}{needs}")
    if len(list_voices()) < len(voices):
        print(INSTALL)


def _list(options: argparse.Namespace) -> None:
    from jambatalk.face.library import checkpoint_heads
    from jambatalk.model.checkpoint import fetch_checkpoint
    from jambatalk.networks.checkpoint import read_any_config

    folder = fetch_checkpoint(options.checkpoint)
    config, titles = read_any_config(folder), checkpoint_heads(folder).titles
    print("Styles")
    width = max(map(len, config.styles))
    for style in config.styles:
        print(f"  {style:<{width}}  {config.style_notes.get(style, '')}")
    print("Heads")
    width = max(map(len, titles))
    for number, (name, title) in enumerate(titles.items(), 1):
        print(f"  {number:2} {name:<{width}}  {title}")
