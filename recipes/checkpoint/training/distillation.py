"""Distillation of Whisper's encoder into one that is robust to noise.

The student encodes speech with rooms, noise and babble; its target is what Whisper makes of the
clean recording (distillation, arXiv 1503.02531, of hidden layers as in arXiv 1412.6550). No motion
is involved, so nothing can overfit to captured faces. Layers above the last one used are dropped.

Shapes: b windows, n samples, l features of 20 ms, c channels.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import default_collate

from jambatalk.errors import DataError
from jambatalk.model.checkpoint import ENCODER_FILE
from jambatalk.model.config import WhisperConfig
from jambatalk.model.whisper import WhisperEncoder, log_mel
from jambatalk.speech import loudness_normalised
from jambatalk.train.task import Losses, SampleKey
from recipes.checkpoint.augment import (
    TILT,
    add_reverberation,
    colored_noise,
    make_babble,
    mix,
    tilt_spectrum,
)
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.corpus.recording import read_corpus

STEPS = 50  # of an epoch
CAPTURED_SHARE = 0.3  # of the windows are cut from captured recordings
ROOM_SHARE, CLEAN_SHARE, BABBLE_SHARE = 0.25, 0.1, 0.55  # the rest has coloured noise
BABBLE_VOICES = 8  # at most
NOISE_DB = (-4.0, 20.0)  # signal-to-noise ratio in the window
EDGE = (16, 8)  # features at the ends of a window, which lack context, are not compared
QUIET = 1e-3  # windows with a smaller standard deviation are drawn again
LOSS = "difference"
VALIDATION_SEEDS = range(10**6, 10**6 + 4)
VALIDATION_WINDOWS = 32  # a seed


class NoisyWindows:
    """Pairs of windows of speech, clean and noisy.

    Args:
        voices: recordings (n,) at 16 kHz, for speech and for babble.
        captured: recordings for speech only.
        length: samples of a window; shorter recordings are left out.
        count: windows in an epoch.

    Raises:
        DataError: no voice is long enough.
    """

    def __init__(
        self,
        voices: Sequence[np.ndarray],
        captured: Sequence[np.ndarray],
        length: int,
        count: int,
    ) -> None:
        self.voices, self.captured = (
            [recording for recording in recordings if len(recording) > length]
            for recordings in (voices, captured)
        )
        self.length, self.count = length, count
        if not self.voices:
            raise DataError("No recording is long enough for a window of the encoder.")

    def __len__(self) -> int:
        return self.count

    def epoch_order(self, rng: np.random.Generator) -> np.ndarray:
        """Return indices, which do not matter: every window is random."""
        return np.arange(self.count)

    def __getitem__(self, key: SampleKey) -> tuple[Tensor, Tensor]:
        """Return a clean and a noisy window (n,), loudness-normalised."""
        rng = np.random.default_rng(key[1])
        clean = np.zeros(self.length)
        while clean.std() <= QUIET:
            captured = self.captured and rng.random() < CAPTURED_SHARE
            clean = self._cut(rng, self.captured if captured else self.voices)
        noisy = add_reverberation(clean, rng) if rng.random() < ROOM_SHARE else clean
        kind = rng.random()
        if kind >= CLEAN_SHARE:
            if kind < CLEAN_SHARE + BABBLE_SHARE:
                count = int(rng.integers(1, BABBLE_VOICES + 1))
                background = make_babble(self.length, self.voices, count, rng)
            else:
                background = colored_noise(self.length, rng)
            noisy = mix(noisy, background, rng.uniform(*NOISE_DB))
        tilt = rng.uniform(*TILT)  # the same for both: the microphone may be kept
        clean, noisy = (
            loudness_normalised(tilt_spectrum(samples, tilt).astype(np.float32))
            for samples in (clean, noisy)
        )
        return torch.from_numpy(clean), torch.from_numpy(noisy)

    def _cut(self, rng: np.random.Generator, recordings: Sequence[np.ndarray]) -> np.ndarray:
        recording = recordings[int(rng.integers(len(recordings)))]
        start = rng.integers(len(recording) - self.length + 1)
        return recording[start : start + self.length]


class DistillationModule(nn.Module):
    """A frozen teacher and its student, a copy of its first layers.

    Args:
        layers: whose outputs are compared; 1 is the first.
    """

    def __init__(self, teacher: WhisperEncoder, layers: Sequence[int]) -> None:
        super().__init__()
        self.layers = tuple(layers)
        self.teacher = teacher.float().eval().requires_grad_(False)
        self.student = copy.deepcopy(teacher).requires_grad_(True)
        del self.student.layers[max(layers) :]
        config = vars(teacher.config) | {"encoder_layers": max(layers)}
        self.student.config = WhisperConfig(**config)

    def forward(self, clean: Tensor, noisy: Tensor) -> Losses:
        """Compute the mean difference of student and teacher on windows (b, n)."""
        return {LOSS: self.differences(self.student, clean, noisy).mean()}

    def differences(self, encoder: WhisperEncoder, clean: Tensor, noisy: Tensor) -> Tensor:
        """Compare an encoder on noisy windows with the teacher on clean ones.

        Each feature is normalised to mean 0 and variance 1, as the decoder does.

        Returns:
            (m,), the mean squared difference of each layer, 0 to 4.
        """
        mels, device = self.teacher.config.num_mel_bins, next(encoder.parameters()).device
        clean, noisy = (log_mel(windows.cpu(), mels).to(device) for windows in (clean, noisy))
        with torch.no_grad():
            targets = self.teacher(clean, max(self.layers))
        preds = encoder(noisy, max(self.layers))
        return torch.stack([_difference(preds[i - 1], targets[i - 1]) for i in self.layers])


class DistillationTask:
    """Distil a speech encoder (a :class:`jambatalk.train.task.Task`)."""

    def __init__(
        self, teacher: WhisperEncoder, dataset: NoisyWindows, layers: Sequence[int]
    ) -> None:
        self.module = DistillationModule(teacher, layers)
        self.dataset = dataset

    def total_loss(self, losses: Losses) -> Tensor:
        """Return the only loss."""
        return losses[LOSS]

    def validate(self) -> dict[str, float]:
        """Return the student's scores on fixed windows, see :meth:`score`."""
        return self.score(self.module.eval().student)

    @torch.no_grad()
    def score(self, encoder: WhisperEncoder) -> dict[str, float]:
        """Return an encoder's difference from clean speech, by layer; "error" is their mean.

        The windows are of the training recordings, with other noise.
        """
        differences = []
        for seed in VALIDATION_SEEDS:
            seeds = np.random.SeedSequence(seed).generate_state(VALIDATION_WINDOWS)
            batch = default_collate([self.dataset[0, int(one)] for one in seeds])
            differences.append(self.module.differences(encoder, *batch))
        means = torch.stack(differences).mean(0).tolist()
        scores = {f"layer{n}": value for n, value in zip(self.module.layers, means, strict=True)}
        return scores | {"error": float(np.mean(means))}

    def save_checkpoint(self, folder: Path, scores: dict[str, float]) -> None:
        """Write the student's weights, as a checkpoint holds them."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = self.module.student.state_dict()
        halves = {name: weight.half().cpu().contiguous() for name, weight in weights.items()}
        save_file(halves, folder / ENCODER_FILE)

    def write_sample_video(self, path: Path) -> None:
        """Do nothing: an encoder has no picture."""


def _difference(pred: Tensor, target: Tensor) -> Tensor:
    """Compare features (b, l, c)."""
    inner = slice(EDGE[0], pred.shape[1] - EDGE[1])
    pred, target = (F.layer_norm(x[:, inner], x.shape[-1:]) for x in (pred, target))
    return F.mse_loss(pred, target)


def read_voices(data: Path, corpus: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Read the corpus and the captured recordings, without those held out."""
    held_out = held_out_clips(data / "grid_s1")
    voices = [recording.samples for recording in read_corpus(corpus, "train")]
    captured = [
        recording.samples
        for recording in read_corpus(corpus, "captured")
        if recording.name not in held_out and not is_held_out_take(recording.name)
    ]
    return voices, captured
