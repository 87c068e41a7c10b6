"""Distillation of a speech encoder that is robust to noise."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from jambatalk.errors import DataError
from jambatalk.files.bundled import VOICES
from jambatalk.model.checkpoint import ENCODER_FILE
from jambatalk.model.config import WhisperConfig
from jambatalk.model.whisper import WhisperEncoder
from jambatalk.speech import Speech
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import CHECKPOINT, train
from jambatalk.train.training_config import LoopConfig
from recipes.checkpoint.distil import CONFIG
from recipes.checkpoint.training.distillation import DistillationTask, NoisyWindows

LENGTH = 25_600
LAYERS = (1, 2)


def noisy_windows(count: int) -> NoisyWindows:
    return NoisyWindows([Speech.read(VOICES / "jfk.flac").samples], [], LENGTH, count)


def make_task(steps: int, batch: int) -> DistillationTask:
    torch.manual_seed(0)
    teacher = WhisperEncoder(WhisperConfig(32, 3, 2, 64, 80)).eval()
    return DistillationTask(teacher, noisy_windows(steps * batch), LAYERS)


def test_distillation_brings_noisy_features_closer_to_clean_ones(tmp_path: Path) -> None:
    changes = ["epochs=1", "batch=4", "optimizer.learning_rate=2e-3", "optimizer.warmup=5"]
    task = make_task(steps=60, batch=4)
    before = task.score(task.module.teacher)
    after = train(lambda: task, load_config(CONFIG, LoopConfig, changes), tmp_path)
    assert after.keys() == {"layer1", "layer2", "error"}
    assert all(after[name] < 0.9 * before[name] for name in after), (before, after)
    assert len(task.module.student.layers) == task.module.student.config.encoder_layers == 2
    saved = load_file(tmp_path / CHECKPOINT / ENCODER_FILE)
    assert saved.keys() == task.module.student.state_dict().keys()


def test_noisy_windows_keep_the_clean_window() -> None:
    windows = noisy_windows(16)
    pairs = [windows[0, seed] for seed in range(16)]
    clean, noisy = (torch.stack(side).numpy() for side in zip(*pairs, strict=True))
    unchanged = np.abs(clean - noisy).max(1) < 1e-6
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(clean, noisy, strict=True)]
    assert unchanged.sum() < 8
    assert min(correlations) > 0.3
    assert clean.shape == noisy.shape == (16, LENGTH)
    again = windows[5, 3]  # a window depends on its seed alone
    assert torch.equal(again[1], pairs[3][1])


def test_recordings_shorter_than_a_window_are_refused() -> None:
    with pytest.raises(DataError, match="long enough"):
        NoisyWindows([np.zeros(100, np.float32)], [], LENGTH, 1)
