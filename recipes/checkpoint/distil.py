"""Distil the bundled checkpoint's speech encoder, which the decoder is then trained on.

python -m recipes.checkpoint.distil --data DATA --corpus CORPUS [-o RUN] [--resume] [key=value ...]
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from jambatalk.errors import JambaTalkError
from jambatalk.model.checkpoint import ENCODER_FILE
from jambatalk.model.config import WhisperConfig
from jambatalk.model.encoder import FEATURE_SAMPLES
from jambatalk.model.whisper import WhisperEncoder
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import CHECKPOINT, train
from jambatalk.train.training_config import LoopConfig
from recipes.checkpoint.training.architecture import LAYERS, WINDOW
from recipes.checkpoint.training.distillation import (
    STEPS,
    DistillationTask,
    NoisyWindows,
    read_voices,
)
from recipes.checkpoint.whisper_wheels import TINY_EN, read_encoder

COMMAND = "python -m recipes.checkpoint.distil"
CONFIG = Path(__file__).with_name("distil.yaml")

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Distil the speech encoder.")
    parser.add_argument("--data", type=Path, required=True, help="folder with grid_s1/")
    parser.add_argument(
        "--corpus", type=Path, required=True, help="of 'python -m recipes.checkpoint.corpus'"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--resume", action="store_true", help="continue where the run stopped")
    parser.add_argument(
        "changes", nargs="*", metavar="key=value", help="override distil.yaml: epochs=5"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        config = load_config(CONFIG, LoopConfig, options.changes)
        scores = train(
            lambda: make_task(options.data, options.corpus, config.batch),
            config,
            options.output,
            options.resume,
        )
    except JambaTalkError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 1
    print(_format(scores))
    print(f"Copy {options.output / CHECKPOINT / ENCODER_FILE} into checkpoints/default.")
    return 0


def make_task(data: Path, corpus: Path, batch: int) -> DistillationTask:
    """Read Whisper tiny.en and the recordings; raises DataError where they are missing."""
    whisper = WhisperEncoder(WhisperConfig(**TINY_EN.architecture))
    whisper.load_state_dict(read_encoder(TINY_EN))
    windows = NoisyWindows(*read_voices(data, corpus), sum(WINDOW) * FEATURE_SAMPLES, STEPS * batch)
    task = DistillationTask(whisper, windows, LAYERS)
    log.info("Whisper itself: %s", _format(task.score(whisper)))
    return task


def _format(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())


if __name__ == "__main__":
    sys.exit(main())
