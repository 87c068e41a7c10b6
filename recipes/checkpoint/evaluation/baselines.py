"""What little effort reaches, on the same recordings: a checkpoint must be far above it.

Linear: ridge regression from 40 log-mel bands with half a second around each frame. Quick GRU: two
bidirectional layers, 96 wide, on a checkpoint's own encoder, trained on GRID for as many steps as a
core takes in about two minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from jambatalk.evaluate import curve_metrics
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.face.lips import aperture
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.resample import resample
from jambatalk.speech import SAMPLE_RATE, Speech
from recipes.checkpoint.captured import grid_corpus
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take

BANDS = 40
AROUND = 6  # frames before and after, at 25 a second
RIDGE = 100.0  # of standardised features
WIDTH, LAYERS = 96, 2
STEPS, BATCH, RATE, SEED = 800, 16, 2e-3, 0
FPS = 25.0

Lips = dict[str, tuple[np.ndarray, grid_corpus.TrackedLips]]  # clip → samples, lips
Predictor = Callable[[np.ndarray], np.ndarray]  # samples → (T, targets) at FPS


def linear_floor(data: Path) -> dict[str, float]:
    """The rows that the linear model has, by their key in the table of a checkpoint."""
    face = load_head(1)
    jaw, gap = _facegood(data, face)
    learn, unseen = _grid(data)
    lips = _ridge((samples, _targets(seen)) for samples, seen in learn.values())
    opened = _ridge((samples, openness[:, None]) for samples, openness, held in gap if not held)
    jaws = _ridge((samples, curve[:, None]) for samples, curve, held in jaw if not held)
    r_open, r_width = _score(unseen, lips)
    take = [
        curve_metrics.correlation(curve, jaws(samples)[: len(curve), 0])
        for samples, curve, held in jaw
        if held
    ]
    return {
        "grid_lip_open": r_open,
        "grid_lip_width": r_width,
        "facegood_jaw": float(np.median(take)),
        "without_grid_lip_open": _score(unseen, opened)[0],
    }


def gru_floor(model: JambaTalk, data: Path, steps: int = STEPS) -> dict[str, float]:
    """The same for the quick GRU, on the speech encoder of a network."""
    torch.manual_seed(SEED)
    learn, unseen = _grid(data)
    heard, wanted = [], []
    for samples, seen in learn.values():
        features = _hear(model, samples)
        targets = resample(_targets(seen), seen.fps, model.config.fps)
        length = min(len(features), len(targets))
        heard.append(features[:length])
        wanted.append(torch.from_numpy(targets[:length]))
    mean = torch.cat(wanted).mean(0)
    spread = torch.cat(wanted).std(0)
    network = _QuickGRU(heard[0].shape[-1])
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    rng = np.random.default_rng(SEED)
    for step in range(steps):
        chosen = rng.choice(len(heard), BATCH, replace=False)
        length = min(len(heard[i]) for i in chosen)
        said = network(torch.stack([heard[i][:length] for i in chosen]))
        true = torch.stack([wanted[i][:length] for i in chosen])
        loss = (said - (true - mean) / spread).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = RATE * max(0.02, 1 - step / steps)

    @torch.inference_mode()
    def predict(samples: np.ndarray) -> np.ndarray:
        said = network(_hear(model, samples)[None])[0].numpy()
        return resample(said, model.config.fps, FPS)

    r_open, r_width = _score(unseen, predict)
    return {"grid_lip_open": r_open, "grid_lip_width": r_width}


class _QuickGRU(nn.Module):
    """Features (b, t, c) to the lips' opening and width (b, t, 2), standardised."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.gru = nn.GRU(channels, WIDTH, LAYERS, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * WIDTH, 2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.out(self.gru(self.norm(features))[0])


@torch.inference_mode()
def _hear(model: JambaTalk, samples: np.ndarray) -> torch.Tensor:
    """All layers of the encoder side by side, (t, m·c)."""
    return model.encode(Speech.from_array(samples, SAMPLE_RATE)).flatten(1).cpu().clone()


def _grid(data: Path) -> tuple[Lips, Lips]:
    """GRID's clips to learn from and those held out."""
    folder = data / "grid_s1"
    kept, lips = set(held_out_clips(folder)), grid_corpus.read_tracked_lips(folder)
    read = {
        name: (Speech.read(folder / "audio" / f"{name}.opus").samples, seen)
        for name, seen in lips.items()
        if seen.tracked.all() or name in kept
    }
    return tuple(
        {name: clip for name, clip in read.items() if (name in kept) == held_out}
        for held_out in (False, True)
    )


def _facegood(
    data: Path, face: Face
) -> tuple[list[tuple[np.ndarray, np.ndarray, bool]], list[tuple[np.ndarray, np.ndarray, bool]]]:
    """Samples, jaw and opening (T,) at FPS, and whether it is held out, of each take."""
    jaw, gap = [], []
    for clip in read_facegood(data / "facegood", face):
        weights = resample(clip.weights, clip.fps, FPS)
        held = is_held_out_take(clip.name)
        jaw.append((clip.samples, weights[:, face.blendshapes.index("jawOpen")], held))
        gap.append((clip.samples, aperture(face, weights), held))
    return jaw, gap


def _targets(lips: grid_corpus.TrackedLips) -> np.ndarray:
    return np.stack([lips.aperture, lips.width], 1)


def _score(unseen: Lips, predict: Predictor) -> tuple[float, float]:
    """Median over clips of r of opening and width; nan for a width that is not predicted."""
    rows = []
    for samples, lips in unseen.values():
        said = predict(samples)
        times = np.arange(len(lips.aperture)) / lips.fps
        rows.append(
            [
                curve_metrics.correlation(
                    true[lips.tracked], curve_metrics.at_times(said[:, i], FPS, times)[lips.tracked]
                )
                if i < said.shape[1]
                else np.nan
                for i, true in enumerate((lips.aperture, lips.width))
            ]
        )
    r_open, r_width = np.median(rows, 0)
    return float(r_open), float(r_width)


def _ridge(examples: Iterable[tuple[np.ndarray, np.ndarray]]) -> Predictor:
    """Learns targets (T, n) at FPS from samples."""
    inputs, outputs = [], []
    for samples, targets in examples:
        rows = _log_mel(samples)
        length = min(len(rows), len(targets))
        inputs.append(rows[:length])
        outputs.append(targets[:length])
    x, y = np.concatenate(inputs), np.concatenate(outputs).astype(np.float64)
    mean, spread, middle = x.mean(0), x.std(0) + 1e-6, y.mean(0)
    x = (x - mean) / spread
    weights = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ (y - middle))
    return lambda samples: (_log_mel(samples) - mean) / spread @ weights + middle


def _log_mel(samples: np.ndarray) -> np.ndarray:
    """Log-mel bands of each frame and of those around it, (T, bands·13), at FPS."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=1024, hop_length=round(SAMPLE_RATE / FPS), n_mels=BANDS
    )
    bands = np.log(power.T + 1e-6)
    padded = np.pad(bands, ((AROUND, AROUND), (0, 0)), "edge")
    return np.concatenate([padded[i : i + len(bands)] for i in range(2 * AROUND + 1)], 1)
