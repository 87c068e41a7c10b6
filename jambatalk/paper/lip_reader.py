"""The lip reader, which the paper's network has for training alone, and the text it must read.

Neither is built at inference: the vertices do not depend on them.

    b batch    l frames of motion    f features at 50 Hz    n samples
    V vertices    h channels

JambaTalk, arXiv 2408.01627; the idea is SelfTalk's, arXiv 2306.10799.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.errors import ModelError
from jambatalk.model.checkpoint import fetch_checkpoint, load_weights, read_weights
from jambatalk.model.encoder import FEATURE_RATE
from jambatalk.model.hub_encoder import import_transformers
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.paper.layouts import LETTERS

if TYPE_CHECKING:
    from transformers import Wav2Vec2ForCTC

LIP_READER_FILE = "lip_reader.safetensors"
TEXT_ENCODER_FILE = "text_encoder.safetensors"


class LipReader(nn.Module):
    """Reads letters from the motion of the lips' vertices.

    Args:
        lips: number of vertices of the lips.
        width: channels, those of the text encoder.
    """

    lips: Tensor

    def __init__(self, lips: int, width: int = 1024, letters: int = LETTERS) -> None:
        super().__init__()
        self.register_buffer("lips", torch.zeros(lips, dtype=torch.long))  # vertex indices
        self.lip_map = nn.Linear(3 * lips, width)
        self.transformer = nn.Transformer(width, batch_first=True)
        self.lm_head = nn.Linear(width, letters)

    def forward(
        self, offsets: Tensor, fps: float, features: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Read offsets (b, l, 3 V) from the template.

        Args:
            fps: frames a second of the offsets.
            features: how many to return; None for as many as the frames last at 50 Hz.

        Returns:
            Features (b, f, h), and logits of their letters (b, f, letters).
        """
        lips = offsets.unflatten(-1, (-1, 3))[:, :, self.lips].flatten(2)  # (b, l, 3 lips)
        x = self.lip_map(lips).transpose(1, 2)  # (b, h, l)
        features = features or int(x.shape[-1] / fps * FEATURE_RATE)
        x = F.interpolate(x, size=features, mode="linear", align_corners=True).transpose(1, 2)
        y = self.transformer(x, x)
        return y, self.lm_head(y)


class LipReadingOutput(NamedTuple):
    """The inputs of the lip-reading losses."""

    lip_features: Tensor  # (b, f, h)
    lip_logits: Tensor  # (b, f, letters)
    text_features: Tensor  # (b, f, h), the target of lip_features
    text_logits: Tensor  # (b, f, letters), of the text of the speech


class LipReadingNetwork(nn.Module):
    """A network with its lip reader and its frozen text encoder, for training.

    Args:
        model: predicts vertices.
        text_encoder: wav2vec 2.0, trained to transcribe speech, of the lip reader's width.
    """

    def __init__(
        self, model: JambaTalk, lip_reader: LipReader, text_encoder: Wav2Vec2ForCTC
    ) -> None:
        super().__init__()
        self.model, self.lip_reader = model, lip_reader
        self.text_encoder = text_encoder.eval().requires_grad_(False)

    @classmethod
    def build(
        cls, model: JambaTalk, lips: Sequence[int], text_encoder: Wav2Vec2ForCTC
    ) -> LipReadingNetwork:
        """Add an untrained lip reader; `lips` are vertex indices."""
        config = text_encoder.config
        reader = LipReader(len(lips), config.hidden_size, config.vocab_size or LETTERS)
        reader.lips.copy_(torch.as_tensor(lips))
        return cls(model, reader, text_encoder)

    def train(self, mode: bool = True) -> LipReadingNetwork:
        """Set training mode; the text encoder stays in evaluation mode."""
        super().train(mode)
        self.text_encoder.eval()
        return self

    def forward(
        self, features: Tensor, samples: Tensor, template: Tensor
    ) -> tuple[Tensor, LipReadingOutput]:
        """Predict vertices (b, l, 3 V) and read their lips.

        Args:
            features: (b, l, 1, c), of the model's encoder for the samples.
            samples: (b, n) at 16 kHz, of mean 0 and variance 1.
            template: (b, 3 V), in the units of the training set.
        """
        offsets = self.model.decoder(features, features.new_zeros(len(features), 0))
        return offsets + template[:, None], self.read_lips(offsets, samples)

    def read_lips(self, offsets: Tensor, samples: Tensor) -> LipReadingOutput:
        """Read the lips of offsets (b, l, 3 V), and the text of samples (b, n)."""
        config = self.model.config
        with torch.no_grad():
            text_features = self.text_encoder.wav2vec2(samples).last_hidden_state
            if config.encoder.resample == "pairs":  # an odd last feature has no frame
                text_features = text_features[:, : 2 * offsets.shape[1]]
            text_logits = self.text_encoder.lm_head(text_features)
        lip_features, lip_logits = self.lip_reader(offsets, config.fps, text_features.shape[1])
        return LipReadingOutput(lip_features, lip_logits, text_features, text_logits)

    @classmethod
    def from_pretrained(cls, source: str | Path) -> LipReadingNetwork:
        """Load a checkpoint that `jambatalk convert --for-training` wrote.

        Raises:
            ModelError: the checkpoint does not have a lip reader, or it is damaged.
        """
        transformers = import_transformers()
        folder = fetch_checkpoint(source)
        model = JambaTalk.from_pretrained(folder)
        config = transformers.Wav2Vec2Config(**model.config.encoder.architecture)
        text_encoder = transformers.Wav2Vec2ForCTC(config)
        load_weights(text_encoder, folder / TEXT_ENCODER_FILE)
        lips = read_weights(folder / LIP_READER_FILE).get("lips")
        if lips is None or lips.ndim != 1:
            raise ModelError(
                f"{folder / LIP_READER_FILE} does not hold a lip reader.",
                "Convert the weights again with --for-training.",
            )
        reader = LipReader(len(lips), config.hidden_size, config.vocab_size or LETTERS)
        load_weights(reader, folder / LIP_READER_FILE)
        return cls(model, reader, text_encoder)
