"""Random crops of encoded clips, drawn by the share of their kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from jambatalk.train.task import SampleKey
from recipes.checkpoint.training.encoded_clips import EncodedClip
from recipes.checkpoint.training.recipe_config import RecipeDataConfig


class StyledCrops:
    """Random crops: features (t, m, c), weights (t, k), style, phones (t,), contact (t, 2).

    Clips are drawn by the share of their kind, and within a kind by length; a kind without clips
    leaves its share to the others. Clips shorter than a crop are left out.

    Args:
        count: crops in an epoch.
    """

    def __init__(self, clips: Sequence[EncodedClip], config: RecipeDataConfig, count: int) -> None:
        self.clips = [clip for clip in clips if len(clip.features) >= config.crop]
        self.frames, self.count = config.crop, count
        self.own_style_share = config.own_style_share
        self.neutral_share = config.neutral_share
        lengths = np.array([len(clip.features) for clip in self.clips], float)
        kinds = np.array([clip.kind for clip in self.clips])
        probability = np.zeros(len(self.clips))
        for kind, share in config.shares.items():
            of_kind = kinds == kind
            if not of_kind.any():
                continue
            probability[of_kind] = share * lengths[of_kind] / lengths[of_kind].sum()
        self.probability = probability / probability.sum()

    def __len__(self) -> int:
        return self.count

    def epoch_order(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the clips of an epoch."""
        return rng.choice(len(self.clips), self.count, p=self.probability)

    def __getitem__(self, key: SampleKey) -> tuple[Tensor, ...]:
        """Return a random crop of a clip in a random style."""
        index, seed = key
        clip, rng = self.clips[index], np.random.default_rng(seed)
        start = int(rng.integers(len(clip.features) - self.frames + 1))
        frames = slice(start, start + self.frames)
        style, drawn = int(rng.integers(len(clip.weights))), rng.random()
        if drawn < self.own_style_share + self.neutral_share:
            style = clip.style if drawn < self.own_style_share else 0
        return (
            clip.features[frames].float(),
            clip.weights[style, frames].float(),
            torch.tensor(style),
            clip.phones[frames],
            clip.contact[frames],
        )
