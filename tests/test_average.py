"""Half way between two checkpoints."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from jambatalk.errors import ModelError
from jambatalk.model.jambatalk import WEIGHTS, JambaTalk
from jambatalk.talking_head import DEFAULT_CHECKPOINT
from jambatalk.train.average import average


def test_mean_of_two_checkpoints_is_one(tmp_path):
    first = load_file(DEFAULT_CHECKPOINT / WEIGHTS)
    other = tmp_path / "other"
    shutil.copytree(DEFAULT_CHECKPOINT, other)
    save_file({name: weight * 3 for name, weight in first.items()}, other / WEIGHTS)
    average(DEFAULT_CHECKPOINT, other, tmp_path / "mean")
    found = JambaTalk.from_pretrained(tmp_path / "mean").decoder.state_dict()
    for name, weight in first.items():
        torch.testing.assert_close(found[name], weight * 2)


def test_decoders_that_differ_are_refused(tmp_path):
    other = tmp_path / "other"
    shutil.copytree(DEFAULT_CHECKPOINT, other)
    weights = load_file(other / WEIGHTS) | {"layer_mix": torch.zeros(2)}
    save_file(weights, other / WEIGHTS)
    with pytest.raises(ModelError, match="layer_mix"):
        average(DEFAULT_CHECKPOINT, other, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
