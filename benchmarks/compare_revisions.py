"""Two versions in one run: `python benchmarks/compare_revisions.py REVISION`.

Speech to video by the working tree and by another revision of it, in turns, so that whatever else
the machine does meets both.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from common import ROOT, run, spread

STAGES = ("whole", "cpu")


def main() -> None:
    """Prints wall and CPU time of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        git = ("git", "-C", str(ROOT), "worktree")
        subprocess.run([*git, "add", "-q", "--detach", other, options.revision], check=True)
        try:
            versions = {options.revision: other, "working tree": ROOT}
            took = {name: {stage: [] for stage in STAGES} for name in versions}
            for _ in range(options.turns):
                for name, package in versions.items():
                    once = ("--size", options.size, "--runs", 2)
                    times = run("speech_to_video.py", *once, package=package)
                    for stage in STAGES:
                        took[name][stage] += times[stage]
        finally:
            subprocess.run([*git, "remove", "--force", other], check=True)
    print(f"10 s of speech, {options.size}×{options.size}, seconds (least–most)")
    for name, times in took.items():
        print(f"  {name:<14} whole {spread(times['whole'])}, CPU {spread(times['cpu'])}")


if __name__ == "__main__":
    main()
