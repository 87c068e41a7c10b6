"""A speech encoder that learns to hear through noise."""

import numpy as np
import pytest
import torch

from jambatalk.errors import DataError
from jambatalk.files.bundled import VOICES
from jambatalk.model.whisper import WhisperConfig, WhisperEncoder
from jambatalk.speech import Speech
from recipes.checkpoint.training.distil import Recipe, Windows, difference, distil

LENGTH = 25_600


@pytest.fixture(scope="module")
def windows():
    """Pairs of windows of one real voice."""
    voice = Speech.read(VOICES / "jfk.flac").samples
    return Windows([voice], [], LENGTH)


def whisper(width=32):
    torch.manual_seed(0)
    return WhisperEncoder(WhisperConfig(width, 3, 2, 64, 80)).eval()


def test_what_is_noisy_comes_nearer_to_what_is_clean(windows):
    teacher = whisper()
    student = distil(teacher, windows, (1, 2), Recipe(steps=60, batch=4, learning_rate=2e-3))
    unseen = [windows(np.random.default_rng(99 + n), 8) for n in range(2)]
    with torch.no_grad():
        before, after = (
            torch.stack([difference(teacher, encoder, pair, (1, 2)) for pair in unseen]).mean(0)
            for encoder in (teacher, student)
        )
    assert len(student.layers) == student.config.encoder_layers == 2
    assert (after < 0.9 * before).all(), (before, after)


def test_the_same_seed_gives_the_same_encoder(windows):
    first, second = (
        distil(whisper(), windows, (1,), Recipe(steps=3, batch=2)).state_dict() for _ in range(2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_noise_leaves_the_clean_window_alone(windows):
    clean, noisy = windows(np.random.default_rng(1), 16)
    same = np.abs(clean - noisy).max(1) < 1e-6
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(clean, noisy, strict=True)]
    assert same.sum() < 8  # most are disturbed
    assert min(r) > 0.3  # by what still lets the voice through
    assert clean.shape == noisy.shape == (16, LENGTH)


def test_recordings_that_are_too_short_are_refused():
    with pytest.raises(DataError, match="long enough"):
        Windows([np.zeros(100, np.float32)], [], LENGTH)
