"""How far a predicted motion is from the captured one.

The published losses compare vertices and read the lips (:class:`VertexLoss`, :func:`lip_losses`);
those of the bundled checkpoint compare weights (:class:`MotionLoss`). Each gives its parts by the
names under which a configuration says how much they count. Shapes: b batch, t frames, V vertices,
k blendshapes, f features at 50 Hz, h channels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.face.face import Face
from jambatalk.train.training_config import LossConfig

LIPS = 4.0  # a lip vertex counts like four of the cheeks
MOVED = 1e-3  # metres: what no blendshape moves further is not looked at
CLOSED = 6.0  # how much more the opening of lips counts that should be closed
NEARLY = 1.0  # millimetres: lips less apart than about this should be closed

Losses = dict[str, Tensor]


class VertexLoss(nn.Module):
    """Mean squared error of all coordinates, as published.

    vertices = mean |v̂_t - v_t|², velocity = mean |(v̂_t - v̂_(t-1)) - (v_t - v_(t-1))|², in the
    network's unit squared. With both 1000 times: L_rec and L_vel of arXiv 2408.01627.
    """

    def forward(self, predicted: Tensor, target: Tensor) -> Losses:
        """Compares offsets (b, t, 3 V): the template would cancel out."""
        error = predicted - target
        return {
            "vertices": error.square().mean(),
            "velocity": error.diff(dim=1).square().mean(),
        }


def lip_losses(
    lip_features: Tensor, letters: Tensor, text_features: Tensor, text_letters: Tensor, blank: int
) -> Losses:
    """Whether the lips say what is heard, as published.

    lip_features = mean |l - s|² of the lip reader's features l to the text encoder's s;
    letters = CTC(what the lip reader reads, the text that the text encoder hears), the negative
    logarithm of that text's probability by the number of its letters. With 0.001 and 0.0001: L_lat
    and L_ctc of arXiv 2408.01627, which are those of arXiv 2306.10799.

    Args:
        lip_features, text_features: (b, f, h).
        letters, text_letters: (b, f, letters), logits.
        blank: the letter that stands for none.
    """
    texts = [_text(logits, blank) for logits in text_letters]
    probabilities = letters.float().log_softmax(-1).transpose(0, 1)  # (f, b, letters)
    frames, batch = probabilities.shape[:2]
    return {
        "lip_features": F.mse_loss(lip_features.float(), text_features.float()),
        "letters": F.ctc_loss(
            probabilities,
            torch.cat(texts),
            torch.full((batch,), frames),
            torch.tensor([len(text) for text in texts]),
            blank,
        ),
    }


def _text(logits: Tensor, blank: int) -> Tensor:
    """The likeliest letters of (f, letters): repeated ones joined, blanks dropped."""
    letters = logits.argmax(-1).unique_consecutive()
    return letters[letters != blank]


class MotionLoss(nn.Module):
    """Squared error of vertices, of their velocity, of the lips' opening and width, and of the
    weights.

    Vertices = template + deltas · weights, so the error of all of them is a quadratic form of the
    weights' error e: vertices = Σ_v m_v |(deltas · e)_v|² = eᵀ G e, a mean over the vertices of skin
    and lips; velocity is the same of the change from frame to frame; aperture = mean over the pairs
    of inner lips of the squared error of their distance; width = the squared error of the distance
    of the mouth's corners. All four in mm², means over frames;
    weights = mean e². Where lips should touch, their opening counts 1 + `CLOSED` times: an average
    of closed and open is what a squared error likes best, and what nobody does.
    """

    def __init__(self, face: Face) -> None:
        super().__init__()
        deltas = face.deltas.astype(np.float64) * 1e3  # millimetres
        share = np.zeros(len(face.template))
        share[face.regions["skin"]] = 1.0
        share[face.regions["lips"]] = LIPS
        share[np.linalg.norm(deltas, axis=-1).max(0) < MOVED * 1e3] = 0.0
        share /= share.sum()
        gap = (
            deltas[:, face.landmarks["inner_lip_upper"]]
            - deltas[:, face.landmarks["inner_lip_lower"]]
        )[..., 1]  # (k, pairs)
        right, left = face.landmarks["mouth_corners"]
        width = deltas[:, left, 0] - deltas[:, right, 0]  # (k,)
        vertices = np.einsum("ivc,jvc,v->ij", deltas, deltas, share)
        at_rest = (
            face.template[face.landmarks["inner_lip_upper"]]
            - face.template[face.landmarks["inner_lip_lower"]]
        )[:, 1].mean() * 1e3
        self.register_buffer("opening", torch.tensor(gap.mean(1), dtype=torch.float32))
        self.at_rest = float(at_rest)
        self.register_buffer("vertices", torch.tensor(vertices, dtype=torch.float32))
        self.register_buffer(
            "aperture", torch.tensor(gap @ gap.T / gap.shape[1], dtype=torch.float32)
        )
        self.register_buffer("width", torch.tensor(np.outer(width, width), dtype=torch.float32))

    def forward(self, predicted: Tensor, target: Tensor) -> Losses:
        """Compares weights (b, t, k)."""
        error = predicted - target
        return {
            "vertices": _quadratic(error, self.vertices),
            "velocity": _quadratic(error.diff(dim=1), self.vertices),
            "aperture": self._aperture(error, target),
            "width": _quadratic(error, self.width),
            "weights": error.square().mean(),
        }

    def _aperture(self, error: Tensor, target: Tensor) -> Tensor:
        opening = (self.at_rest + target @ self.opening) / NEARLY  # (b, t)
        counts = 1.0 + CLOSED * torch.exp(-(opening.clamp(min=0.0) ** 2))
        return (((error @ self.aperture) * error).sum(-1) * counts).mean()

    def units(self, config: LossConfig) -> Tensor:
        """A change of coordinates (k, k) in which the loss of single frames is a sphere.

        The loss is eᵀ M e for an error e of the weights; in coordinates z with e = z M^(-1/2) it is
        |z|². Without it the lips' opening is two thousand times as stiff as the median direction,
        and a step that suits one is far too long or too short for the other.
        """
        count = len(self.vertices)
        form = config.vertices * self.vertices + config.aperture * self.aperture
        form = form + config.width * self.width + config.weights / count * torch.eye(count)
        values, vectors = torch.linalg.eigh(form.double())
        values = values.clamp(min=1e-6 * values[-1])  # what no loss sees
        return ((vectors * values.rsqrt()) @ vectors.T).float()


def _quadratic(error: Tensor, form: Tensor) -> Tensor:
    return ((error @ form) * error).sum(-1).mean()
