"""Simple baselines on the same recordings, which a checkpoint should exceed.

- Linear: ridge regression from 40 log-mel bands within ±0.24 s of each frame.
- Small GRU: a labeller (`pseudo_labels/labeller.py`) on the checkpoint's own encoder, which learns
  the lips of GRID's speaker 1 alone.
- Another clip: the tracked lips of another clip of the same person, which tell what the sentences
  of a corpus have in common.

All give key of a row of the benchmark table → value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.evaluate import curve_metrics
from jambatalk.face.library import load_head
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample
from jambatalk.speech import SAMPLE_RATE, Speech
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.grid_corpus import clip_names
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.captured.lip_clips import read_s1
from recipes.checkpoint.evaluation.captured_rows import score_lips
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.lip_correlation import lip_correlation
from recipes.checkpoint.evaluation.tracked_speech import (
    LipPair,
    TrackedSpeech,
    read_clips,
)
from recipes.checkpoint.feature_cache import FeatureCache
from recipes.checkpoint.pseudo_labels.labeller import STEPS, predict_lips, train_labeller
from recipes.checkpoint.pseudo_labels.rounds import lip_example

FPS = 25.0
BANDS = 40
CONTEXT = 6  # frames before and after
RIDGE = 100.0  # penalty, for standardised features
CROPS, SEED = 32, 0  # of the small GRU: a batch

Predictor = Callable[[np.ndarray], np.ndarray]  # samples (n,) → targets (T, k) at FPS


@dataclass(frozen=True)
class CapturedTake:
    """A take of FACEGOOD: samples (n,), captured `jawOpen` (T,) at FPS."""

    samples: np.ndarray
    jaw: np.ndarray
    held_out: bool


def linear_baseline(folder: Path) -> dict[str, float]:
    """Train and evaluate the linear baseline."""
    data = HeldOutData(folder, load_head(1))
    train, takes = _read_training_clips(folder), _facegood_takes(folder)
    lips = _fit_linear([clip.speech.samples for clip in train], [clip.lips for clip in train])
    train_takes = [take for take in takes if not take.held_out]
    jaw = _fit_linear(
        [take.samples for take in train_takes], [take.jaw[:, None] for take in train_takes]
    )
    jaw_r = [
        curve_metrics.correlation(jaw(take.samples)[: len(take.jaw), 0], take.jaw)
        for take in takes
        if take.held_out
    ]
    return {
        **_evaluate(data, lambda clips: _predict(clips, lips)),
        "facegood_jaw": float(np.median(jaw_r)),
    }


def gru_baseline(model: JambaTalk, folder: Path, steps: int = STEPS) -> dict[str, float]:
    """Train and evaluate the small GRU on a network's speech encoder."""
    encode, fps = FeatureCache(model), model.config.fps
    examples = {"s1": [lip_example(clip) for clip in read_s1(folder, encode, fps)]}
    labeller = train_labeller(examples, {"s1": CROPS}, SEED, steps)

    def predict(samples: np.ndarray) -> np.ndarray:
        features = model.encode(Speech.from_array(samples, SAMPLE_RATE))
        return resample(predict_lips([labeller], features), fps, FPS)

    return _evaluate(HeldOutData(folder, load_head(1)), lambda clips: _predict(clips, predict))


def other_clip_baseline(folder: Path) -> dict[str, float]:
    """Evaluate the lips of another clip of each person, the next one.

    Those of a person with a single clip are shifted by half of it.
    """
    return _evaluate(HeldOutData(folder, load_head(1)), exchange_lips)


def _evaluate(
    data: HeldOutData, predict: Callable[[Sequence[TrackedSpeech]], list[LipPair]]
) -> dict[str, float]:
    """Compute the median r of aperture and width, as the rows of these names do."""
    grid = score_lips(predict([*data.grid_tracked.values()])).correlations
    found = {"grid": grid}
    for key, clips in (("people", data.people), ("address", [data.address])):
        pairs = predict(clips)
        found[key] = np.array([lip_correlation(p.pred, p.target, p.fps) for p in pairs])
    return {
        f"{key}_lip_{name}": float(np.median(values))
        for key, correlations in found.items()
        for name, values in zip(("open", "width"), correlations.T, strict=True)
    }


def _predict(clips: Sequence[TrackedSpeech], predict: Predictor) -> list[LipPair]:
    pairs = []
    for clip in clips:
        times = np.arange(len(clip.lips)) / clip.fps
        pred = predict(clip.speech.samples)
        sampled = np.stack([curve_metrics.at_times(curve, FPS, times) for curve in pred.T], 1)
        pairs.append(LipPair(clip.person, sampled, clip.lips, clip.fps, []))
    return pairs


def exchange_lips(clips: Sequence[TrackedSpeech]) -> list[LipPair]:
    """Pair the lips of each clip with those of its person's next one."""
    pairs = []
    for number, clip in enumerate(clips):
        later = [*clips[number + 1 :], *clips[:number]]
        others = [other.lips for other in later if other.person == clip.person]
        count = len(clip.lips)
        other = others[0] if others else np.roll(clip.lips, count // 2, 0)
        frames = np.minimum(np.arange(count), len(other) - 1)
        pairs.append(LipPair(clip.person, other[frames], clip.lips, clip.fps, []))
    return pairs


def _read_training_clips(folder: Path) -> list[TrackedSpeech]:
    """Read GRID's clips of speaker 1 for training that were tracked throughout."""
    grid = folder / "grid_s1"
    held_out = set(held_out_clips(grid))
    clips = read_clips(grid, [name for name in clip_names(grid) if name not in held_out])
    return [clip for clip in clips if not np.isnan(clip.lips).any()]


def _facegood_takes(folder: Path) -> list[CapturedTake]:
    face, takes = load_head(1), []
    for clip in read_facegood(folder / "facegood", face):
        motion = Motion(resample(clip.weights, clip.fps, FPS), FPS, face)
        takes.append(
            CapturedTake(
                samples=clip.samples,
                jaw=motion.blendshape("jawOpen"),
                held_out=is_held_out_take(clip.name),
            )
        )
    return takes


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
