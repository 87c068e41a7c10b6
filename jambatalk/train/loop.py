"""Training, to be read from top to bottom."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from torch import Tensor

from jambatalk.data.clip import Clip
from jambatalk.data.manner import Manner
from jambatalk.errors import DataError
from jambatalk.evaluate.curves import correlation
from jambatalk.face import Face
from jambatalk.lips import aperture
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.examples import Example, listen, silence
from jambatalk.train.losses import MotionLoss
from jambatalk.train.model_card import write_model_card

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainConfig:
    """How the decoder is trained.

    Attributes:
        steps: optimiser steps.
        batch: recordings a step. frames: length of each, cut at random.
        learning_rate: its peak, after `warmup` steps; then a cosine down to a hundredth.
        weight_decay: of AdamW. clip: largest gradient norm.
        own: part of the cuts shown in the style that was captured, the others in any of them.
        variants: augmented versions of each recording.
        evaluate_every: steps between two looks at what was held out; the best is kept.
        seed: of everything random.
    """

    steps: int = 450
    batch: int = 24
    frames: int = 90
    learning_rate: float = 1e-3
    warmup: int = 50
    weight_decay: float = 0.05
    clip: float = 1.0
    own: float = 0.5
    variants: int = 2
    evaluate_every: int = 50
    seed: int = 0


def train(
    model: JambaTalk,
    face: Face,
    clips: Sequence[Clip],
    held_out: Sequence[Clip],
    folder: Path,
    config: TrainConfig,
) -> dict[str, float]:
    """Trains the decoder of `model` and keeps the best checkpoint in `folder`.

    The encoder stays frozen: it hears every recording once, before the first step.

    Returns:
        The kept checkpoint's scores on the held-out clips, see :func:`evaluate`.

    Raises:
        DataError: a style has no clip.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    missing = set(model.config.styles[1:]) - {clip.style for clip in clips}
    if missing:
        raise DataError(f"There are no clips to learn {', '.join(sorted(missing))} from.")
    manners = {
        style: Manner.of(face, [clip.weights for clip in clips if clip.style == style])
        for style in {clip.style for clip in clips}
    }
    examples = listen(model, clips, manners, config.variants, config.seed)
    examples += silence(model, len(examples) // 50, config.frames / model.config.fps, config.seed)
    unseen = listen(model, held_out, manners, 0, config.seed)
    log.info("%d examples to learn from, %d held out", len(examples), len(unseen))

    decoder, loss = model.decoder, MotionLoss(face)
    decoder.output_units.copy_(loss.units())
    optimizer = torch.optim.AdamW(
        decoder.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, config))
    best, started = {"score": -math.inf}, time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.jsonl").open("w") as journal:
        batches = islice(_batches(examples, rng, config), config.steps)
        for step, (features, target, style) in enumerate(batches, 1):
            decoder.train()
            losses = loss(decoder(features, decoder.style_table(style)), target)
            optimizer.zero_grad()
            losses.total().backward()
            torch.nn.utils.clip_grad_norm_(decoder.parameters(), config.clip)
            optimizer.step()
            schedule.step()
            if step % 20 == 0:
                row = {name: value.item() for name, value in losses._asdict().items()}
                _note(journal, {"step": step, "minutes": _minutes(started), **row})
            if step % config.evaluate_every == 0 or step == config.steps:
                scores = evaluate(model, face, unseen, loss)
                _note(journal, {"step": step, "minutes": _minutes(started), **scores})
                if scores["score"] > best["score"]:
                    best = scores
                    model.save_pretrained(folder)
    training = {"config": asdict(config), "examples": len(examples), "held_out": best}
    (folder / "training.json").write_text(json.dumps(training, indent=2) + "\n")
    write_model_card(folder, model.config, training, sum(p.numel() for p in decoder.parameters()))
    return best


@torch.inference_mode()
def evaluate(
    model: JambaTalk, face: Face, unseen: Sequence[Example], loss: MotionLoss
) -> dict[str, float]:
    """Scores on held-out recordings.

    Returns:
        For each style: `r_aperture`, `r_jaw` (Pearson's r, median over recordings) and
        `vertices` (mean squared error, mm²) and `recordings` (how many); and `score`, the mean
        of the correlations.
    """
    model.decoder.eval()
    scores: dict[str, float] = {}
    jaw = face.actions.index("jawOpen")
    for style in sorted({example.style for example in unseen}):
        own = [example for example in unseen if example.style == style]
        rows = []
        for example in own:
            predicted = model.predict(
                example.features.float(), model.decoder.style_table.weight[style]
            )
            captured = example.weights[style]
            error = loss(predicted[None], captured[None]).vertices.item()
            said, seen = predicted.numpy(), captured.numpy()
            rows.append(
                (
                    correlation(aperture(face, said), aperture(face, seen)),
                    correlation(said[:, jaw], seen[:, jaw]),
                    error,
                )
            )
        r_aperture, r_jaw = np.median([row[:2] for row in rows], 0)
        name = model.config.styles[style]
        scores |= {f"{name}.r_aperture": float(r_aperture), f"{name}.r_jaw": float(r_jaw)}
        scores[f"{name}.vertices"] = float(np.mean([row[2] for row in rows]))
        scores[f"{name}.recordings"] = len(rows)
    scores["score"] = float(np.mean([v for key, v in scores.items() if ".r_" in key]))
    return scores


def _batches(
    examples: Sequence[Example], rng: np.random.Generator, config: TrainConfig
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless random cuts: features (b, t, m, c), weights (b, t, k), styles (b,).

    Recordings are drawn by the square root of each style's total length, so that the smaller
    set is not drowned, and within a style by length.
    """
    examples = [e for e in examples if len(e.features) >= config.frames]
    length = np.array([len(e.features) for e in examples], float)
    style = np.array([e.style for e in examples])
    total = np.array([length[style == s].sum() for s in style])
    chance = length / np.sqrt(total)
    while True:
        cuts = []
        for i in rng.choice(len(examples), config.batch, p=chance / chance.sum()):
            example = examples[i]
            start = rng.integers(len(example.features) - config.frames + 1)
            now = slice(start, start + config.frames)
            shown = rng.integers(len(example.weights))
            if rng.random() < config.own:
                shown = example.style
            cuts.append((example.features[now].float(), example.weights[shown, now], shown))
        features, weights, styles = zip(*cuts, strict=True)
        yield torch.stack(features), torch.stack(weights), torch.tensor(styles)


def _rate(step: int, config: TrainConfig) -> float:
    """Learning rate as a part of its peak."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    part = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, part)))


def _minutes(started: float) -> float:
    return round((time.monotonic() - started) / 60, 2)


def _note(journal: TextIO, row: dict[str, float]) -> None:
    journal.write(json.dumps(row) + "\n")
    journal.flush()
    log.info("  ".join(f"{k} {v:.4g}" for k, v in row.items()))
