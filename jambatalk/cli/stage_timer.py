"""Progress on a terminal: the stage under way, and how long each stage took."""

import sys
import time


class StageTimer:
    """A progress callback that prints each stage with its duration in seconds."""

    def __init__(self) -> None:
        self.stage, self.started = "", time.perf_counter()

    def __call__(self, stage: str, done: float) -> None:
        """Report a stage and the part of it that is done, 0 to 1."""
        if stage != self.stage:
            self.finish()
            self.stage, self.started = stage, time.perf_counter()
        if sys.stdout.isatty():
            print(f"\r  {stage:<18} {done:4.0%}", end="", flush=True)

    def finish(self) -> None:
        """Print the duration of the stage under way."""
        if self.stage:
            start = "\r" if sys.stdout.isatty() else ""
            print(f"{start}  {self.stage:<18} {time.perf_counter() - self.started:5.1f} s")
        self.stage = ""
