"""Memory and time of the paper's network at full size, with random weights.

    python benchmarks/published_size.py [vocaset|biwi] [FOLDER]

Writes about 5 GB into FOLDER (default: a temporary one), converts them and animates speech, each in
a new process. It needs no file of the authors: the face is cut out of a bundled head.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
VOICE = ROOT / "assets" / "voices" / "jfk.flac"  # 11 s
COMMAND = "import sys; from jambatalk.cli import main; sys.exit(main(sys.argv[1:]))"
LIPS = {"vocaset": 254, "biwi": 758}


def make(layout: str, folder: Path) -> None:
    """Write stand-ins for the authors' files and the user's, with random weights."""
    import numpy as np
    import torch
    import trimesh
    from paper_files import cut_face, paper_state

    from jambatalk.paper.layouts import LAYOUTS

    config = LAYOUTS[layout]
    torch.save(paper_state(config, LIPS[layout]), folder / "net.pth")
    vertices, triangles, lips = cut_face("mara", config.vertices)
    near = np.argsort(np.linalg.norm(vertices - vertices[lips].mean(0), axis=1))
    (folder / "mask.pkl").write_bytes(pickle.dumps({"lips": near[: LIPS[layout]]}))
    trimesh.Trimesh(vertices, triangles, process=False).export(folder / "face.ply")


def measure(name: str, *arguments: str) -> None:
    """Run a command of `jambatalk` and print its time and peak memory."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{name} failed")
    seconds = time.perf_counter() - started
    print(f"{name}: {seconds:.1f} s, at most {used.ru_maxrss / 1e6:.2f} GB", flush=True)


def main(layout: str, folder: Path) -> None:
    """Write, convert and animate."""
    subprocess.run([sys.executable, __file__, layout, str(folder), "make"], check=True)
    files = {"--lip-mask": "mask.pkl", "--template": "face.ply"}
    given = [word for option, name in files.items() for word in (option, str(folder / name))]
    checkpoint, motion = str(folder / "checkpoint"), str(folder / "motion.npz")
    weights = str(folder / "net.pth")
    measure("convert", "convert", weights, "--layout", layout, *given, "-o", checkpoint)
    measure("animate 11 s", "animate", str(VOICE), "--checkpoint", checkpoint, "-o", motion)


if __name__ == "__main__":
    layout = sys.argv[1] if len(sys.argv) > 1 else "vocaset"
    if sys.argv[3:] == ["make"]:
        make(layout, Path(sys.argv[2]))
    elif len(sys.argv) > 2:
        main(layout, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(layout, Path(folder))
