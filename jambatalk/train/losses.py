"""How far a predicted motion is from the captured one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from jambatalk.face import Face

LIPS = 4.0  # a lip vertex counts like four of the cheeks
WEIGHTS = 20.0  # mm² that a squared weight, averaged over all actions, counts for
MOVED = 1e-3  # metres: what no action moves further is not looked at


class Losses(NamedTuple):
    """Each a mean over frames; the first three in mm², the last in squared weight."""

    vertices: Tensor
    velocity: Tensor
    aperture: Tensor
    weights: Tensor

    def total(self) -> Tensor:
        """What is minimised."""
        return self.vertices + 2.0 * self.velocity + self.aperture + WEIGHTS * self.weights


class MotionLoss(nn.Module):
    """Squared error of vertices, of their velocity, of the lips' opening, and of the weights.

    Vertices = template + basis · weights, so the error of all of them is a quadratic form of the
    weights' error e: Σ_v m_v |(basis · e)_v|² = eᵀ G e. The mesh itself is never computed.
    """

    def __init__(self, face: Face) -> None:
        super().__init__()
        basis = face.basis.astype(np.float64) * 1e3  # millimetres
        share = np.zeros(len(face.template))
        share[face.regions["skin"]] = 1.0
        share[face.regions["lips"]] = LIPS
        share[np.linalg.norm(basis, axis=-1).max(0) < MOVED * 1e3] = 0.0
        share /= share.sum()
        gap = (
            basis[:, face.landmarks["inner_lip_upper"]]
            - basis[:, face.landmarks["inner_lip_lower"]]
        )[..., 1]  # (k, pairs)
        vertices = np.einsum("ivc,jvc,v->ij", basis, basis, share)
        self.register_buffer("vertices", torch.tensor(vertices, dtype=torch.float32))
        self.register_buffer(
            "aperture", torch.tensor(gap @ gap.T / gap.shape[1], dtype=torch.float32)
        )

    def forward(self, predicted: Tensor, target: Tensor) -> Losses:
        """Compares weights (b, t, k)."""
        error = predicted - target
        return Losses(
            vertices=_quadratic(error, self.vertices),
            velocity=_quadratic(error.diff(dim=1), self.vertices),
            aperture=_quadratic(error, self.aperture),
            weights=error.square().mean(),
        )

    def units(self) -> Tensor:
        """A change of coordinates (k, k) in which the loss of single frames is a sphere.

        The loss is eᵀ M e for an error e of the weights; in coordinates z with e = z M^(-1/2) it is
        |z|². Without it the lips' opening is two thousand times as stiff as the median direction,
        and a step that suits one is far too long or too short for the other.
        """
        count = len(self.vertices)
        form = self.vertices + self.aperture + WEIGHTS / count * torch.eye(count)
        values, vectors = torch.linalg.eigh(form.double())
        return ((vectors * values.rsqrt()) @ vectors.T).float()


def _quadratic(error: Tensor, form: Tensor) -> Tensor:
    return ((error @ form) * error).sum(-1).mean()
