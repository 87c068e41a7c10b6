"""FaceFormer: frames one after the other, each fed back. arXiv 2112.05329.

n samples    t frames    S subjects    d channels    V vertices
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.networks.causal_decoder import CausalDecoder
from jambatalk.networks.config import NetworkConfig
from jambatalk.networks.network import Network, composed, count_decoder_layers
from jambatalk.networks.speech_features import (
    convolved,
    frames_of,
    normalised,
    stretched,
    transformed,
)


class FaceFormer(Network):
    """Speech → offsets of all vertices, in the style of a training subject.

    The published code stops with an error after 600 frames; its formula goes on without limit.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        width, hidden = config.width, self.audio_encoder.config.hidden_size
        self.audio_feature_map = nn.Linear(hidden, width)
        self.vertice_map = nn.Linear(config.outputs, width)
        self.transformer_decoder = new_causal_decoder(config)
        self.vertice_map_r = nn.Linear(width, config.outputs)
        self.obj_vector = nn.Linear(len(config.styles), width, bias=False)
        nn.init.zeros_(self.vertice_map_r.weight)
        nn.init.zeros_(self.vertice_map_r.bias)

    @classmethod
    def sizes(cls, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Read the widths off the authors' weights."""
        width, outputs = weights["vertice_map.weight"].shape
        return {"width": width, "vertices": outputs // 3, "layers": count_decoder_layers(weights)}

    def extract_features(self, samples: Tensor, frames: int | None = None) -> Tensor:
        """Compute the decoder's memory (1, t, d), or (1, 2 t, d) at 25 frames a second."""
        return features_before_transformer(self, samples, frames)

    def decode(self, features: Tensor, style: Tensor, template: Tensor, seed: int = 0) -> Tensor:
        """Predict offsets (1, t, 3 V) in a mixture (1, S) of subjects."""
        return self.vertice_map_r(self.run(features, style)[0])

    def run(self, memory: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Decode frame by frame; return what leaves and what enters the decoder (1, t, d).

        A frame's offsets only pass through two linear maps on their way to the next frame, which
        are one small map. So vertices are computed once, for all frames together.
        """
        s = self.obj_vector(style)[:, None]
        weight, bias = composed(self.vertice_map, self.vertice_map_r)  # (d, d)
        return self.transformer_decoder.run(memory, s, lambda y: F.linear(y, weight, bias) + s)

    def force(self, memory: Tensor, style: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Decode with the captured offsets (1, t, 3 V) fed back, all frames at once.

        Unlike free running it starts from the map of no motion, its bias and all.
        """
        before = F.pad(offsets[:, :-1], (0, 0, 1, 0))
        fed = self.vertice_map(before) + self.obj_vector(style)[:, None]
        return self.transformer_decoder(fed, self.transformer_decoder.begin(memory))[0], fed

    def constants(self) -> dict[str, Tensor]:
        """Return the published table of positions."""
        return {"PPE.pe": self.transformer_decoder.published_positions()}

    def loss(
        self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor, forced: bool = False
    ) -> Tensor:
        """Compute the mean squared error of vertices.

        Args:
            samples: (n,) at 16 kHz.
            template: (1, 3 V), and target (1, t, 3 V), in the units of the training set.
            style: (1, S).
            forced: feed the target back, as in validation; training runs free.
        """
        memory, target = self.match(samples, target)
        offsets = target - template[:, None]
        outputs, _ = self.force(memory, style, offsets) if forced else self.run(memory, style)
        return F.mse_loss(self.vertice_map_r(outputs) + template[:, None], target)

    def losses(
        self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor
    ) -> dict[str, Tensor]:
        """Compute the loss: free-running in training mode, with teacher forcing otherwise."""
        return {"vertices": self.loss(samples, template, target, style, not self.training)}

    def match(self, samples: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the memory of speech, and the target, no longer than it."""
        memory = self.extract_features(samples, target.shape[1])
        return memory, target[:, : memory.shape[1] // self.transformer_decoder.features_per_frame]


def new_causal_decoder(config: NetworkConfig) -> CausalDecoder:
    """Build the decoder: positions and biases repeat every second."""
    return CausalDecoder(config.width, config.layers, int(config.fps), config.features_per_frame)


def features_before_transformer(network: Network, samples: Tensor, frames: int | None) -> Tensor:
    """Bring 50 Hz to frames before the speech encoder's transformer, and map to the decoder.

    At 30 frames a second features are stretched to them. At 25 an odd last one is dropped, and
    in training what exceeds two features a frame.
    """
    samples = normalised(samples, network.epsilon)
    features = convolved(network.audio_encoder, samples)
    length = features.shape[-1]
    if network.config.fps == 25:
        features = features[..., : min(length // 2, frames or length) * 2]
    else:
        features = stretched(features, frames or frames_of(length, network.config.fps))
    return network.audio_feature_map(transformed(network.audio_encoder, features))
