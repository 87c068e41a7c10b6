"""Simple baselines on the same recordings, which a checkpoint should exceed.

Linear: ridge regression from 40 log-mel bands within ±0.24 s of each frame. Small GRU: two
bidirectional layers of width 96 on a checkpoint's own encoder, trained on GRID for about two
minutes of one core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from jambatalk.evaluate import curve_metrics
from jambatalk.face.library import load_head
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample
from jambatalk.speech import SAMPLE_RATE, Speech
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.grid_corpus import TrackedLips, read_tracked_lips
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take

FPS = 25.0
BANDS = 40
CONTEXT = 6  # frames before and after
RIDGE = 100.0  # penalty, for standardised features
WIDTH, LAYERS = 96, 2
STEPS, BATCH, RATE, SEED = 800, 16, 2e-3, 0

Predictor = Callable[[np.ndarray], np.ndarray]  # samples (n,) → targets (T, k) at FPS


@dataclass(frozen=True)
class LipClip:
    """A clip of GRID: samples (n,) and tracked lips."""

    samples: np.ndarray
    lips: TrackedLips

    @property
    def targets(self) -> np.ndarray:
        """Aperture and width of the lips, (T, 2)."""
        return np.stack([self.lips.aperture, self.lips.width], 1)


@dataclass(frozen=True)
class CapturedTake:
    """A take of FACEGOOD: samples (n,), captured `jawOpen` and lip aperture (T,) at FPS."""

    samples: np.ndarray
    jaw: np.ndarray
    aperture: np.ndarray
    held_out: bool


def linear_baseline(data: Path) -> dict[str, float]:
    """Train and evaluate the linear baseline: key of a row of the benchmark table → value."""
    train, test = _grid_clips(data)
    takes = _facegood_takes(data)
    train_takes = [take for take in takes if not take.held_out]
    lips = _fit_linear([clip.samples for clip in train], [clip.targets for clip in train])
    samples = [take.samples for take in train_takes]
    aperture = _fit_linear(samples, [take.aperture[:, None] for take in train_takes])
    jaw = _fit_linear(samples, [take.jaw[:, None] for take in train_takes])
    aperture_r, width_r = _evaluate(test, lips)
    jaw_r = [
        curve_metrics.correlation(jaw(take.samples)[: len(take.jaw), 0], take.jaw)
        for take in takes
        if take.held_out
    ]
    return {
        "grid_lip_open": aperture_r,
        "grid_lip_width": width_r,
        "facegood_jaw": float(np.median(jaw_r)),
        "without_grid_lip_open": _evaluate(test, aperture)[0],
    }


def gru_baseline(model: JambaTalk, data: Path, steps: int = STEPS) -> dict[str, float]:
    """Train and evaluate the small GRU on a network's speech encoder, as `linear_baseline`."""
    torch.manual_seed(SEED)
    train, test = _grid_clips(data)
    features, targets = [], []
    for clip in train:
        encoded = _encode(model, clip.samples)
        target = resample(clip.targets, clip.lips.fps, model.config.fps)
        length = min(len(encoded), len(target))
        features.append(encoded[:length])
        targets.append(torch.from_numpy(target[:length]))
    mean, sd = torch.cat(targets).mean(0), torch.cat(targets).std(0)
    network = _SmallGRU(features[0].shape[-1])
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    rng = np.random.default_rng(SEED)
    for step in range(steps):
        batch = rng.choice(len(features), BATCH, replace=False)
        length = min(len(features[i]) for i in batch)
        pred = network(torch.stack([features[i][:length] for i in batch]))
        target_batch = torch.stack([targets[i][:length] for i in batch])
        loss = (pred - (target_batch - mean) / sd).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = RATE * max(0.02, 1 - step / steps)

    @torch.inference_mode()
    def predict(samples: np.ndarray) -> np.ndarray:
        pred = network(_encode(model, samples)[None])[0].numpy()
        return resample(pred, model.config.fps, FPS)

    aperture_r, width_r = _evaluate(test, predict)
    return {"grid_lip_open": aperture_r, "grid_lip_width": width_r}


class _SmallGRU(nn.Module):
    """Features (b, t, c) to standardised lip aperture and width (b, t, 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.gru = nn.GRU(channels, WIDTH, LAYERS, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * WIDTH, 2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.out(self.gru(self.norm(features))[0])


@torch.inference_mode()
def _encode(model: JambaTalk, samples: np.ndarray) -> torch.Tensor:
    """Concatenate the layers of the encoder, (t, layers·channels)."""
    return model.encode(Speech.from_array(samples, SAMPLE_RATE)).flatten(1).cpu().clone()


def _grid_clips(data: Path) -> tuple[list[LipClip], list[LipClip]]:
    """Read GRID's clips for training, which were tracked throughout, and the held-out ones."""
    folder = data / "grid_s1"
    held_out = set(held_out_clips(folder))
    train: list[LipClip] = []
    test: list[LipClip] = []
    for name, lips in read_tracked_lips(folder).items():
        if name in held_out or lips.tracked.all():
            clip = LipClip(Speech.read(folder / "audio" / f"{name}.opus").samples, lips)
            (test if name in held_out else train).append(clip)
    return train, test


def _facegood_takes(data: Path) -> list[CapturedTake]:
    face, takes = load_head(1), []
    for clip in read_facegood(data / "facegood", face):
        motion = Motion(resample(clip.weights, clip.fps, FPS), FPS, face)
        takes.append(
            CapturedTake(
                samples=clip.samples,
                jaw=motion.blendshape("jawOpen"),
                aperture=motion.lip_aperture(),
                held_out=is_held_out_take(clip.name),
            )
        )
    return takes


def _evaluate(clips: Sequence[LipClip], predict: Predictor) -> tuple[float, float]:
    """Compute the median correlation of aperture and width; NaN for a width without prediction."""
    values = []
    for clip in clips:
        pred, tracked = predict(clip.samples), clip.lips.tracked
        times = np.arange(len(tracked)) / clip.lips.fps
        values.append(
            [
                curve_metrics.correlation(
                    curve_metrics.at_times(pred[:, i], FPS, times)[tracked], target[tracked]
                )
                if i < pred.shape[1]
                else np.nan
                for i, target in enumerate(clip.targets.T)
            ]
        )
    aperture_r, width_r = np.median(values, 0)
    return float(aperture_r), float(width_r)


def _fit_linear(samples: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> Predictor:
    """Fit a ridge regression of targets (T, k) at FPS on samples."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pairs = [(_log_mel(sound), target) for sound, target in zip(samples, targets, strict=True)]
    features = np.concatenate([x[: len(y)] for x, y in pairs])
    outputs = np.concatenate([y[: len(x)] for x, y in pairs])
    regression = make_pipeline(StandardScaler(), Ridge(alpha=RIDGE)).fit(features, outputs)

    def predict(sound: np.ndarray) -> np.ndarray:
        pred = regression.predict(_log_mel(sound))
        return pred.reshape(len(pred), -1)

    return predict


def _log_mel(samples: np.ndarray) -> np.ndarray:
    """Compute log-mel bands of each frame and its context, (T, bands·13), at FPS."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=1024, hop_length=round(SAMPLE_RATE / FPS), n_mels=BANDS
    )
    bands = np.log(power.T + 1e-6)
    padded = np.pad(bands, ((CONTEXT, CONTEXT), (0, 0)), "edge")
    return np.concatenate([padded[i : i + len(bands)] for i in range(2 * CONTEXT + 1)], 1)
