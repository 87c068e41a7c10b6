"""Learning styles from recordings of several people, each of which teaches all of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from jambatalk.evaluate.curve_metrics import correlation
from jambatalk.face.face import Face
from jambatalk.face.lips import aperture
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.motion import Motion
from jambatalk.render.video import draw_video
from jambatalk.train.config_file import plain
from jambatalk.train.losses import Losses, MotionLoss
from jambatalk.train.model_card import write_model_card
from jambatalk.train.task import Draw
from jambatalk.train.training_config import DataConfig, TrainingConfig
from recipes.checkpoint.training.examples import Example, StyledClip, check_styles, listen, silence

STEPS = 50  # of an epoch
VARIANTS = {"taught": 2, "grid": 5, "facegood": 10}  # augmented versions of each recording
LONGEST = 108_000  # frames: an hour


class StyledTask:
    """A decoder that learns styles (a :class:`jambatalk.train.task.Task`).

    The encoder stays frozen: it hears every recording once, here.

    Args:
        clips, held_out: what is learned from, and what it is looked at with.
        rest: (s, K) float32, the face of each style while nobody speaks; None for all at rest.
        variants: kind of recordings → augmented versions of each.
        steps: of an epoch.

    Raises:
        DataError: a style has no clip.
    """

    def __init__(
        self,
        model: JambaTalk,
        face: Face,
        clips: Sequence[StyledClip],
        held_out: Sequence[StyledClip],
        config: TrainingConfig,
        rest: np.ndarray | None = None,
        variants: Mapping[str, int] = VARIANTS,
        steps: int = STEPS,
    ) -> None:
        check_styles(model, clips)
        frames, seed = config.data.cut, config.seed
        examples = listen(model, clips, variants, seed, config.data.cache)
        if rest is None:
            rest = np.zeros((len(model.config.styles), len(face.blendshapes)), np.float32)
        examples += silence(model, rest, len(examples) // 50, frames / model.config.fps, seed)
        self.model, self.face, self.config = model, face, config
        self.unseen = listen(model, held_out, {}, seed)
        self.loss = MotionLoss(face)
        if config.network.start is None:  # or it has its own, in which it has learned
            model.decoder.output_units.copy_(self.loss.units(config.loss))
        self.learner = DecoderLearner(model.decoder, self.loss)
        self.examples = StyledCuts(examples, config.data, steps * config.batch)
        self.training = {
            "config": plain(config),
            "examples": len(examples),
            "variants": dict(variants),
            "recordings": _count(clips),
        }

    def check(self) -> dict[str, float]:
        """Scores on held-out recordings, see :func:`evaluate`."""
        self.learner.eval()
        return evaluate(self.model, self.face, self.unseen, self.loss)

    def keep(self, folder: Path, scores: dict[str, float]) -> None:
        """Writes network, `training.json` and model card."""
        self.model.save_pretrained(folder)
        training = self.training | {"held_out": scores}
        (folder / "training.json").write_text(json.dumps(training, indent=2) + "\n")
        sizes = (
            sum(weight.numel() for weight in part.parameters())
            for part in (self.model.encoder, self.model.decoder)
        )
        write_model_card(folder, self.model.config, training, *sizes)

    def film(self, path: Path) -> None:
        """Writes a held-out recording as it was captured beside what is predicted for it."""
        self.learner.eval()
        example = self.unseen[0]
        captured = _captured(example)
        predicted = _predict(self.model, example)
        motions = [
            Motion(weights.numpy().clip(0, 1), self.model.config.fps, self.face)
            for weights in (captured, predicted)
        ]
        draw_video(motions, None, path, captions=["Captured", "Network"])


class DecoderLearner(nn.Module):
    """A decoder that is told how far off its motion is."""

    def __init__(self, decoder: JambaDecoder, loss: MotionLoss) -> None:
        super().__init__()
        self.decoder, self.loss = decoder, loss

    def forward(self, features: Tensor, target: Tensor, style: Tensor) -> Losses:
        """For features (b, t, m, c), weights (b, t, k) and rows of the style table (b,)."""
        table = self.decoder.style_table
        features, target, style = (x.to(table.weight.device) for x in (features, target, style))
        with torch.autocast(features.device.type, enabled=False):
            # a cut may lie anywhere in a recording
            place = int(torch.randint(LONGEST, ())) if self.training else 0
            start = self.decoder.initial_state(place, len(features))
            return self.loss(self.decoder.step(features, table(style), start)[0], target)


class StyledCuts:
    """Random cuts: features (t, m, c), weights (t, k), style.

    Recordings are drawn by the share of their kind, and within a kind by length; a kind without
    any leaves its share to the others.

    Args:
        config: how long a cut is (shorter examples are left out), and the shares.
        count: cuts in an epoch.
    """

    def __init__(self, examples: Sequence[Example], config: DataConfig, count: int) -> None:
        self.examples = [e for e in examples if len(e.features) >= config.cut]
        self.frames, self.own, self.count = config.cut, config.own, count
        length = np.array([len(e.features) for e in self.examples], float)
        kinds = np.array([e.kind for e in self.examples])
        chance = np.zeros(len(self.examples))
        for kind, share in config.shares.items():
            chance[kinds == kind] = share * length[kinds == kind] / length[kinds == kind].sum()
        self.chance = chance / chance.sum()

    def __len__(self) -> int:
        return self.count

    def order(self, rng: np.random.Generator) -> np.ndarray:
        """Recordings by chance."""
        return rng.choice(len(self.examples), self.count, p=self.chance)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """One cut."""
        index, seed = draw
        example, rng = self.examples[index], np.random.default_rng(seed)
        start = int(rng.integers(len(example.features) - self.frames + 1))
        now = slice(start, start + self.frames)
        row = int(rng.integers(len(example.styles)))
        if example.style and rng.random() < self.own:
            row = int((example.styles == example.style).nonzero()[0, 0])
        return example.features[now].float(), example.weights[row, now].float(), example.styles[row]


@torch.inference_mode()
def evaluate(
    model: JambaTalk, face: Face, unseen: Sequence[Example], loss: MotionLoss
) -> dict[str, float]:
    """Scores on held-out recordings.

    Captured motion is compared in its own style, taught speech in the neutral one.

    Returns:
        For each of those styles: `r_aperture`, `r_jaw` (Pearson's r, median over recordings) and
        `vertices` (mean squared error, mm²) and `recordings` (how many); and `error`, what the
        correlations are short of 1, a mean in which a style counts by its recordings.
    """
    scores: dict[str, float] = {}
    means: list[tuple[float, int]] = []  # of the correlations, and of how many recordings
    device = loss.vertices.device
    jaw = face.blendshapes.index("jawOpen")
    for style in sorted({example.style for example in unseen}):
        own = [example for example in unseen if example.style == style]
        rows = []
        for example in own:
            predicted, captured = _predict(model, example), _captured(example)
            error = loss(predicted[None].to(device), captured[None].to(device))["vertices"].item()
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
        means.append(((r_aperture + r_jaw) / 2, len(rows)))
    values, counts = zip(*means, strict=True)
    scores["error"] = 1.0 - float(np.average(values, weights=counts))
    return scores


def _predict(model: JambaTalk, example: Example) -> Tensor:
    """Weights (t, k) in the style that was captured."""
    vector = model.decoder.style_table.weight.detach()[example.style]
    return model.predict(example.features.float().to(vector.device), vector).cpu()


def _captured(example: Example) -> Tensor:
    """What there is to compare with: (t, k)."""
    return example.weights[example.styles == example.style][0].float()


def _count(clips: Sequence[StyledClip]) -> dict[str, int]:
    """Recordings of each source, which the name of a taught one begins with."""
    return dict(Counter(c.name.split("/")[0] if "/" in c.name else c.kind for c in clips))
