"""SelfTalk: one decoder layer over all frames at once; a lip reader helps it learn.

    n samples    t frames    f features at 50 Hz    d channels    V vertices    h of the lip reader

arXiv 2306.10799.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.model.hub_encoder import import_transformers
from jambatalk.networks.config import HEADS, NetworkConfig
from jambatalk.networks.network import Network, count_decoder_layers
from jambatalk.networks.speech_features import (
    convolved,
    frames_of,
    normalised,
    paired,
    stretched,
    transformed,
)
from jambatalk.networks.weights import fit_weights
from jambatalk.paper.lip_reader import LipReader

if TYPE_CHECKING:
    from transformers import Wav2Vec2ForCTC

TRAINING = ("text_encoder.", "lip_map.", "transformer.", "lm_head.")  # weights for it alone
LOSS_WEIGHTS = {"vertices": 1000.0, "velocity": 1000.0, "lip_features": 0.001, "letters": 0.0001}
BLANK, DELIMITER = 0, 4  # of the text encoder's letters: CTC's blank, and between words


class SelfTalk(Network):
    """Speech → offsets of all vertices; it has no style, and no limit of length."""

    epsilon = 1e-7

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        width, hidden = config.width, self.audio_encoder.config.hidden_size
        self.audio_feature_map = nn.Linear(hidden * config.features_per_frame, width)
        layer = nn.TransformerDecoderLayer(width, HEADS, 2 * width, batch_first=True)
        self.transformer_decoder = nn.TransformerDecoder(layer, config.layers)
        self.vertice_map_r = nn.Linear(width, config.outputs)
        nn.init.zeros_(self.vertice_map_r.weight)
        nn.init.zeros_(self.vertice_map_r.bias)

    @classmethod
    def sizes(cls, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Read the widths off the authors' weights."""
        outputs, width = weights["vertice_map_r.weight"].shape
        return {"width": width, "vertices": outputs // 3, "layers": count_decoder_layers(weights)}

    def rename(self, weights: Mapping[str, Tensor], cure: str) -> dict[str, Tensor]:
        """Leave out what only training needs; see :func:`training_parts`."""
        if any(name.startswith(TRAINING) for name in weights):
            training_parts(weights, self.config.encoder, cure)
        return {name: w for name, w in weights.items() if not name.startswith(TRAINING)}

    def extract_features(self, samples: Tensor, frames: int | None = None) -> Tensor:
        """Compute what the decoder decodes (1, t, d)."""
        features = convolved(self.audio_encoder, normalised(samples, self.epsilon))
        if self.config.fps == 25:
            features = paired(transformed(self.audio_encoder, features))[:, :frames]
        else:
            frames = frames or frames_of(features.shape[-1], self.config.fps)
            features = transformed(self.audio_encoder, stretched(features, frames))
        return self.audio_feature_map(features)

    def decode(self, features: Tensor, style: Tensor, template: Tensor, seed: int = 0) -> Tensor:
        """Predict offsets (1, t, 3 V)."""
        return self.vertice_map_r(self.transformer_decoder(features, features))

    def table(self) -> Tensor:
        """Return a row without columns: there is one style."""
        return torch.zeros(1, 0, device=self.device)

    def losses(
        self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor
    ) -> dict[str, Tensor]:
        """Compute the losses that need no lip reader."""
        return self.compare(self.match(samples, target, template), template, target)

    def match(self, samples: Tensor, target: Tensor, template: Tensor) -> Tensor:
        """Predict offsets (1, t, 3 V) of a target's length, or of the features' if that is less."""
        features = self.extract_features(samples, target.shape[1])
        return self.decode(features, samples.new_zeros(1, 0), template)

    def compare(self, offsets: Tensor, template: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Compute the losses of vertices and of their change from frame to frame."""
        error = offsets + template[:, None] - target[:, : offsets.shape[1]]
        return {
            "vertices": error.square().mean(),
            "velocity": error.diff(dim=1).square().mean(),
        }

    def reading_losses(
        self,
        samples: Tensor,
        template: Tensor,
        target: Tensor,
        lip_reader: LipReader,
        text_encoder: Wav2Vec2ForCTC,
    ) -> dict[str, Tensor]:
        """Compute the terms of the published loss, which is their sum by `LOSS_WEIGHTS`.

        Args:
            samples: (n,) at 16 kHz.
            template: (1, 3 V), and target (1, t, 3 V), in the units of the training set.
            lip_reader: with the lips in the order of the authors' mask, repeated ones and all.
            text_encoder: frozen, in evaluation mode: the authors' loop put it into training mode
                with the rest, so that dropout disturbed what the lips should match.
        """
        offsets = self.match(samples, target, template)
        features, logits = self.encode_text(samples, offsets.shape[1], text_encoder)
        lip_features, lip_logits = lip_reader(offsets, self.config.fps, features.shape[1])
        return self.compare(offsets, template, target) | {
            "lip_features": F.mse_loss(lip_features, features),
            "letters": letter_loss(lip_logits, greedy_text(logits[0])),
        }

    @torch.no_grad()
    def encode_text(
        self, samples: Tensor, frames: int, text_encoder: Wav2Vec2ForCTC
    ) -> tuple[Tensor, Tensor]:
        """Compute the text encoder's features (1, f, h) and letters (1, f, letters) of samples."""
        features = text_encoder.wav2vec2(normalised(samples, self.epsilon)[None]).last_hidden_state
        if self.config.fps == 25:
            features = features[:, : 2 * frames]
        return features, text_encoder.lm_head(features)


def training_parts(
    weights: Mapping[str, Tensor], encoder: dict[str, Any], cure: str
) -> tuple[LipReader, Wav2Vec2ForCTC]:
    """Build the lip reader, which still lacks the vertices of the lips, and the text encoder.

    Args:
        weights: the authors', of the whole network.
        encoder: fields of the configuration of wav2vec 2.0 in `transformers`.

    Raises:
        ModelError: weights are missing, unexpected or of another shape.
    """
    transformers = import_transformers()
    lip_map = weights.get("lip_map.weight", torch.empty(0, 0))
    with torch.device("meta"):
        text_encoder = transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config(**encoder))
        width, letters = text_encoder.config.hidden_size, text_encoder.config.vocab_size
        reader = LipReader(lip_map.shape[1] // 3, width, letters)
    lips = torch.zeros(len(reader.lips), dtype=torch.long)
    parts = nn.ModuleDict({**dict(reader.named_children()), "text_encoder": text_encoder})
    theirs = {name: weight for name, weight in weights.items() if name.startswith(TRAINING)}
    parts.load_state_dict(fit_weights(theirs, parts, {}, cure), assign=True)
    reader.lips = lips
    return reader.eval(), text_encoder.eval()


def greedy_text(logits: Tensor) -> Tensor:
    """Return the likeliest letters of (f, letters) as their tokenizer reads and writes them.

    Repeats are joined, blanks dropped, and delimiters of words stripped at both ends.
    """
    letters = logits.argmax(-1).unique_consecutive()
    letters = letters[letters != BLANK]
    words = (letters != DELIMITER).nonzero()[:, 0]
    return letters[words[0] : words[-1] + 1] if len(words) else letters[:0]


def letter_loss(logits: Tensor, text: Tensor) -> Tensor:
    """Compute the CTC loss of letters (1, f, letters), divided by the length of the text."""
    probabilities = logits.log_softmax(-1).transpose(0, 1)
    lengths = torch.tensor([logits.shape[1]]), torch.tensor([len(text)])
    return F.ctc_loss(probabilities, text[None], *lengths, BLANK, zero_infinity=True)
