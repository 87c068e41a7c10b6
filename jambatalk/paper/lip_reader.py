"""What the published network has for training alone: a lip reader, and the text it must read.

Neither is built at inference: the vertices do not depend on them. Shapes: b batch, l frames of
motion, f features at 50 Hz, n samples, V vertices, h channels. JambaTalk, arXiv 2408.01627; the
idea is SelfTalk's, arXiv 2306.10799.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.model.checkpoint import fetch_checkpoint, load_weights
from jambatalk.model.encoder import FEATURE_RATE
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.paper.layouts import LETTERS

if TYPE_CHECKING:
    from transformers import Wav2Vec2ForCTC

LIP_READER = "lip_reader.safetensors"
TEXT_ENCODER = "text_encoder.safetensors"


class LipReader(nn.Module):
    """Reads letters from the motion of the lips' vertices.

    Args:
        lips: how many vertices they have.
        width: channels, the text encoder's.
    """

    def __init__(self, lips: int, width: int = 1024, letters: int = LETTERS) -> None:
        super().__init__()
        self.register_buffer("lips", torch.zeros(lips, dtype=torch.long))  # vertex indices
        self.lip_map = nn.Linear(3 * lips, width)
        self.transformer = nn.Transformer(width, batch_first=True)
        self.lm_head = nn.Linear(width, letters)

    def forward(
        self, offsets: Tensor, fps: float, features: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Reads offsets (b, l, 3 V) from the template.

        Args:
            fps: frames a second of the offsets.
            features: how many to give; None for as many as 50 Hz make of the frames.

        Returns:
            Features (b, f, h) and what letters they are, logits (b, f, letters).
        """
        lips = offsets.unflatten(-1, (-1, 3))[:, :, self.lips].flatten(2)  # (b, l, 3 lips)
        x = self.lip_map(lips).transpose(1, 2)  # (b, h, l)
        features = features or int(x.shape[-1] / fps * FEATURE_RATE)
        x = F.interpolate(x, size=features, mode="linear", align_corners=True).transpose(1, 2)
        y = self.transformer(x, x)
        return y, self.lm_head(y)


class Reading(NamedTuple):
    """What :class:`LipReading` gives the losses."""

    vertices: Tensor  # (b, l, 3 V), template and all
    lip_features: Tensor  # (b, f, h)
    letters: Tensor  # (b, f, letters), logits
    text_features: Tensor  # (b, f, h), what lip_features should be
    text_letters: Tensor  # (b, f, letters), logits of the text that is heard


class LipReading(nn.Module):
    """A network with its lip reader and its frozen text encoder, for training.

    Args:
        model: predicts vertices.
        text_encoder: wav2vec 2.0 that was trained to write down speech, of the lip reader's width.
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
    ) -> LipReading:
        """With a lip reader that knows nothing yet; `lips` are vertex indices."""
        reader = LipReader(
            len(lips), text_encoder.config.hidden_size, text_encoder.config.vocab_size
        )
        reader.lips.copy_(torch.as_tensor(lips))
        return cls(model, reader, text_encoder)

    def train(self, mode: bool = True) -> LipReading:
        """The text encoder stays as it is."""
        super().train(mode)
        self.text_encoder.eval()
        return self

    def forward(self, features: Tensor, samples: Tensor, template: Tensor) -> Reading:
        """One pass.

        Args:
            features: (b, l, 1, c), what the model's encoder makes of the samples.
            samples: (b, n) at 16 kHz, of mean 0 and variance 1.
            template: (b, 3 V), in the units of the training set.
        """
        offsets = self.model.decoder(features)
        return Reading(offsets + template[:, None], *self.read(offsets, samples))

    def read(self, offsets: Tensor, samples: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All of :class:`Reading` but the vertices, for offsets (b, l, 3 V)."""
        config = self.model.config
        with torch.no_grad():
            heard = self.text_encoder.wav2vec2(samples).last_hidden_state
            if config.encoder.resample == "pairs":  # the odd last feature has no frame
                heard = heard[:, : 2 * offsets.shape[1]]
            text = self.text_encoder.lm_head(heard)
        lip_features, letters = self.lip_reader(offsets, config.fps, heard.shape[1])
        return lip_features, letters, heard, text

    @classmethod
    def from_pretrained(cls, source: str | Path) -> LipReading:
        """Loads what `jambatalk convert --for-training` wrote.

        Raises:
            ModelError: the checkpoint does not have it, or it is damaged.
        """
        from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

        folder = fetch_checkpoint(source)
        model = JambaTalk.from_pretrained(folder)
        config = Wav2Vec2Config(**model.config.encoder.architecture)
        text_encoder = Wav2Vec2ForCTC(config)
        load_weights(text_encoder, folder / TEXT_ENCODER)
        lips = load_file(folder / LIP_READER)["lips"]
        reader = LipReader(len(lips), config.hidden_size, config.vocab_size)
        load_weights(reader, folder / LIP_READER)
        return cls(model, reader, text_encoder)
