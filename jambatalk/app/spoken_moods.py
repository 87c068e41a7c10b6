"""The moods in a text that was spoken, kept in a file beside the sound, and deleted with it."""

from __future__ import annotations

import json
from pathlib import Path

from jambatalk.motion.mood import Mood
from jambatalk.motion.mood.tags import read_tags
from jambatalk.progress import Progress
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead
from jambatalk.voices import Voice, clean_text

SUFFIX = ".moods.json"


def speak(
    text: str, voice: Voice, path: Path, talking_head: TalkingHead, progress: Progress
) -> Path:
    """Say a text into a sound file, and keep its moods, such as "[happy]", beside it.

    Returns:
        `path`.

    Raises:
        MotionError: a tag names no mood. Others as :meth:`Voice.write`.
    """
    said, spans = read_tags(clean_text(text))
    voice.write(said, path, progress)
    if spans:
        moods = talking_head.place_moods(said, spans, Speech.read(path))
        path.with_suffix(SUFFIX).write_text(json.dumps(moods), "utf-8")
    return path


def kept_moods(sound: str | Path) -> Mood | None:
    """Return the moods that are kept beside a sound file; None if there are none."""
    path = Path(sound).with_suffix(SUFFIX)
    if not path.is_file():
        return None
    return [(float(second), dict(mood)) for second, mood in json.loads(path.read_text("utf-8"))]
