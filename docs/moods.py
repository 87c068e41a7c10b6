"""Make docs/moods.jpg and print the measures of docs/moods.md: `python docs/moods.py`.

The picture has every mood on three heads, between words and in a word; the table says what becomes
of the lips at the largest intensity.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jambatalk import MOODS, Motion, Speech, TalkingHead, View
from jambatalk.motion.mood import MAX_INTENSITY, VOICE
from jambatalk.render.frames import draw_frames

HERE = Path(__file__).parent
VOICES = HERE.parent / "assets" / "voices"
HEADS = ("mara", "kofi", "wei")
MOMENTS = (1.0, 3.3)  # seconds: lips closed, and open
SIZE = 300  # pixels
PART = (slice(42, 258), slice(54, 246))  # of a picture
FADES = 1.0  # seconds at both ends, in which a mood comes and goes: not measured
SEALED = 2e-4  # metres of lip aperture below which lips are closed


def main() -> None:
    """Draw the picture and print the table."""
    talking_head = TalkingHead.from_pretrained()
    speech = Speech.read(VOICES / "jfk.flac")
    rows: list[np.ndarray] = []
    for head in HEADS:
        columns = [_stills(talking_head.animate(speech, head=head, mood=mood)) for mood in MOODS]
        rows += [np.concatenate(row, 1) for row in zip(*columns, strict=True)]
    sheet = Image.fromarray(np.concatenate(rows))
    for number, mood in enumerate(MOODS):
        place = number * (PART[1].stop - PART[1].start) + 5, 3
        ImageDraw.Draw(sheet).text(place, mood, "white", ImageFont.load_default(16))
    sheet.save(HERE / "moods.jpg", quality=82)

    print("| mood | closed frames, gap | r of lip aperture | aperture, part | r of mouth width |")
    print("|---|---|---|---|---|")
    without = [talking_head.animate(VOICES / name) for name in ("jfk.flac", "pico_en.wav")]
    for mood in (*MOODS[1:], VOICE):
        moved = [
            talking_head.animate(VOICES / name, mood={mood: MAX_INTENSITY})
            for name in ("jfk.flac", "pico_en.wav")
        ]
        print(_measured(mood, without, moved))


def _stills(motion: Motion) -> list[np.ndarray]:
    frames = [round(moment * motion.fps) for moment in MOMENTS]
    still = motion.changed(weights=motion.weights[frames], pose=motion.pose[frames])
    return [picture[PART] for picture in draw_frames(motion.face, still.vertices(), View(SIZE))]


def _measured(mood: str, without: list[Motion], moved: list[Motion]) -> str:
    """Return a row of the table, over all recordings."""
    said, shown = (_joined(motions, Motion.lip_aperture) for motions in (without, moved))
    widths = [_joined(motions, Motion.lip_width) for motions in (without, moved)]
    closed = said < SEALED
    gap = max(float((shown - said)[closed].max()), 0.0)
    return (
        f"| {mood} | {closed.sum()}, {1000 * gap:.3f} mm | {np.corrcoef(said, shown)[0, 1]:.3f} "
        f"| {shown[~closed].mean() / said[~closed].mean():.2f} "
        f"| {np.corrcoef(*widths)[0, 1]:.2f} |"
    )


def _joined(motions: list[Motion], measure: Callable[[Motion], np.ndarray]) -> np.ndarray:
    parts = []
    for motion in motions:
        fade = round(FADES * motion.fps)
        parts.append(measure(motion)[fade:-fade])
    return np.concatenate(parts)


if __name__ == "__main__":
    main()
