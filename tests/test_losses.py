"""What a training counts as wrong: the published losses, and those of the bundled checkpoint."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from jambatalk import Face, load_head
from jambatalk.train.config_file import load_config
from jambatalk.train.losses import CLOSED, LIPS, MOVED, MotionLoss, VertexLoss, lip_losses

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


def test_vertex_losses_by_hand() -> None:
    captured = torch.tensor([[[0.0, 0, 0], [1, 0, 0]]])  # two frames of one vertex
    said = torch.tensor([[[0.0, 0, 3], [1, 0, 0]]])
    losses = VertexLoss()(said, captured)
    assert losses["vertices"].item() == pytest.approx(9 / 6)
    assert losses["velocity"].item() == pytest.approx(9 / 3)


def test_lips_that_read_what_is_heard_lose_nothing() -> None:
    heard = F.one_hot(torch.tensor([[0, 3, 3, 0, 3, 2, 0]]), 5) * 20.0  # "3", "3", "2"
    features = torch.randn(1, 7, 4)
    losses = lip_losses(features, heard, features, heard, blank=0)
    assert losses["lip_features"] == 0
    assert losses["letters"] < 1e-4
    mute = lip_losses(features, torch.zeros_like(heard), features + 2, heard, blank=0)
    assert mute["lip_features"].item() == pytest.approx(4)
    # all that collapses to 3, 3, 2, each of the 5 ** 7 paths equally likely
    paths = sum(
        [x for i, x in enumerate(path) if x and (not i or path[i - 1] != x)] == [3, 3, 2]
        for path in np.ndindex(*[5] * 7)
    )
    assert mute["letters"].item() == pytest.approx(-np.log(paths / 5**7) / 3, rel=1e-5)
    silence = torch.zeros(1, 7, 5)
    silence[..., 0] = 9
    assert torch.isfinite(lip_losses(features, heard, features, silence, blank=0)["letters"])


def test_loss_is_the_error_of_the_vertices(face: Face) -> None:
    torch.manual_seed(0)
    said, seen = torch.rand(2, 7, len(face.blendshapes)), torch.rand(2, 7, len(face.blendshapes))
    losses = MotionLoss(face)(said, seen)
    offset = (face.vertices(said.numpy()) - face.vertices(seen.numpy())) * 1e3  # mm
    share = np.zeros(len(face.template))
    share[face.regions["skin"]] = 1
    share[face.regions["lips"]] = LIPS
    share[np.linalg.norm(face.deltas, axis=-1).max(0) < MOVED] = 0
    squared = (offset**2).sum(-1) @ (share / share.sum())
    assert losses["vertices"].item() == pytest.approx(squared.mean(), rel=1e-3)
    speed = (np.diff(offset, axis=1) ** 2).sum(-1) @ (share / share.sum())
    assert losses["velocity"].item() == pytest.approx(speed.mean(), rel=1e-3)
    assert all(loss.item() == 0 for loss in MotionLoss(face)(said, said).values())


def test_in_its_own_units_the_loss_is_a_sphere(face: Face) -> None:
    loss, counts = (
        MotionLoss(face),
        load_config(ROOT / "recipes" / "checkpoint" / "train.yaml").loss,
    )
    wide = torch.zeros(1, 2, len(face.blendshapes))  # two equal frames: no velocity
    wide[..., face.blendshapes.index("jawOpen")] = 0.5
    for direction in torch.randn(5, len(face.blendshapes)):
        error = (direction / direction.norm())[None, None] @ loss.units(counts)
        assert counts.total(loss(wide + error, wide)).item() == pytest.approx(1.0, rel=0.01)


def test_closed_lips_count_more(face: Face) -> None:
    loss, closed = MotionLoss(face), torch.zeros(1, 2, len(face.blendshapes))
    wide = closed.clone()
    wide[..., face.blendshapes.index("jawOpen")] = 0.5
    error = 0.01 * torch.ones(len(face.blendshapes))
    ratio = loss(closed + error, closed)["aperture"] / loss(wide + error, wide)["aperture"]
    assert ratio.item() == pytest.approx(1 + CLOSED, rel=0.1)
