"""JambaTalk: the speech encoder and the Jamba decoder as one network, and its checkpoint folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from jambatalk.errors import ModelError
from jambatalk.model.config import CONFIG, JambaTalkConfig, read_config
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.encoder import build_encoder
from jambatalk.model.mamba import Mamba
from jambatalk.model.paper_decoder import PaperDecoder
from jambatalk.model.scan import scan_named
from jambatalk.model.streaming_encoder import StreamingEncoder
from jambatalk.speech import Speech

WEIGHTS = "model.safetensors"  # the decoder, float32
ENCODER_WEIGHTS = "encoder.safetensors"  # a frozen one in float16: retraining leaves it alone
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
        (folder / CONFIG).write_text(json.dumps(config.to_dict(), indent=2) + "\n")
        save_file(dict(self.decoder.state_dict()), folder / WEIGHTS)
        encoder, frozen = folder / ENCODER_WEIGHTS, config.encoder.frozen
        if config.encoder.source is None and not (frozen and encoder.exists()):
            save_file(
                {
                    name: (weight.half() if frozen else weight).contiguous()
                    for name, weight in self.encoder.model.state_dict().items()
                },
                encoder,
            )

    @classmethod
    def from_pretrained(cls, source: str | Path) -> JambaTalk:
        """Loads a checkpoint, ready for inference.

        Args:
            source: a folder, or a name on the Hugging Face hub.

        Raises:
            ModelError: no such checkpoint, or its weights are not this network's; the message
                names what is missing and what is unexpected.
        """
        folder = fetch(source)
        model = cls(read_config(folder))
        load_strictly(model.decoder, folder / WEIGHTS)
        if model.config.encoder.source is None:
            load_strictly(model.encoder.model, folder / ENCODER_WEIGHTS)
        return model.eval()

    def push_to_hub(self, name: str, folder: str | Path) -> None:
        """Uploads a saved checkpoint folder, model card and all, to the Hugging Face hub."""
        from huggingface_hub import HfApi

        hub = HfApi()
        hub.create_repo(name, exist_ok=True)
        hub.upload_folder(repo_id=name, folder_path=folder)


def fetch(source: str | Path) -> Path:
    """The folder of a checkpoint: the one that is given, or a copy from the Hugging Face hub.

    Raises:
        ModelError: there is none of that name.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder
    if folder.is_absolute() or str(source).count("/") != 1:
        raise ModelError(
            f"There is no checkpoint folder '{source}'.",
            "Give a folder, or OWNER/NAME on the Hugging Face hub.",
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(str(source)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ModelError(
            f"'{source}' is neither a folder nor could it be fetched from the hub.",
            "Check the name and the network.",
        ) from error


def load_strictly(module: nn.Module, path: Path) -> None:
    """Loads all weights of a module, or says which are missing and which are unexpected."""
    try:
        weights = load_file(path)
    except Exception as error:  # safetensors raises its own, and OSError
        raise ModelError(
            f"The weights {path} cannot be read ({error}).", "Fetch the checkpoint again."
        ) from error
    try:
        missing, unexpected = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ModelError(f"The weights in {path} have other shapes: {error}.") from error
    if missing or unexpected:
        raise ModelError(
            f"The weights in {path} do not fit its configuration: missing {some(missing)}, "
            f"unexpected {some(unexpected)}."
        )


def some(names: list[str], shown: int = 5) -> str:
    """The first names of a list that may be long."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return (", ".join(names[:shown]) or "none") + more


def check_strength(strength: float) -> None:
    """Refuses what no style's strength is.

    Raises:
        ModelError: it is not between 0 and `MAX_STRENGTH`.
    """
    if not 0 <= strength <= MAX_STRENGTH:  # NaN fails too
        raise ModelError(f"{strength:g} is no strength.", f"Choose 0 to {MAX_STRENGTH}.")
