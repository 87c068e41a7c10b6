"""Training the bundled decoder on clips whose motion is known in several styles."""

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
from jambatalk.train.config_file import to_plain
from jambatalk.train.losses import MotionLoss
from jambatalk.train.task import Losses
from recipes.checkpoint.model_card import write_model_card
from recipes.checkpoint.training.encoded_clips import (
    EncodedClip,
    check_styles,
    encode_clips,
    silent_clips,
)
from recipes.checkpoint.training.recipe_config import SYNTHESISED, RecipeConfig
from recipes.checkpoint.training.styled_clips import StyledClip
from recipes.checkpoint.training.styled_crops import StyledCrops

STEPS = 50  # of an epoch
VARIANTS = {SYNTHESISED: 1, "grid": 2, "facegood": 5}  # augmented versions of each clip
LONGEST = 108_000  # frames: an hour


class StyleTask:
    """Train a decoder in all styles (a :class:`jambatalk.train.task.Task`).

    The encoder is frozen: it runs over every clip once, here.

    Args:
        clips, held_out: for training and validation.
        rest: (s, K) float32, each style's face in silence; None for zero weights.
        variants: kind of clip → augmented versions of each.
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
        config: RecipeConfig,
        rest: np.ndarray | None = None,
        variants: Mapping[str, int] = VARIANTS,
        steps: int = STEPS,
    ) -> None:
        check_styles(model, clips)
        frames, seed = config.data.crop, config.seed
        encoded = encode_clips(model, clips, variants, seed, config.data.cache)
        if rest is None:
            rest = np.zeros((len(model.config.styles), len(face.blendshapes)), np.float32)
        encoded += silent_clips(model, rest, len(encoded) // 50, frames / model.config.fps, seed)
        self.model, self.face, self.config = model, face, config
        self.held_out = encode_clips(model, held_out, {}, seed)
        self.loss = MotionLoss(face)
        if config.network.start is None:  # otherwise the checkpoint has its own
            model.decoder.get_buffer("output_units").copy_(self.loss.units(config.loss))
        assert isinstance(model.decoder, JambaDecoder)
        self.module = DecoderModule(model.decoder, self.loss)
        self.dataset = StyledCrops(encoded, config.data, steps * config.batch)
        self.training = {
            "config": to_plain(config),
            "examples": len(encoded),
            "variants": dict(variants),
            "recordings": _count_sources(clips),
        }

    def total_loss(self, losses: Losses) -> Tensor:
        """Return the weighted sum of losses."""
        return self.config.loss.total(losses)

    def validate(self) -> dict[str, float]:
        """Return scores on held-out clips, see :func:`score`."""
        self.module.eval()
        return score(self.model, self.face, self.held_out, self.loss)

    def save_checkpoint(self, folder: Path, scores: dict[str, float]) -> None:
        """Write network, `training.json` and model card."""
        self.model.save_pretrained(folder)
        training = self.training | {"held_out": scores}
        (folder / "training.json").write_text(json.dumps(training, indent=2) + "\n")
        encoder, decoder = (
            sum(weight.numel() for weight in part.parameters())
            for part in (self.model.encoder, self.model.decoder)
        )
        write_model_card(folder, self.model.config, training, encoder, decoder)

    def write_sample_video(self, path: Path) -> None:
        """Write a video of a held-out clip, target beside prediction."""
        self.module.eval()
        clip = self.held_out[0]
        motions = [
            Motion(weights.numpy().clip(0, 1), self.model.config.fps, self.face)
            for weights in (_target(clip), _predict(self.model, clip))
        ]
        draw_video(motions, None, path, captions=["Captured", "Network"])


class DecoderModule(nn.Module):
    """A decoder and its losses."""

    def __init__(self, decoder: JambaDecoder, loss: MotionLoss) -> None:
        super().__init__()
        self.decoder, self.loss = decoder, loss

    def forward(self, features: Tensor, target: Tensor, style: Tensor) -> Losses:
        """Compute losses of features (b, t, m, c), weights (b, t, k) and style indices (b,)."""
        table = self.decoder.style_table
        features, target, style = (x.to(table.weight.device) for x in (features, target, style))
        with torch.autocast(features.device.type, enabled=False):
            # a crop may be at any position of a recording
            position = int(torch.randint(LONGEST, ())) if self.training else 0
            state = self.decoder.initial_state(position, len(features))
            return self.loss(self.decoder.step(features, table(style), state)[0], target)


@torch.inference_mode()
def score(
    model: JambaTalk, face: Face, clips: Sequence[EncodedClip], loss: MotionLoss
) -> dict[str, float]:
    """Score predictions of held-out clips in their own style, synthesised ones in the neutral one.

    Returns:
        For each of those styles: `r_aperture`, `r_jaw` (Pearson's r, median over clips),
        `vertices` (mean squared error, mm²) and `recordings` (their number); and `error`: one
        minus the mean of the correlations, in which a style counts by its recordings.
    """
    scores: dict[str, float] = {}
    means: list[tuple[float, int]] = []  # of the correlations, and the number of clips
    device = loss.vertices.device
    jaw = face.blendshapes.index("jawOpen")
    for style in sorted({clip.style for clip in clips}):
        correlations, errors = [], []
        for clip in (clip for clip in clips if clip.style == style):
            pred, target = _predict(model, clip), _target(clip)
            errors.append(loss(pred[None].to(device), target[None].to(device))["vertices"].item())
            p, t = pred.numpy(), target.numpy()
            r_aperture = correlation(aperture(face, p), aperture(face, t))
            correlations.append((r_aperture, correlation(p[:, jaw], t[:, jaw])))
        r_aperture, r_jaw = np.median(correlations, 0).tolist()
        name = model.config.styles[style]
        scores |= {f"{name}.r_aperture": r_aperture, f"{name}.r_jaw": r_jaw}
        scores |= {f"{name}.vertices": float(np.mean(errors)), f"{name}.recordings": len(errors)}
        means.append(((r_aperture + r_jaw) / 2, len(errors)))
    values, counts = zip(*means, strict=True)
    scores["error"] = 1.0 - float(np.average(values, weights=counts))
    return scores


def _predict(model: JambaTalk, clip: EncodedClip) -> Tensor:
    """Return weights (t, k) predicted in the clip's style."""
    vector = model.style(model.config.styles[clip.style])
    return model.predict(clip.features.float().to(vector.device), vector).cpu()


def _target(clip: EncodedClip) -> Tensor:
    """Return the weights (t, k) of the clip's own style."""
    return clip.weights[clip.styles == clip.style][0].float()


def _count_sources(clips: Sequence[StyledClip]) -> dict[str, int]:
    """Count clips by source, the first part of a synthesised clip's name."""
    return dict(Counter(c.name.split("/")[0] if "/" in c.name else c.kind for c in clips))
