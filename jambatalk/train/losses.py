"""Losses between predicted and captured motion.

:class:`VertexLoss` and :func:`lip_losses` are the published ones, of vertices and of a lip reader;
:class:`MotionLoss` compares blendshape weights. Each returns its terms by the names of
:class:`jambatalk.train.training_config.LossConfig`. Shapes: b batch, t frames, V vertices,
k blendshapes, f features at 50 Hz, h channels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.face.face import Face
from jambatalk.train.task import Losses
from jambatalk.train.training_config import LossConfig

LIP_WEIGHT = 4.0  # of a lip vertex, relative to one of the cheeks
MOVABLE = 1e-3  # metres: vertices that no blendshape moves further are left out
CLOSED_WEIGHT = 6.0  # added to the aperture error of lips that should be closed
CLOSED_APERTURE = 1.0  # millimetres: lips nearer than about this should be closed


class VertexLoss(nn.Module):
    """Mean squared error of all coordinates, as published.

    vertices = mean |v̂_t - v_t|², velocity = mean |(v̂_t - v̂_(t-1)) - (v_t - v_(t-1))|², in the
    network's unit squared. With a weight of 1000 each: L_rec and L_vel of arXiv 2408.01627.
    """

    def forward(self, pred: Tensor, target: Tensor) -> Losses:
        """Compare offsets (b, t, 3 V) from the template."""
        error = pred - target
        return {
            "vertices": error.square().mean(),
            "velocity": error.diff(dim=1).square().mean(),
        }


def lip_losses(
    lip_features: Tensor, letters: Tensor, text_features: Tensor, text_letters: Tensor, blank: int
) -> Losses:
    """Compute the published losses of the lip reader against the text encoder.

    lip_features = mean |l - s|² of the lip reader's features l and the text encoder's s;
    letters = CTC of the lip reader's letters against the text encoder's transcript: its negative
    log-likelihood divided by its length. With weights of 0.001 and 0.0001: L_lat and L_ctc of
    arXiv 2408.01627, which are those of arXiv 2306.10799.

    Args:
        lip_features, text_features: (b, f, h).
        letters, text_letters: (b, f, letters), logits.
        blank: index of the blank letter.
    """
    texts = [_transcript(logits, blank) for logits in text_letters]
    log_probs = letters.float().log_softmax(-1).transpose(0, 1)  # (f, b, letters)
    frames, batch = log_probs.shape[:2]
    return {
        "lip_features": F.mse_loss(lip_features.float(), text_features.float()),
        "letters": F.ctc_loss(
            log_probs,
            torch.cat(texts),
            torch.full((batch,), frames),
            torch.tensor([len(text) for text in texts]),
            blank,
        ),
    }


def _transcript(logits: Tensor, blank: int) -> Tensor:
    """Return the likeliest letters of (f, letters), repeats joined and blanks dropped."""
    letters = logits.argmax(-1).unique_consecutive()
    return letters[letters != blank]


class MotionLoss(nn.Module):
    """Squared errors of vertices, their velocity, lip aperture, mouth width and weights.

    Vertices = template + deltas · weights, so their squared error is a quadratic form of the
    weights' error e: vertices = Σ_v m_v |(deltas · e)_v|² = eᵀ G e, a mean over the vertices of
    skin and lips that move, each point of the surface once; velocity is the same of the change
    from frame to frame; aperture = mean over the pairs of inner-lip vertices of the squared error
    of their distance; width = the squared error of the distance of the mouth's corners. All four
    are in mm², means over frames; weights = mean e². Where lips should touch, the aperture counts
    1 + `CLOSED_WEIGHT` times: between open and closed, a plain squared error prefers the average,
    which never occurs.
    """

    vertices: Tensor
    aperture: Tensor
    width: Tensor
    mean_aperture: Tensor

    def __init__(self, face: Face) -> None:
        super().__init__()
        vertices, share = _shares(face)
        moved = _millimetres(face, vertices) * np.sqrt(share)[:, None]  # (k, n, 3)
        moved = moved.reshape(len(moved), -1)
        upper, lower = (face.landmarks[f"inner_lip_{side}"] for side in ("upper", "lower"))
        apertures = (_millimetres(face, upper) - _millimetres(face, lower))[..., 1]  # (k, pairs)
        right, left = _millimetres(face, face.landmarks["mouth_corners"])[..., 0].T
        width = left - right  # (k,)
        forms = {
            "vertices": moved @ moved.T,  # (k, k)
            "aperture": apertures @ apertures.T / apertures.shape[1],  # (k, k)
            "width": np.outer(width, width),  # (k, k)
            "mean_aperture": apertures.mean(1),  # (k,)
        }
        for name, form in forms.items():
            self.register_buffer(name, torch.tensor(form, dtype=torch.float32))
        self.rest_aperture = float((face.template[upper] - face.template[lower])[:, 1].mean() * 1e3)

    def forward(self, pred: Tensor, target: Tensor) -> Losses:
        """Compare weights (b, t, k)."""
        error = pred - target
        return {
            "vertices": _quadratic(error, self.vertices),
            "velocity": _quadratic(error.diff(dim=1), self.vertices),
            "aperture": self._aperture_loss(error, target),
            "width": _quadratic(error, self.width),
            "weights": error.square().mean(),
        }

    def _aperture_loss(self, error: Tensor, target: Tensor) -> Tensor:
        opening = (self.rest_aperture + target @ self.mean_aperture) / CLOSED_APERTURE  # (b, t)
        factor = 1.0 + CLOSED_WEIGHT * torch.exp(-(opening.clamp(min=0.0) ** 2))
        return (((error @ self.aperture) * error).sum(-1) * factor).mean()

    def units(self, config: LossConfig) -> Tensor:
        """Return coordinates (k, k) in which the loss of single frames is isotropic.

        The loss is eᵀ M e for an error e of the weights; in coordinates z with e = z M^(-1/2) it is
        |z|². In plain weights the lip aperture is two thousand times as stiff as the median
        direction, so that no step size suits both.
        """
        count = len(self.vertices)
        form = config.vertices * self.vertices + config.aperture * self.aperture
        form = form + config.width * self.width + config.weights / count * torch.eye(count)
        values, vectors = torch.linalg.eigh(form.double())
        values = values.clamp(min=1e-6 * values[-1])  # directions that no loss constrains
        return ((vectors * values.rsqrt()) @ vectors.T).float()


def _shares(face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Return the vertices (n,) that count, and the share (n,) of each in the mean over them."""
    lips = face.regions["lips"]
    vertices = np.union1d(face.regions["skin"], lips)
    if face.weld is not None:
        vertices = vertices[face.weld[vertices] == vertices]
    reach = np.linalg.norm(_millimetres(face, vertices), axis=-1).max(0)
    vertices = vertices[reach >= MOVABLE * 1e3]
    share = np.where(np.isin(vertices, lips), LIP_WEIGHT, 1.0)
    return vertices, share / share.sum()


def _millimetres(face: Face, vertices: np.ndarray) -> np.ndarray:
    """Return the displacements of some vertices at weight 1: (k, n, 3)."""
    return face.deltas[:, vertices].astype(np.float64) * 1e3


def _quadratic(error: Tensor, form: Tensor) -> Tensor:
    return ((error @ form) * error).sum(-1).mean()
