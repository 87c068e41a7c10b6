"""Make docs/heads.jpg, the picture of the README: `python docs/picture.py`."""

from pathlib import Path

import numpy as np
from PIL import Image

from jambatalk import Speech, TalkingHead, View, load_head
from jambatalk.render.frames import draw_frames

HERE = Path(__file__).parent
VOICE = HERE.parent / "assets" / "voices" / "jfk.flac"
HEADS = ("mara", "omar", "zola", "hugo", "yuki", "kofi", "nora", "ravi")
MOMENTS = (0.63, 1.3, 4.13, 5.6, 8.33, 9.3, 2.2, 6.9)  # seconds
YAWS = (0, 25, -20, 10, -30, 0, 30, -15)  # degrees
SIZE = 300  # pixels


def main() -> None:
    """Draw eight heads at eight moments of one sentence."""
    motion = TalkingHead.from_pretrained().animate(Speech.read(VOICE), "crisp")
    pictures = []
    for head, moment, yaw in zip(HEADS, MOMENTS, YAWS, strict=True):
        face = load_head(head)
        frame = face.vertices(motion.weights[round(moment * motion.fps)])
        pictures.append(next(draw_frames(face, [frame], View(SIZE, yaw=yaw))))
    rows = [np.concatenate(pictures[i : i + 4], 1) for i in (0, 4)]
    Image.fromarray(np.concatenate(rows)).save(HERE / "heads.jpg", quality=88)


if __name__ == "__main__":
    main()
