"""Memory and time of published networks at full size, with random weights.

    python benchmarks/published_size.py [NETWORK LAYOUT [SECONDS]]

Converts each network and animates speech, each in a new process; without a name, JambaTalk's own
and the five others in every layout that moves something here. It needs no file of the authors, and
up to 5 GB of space for temporary ones.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import ROOT, speech_of

from jambatalk.speech import SAMPLE_RATE

COMMAND = "import sys; from jambatalk.cli import main; sys.exit(main(sys.argv[1:]))"
LIPS = {"vocaset": 254, "biwi": 758}  # of JambaTalk's own
ALL = [
    ("jambatalk", "vocaset"),
    ("jambatalk", "biwi"),
    ("faceformer", "vocaset"),
    ("faceformer", "biwi"),
    ("codetalker", "vocaset"),
    ("codetalker", "biwi"),
    ("selftalk", "vocaset"),
    ("selftalk", "biwi"),
    ("facexhubert", "biwi"),
    ("facediffuser", "vocaset"),
    ("facediffuser", "biwi"),
    ("facediffuser", "beat"),
]


def make(network: str, layout: str, seconds: float, folder: Path) -> None:
    """Write stand-ins for the authors' files and the user's, with random weights, and speech."""
    import numpy as np
    import soundfile
    import torch
    import trimesh

    sys.path.append(str(ROOT / "tests"))
    soundfile.write(folder / "speech.wav", speech_of(seconds).samples, SAMPLE_RATE)
    if network == "jambatalk":
        from paper_files import cut_face, paper_state

        from jambatalk.paper.layouts import LAYOUTS

        vertices, triangles, lips = cut_face("mara", LAYOUTS[layout].vertices)
        near = np.argsort(np.linalg.norm(vertices - vertices[lips].mean(0), axis=1))
        lips = near[: LIPS[layout]]
        torch.save(paper_state(LAYOUTS[layout], len(lips)), folder / "net.pth")
    else:
        from synthetic import make_head

        from jambatalk.networks.layouts import find_layout
        from jambatalk.networks.registry import new_network

        config = find_layout(network, layout)
        model = new_network(config)
        weights = model.state_dict() | model.constants()
        weights = {name.removeprefix("autoencoder."): w for name, w in weights.items()}
        torch.save(weights, folder / "net.pth")
        if not config.vertices:
            return
        head = make_head(config.vertices)
        vertices, triangles, lips = head.template, head.triangles, head.lips
    (folder / "mask.pkl").write_bytes(pickle.dumps({"lips": lips}))
    trimesh.Trimesh(vertices, triangles, process=False).export(folder / "face.ply")


def measure(*arguments: str) -> str:
    """Run a command of `jambatalk` and return its time and peak memory, as cells of a table."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{arguments[0]} failed")
    return f"{time.perf_counter() - started:.1f} s, {used.ru_maxrss / 1e6:.1f} GB"


def main(network: str, layout: str, seconds: float) -> None:
    """Write, convert and animate; print a row of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = [sys.executable, __file__, network, layout, str(seconds), name]
        subprocess.run(words, check=True)
        files = {"--lip-mask": "mask.pkl", "--template": "face.ply"}
        words = [str(folder / "net.pth"), "--network", network, "--layout", layout]
        if (folder / "face.ply").exists():
            words += [word for o, file in files.items() for word in (o, str(folder / file))]
        checkpoint, motion = str(folder / "checkpoint"), str(folder / "motion.npz")
        converted = measure("convert", *words, "-o", checkpoint)
        words = [str(folder / "speech.wav"), "--checkpoint", checkpoint, "--device", "cpu"]
        animated = measure("animate", *words, "-o", motion)
    print(f"| {network}, {layout} | {converted} | {animated} |", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    if len(given) == 4:
        make(given[0], given[1], float(given[2]), Path(given[3]))
        sys.exit()
    length = float(given[2]) if len(given) > 2 else 1.0
    print(f"| weights at random | convert | animate {length:g} s |\n|---|---|---|")
    for pair in [(given[0], given[1])] if given else ALL:
        main(*pair, length)
