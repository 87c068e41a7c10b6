"""Training the bundled decoder on clips whose motion is known in several styles."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.evaluate.curve_metrics import correlation
from jambatalk.face.face import Face
from jambatalk.face.lips import aperture, seal, width
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.motion import Motion
from jambatalk.render.video import draw_video
from jambatalk.train.config_file import to_plain
from jambatalk.train.losses import MotionLoss
from jambatalk.train.task import Losses
from recipes.checkpoint.captured.lip_clips import LipClip
from recipes.checkpoint.coarticulation.phone_tracks import UNKNOWN
from recipes.checkpoint.evaluation.lip_correlation import correlate
from recipes.checkpoint.model_card import write_model_card
from recipes.checkpoint.training.encoded_clips import EncodedClip
from recipes.checkpoint.training.recipe_config import LABELLED, RecipeConfig
from recipes.checkpoint.training.styled_crops import StyledCrops

STEPS = 50  # of an epoch
CONTACT_WEIGHT = 3.0  # of frames with contact, which are few
LONGEST = 108_000  # frames: an hour


class StyleTask:
    """Train a decoder in all styles (a :class:`jambatalk.train.task.Task`).

    The encoder is frozen: it runs over every clip once, here.

    Args:
        clips, held_out: for training and validation.
        people: lips of people of whom nothing is learned, by set; validated in the neutral style.
        steps: of an epoch.
    """

    def __init__(
        self,
        model: JambaTalk,
        face: Face,
        clips: Sequence[EncodedClip],
        held_out: Sequence[EncodedClip],
        people: Mapping[str, Sequence[LipClip]],
        config: RecipeConfig,
        steps: int = STEPS,
    ) -> None:
        self.model, self.face, self.config = model, face, config
        self.held_out, self.people = held_out, people
        self.loss = MotionLoss(face)
        decoder = model.decoder
        assert isinstance(decoder, JambaDecoder)
        if config.network.start is None:  # otherwise the checkpoint has its own
            decoder.get_buffer("output_units").copy_(self.loss.units(config.loss))
            if decoder.articulation is not None:
                unit = torch.from_numpy(aperture(face, np.eye(len(face.blendshapes))))
                decoder.articulation.get_buffer("aperture").copy_(unit)
        self.module = DecoderModule(decoder, self.loss)
        self.dataset = StyledCrops(clips, config.data, steps * config.batch)
        self.training = {
            "config": to_plain(config),
            "examples": len(clips),
            "recordings": _count_sources(clips),
        }

    def total_loss(self, losses: Losses) -> Tensor:
        """Return the weighted sum of losses."""
        return self.config.loss.total(losses)

    def validate(self) -> dict[str, float]:
        """Return scores on held-out clips, see :func:`score`."""
        self.module.eval()
        scores = score(self.model, self.face, self.held_out, self.loss)
        for name, clips in self.people.items():
            aperture_r, width_r = correlate(self._predict_lips, clips, self.model.config.fps)
            scores |= {f"{name}.r_aperture": aperture_r, f"{name}.r_width": width_r}
        return scores

    def _predict_lips(self, features: Tensor) -> np.ndarray:
        """Predict lip aperture and mouth width (t, 2) of features in the neutral style."""
        device = self.loss.vertices.device
        neutral = self.model.style(self.model.config.styles[0])
        weights = self.model.predict(features.float().to(device), neutral).cpu().numpy()
        weights = seal(self.face, weights)
        return np.stack([aperture(self.face, weights), width(self.face, weights)], 1)

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
    """A decoder and its losses, of motion and of articulation."""

    def __init__(self, decoder: JambaDecoder, loss: MotionLoss) -> None:
        super().__init__()
        self.decoder, self.loss = decoder, loss

    def forward(
        self, features: Tensor, target: Tensor, style: Tensor, phones: Tensor, contact: Tensor
    ) -> Losses:
        """Compute the losses of a batch.

        Args:
            features: (b, t, m, c).
            target: (b, t, k), weights.
            style: (b,), indices.
            phones, contact: (b, t) and (b, t, 2), `UNKNOWN` without phones.
        """
        decoder, device = self.decoder, self.decoder.style_table.weight.device
        features, target, phones, contact = (
            x.to(device) for x in (features, target, phones, contact)
        )
        vectors = decoder.style_table(style.to(device))
        with torch.autocast(device.type, enabled=False):
            # a crop may be at any position of a recording
            position = int(torch.randint(LONGEST, ())) if self.training else 0
            state = decoder.initial_state(position, len(features))
            x, _ = decoder.states(features, vectors, state)
            losses = self.loss(decoder.motion(x, vectors), target)
            if decoder.articulation is not None:
                phone_logits, contact_logits = decoder.articulation(x)
                losses |= articulation_losses(phone_logits, contact_logits, phones, contact)
        return losses


def articulation_losses(
    phone_logits: Tensor, contact_logits: Tensor, phones: Tensor, contact: Tensor
) -> Losses:
    """Compare logits (b, t, p) and (b, t, 2) with phones (b, t) and contact (b, t, 2), if known."""
    known = phones != UNKNOWN  # (b, t)
    if not known.any():
        zero = phone_logits.sum() * 0.0
        return {"phones": zero, "contact": zero}
    rare = torch.tensor(CONTACT_WEIGHT, device=contact.device)
    return {
        "phones": F.cross_entropy(phone_logits[known], phones[known]),
        "contact": F.binary_cross_entropy_with_logits(
            contact_logits[known], contact[known], pos_weight=rare
        ),
    }


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
    style = model.style(model.config.styles[clip.style])
    return model.predict(clip.features.float().to(style.vector.device), style).cpu()


def _target(clip: EncodedClip) -> Tensor:
    """Return the weights (t, k) of the clip's own style."""
    return clip.weights[clip.style].float()


def _count_sources(clips: Sequence[EncodedClip]) -> dict[str, int]:
    """Count recordings by kind; those of the corpus by source, the first part of their name."""
    return dict(
        Counter(
            clip.name.split("/")[0] if clip.kind == LABELLED else clip.kind
            for clip in clips
            if clip.variant == 0
        )
    )
