"""Our own lip reader: a small network that names GRID's words from the motion of the lips alone.

A sentence of GRID is a command, a colour, a preposition, a letter, a digit and an adverb: "bin blue
at f two now" (Cooke et al., "An audio-visual corpus for speech perception and automatic speech
recognition", JASA 2006). The network sees three curves from the first to the last word, each
brought to mean 0 and standard deviation 1 within the sentence, so that people and meshes of any
size and reach are read alike. Neither sound nor the times of words within the sentence are seen.

b sentences    t frames    c curves    d width of the network
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.files.tensors import read_tensors

CURVES = ("upper lip", "lower lip", "width")  # height over the mouth's corners; their distance
FPS = 25.0
WEIGHTS = Path(__file__).with_name("lip_reader.safetensors")
SLOTS: dict[str, tuple[str, ...]] = {
    "command": ("bin", "lay", "place", "set"),
    "colour": ("blue", "green", "red", "white"),
    "preposition": ("at", "by", "in", "with"),
    "letter": tuple("abcdefghijklmnopqrstuvxyz"),  # GRID leaves out w
    "digit": (
        *("zero", "one", "two", "three", "four"),
        *("five", "six", "seven", "eight", "nine"),
    ),
    "adverb": ("again", "now", "please", "soon"),
}
STILL = 1e-3  # standard deviation below which a curve is still, of the mean width of the mouth


class LipReader(nn.Module):
    """Dilated convolutions over time; each slot attends to its part of the sentence."""

    def __init__(self, width: int = 96, dilations: tuple[int, ...] = (1, 2, 4, 8)) -> None:
        super().__init__()
        self.enter = nn.Conv1d(3 * len(CURVES) + 1, width, 5, padding=2)
        self.blocks = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=step, dilation=step) for step in dilations
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in dilations)
        self.attention = nn.Linear(width, len(SLOTS))
        self.words = nn.ModuleList(nn.Linear(width, len(words)) for words in SLOTS.values())
        self.frames = nn.Linear(width, sum(map(len, SLOTS.values())))
        self.dropout = nn.Dropout(0.2)

    def forward(self, curves: Tensor, known: Tensor) -> tuple[list[Tensor], Tensor]:
        """Compute the scores of words.

        Args:
            curves: (b, t, c), see :func:`normalise`.
            known: (b, t) bool, frames of each sentence; those after it are False.

        Returns:
            Of each slot (b, its words), and of each frame (b, t, 51), which only training needs.
        """
        mask = known[..., None].float()
        place = torch.arange(known.shape[1]) / known.sum(1, keepdim=True)
        speed, bend = torch.zeros_like(curves), torch.zeros_like(curves)
        speed[:, 1:-1] = (curves[:, 2:] - curves[:, :-2]) / 2
        bend[:, 1:-1] = curves[:, 2:] + curves[:, :-2] - 2 * curves[:, 1:-1]
        seen = torch.cat([curves, speed, bend, 2 * place[..., None] - 1], -1) * mask
        x = F.gelu(self.enter(seen.mT)).mT  # (b, t, d)
        for norm, convolve in zip(self.norms, self.blocks, strict=True):
            x = x + self.dropout(F.gelu(convolve((norm(x) * mask).mT).mT))
        share = self.attention(x).masked_fill(~known[..., None], -1e9).softmax(1)  # (b, t, 6)
        slots = self.dropout(share.mT @ x).unbind(1)
        scores = [score(slot) for score, slot in zip(self.words, slots, strict=True)]
        return scores, self.frames(x)

    @torch.inference_mode()
    def read(self, curves: np.ndarray) -> tuple[str, ...]:
        """Name the six words of a sentence from its curves (t, c) at 25 frames a second."""
        seen = torch.tensor(normalise(curves), dtype=torch.float32)[None]
        scores, _ = self(seen, torch.ones(seen.shape[:2], dtype=torch.bool))
        return tuple(
            words[int(score[0].argmax())]
            for words, score in zip(SLOTS.values(), scores, strict=True)
        )


@lru_cache(1)
def load_reader() -> LipReader:
    """Load the bundled reader."""
    weights, _ = read_tensors(WEIGHTS)
    reader = LipReader()
    reader.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return reader.eval()


def lip_curves(
    upper: np.ndarray, lower: np.ndarray, corners: np.ndarray, up: np.ndarray
) -> np.ndarray:
    """Compute the curves that the reader sees, (t, 3) in the unit of the points.

    They are the heights of both lips over the middle between the mouth's corners, (p - m)·up, and
    the distance of the corners.

    Args:
        upper: (t, n), the middle of the upper inner lip, in 2 or 3 dimensions n.
        lower: (t, n), that of the lower.
        corners: (t, 2, n).
        up: (n,) or (t, n), unit vector from the lower to the upper lip.
    """
    middle = corners.mean(1)
    return np.stack(
        [
            ((upper - middle) * up).sum(-1),
            ((lower - middle) * up).sum(-1),
            np.linalg.norm(corners[:, 1] - corners[:, 0], axis=-1),
        ],
        1,
    )


def normalise(curves: np.ndarray) -> np.ndarray:
    """Bring curves (t, c) to mean 0 and standard deviation 1 over time; still ones become 0."""
    spread, least = curves.std(0), STILL * np.abs(curves[:, -1]).mean()
    return np.where(spread > least, (curves - curves.mean(0)) / np.maximum(spread, 1e-12), 0.0)
