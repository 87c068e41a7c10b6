"""JambaTalk: the speech encoder and the Jamba decoder as one network, and its checkpoint folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from jambatalk.errors import ModelError
from jambatalk.model.checkpoint import (
    CONFIG_FILE,
    ENCODER_FILE,
    WEIGHTS_FILE,
    fetch_checkpoint,
    load_weights,
    read_config,
)
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.device import choose_device, choose_scan
from jambatalk.model.encoder import build_encoder
from jambatalk.model.mamba import Mamba
from jambatalk.model.paper_decoder import PaperDecoder
from jambatalk.model.scan import scan_named
from jambatalk.model.streaming_encoder import StreamingEncoder
from jambatalk.speech import Speech

MAX_STRENGTH = 1.5  # of a style: beyond it faces distort
DECODERS = {"adaln": JambaDecoder, "paper": PaperDecoder}

Style = str | Mapping[str, float]


class JambaTalk(nn.Module):
    """Speech to motion.

    A checkpoint is a folder: `config.json`, `model.safetensors`, for a bundled encoder
    `encoder.safetensors`, and a `README.md` that is the model card.
    """

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = build_encoder(config.encoder, config.fps)
        if self.encoder.width != config.encoder_width:
            raise ModelError(
                f"The encoder's features have {self.encoder.width} channels, and the "
                f"configuration says {config.encoder_width}.",
                f"Set encoder_width to {self.encoder.width}.",
            )
        if not config.encoder.frozen:
            self.encoder.unfreeze()
        self.decoder = DECODERS[config.block](config)

    def use_scan(self, name: str) -> None:
        """Runs every Mamba block by the scan of that name, "torch" (as it begins) or "cuda".

        Raises:
            ModelError: an unknown name, or one that cannot run here.
        """
        scan = scan_named(name)
        for module in self.modules():
            if isinstance(module, Mamba):
                module.scan = scan

    def encode(self, speech: Speech) -> Tensor:
        """Speech features at the motion's frame rate, (t, m, c): t frames, m layers, c channels.

        They do not depend on the style: compute them once for many.
        """
        if self.config.encoder.window is None:
            return self.encoder(speech.loudness_normalised())
        return self._follow(speech.samples)

    def encode_samples(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        """As :meth:`encode`, for training: in one piece whatever the length, with gradients where
        the encoder is trained.

        Args:
            samples: (n,) float32, 16 kHz, loudness_normalised.
            frames: of the motion that belongs to them; None for as many as their length gives.
        """
        if self.config.encoder.window is None:
            return self.encoder.encode_samples(samples, frames)
        features = self._follow(samples)
        frames = frames or len(features)
        return features[torch.arange(frames).clamp(max=len(features) - 1)]

    def _follow(self, samples: np.ndarray) -> Tensor:
        hearing = StreamingEncoder(self.encoder)
        return torch.cat([hearing.feed(samples), hearing.finish()])

    @torch.inference_mode()
    def predict(self, features: Tensor, style: Tensor) -> Tensor:
        """For features (t, m, c) in a style (s,): weights (t, k) in 0..1, or offsets (t, 3 V) of
        the vertices from their template, metres. Deterministic."""
        return self.as_motion(self.decoder(features[None], style[None])[0])

    def as_motion(self, predicted: Tensor) -> Tensor:
        """What the decoder predicts (..., k or 3 V) as weights in 0..1 or offsets in metres."""
        return predicted * self.config.unit if self.config.vertices else predicted.clamp(0.0, 1.0)

    def style(self, style: Style, strength: float = 1.0) -> Tensor:
        """The vector (s,) of a named style or of a mixture of them.

        Args:
            style: a name, or names with their shares (they are made to sum to one).
            strength: 0 is the neutral style, 1 the style as learned, more exaggerates it.

        Raises:
            ModelError: an unknown name, shares that are negative or all zero, or a strength that is
                not between 0 and `MAX_STRENGTH`.
        """
        check_strength(strength)
        shares = {style: 1.0} if isinstance(style, str) else dict(style)
        names = self.config.styles
        for name in shares:
            if name not in names:
                raise ModelError(f"There is no style '{name}'.", f"Choose from {', '.join(names)}.")
        total = sum(shares.values())
        if total <= 0 or min(shares.values()) < 0:
            raise ModelError(f"The shares {shares} do not make a style.", "Use positive shares.")
        if not self.config.style_width:  # the one style is what was learned
            return torch.zeros(0)
        table = self.decoder.style_table.weight.detach()
        vector = sum(share / total * table[names.index(name)] for name, share in shares.items())
        return torch.lerp(table[0], vector, strength)

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes configuration and weights into a folder. The model card is left alone."""
        folder, config = Path(folder), self.config
        folder.mkdir(parents=True, exist_ok=True)
        if not config.encoder.frozen:  # trained, it is no longer what its source was
            own = self.encoder.model.config.to_diff_dict()
            config = replace(config, encoder=replace(config.encoder, source=None, architecture=own))
        (folder / CONFIG_FILE).write_text(json.dumps(config.to_dict(), indent=2) + "\n")
        save_file(dict(self.decoder.state_dict()), folder / WEIGHTS_FILE)
        encoder, frozen = folder / ENCODER_FILE, config.encoder.frozen
        if config.encoder.source is None and not (frozen and encoder.exists()):
            save_file(
                {
                    name: (weight.half() if frozen else weight).contiguous()
                    for name, weight in self.encoder.model.state_dict().items()
                },
                encoder,
            )

    @classmethod
    def from_pretrained(cls, source: str | Path, device: str = "cpu") -> JambaTalk:
        """Load a checkpoint, ready for inference.

        Args:
            source: a folder, or OWNER/NAME on the Hugging Face hub.
            device: see :func:`jambatalk.model.device.choose_device`.

        Raises:
            ModelError: no such checkpoint or device, or weights that are not this network's; the
                message names what is missing and what is unexpected.
        """
        device = choose_device(device)
        folder = fetch_checkpoint(source)
        model = cls(read_config(folder))
        load_weights(model.decoder, folder / WEIGHTS_FILE)
        if model.config.encoder.source is None:
            load_weights(model.encoder.model, folder / ENCODER_FILE)
        model.use_scan(choose_scan(device))
        return model.eval().to(device)

    def push_to_hub(self, name: str, folder: str | Path) -> None:
        """Uploads a saved checkpoint folder, model card and all, to the Hugging Face hub."""
        from huggingface_hub import HfApi

        hub = HfApi()
        hub.create_repo(name, exist_ok=True)
        hub.upload_folder(repo_id=name, folder_path=folder)


def check_strength(strength: float) -> None:
    """Refuses what no style's strength is.

    Raises:
        ModelError: it is not between 0 and `MAX_STRENGTH`.
    """
    if not 0 <= strength <= MAX_STRENGTH:  # NaN fails too
        raise ModelError(f"{strength:g} is no strength.", f"Choose 0 to {MAX_STRENGTH}.")
