"""What all published networks have in common: speech in, offsets of the vertices out.

n samples    t frames    s conditions    k outputs (3 V coordinates, or blendshapes)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from jambatalk.errors import SpeechError, TooLongError
from jambatalk.files.tensors import write_tensors
from jambatalk.model.checkpoint import CONFIG_FILE, WEIGHTS_FILE, replace_files
from jambatalk.model.speaking_style import SpeakingStyle, Style, speaking_style
from jambatalk.networks import speech_features
from jambatalk.networks.config import NetworkConfig
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import Speech


class Network(nn.Module):
    """A published network, which :class:`jambatalk.TalkingHead` runs as it does JambaTalk.

    Modules are named as in the authors' weights.
    """

    epsilon: ClassVar[float] = 1e-5  # of the samples' normalisation
    frozen: ClassVar[tuple[str, ...]] = ("feature_extractor",)  # of the encoder, in training
    shortest: ClassVar[int] = 1  # frames
    audio_encoder: Any
    audio_feature_map: Any

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.audio_encoder = speech_features.new_encoder(config.encoder_kind, config.encoder)

    @classmethod
    def sizes(cls, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Read fields of the configuration off the authors' weights.

        Raises:
            KeyError: a weight that it needs is missing.
        """
        raise NotImplementedError

    def rename(self, weights: Mapping[str, Tensor], cure: str) -> Mapping[str, Tensor]:
        """Give the authors' weights the names of the modules here; mostly they have them.

        Raises:
            ModelError: weights that only training needs are not those of this network.
        """
        return weights

    def extract_features(self, samples: Tensor, frames: int | None = None) -> Tensor:
        """Compute what the decoder takes of samples (n,) at 16 kHz.

        Args:
            frames: of the motion that belongs to them, in training; None for as many as their
                length gives.

        Returns:
            Features (1, l, c), of which there may be too few for so many frames.
        """
        raise NotImplementedError

    def decode(self, features: Tensor, style: Tensor, template: Tensor, seed: int = 0) -> Tensor:
        """Predict offsets from the template, or weights, (1, t, k).

        Args:
            features: of :meth:`extract_features`.
            style: (1, s), a mixture of the rows of :meth:`table`.
            template: (1, 3 V), in the units of the training set; only a diffusion needs it.
            seed: of networks that draw at random.
        """
        raise NotImplementedError

    def freeze(self) -> None:
        """Keep training from the parts that stay as they were pretrained."""
        for name in self.frozen:
            self.audio_encoder.get_submodule(name).requires_grad_(False)

    def losses(
        self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor
    ) -> dict[str, Tensor]:
        """Compute the published losses of a recording by name; see jambatalk/train.

        Args:
            samples: (n,) at 16 kHz.
            template: (1, 3 V), and target (1, t, k), in the units of the training set.
            style: (1, s), as :meth:`decode` takes it.
        """
        raise NotImplementedError

    def constants(self) -> dict[str, Tensor]:
        """Return what the authors saved with the weights but is computed here: name → value."""
        return {}

    def table(self) -> Tensor:
        """Return what conditions each style, (styles, s): here, which subject it is."""
        return torch.eye(len(self.config.styles), device=self.device)

    @torch.inference_mode()
    def encode(self, speech: Speech) -> Tensor:
        """Compute features of speech; they do not depend on the style.

        Raises:
            SpeechError: the speech is too short, or too long for `longest` of the configuration.
        """
        needed = 1 + self.shortest
        if speech.duration * self.config.fps < needed:
            raise SpeechError(
                f"'{speech.name}' lasts less than {needed} frames.", "Give a longer recording."
            )
        longest, frames = self.config.longest, self.count_frames(len(speech.samples))
        if longest is not None and frames > longest:
            raise TooLongError(
                f"'{speech.name}' has {frames} frames; the published code of this network takes "
                f"{longest}.",
                "Give a shorter recording, or convert the weights without --as-published.",
            )
        return self.extract_features(torch.tensor(speech.samples, device=self.device))

    def encode_pieces(self, speech: Speech, _: Progress = no_progress) -> Iterator[Tensor]:
        """Compute what :meth:`encode` does, in one piece."""
        yield self.encode(speech)

    def count_frames(self, samples: int) -> int:
        """Return how many frames so many samples at 16 kHz give."""
        features = speech_features.feature_count(samples)
        if self.config.features_per_frame == 2:
            return features // 2
        return speech_features.frames_of(features, self.config.fps)

    @torch.inference_mode()
    def predict(self, features: Tensor, style: SpeakingStyle) -> Tensor:
        """Predict the motion of features in a style.

        Returns:
            Offsets (t, 3 V) of the vertices from their template, metres, or weights (t, k).
        """
        axes = torch.tensor(self.config.axes, device=self.device)
        face = axes.new_zeros(0, 3) if style.template is None else style.template.to(axes)
        if self.config.relative and len(face):
            axes = axes * (face.amax(0) - face.amin(0))
        template = (face / axes).flatten()[None]
        output = self.decode(features, style.vector[None], template, style.seed)[0]
        output = style.amplitude * output
        if not self.config.vertices:
            return output.clamp(0.0, 1.0)
        return (output.unflatten(-1, (-1, 3)) * axes).flatten(1)

    def style(self, style: Style, strength: float = 1.0) -> SpeakingStyle:
        """Return a named style or a mixture of styles, at a strength, as JambaTalk does."""
        return speaking_style(self.table(), self.config.styles, style, strength)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write configuration and weights into a folder; leave what else is there as it is.

        The files of a checkpoint that is there are replaced once the new ones are complete.
        """
        weights = {name: w.contiguous() for name, w in self.state_dict().items()}
        values = json.dumps(self.config.to_dict(), indent=2) + "\n"
        replace_files(
            Path(folder),
            {
                WEIGHTS_FILE: partial(write_tensors, weights),
                CONFIG_FILE: lambda path: path.write_text(values),
            },
        )

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device


def composed(outer: nn.Linear, inner: nn.Linear) -> tuple[Tensor, Tensor]:
    """Return weight and bias of one linear map after another, as one."""
    bias = outer.bias if inner.bias is None else outer.weight @ inner.bias + outer.bias
    return outer.weight @ inner.weight, bias


def count_decoder_layers(weights: Mapping[str, Tensor]) -> int:
    """Count the layers of the decoder in the authors' weights."""
    ends = ".norm3.weight"
    return sum(n.startswith("transformer_decoder.layers.") and n.endswith(ends) for n in weights)


def count_gru_layers(weights: Mapping[str, Tensor], gru: str = "gru") -> int:
    """Count the layers of a GRU in the authors' weights."""
    return sum(name.startswith(f"{gru}.bias_hh_l") for name in weights)
