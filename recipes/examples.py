"""Film the small heads of the page's examples, each saying the beginning of its own recording.

    python -m recipes.examples

writes `jambatalk/app/live/page/examples`: of each recording NAME.webp, which moves, and
NAME_still.webp, its first picture. The same files come out on every run of one machine.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from jambatalk import Speech, TalkingHead, View
from jambatalk.app.examples import EXAMPLES, PICTURES
from jambatalk.files.bundled import VOICES
from jambatalk.render.frames import draw_frames
from jambatalk.speech import SAMPLE_RATE

HEADS = {  # recording → who is seen, and from which second on
    "jfk": ("hugo", 1.0),
    "pico_en": ("kofi", 1.1),
    "pico_de": ("lars", 1.0),
    "pico_es": ("rosa", 1.0),
    "pico_fr": ("finn", 1.8),
    "pico_it": ("omar", 1.3),
}
SECONDS, STEP = 2.2, 3  # of the motion, of which every so manieth frame is shown
DRAWN, SHOWN = 512, 112  # pixels
CROP = (0.15, 0.09, 0.85, 0.79)  # left, top, right, bottom, of the picture
QUALITY, MOST = 50, 300_000  # bytes of all files


def main() -> None:
    """Write the pictures and print how large they are."""
    talking_head, total = TalkingHead.from_pretrained(), 0
    PICTURES.mkdir(exist_ok=True)
    for example in EXAMPLES:
        name = Path(example.file).stem
        frames = film(talking_head, VOICES / example.file, *HEADS[name])
        moving = _webp(frames, round(1000 * STEP / talking_head.fps))
        for suffix, data in (("", moving), ("_still", _webp(frames[:1], 0))):
            (PICTURES / f"{name}{suffix}.webp").write_bytes(data)
            total += len(data)
        print(f"{name}: {len(frames)} pictures, {len(moving):,} bytes")
    if total > MOST:
        raise SystemExit(f"All have {total:,} bytes; {MOST:,} are allowed.")
    print(f"all: {total:,} bytes")


def film(talking_head: TalkingHead, recording: Path, head: str, start: float) -> list[Image.Image]:
    """Draw a head that says a recording, from second `start` on."""
    speech = Speech.read(recording)
    first = round(start * talking_head.fps)
    end = first + round(SECONDS * talking_head.fps)
    spoken = Speech(speech.samples[: round((start + SECONDS + 1) * SAMPLE_RATE)])
    motion = talking_head.animate(spoken, head=head)
    chosen = np.arange(first, min(end, len(motion)), STEP)
    pose = None if motion.pose is None else motion.pose[chosen]
    shown = motion.changed(weights=motion.weights[chosen], pose=pose)
    part = np.multiply(CROP, DRAWN).astype(int).tolist()
    return [
        Image.fromarray(picture).crop(part).resize((SHOWN, SHOWN), Image.Resampling.LANCZOS)
        for picture in draw_frames(motion.face, shown.vertices(), View(DRAWN))
    ]


def _webp(frames: list[Image.Image], duration: int) -> bytes:
    file = BytesIO()
    more = {"save_all": True, "append_images": frames[1:], "duration": duration, "loop": 0}
    frames[0].save(file, "WEBP", quality=QUALITY, method=6, **(more if frames[1:] else {}))
    return file.getvalue()


if __name__ == "__main__":
    main()
