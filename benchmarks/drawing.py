"""CPU time of drawing a frame: vertices in, pixels out, on one core.

python benchmarks/drawing.py --heads mara kofi --sizes 512 800
"""

from __future__ import annotations

import argparse
import os
import time

os.environ["LP_NUM_THREADS"] = "0"  # as in a render worker: Mesa draws in the calling thread

import numpy as np

from jambatalk.face.face import Face
from jambatalk.face.library import list_heads, load_head
from jambatalk.render.opengl import backends, open_context
from jambatalk.render.view import View

SHADINGS = ("skin", "plain")
SPEECH = {"jawOpen": 0.2, "mouthSmileLeft": 0.2, "mouthSmileRight": 0.2}


def measure(face: Face, sizes: list[int], yaw: float, runs: int) -> dict[tuple[int, str], float]:
    """Return the shortest time of several runs, in milliseconds, for each size and shading.

    All are drawn in turn, so that other programs disturb them alike.
    """
    from jambatalk.render.renderer import ClipRenderer

    weights = np.array([SPEECH.get(name, 0.0) for name in face.blendshapes], np.float32)
    vertices = face.vertices(weights)
    cases = [(size, shading) for size in sizes for shading in SHADINGS]
    renderers = {
        case: ClipRenderer(face, View(size=case[0], yaw=yaw, shading=case[1])) for case in cases
    }
    best = dict.fromkeys(cases, np.inf)
    for _ in range(runs + 1):  # shaders are compiled in the first
        for case, renderer in renderers.items():
            start = time.process_time()
            renderer.draw(vertices)
            best[case] = min(best[case], 1000 * (time.process_time() - start))
    for renderer in renderers.values():
        renderer.release()
    return best


def main() -> None:
    """Print a line for each head and size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--heads", nargs="+", help="names; all by default")
    parser.add_argument("--sizes", nargs="+", type=int, default=[512, 800])
    parser.add_argument("--yaw", type=float, default=0.0)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    context = open_context(backends()[0])
    print("head            triangles   size   skin ms  plain ms   ratio")
    for name in options.heads or list_heads():
        face = load_head(name)
        best = measure(face, options.sizes, options.yaw, options.runs)
        for size in options.sizes:
            skin, plain = best[size, "skin"], best[size, "plain"]
            print(
                f"{name:<14} {len(face.triangles):>10} {size:>6} {skin:>9.1f} {plain:>9.1f}"
                f" {skin / plain:>7.2f}"
            )
    del context


if __name__ == "__main__":
    main()
