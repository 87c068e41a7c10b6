"""Training losses: the published ones, and those of blendshape weights."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from jambatalk import Face, load_head
from jambatalk.train.config_file import load_config
from jambatalk.train.losses import (
    CLOSED_WEIGHT,
    LIP_WEIGHT,
    MOVABLE,
    MotionLoss,
    VertexLoss,
    lip_losses,
)
from recipes.checkpoint.train import CONFIG
from recipes.checkpoint.training.recipe_config import RecipeConfig


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


def test_vertex_losses_match_hand_computed_values() -> None:
    target = torch.tensor([[[0.0, 0, 0], [1, 0, 0]]])  # two frames of one vertex
    pred = torch.tensor([[[0.0, 0, 3], [1, 0, 0]]])
    losses = VertexLoss()(pred, target)
    assert losses["vertices"].item() == pytest.approx(9 / 6)
    assert losses["velocity"].item() == pytest.approx(9 / 3)


def test_lip_losses_vanish_where_lips_read_the_transcript() -> None:
    transcript = F.one_hot(torch.tensor([[0, 3, 3, 0, 3, 2, 0]]), 5) * 20.0  # "3", "3", "2"
    features = torch.randn(1, 7, 4)
    losses = lip_losses(features, transcript, features, transcript, blank=0)
    assert losses["lip_features"] == 0
    assert losses["letters"] < 1e-4
    mute = lip_losses(features, torch.zeros_like(transcript), features + 2, transcript, blank=0)
    assert mute["lip_features"].item() == pytest.approx(4)
    # all paths that collapse to 3, 3, 2, each of the 5 ** 7 paths equally likely
    paths = sum(
        [x for i, x in enumerate(path) if x and (not i or path[i - 1] != x)] == [3, 3, 2]
        for path in np.ndindex(*[5] * 7)
    )
    assert mute["letters"].item() == pytest.approx(-np.log(paths / 5**7) / 3, rel=1e-5)
    silence = torch.zeros(1, 7, 5)
    silence[..., 0] = 9
    assert torch.isfinite(lip_losses(features, transcript, features, silence, blank=0)["letters"])


def test_motion_loss_is_the_error_of_the_vertices(face: Face) -> None:
    torch.manual_seed(0)
    pred, target = torch.rand(2, 7, len(face.blendshapes)), torch.rand(2, 7, len(face.blendshapes))
    losses = MotionLoss(face)(pred, target)
    offset = (face.vertices(pred.numpy()) - face.vertices(target.numpy())) * 1e3  # mm
    share = np.zeros(len(face.template))
    share[face.regions["skin"]] = 1
    share[face.regions["lips"]] = LIP_WEIGHT
    share[np.linalg.norm(face.deltas, axis=-1).max(0) < MOVABLE] = 0
    if face.weld is not None:  # each point once
        share[face.weld != np.arange(len(share))] = 0
    squared = (offset**2).sum(-1) @ (share / share.sum())
    assert losses["vertices"].item() == pytest.approx(squared.mean(), rel=1e-3)
    speed = (np.diff(offset, axis=1) ** 2).sum(-1) @ (share / share.sum())
    assert losses["velocity"].item() == pytest.approx(speed.mean(), rel=1e-3)
    assert all(loss.item() == 0 for loss in MotionLoss(face)(pred, pred).values())


def test_loss_is_isotropic_in_its_units(face: Face) -> None:
    loss = MotionLoss(face)
    config = load_config(CONFIG, RecipeConfig).loss
    target = torch.zeros(1, 2, len(face.blendshapes))  # two equal frames: no velocity
    target[..., face.blendshapes.index("jawOpen")] = 0.5
    for direction in torch.randn(5, len(face.blendshapes)):
        error = (direction / direction.norm())[None, None] @ loss.units(config)
        assert config.total(loss(target + error, target)).item() == pytest.approx(1.0, rel=0.01)


def test_aperture_of_closed_lips_is_weighted_more(face: Face) -> None:
    loss, closed = MotionLoss(face), torch.zeros(1, 2, len(face.blendshapes))
    wide = closed.clone()
    wide[..., face.blendshapes.index("jawOpen")] = 0.5
    error = 0.01 * torch.ones(len(face.blendshapes))
    ratio = loss(closed + error, closed)["aperture"] / loss(wide + error, wide)["aperture"]
    assert ratio.item() == pytest.approx(1 + CLOSED_WEIGHT, rel=0.1)
