"""Make the pictures and the video of docs/styles.md: `python docs/lips.py`.

- `close-ups.jpg`: the lips frame by frame in a bilabial, a labiodental, a rounded and an open sound
- `styles.jpg`: every style at the same moments
- `styles.mp4`: one sentence in every style
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jambatalk import Speech, TalkingHead, View
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import STILL
from jambatalk.render.frames import draw_frames
from jambatalk.render.mp4 import write_video

HERE = Path(__file__).parent
VOICE = HERE.parent / "assets" / "voices" / "jfk.flac"
HEAD = "nora"
SOUNDS = {"M": "bilabial, M", "F": "labiodental, F", "UW": "rounded, UW", "AE": "open, AE"}
AROUND = range(-4, 5)  # frames
MOUTH = (slice(400, 560), slice(250, 470))  # of a picture of 720 pixels
MOMENTS = (0.63, 1.3, 1.73, 3.53, 5.6)  # seconds
FACE = (slice(90, 252), slice(70, 230))  # of a picture of 300 pixels
COLUMNS, SMALL, SECONDS = 5, 200, 6.0  # of the video


def main() -> None:
    """Draw all of them."""
    talking_head, speech = TalkingHead.from_pretrained(), Speech.read(VOICE)
    motions = talking_head.compare(speech, talking_head.styles, head=HEAD, nonverbal=STILL)
    named = dict(zip(talking_head.styles, motions, strict=True))
    phones = talking_head.phones(speech)
    rows = []
    for sound, caption in SOUNDS.items():
        phone = next(phone for phone in phones if phone.name == sound)
        middle = round((phone.start + phone.end) / 2 * motions[0].fps)
        rows.append(_row(motions[0], [middle + k for k in AROUND], 720, MOUTH, caption))
    _save(np.concatenate(rows), "close-ups.jpg")
    frames = [round(moment * motions[0].fps) for moment in MOMENTS]
    rows = [_row(motion, frames, 300, FACE, style) for style, motion in named.items()]
    half = -(-len(rows) // 2)
    rows += [np.zeros_like(rows[0])] * (2 * half - len(rows))
    _save(
        np.concatenate([np.concatenate(rows[:half]), np.concatenate(rows[half:])], 1), "styles.jpg"
    )
    fps = motions[0].fps
    write_video(
        HERE / "styles.mp4",
        _grid(named),
        fps=fps,
        size=(COLUMNS * SMALL, -(-len(named) // COLUMNS) * SMALL),
        frame_count=round(SECONDS * fps),
        speech=speech,
    )


def _row(
    motion: Motion, frames: list[int], size: int, part: tuple[slice, slice], caption: str
) -> np.ndarray:
    """Draw a part of some frames side by side, with a caption."""
    vertices = [motion.face.vertices(motion.weights[frame]) for frame in frames]
    drawn = [picture[part] for picture in draw_frames(motion.face, vertices, View(size))]
    return _captioned(np.concatenate(drawn, 1), caption)


def _grid(motions: dict[str, Motion]) -> Iterator[np.ndarray]:
    """Draw every style in a grid, frame by frame."""
    count = round(SECONDS * next(iter(motions.values())).fps)
    streams = [
        draw_frames(motion.face, motion.vertices()[:count], View(SMALL))
        for motion in motions.values()
    ]
    for pictures in zip(*streams, strict=True):
        cells = [_captioned(p, style) for p, style in zip(pictures, motions, strict=True)]
        cells += [np.zeros_like(cells[0])] * (-len(cells) % COLUMNS)
        lines = [np.concatenate(cells[i : i + COLUMNS], 1) for i in range(0, len(cells), COLUMNS)]
        yield np.concatenate(lines)


def _captioned(picture: np.ndarray, caption: str) -> np.ndarray:
    image = Image.fromarray(picture)
    ImageDraw.Draw(image).text((5, 3), caption, "white", ImageFont.load_default(14))
    return np.array(image)


def _save(picture: np.ndarray, name: str) -> None:
    Image.fromarray(picture).save(HERE / name, quality=85)


if __name__ == "__main__":
    main()
