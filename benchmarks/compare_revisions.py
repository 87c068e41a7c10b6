"""Speech to video by two revisions: `python benchmarks/compare_revisions.py REVISION`.

The working tree and another revision are measured in turns, so that other load on the machine
affects both alike.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from common import ROOT, run, spread

STAGES = ("total", "cpu")


def main() -> None:
    """Print wall and CPU time of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", other, options.revision], check=True)
        try:
            revisions = {options.revision: other, "working tree": ROOT}
            seconds: dict[str, dict[str, list[float]]] = {
                name: {stage: [] for stage in STAGES} for name in revisions
            }
            for _ in range(options.turns):
                for name, package in revisions.items():
                    arguments = ["--size", options.size, "--runs", 2]
                    results = run("speech_to_video.py", *arguments, package=package)
                    for stage in STAGES:
                        seconds[name][stage] += results[stage]
        finally:
            subprocess.run([*git, "remove", "--force", other], check=True)
    print(f"10 s of speech, {options.size}×{options.size}, seconds: median (least–most)")
    for name, times in seconds.items():
        print(f"  {name:<14} total {spread(times['total'])}, CPU {spread(times['cpu'])}")


if __name__ == "__main__":
    main()
