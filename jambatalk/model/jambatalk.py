"""JambaTalk: the speech encoder and the Jamba decoder as one network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from jambatalk.errors import ModelError
from jambatalk.files.tensors import write_tensors
from jambatalk.model.checkpoint import (
    CONFIG_FILE,
    ENCODER_FILE,
    WEIGHTS_FILE,
    check_weights,
    fetch_checkpoint,
    load_weights,
    read_config,
    read_weights,
    replace_files,
)
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.device import choose_device, choose_scan
from jambatalk.model.encoder import SpeechEncoder
from jambatalk.model.mamba import Mamba
from jambatalk.model.paper_decoder import PaperDecoder
from jambatalk.model.scan import scan_named
from jambatalk.model.speaking_style import SpeakingStyle, Style, speaking_style
from jambatalk.model.streaming_encoder import StreamingEncoder
from jambatalk.model.whisper import WhisperSpeechEncoder
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import Speech, loudness_normalised

PIECE = 480_000  # samples of a long recording that are encoded at a time: half a minute
DECODERS: dict[str, type[JambaDecoder] | type[PaperDecoder]] = {
    "adaln": JambaDecoder,
    "paper": PaperDecoder,
}


class JambaTalk(nn.Module):
    """Speech → features → motion.

    A checkpoint is a folder: `config.json`, `model.safetensors`, `encoder.safetensors` unless the
    encoder has a source of its own, and a model card, `README.md`.

    Shapes: n samples, t frames, m encoder layers, c channels, s style width, k outputs
    (blendshapes, or 3 V coordinates).
    """

    decoder: JambaDecoder | PaperDecoder

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
        """Run every Mamba block by the scan of that name, "torch" (the default) or "cuda".

        Raises:
            ModelError: an unknown name, or one that cannot run here.
        """
        scan = scan_named(name)
        for module in self.modules():
            if isinstance(module, Mamba):
                module.scan = scan

    @torch.no_grad()
    def encode(self, speech: Speech) -> Tensor:
        """Compute features (t, m, c) of speech at the motion's frame rate.

        They do not depend on the style: compute them once for many.
        """
        windowed = self.config.encoder.window is not None  # each window is then normalised
        return self.encode_samples(
            speech.samples if windowed else loudness_normalised(speech.samples)
        )

    def encode_pieces(self, speech: Speech, progress: Progress = no_progress) -> Iterator[Tensor]:
        """Compute features as :meth:`encode` does, piece by piece, in bounded memory.

        Yields:
            (t, m, c): half a minute, or all of it where the network needs whole recordings.
        """
        if not self.config.streamable:
            yield self.encode(speech)
            return
        encoder = StreamingEncoder(self.encoder)
        for start in range(0, len(speech.samples), PIECE):
            progress("Predicting motion", start / len(speech.samples))
            yield encoder.feed(speech.samples[start : start + PIECE])
        yield encoder.finish()

    def encode_samples(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        """Compute features (t, m, c) of samples, with gradients where the encoder is trained.

        Args:
            samples: (n,) float32, 16 kHz, normalised in loudness.
            frames: of the motion that belongs to them; None for as many as their length gives.
        """
        if self.config.encoder.window is None:
            return self.encoder(samples, frames)
        stream = StreamingEncoder(self.encoder)
        features = torch.cat([stream.feed(samples), stream.finish()])
        if frames is None:
            return features
        return features[torch.arange(frames).clamp(max=len(features) - 1)]  # repeats the last

    @torch.inference_mode()
    def predict(self, features: Tensor, style: SpeakingStyle) -> Tensor:
        """Predict the motion of features (t, m, c) in a style. Deterministic.

        Returns:
            Blendshape weights (t, k) in 0..1, or offsets (t, 3 V) of the vertices from their
            template, metres.
        """
        return self.scale_output(
            self.decoder(features[None], style.vector[None], style.amplitude)[0]
        )

    @torch.inference_mode()
    def recognise(self, features: Iterable[Tensor]) -> Tensor:
        """Compute the logits (t, p) of the phones of speech.

        Args:
            features: pieces (t, m, c) of :meth:`encode_pieces`.

        Raises:
            ModelError: this checkpoint recognises no phones, or cannot stream.
        """
        decoder = self.decoder
        if not isinstance(decoder, JambaDecoder) or decoder.articulation is None:
            raise ModelError("This checkpoint recognises no phones.", "Use the bundled one.")
        if not self.config.streamable:
            raise ModelError("This checkpoint needs whole recordings.", "Use the bundled one.")
        state, logits = decoder.initial_state(), []
        style = self.style(self.config.styles[0]).vector[None]
        for piece in features:
            if len(piece):
                x, state = decoder.states(piece.to(style.device)[None], style, state)
                logits.append(decoder.articulation(x)[0][0])
        return torch.cat(logits)

    def scale_output(self, output: Tensor) -> Tensor:
        """Convert a decoder's output (..., k) to weights in 0..1 or offsets in metres."""
        return output * self.config.unit if self.config.vertices else output.clamp(0.0, 1.0)

    def style(self, style: Style, strength: float = 1.0) -> SpeakingStyle:
        """Return a named style or a mixture of styles, at a strength.

        See :func:`jambatalk.model.speaking_style.speaking_style`.

        Args:
            style: a name, or names with their shares, which are scaled to sum to one.
            strength: 1 is the style as trained, more exaggerates it; 0 is the neutral style, and
                of the neutral style a still face.

        Raises:
            ModelError: an unknown name, shares that are negative or all zero, or a strength that
                is not between 0 and `MAX_STRENGTH`.
        """
        names = self.config.styles
        if isinstance(self.decoder, JambaDecoder) and self.config.style_width:
            table = self.decoder.style_table.weight.detach()
        else:
            table = torch.zeros(len(names), 0)
        return speaking_style(table, names, style, strength)

    def add_style(self, name: str, vector: Tensor, note: str = "") -> None:
        """Add a style of that name to those of the checkpoint.

        Args:
            vector: (s,).
            note: one sentence about where it comes from.

        Raises:
            ModelError: there is a style of that name, or this network has no styles.
        """
        config, decoder = self.config, self.decoder
        if not isinstance(decoder, JambaDecoder) or not config.style_width:
            raise ModelError("This checkpoint has no styles.", "Use the bundled one.")
        if name in config.styles:
            raise ModelError(f"There is a style '{name}' already.", "Choose another name.")
        table = decoder.style_table.weight.detach()
        table = torch.cat([table, vector[None].to(table)])
        decoder.style_table = nn.Embedding.from_pretrained(table, freeze=False)
        notes = config.style_notes | ({name: note} if note else {})
        self.config = replace(config, styles=(*config.styles, name), style_notes=notes)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write configuration and weights into a folder; leave its model card as it is.

        The files of a checkpoint that is there are replaced once the new ones are complete.
        """
        folder, config = Path(folder), self.config
        frozen = config.encoder.frozen
        if not frozen:  # trained, it differs from its source
            shape = self.encoder.model.config.to_diff_dict()
            encoder = replace(config.encoder, source=None, architecture=shape)
            config = replace(config, encoder=encoder)
        writers = {WEIGHTS_FILE: partial(write_tensors, self.decoder.state_dict())}
        if config.encoder.source is None and not (frozen and (folder / ENCODER_FILE).exists()):
            weights = {
                name: (weight.half() if frozen else weight).contiguous()
                for name, weight in self.encoder.model.state_dict().items()
            }
            writers[ENCODER_FILE] = partial(write_tensors, weights)
        values = json.dumps(config.to_dict(), indent=2) + "\n"
        replace_files(folder, {**writers, CONFIG_FILE: lambda path: path.write_text(values)})

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
        config = read_config(folder)
        with torch.device("meta"):  # before memory is taken for what a configuration says
            _check_files(DECODERS[config.block](config), folder / WEIGHTS_FILE)
            if config.encoder.source is None:
                _check_files(build_encoder(config.encoder, config.fps).model, folder / ENCODER_FILE)
        model = cls(config)
        load_weights(model.decoder, folder / WEIGHTS_FILE)
        if config.encoder.source is None:
            load_weights(model.encoder.model, folder / ENCODER_FILE)
        model.use_scan(choose_scan(device))
        return model.eval().to(device)

    def push_to_hub(self, name: str, folder: str | Path) -> None:
        """Upload a saved checkpoint folder, with its model card, to the Hugging Face hub."""
        from huggingface_hub import HfApi

        hub = HfApi()
        hub.create_repo(name, exist_ok=True)
        hub.upload_folder(repo_id=name, folder_path=folder)


def _check_files(module: nn.Module, path: Path) -> None:
    check_weights(module, read_weights(path), path)


def build_encoder(config: EncoderConfig, fps: float) -> SpeechEncoder:
    """Build an encoder, with the weights of its source or with random ones.

    Args:
        fps: frames a second of the motion.

    Raises:
        ModelError: the source cannot be loaded, or has no such layers.
    """
    if config.kind == "whisper":
        return WhisperSpeechEncoder(config, fps)
    from jambatalk.model.waveform import WaveformSpeechEncoder  # needs transformers

    return WaveformSpeechEncoder(config, fps)
