"""Teaches the bundled speech encoder to hear through noise: `python -m recipes.checkpoint.training.distil`.

A copy of Whisper's encoder hears speech with rooms, noise and other voices, and learns to say of it
what Whisper itself says of the clean recording (distillation, arXiv 1503.02531, of hidden layers
as in arXiv 1412.6550). No motion is needed for it, so nothing of a face can be learned by heart.
The layers that nobody listens to are left away.

Shapes: b windows, n samples, l features of 20 ms, c channels.
"""

from __future__ import annotations

import argparse
import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from jambatalk.errors import DataError
from jambatalk.model.encoder import FEATURE_SAMPLES
from jambatalk.model.whisper import WhisperConfig, WhisperEncoder, log_mel
from jambatalk.speech import loudness_normalised
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.corpus.recording import read_corpus
from recipes.checkpoint.training.augment import TILT, colored_noise, in_a_room, tilted
from recipes.checkpoint.training.bundled import LAYERS, WINDOW
from recipes.checkpoint.whisper_wheels import TINY_EN, read_encoder

log = logging.getLogger(__name__)

CAPTURED_PART = 0.3  # of the windows are cut from captured recordings
ROOM_PART, CLEAN_PART, BABBLE_PART = 0.25, 0.1, 0.55  # how often; the rest has coloured noise
VOICES = 8  # talk in the background, at most
NOISE_DB = (-4.0, 20.0)  # speech above noise, in the window
EDGE = 16, 8  # features at the ends of a window, known too badly to be asked for
QUIET = 1e-3  # standard deviation: a window that has less holds nothing to learn from
WARMUP, CLIP, WEIGHT_DECAY = 100, 1.0, 0.01
LOG_EVERY = 50


@dataclass(frozen=True)
class Recipe:
    """How long and how fast is learned; the defaults made the bundled encoder."""

    steps: int = 1400
    batch: int = 32
    learning_rate: float = 5e-4
    seed: int = 0


