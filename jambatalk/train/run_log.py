"""What is written down of a run: a line an epoch, and curves for TensorBoard."""

from __future__ import annotations

import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)

LOG = "log.jsonl"
CURVES = "tensorboard"
SHOWN = ("epoch", "loss", "val.error")  # on the console


class Journal:
    """Writes `log.jsonl` and `tensorboard/` into a folder.

    Args:
        epoch, step: after which a resumed run goes on; what was written later is dropped.
    """

    def __init__(self, folder: Path, epoch: int = 0, step: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.path = folder / LOG
        rows = self.path.read_text().splitlines() if epoch else []
        rows = [row for row in rows if json.loads(row)["epoch"] <= epoch]
        self.path.write_text("".join(f"{row}\n" for row in rows))
        self.curves = SummaryWriter(folder / CURVES, purge_step=step if epoch else None)

    def step(self, step: int, values: dict[str, float]) -> None:
        """Values of a single step, for TensorBoard alone."""
        for name, value in values.items():
            self.curves.add_scalar(f"step/{name}", value, step)

    def epoch(self, step: int, values: dict[str, float]) -> None:
        """Values of an epoch; those that are held out begin with "val."."""
        with self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")
        for name, value in values.items():
            if name not in ("epoch", "step"):
                where = name.replace("val.", "val/") if name.startswith("val.") else f"train/{name}"
                self.curves.add_scalar(where, value, step)
        self.curves.flush()
        log.info("  ".join(f"{k} {values[k]:.5g}" for k in SHOWN if k in values))

    def close(self) -> None:
        """Nothing more comes."""
        self.curves.close()
