"""Speech encoders: waveform in, features at 50 Hz and then at the motion's frame rate out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.errors import ModelError
from jambatalk.model.config import EncoderConfig
from jambatalk.speech import SAMPLE_RATE

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FEATURE_RATE = 50.0  # features a second, of every encoder here
WINDOW = 1000  # features (20 s) heard at a time in a long recording
CONTEXT = 100  # features (2 s) heard on each side of a window and then dropped


class SpeechEncoder(nn.Module):
    """A frozen encoder of `transformers`, read at the hidden layers the decoder wants.

    Long recordings are heard in overlapping windows, so that memory does not grow with the
    square of their length.
    """

    steps_per_feature: int  # of the encoder's input

    def __init__(self, model: PreTrainedModel, layers: tuple[int, ...]) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.layers = layers

    @property
    def width(self) -> int:
        """Channels of a feature."""
        return self.model.config.hidden_size

    @torch.inference_mode()
    def forward(self, samples: np.ndarray) -> Tensor:
        """Hears a recording.

        Args:
            samples: (n,) float32, 16 kHz, levelled.

        Returns:
            (l, m, c): about 50 features a second, m layers, c channels.
        """
        heard = self._front(samples).to(self.model.device)  # (..., steps)
        length = max(1, heard.shape[-1] // self.steps_per_feature)
        if length <= WINDOW + 2 * CONTEXT:
            return self._hear(heard)
        parts = []
        for start in range(0, length, WINDOW):
            before = min(CONTEXT, start)
            first = (start - before) * self.steps_per_feature
            last = (start + WINDOW + CONTEXT) * self.steps_per_feature
            parts.append(self._hear(heard[..., first:last])[before : before + WINDOW])
        return torch.cat(parts)

    def _front(self, samples: np.ndarray) -> Tensor:
        """The encoder's input, time last."""
        raise NotImplementedError

    def _hear(self, heard: Tensor) -> Tensor:
        """The wanted layers of one window: (l, m, c)."""
        raise NotImplementedError


class WhisperSpeechEncoder(SpeechEncoder):
    """Whisper's encoder on the real length of the speech instead of a padded 30 s window.

    Its own `forward` insists on 30 s, so its layers are called here one by one.
    Whisper: arXiv 2212.04356.
    """

    steps_per_feature = 2  # mel frames of 10 ms

    def __init__(self, model: PreTrainedModel, layers: tuple[int, ...]) -> None:
        from transformers import WhisperFeatureExtractor

        super().__init__(model, layers)
        self.mel = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)

    def _front(self, samples: np.ndarray) -> Tensor:
        mel = self.mel(samples, sampling_rate=SAMPLE_RATE, padding="do_not_pad", truncation=False)
        return torch.as_tensor(np.asarray(mel["input_features"]))  # (1, mels, steps)

    def _hear(self, heard: Tensor) -> Tensor:
        whisper = self.model
        x = F.gelu(whisper.conv1(heard))
        x = F.gelu(whisper.conv2(x)).transpose(1, 2)  # (1, l, c)
        x = x + whisper.embed_positions.weight[: x.shape[1]]
        hidden = []
        for layer in whisper.layers[: max(self.layers)]:
            x = layer(x, None)
            hidden.append(x)
        return torch.stack([hidden[i - 1] for i in self.layers], -2)[0]


class WaveformSpeechEncoder(SpeechEncoder):
    """wav2vec 2.0, HuBERT or WavLM (arXiv 2006.11477, 2106.07447, 2110.13900)."""

    steps_per_feature = 320  # samples
    receptive_field = 400  # samples that the first feature needs

    def _front(self, samples: np.ndarray) -> Tensor:
        x = torch.as_tensor(samples)
        x = (x - x.mean()) / (x.var(unbiased=False) + 1e-7).sqrt()
        return F.pad(x, (0, max(0, self.receptive_field - len(x))))[None]  # (1, steps)

    def _hear(self, heard: Tensor) -> Tensor:
        hidden = self.model(heard, output_hidden_states=True).hidden_states
        return torch.stack([hidden[i] for i in self.layers], -2)[0]


def build_encoder(config: EncoderConfig) -> SpeechEncoder:
    """The encoder of a configuration: with its source's weights, or empty to be filled.

    Raises:
        ModelError: the source cannot be loaded, or the kind is unknown.
    """
    import transformers

    classes = {
        "whisper": ("WhisperConfig", transformers.WhisperModel),
        "wav2vec2": ("Wav2Vec2Config", transformers.Wav2Vec2Model),
        "hubert": ("HubertConfig", transformers.HubertModel),
        "wavlm": ("WavLMConfig", transformers.WavLMModel),
    }
    if config.kind not in classes:
        raise ModelError(f"Unknown encoder '{config.kind}'.", f"Use {', '.join(classes)}.")
    config_name, model_class = classes[config.kind]
    if config.source is not None:
        try:
            model = model_class.from_pretrained(config.source)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The speech encoder '{config.source}' could not be loaded ({error}).",
                "Give a local folder, or a name on the Hugging Face hub and a network.",
            ) from error
        model = model.encoder if config.kind == "whisper" else model
    elif config.kind == "whisper":
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        model = WhisperEncoder(transformers.WhisperConfig(**config.architecture))
    else:
        model = model_class(getattr(transformers, config_name)(**config.architecture))
    wrapper = WhisperSpeechEncoder if config.kind == "whisper" else WaveformSpeechEncoder
    return wrapper(model.float(), config.layers)


def count_frames(seconds: float, fps: float) -> int:
    """Frames of motion that belong to a recording, at least one."""
    return max(1, round(seconds * fps))


def to_frame_rate(features: Tensor, fps: float, frames: int) -> Tensor:
    """Features (l, m, c) at 50 Hz, interpolated linearly at t/fps for `frames` frames: (t, m, c).

    Frames after the last feature repeat it.
    """
    place = torch.arange(frames, dtype=torch.float64, device=features.device) / fps * FEATURE_RATE
    place = place.clamp(max=len(features) - 1)
    before = place.floor().long()
    after = (before + 1).clamp(max=len(features) - 1)
    part = (place - before)[:, None, None].to(features.dtype)
    return torch.lerp(features[before], features[after], part)