class Windows:
    """Pairs of windows of speech, clean and as it may be heard.

    Args:
        voices: recordings (n,) at 16 kHz, to hear and to talk in the background.
        captured: recordings that are only heard.
        length: samples of a window; shorter recordings are left out.

    Raises:
        DataError: none is long enough.
    """

    def __init__(
        self, voices: Sequence[np.ndarray], captured: Sequence[np.ndarray], length: int
    ) -> None:
        self.voices, self.captured = (
            [voice for voice in some if len(voice) > length] for some in (voices, captured)
        )
        self.length = length
        if not self.voices:
            raise DataError("No recording is long enough to learn hearing from.")

    def __call__(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Clean and noisy windows, two (count, n) at the usual level."""
        pairs = [self._pair(rng) for _ in range(count)]
        clean, noisy = (np.stack(windows) for windows in zip(*pairs, strict=True))
        return clean, noisy

    def _pair(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        clean = np.zeros(self.length)
        while clean.std() <= QUIET:
            heard = self.captured and rng.random() < CAPTURED_PART
            clean = self._cut(rng, self.captured if heard else self.voices)
        noisy = in_a_room(clean, rng) if rng.random() < ROOM_PART else clean
        background = self._background(rng)
        if background is not None:
            level = clean.std() * 10 ** (-rng.uniform(*NOISE_DB) / 20)
            noisy = noisy + background * (level / max(background.std(), 1e-9))
        tilt = rng.uniform(*TILT)  # the microphone is not asked to be forgotten
        clean, noisy = (
            loudness_normalised(tilted(samples, tilt).astype(np.float32))
            for samples in (clean, noisy)
        )
        return clean, noisy

    def _background(self, rng: np.random.Generator) -> np.ndarray | None:
        kind = rng.random()
        if kind < CLEAN_PART:
            return None
        if kind < CLEAN_PART + BABBLE_PART:
            voices = (self._cut(rng, self.voices) for _ in range(rng.integers(1, VOICES + 1)))
            return sum(voice / max(voice.std(), 1e-4) for voice in voices)
        return colored_noise(self.length, rng)

    def _cut(self, rng: np.random.Generator, some: Sequence[np.ndarray]) -> np.ndarray:
        voice = some[rng.integers(len(some))]
        start = rng.integers(len(voice) - self.length + 1)
        return voice[start : start + self.length]


def distil(
    teacher: WhisperEncoder, windows: Windows, layers: Sequence[int], recipe: Recipe
) -> WhisperEncoder:
    """The first layers of an encoder, taught to hear noisy speech as it hears clean speech.

    What is compared are the outputs of `layers`, each feature with mean 0 and variance 1, as the
    decoder takes them: the loss is the mean squared difference, 0 to 4.
    """
    teacher = teacher.float().eval().requires_grad_(False)
    student = copy.deepcopy(teacher).requires_grad_(True)
    del student.layers[max(layers) :]
    student.config = WhisperConfig(**vars(teacher.config) | {"encoder_layers": max(layers)})
    optimizer = torch.optim.AdamW(
        student.parameters(), recipe.learning_rate, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY
    )
    rng = np.random.default_rng(recipe.seed)
    for step in range(recipe.steps):
        pair = windows(rng, recipe.batch)
        loss = difference(teacher, student, pair, layers).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), CLIP)
        rate = 0.5 + 0.5 * np.cos(np.pi * step / recipe.steps)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * min(1.0, (step + 1) / WARMUP) * rate
        optimizer.step()
        if step % LOG_EVERY == 0:
            log.info("step %d of %d: %.3f", step, recipe.steps, loss.item())
    return student.eval()


def difference(
    teacher: WhisperEncoder,
    student: WhisperEncoder,
    pair: tuple[np.ndarray, np.ndarray],
    layers: Sequence[int],
) -> Tensor:
    """How differently student and teacher hear the noisy and the clean of a pair: (m,), of each of
    the layers."""
    mels = teacher.config.num_mel_bins
    clean, noisy = (log_mel(torch.from_numpy(windows), mels) for windows in pair)
    with torch.no_grad():
        wanted = teacher(clean, max(layers))
    found = student(noisy, max(layers))
    return torch.stack([_difference(found[i - 1], wanted[i - 1]) for i in layers])


def _difference(found: Tensor, wanted: Tensor) -> Tensor:
    """Of features (b, l, c)."""
    inner = slice(EDGE[0], found.shape[1] - EDGE[1])
    normed = (F.layer_norm(x[:, inner], x.shape[-1:]) for x in (found, wanted))
    return F.mse_loss(*normed)


def read_voices(data: Path, corpus: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The taught recordings and the captured ones, without what is held out."""
    held_out = held_out_clips(data / "grid_s1")
    voices = [recording.samples for recording in read_corpus(corpus, "train")]
    captured = [
        recording.samples
        for recording in read_corpus(corpus, "captured")
        if recording.name not in held_out and not is_held_out_take(recording.name)
    ]
    return voices, captured


def main() -> None:
    """Writes an encoder's weights, as a checkpoint holds them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with grid_s1/ in it")
    parser.add_argument(
        "--corpus", type=Path, required=True, help="of 'python -m recipes.checkpoint.corpus'"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="encoder.safetensors")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    whisper = WhisperEncoder(WhisperConfig(**TINY_EN.architecture))
    whisper.load_state_dict(read_encoder(TINY_EN))
    windows = Windows(*read_voices(options.data, options.corpus), sum(WINDOW) * FEATURE_SAMPLES)
    student = distil(whisper, windows, LAYERS, Recipe())
    test = [windows(np.random.default_rng(10**6 + n), 32) for n in range(4)]
    for name, encoder in (("Whisper", whisper), ("taught", student)):
        with torch.no_grad():
            far = torch.stack([difference(whisper, encoder, pair, LAYERS) for pair in test]).mean(0)
        log.info("%s: %s from clean", name, ", ".join(f"{x:.3f}" for x in far.tolist()))
    weights = {name: weight.half().contiguous() for name, weight in student.state_dict().items()}
    save_file(weights, options.output)


if __name__ == "__main__":
    main()
