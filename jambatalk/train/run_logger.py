"""Metrics of a run: a line per epoch, and curves for TensorBoard."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

from jambatalk.errors import DataError
from jambatalk.files.unfinished import whole_file

log = logging.getLogger(__name__)

LOG = "log.jsonl"
CURVES = "tensorboard"
SHOWN = ("epoch", "loss", "val.error")  # on the console


class RunLogger:
    """Writes `log.jsonl` and `tensorboard/` into a folder.

    Args:
        epoch, step: from which a resumed run continues; entries after them are dropped.
    """

    def __init__(self, folder: Path, epoch: int = 0, step: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.path = folder / LOG
        lines = self.path.read_text().splitlines() if epoch else []
        lines = [line for line in lines if _epoch(line) <= epoch]
        with whole_file(self.path, DataError) as unfinished:
            unfinished.write_text("".join(f"{line}\n" for line in lines))
        self.curves = SummaryWriter(folder / CURVES, purge_step=step if epoch else None)

    def log_step(self, step: int, values: dict[str, float]) -> None:
        """Write the values of a single step, for TensorBoard alone."""
        for name, value in values.items():
            self.curves.add_scalar(f"step/{name}", value, step)

    def log_epoch(self, step: int, values: dict[str, float]) -> None:
        """Write the values of an epoch; names of validation scores begin with "val."."""
        with self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")
        for name, value in values.items():
            if name not in ("epoch", "step"):
                tag = name.replace("val.", "val/") if name.startswith("val.") else f"train/{name}"
                self.curves.add_scalar(tag, value, step)
        self.curves.flush()
        log.info("  ".join(f"{k} {values[k]:.5g}" for k in SHOWN if k in values))

    def close(self) -> None:
        """Close the files."""
        self.curves.close()


def _epoch(line: str) -> float:
    try:
        return float(json.loads(line)["epoch"])
    except ValueError:  # cut off, as the run was
        return math.inf
