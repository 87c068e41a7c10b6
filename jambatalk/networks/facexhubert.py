"""FaceXHuBERT: HuBERT and a GRU, in the style of a subject and one of two emotions.

    t frames    S subjects    c channels of HuBERT    d of the GRU    V vertices

arXiv 2303.05416.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.networks.config import NetworkConfig
from jambatalk.networks.network import Network, count_gru_layers
from jambatalk.networks.speech_features import (
    FROZEN,
    convolved,
    normalised,
    paired,
    transformed,
)

EMOTIONS = 2  # neutral and expressive


class FaceXHuBERT(Network):
    """Speech → offsets of all vertices, 25 frames a second.

    Styles are subjects, `M3`, who speak neutrally, or expressively, `M3-expressive`.
    """

    frozen = FROZEN

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        width, hidden = config.width, self.audio_encoder.config.hidden_size
        self.gru = nn.GRU(2 * hidden, width, config.layers, batch_first=True, dropout=0.3)
        self.fc = nn.Linear(width, config.outputs)
        subjects = len(config.styles) // EMOTIONS
        self.obj_vector = nn.Linear(subjects, width, bias=False)
        self.emo_vector = nn.Linear(EMOTIONS, width, bias=False)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    @classmethod
    def sizes(cls, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Read the widths off the authors' weights."""
        outputs, width = weights["fc.weight"].shape
        return {"width": width, "vertices": outputs // 3, "layers": count_gru_layers(weights)}

    def extract_features(self, samples: Tensor, frames: int | None = None) -> Tensor:
        """Compute pairs of features (1, t, 2 c)."""
        samples = normalised(samples, self.epsilon)
        features = transformed(self.audio_encoder, convolved(self.audio_encoder, samples))
        return paired(features)[:, :frames]

    def decode(self, features: Tensor, style: Tensor, template: Tensor, seed: int = 0) -> Tensor:
        """Predict offsets (1, t, 3 V); style (1, S + 2) is of subjects and of emotions."""
        subject, emotion = style.split([style.shape[1] - EMOTIONS, EMOTIONS], 1)
        x = self.gru(features)[0] * self.obj_vector(subject)[:, None]
        return self.fc(x * self.emo_vector(emotion)[:, None])

    def table(self) -> Tensor:
        """Return what conditions each style, (styles, S + 2): subjects, then emotions."""
        subjects, emotions = self.obj_vector.in_features, EMOTIONS
        subject = torch.eye(subjects, device=self.device).repeat(emotions, 1)
        emotion = torch.eye(emotions, device=self.device).repeat_interleave(subjects, 0)
        return torch.cat([subject, emotion], 1)

    def losses(
        self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor
    ) -> dict[str, Tensor]:
        """Compute the loss; style (1, S + 2)."""
        return {"vertices": self.loss(samples, template, target, style)}

    def loss(self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor) -> Tensor:
        """Compute the Huber loss of vertices.

        Args:
            samples: (n,) at 16 kHz.
            template: (1, 3 V), and target (1, t, 3 V), in the units of the training set.
            style: (1, S + 2).
        """
        offsets = self.decode(self.extract_features(samples, target.shape[1]), style, template)
        vertices = offsets + template[:, None]
        return F.huber_loss(vertices, target[:, : vertices.shape[1]])
