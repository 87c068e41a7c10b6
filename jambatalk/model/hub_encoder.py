"""Speech encoders of `transformers`: from the Hugging Face hub, from a folder, or untrained."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch

from jambatalk.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CLASSES = {"whisper": "Whisper", "wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM"}


def new_hub_encoder(kind: str, architecture: dict[str, Any]) -> PreTrainedModel:
    """Build a model of a kind and architecture, with random weights.

    Raises:
        ModelError: there is no such architecture, or `transformers` is not installed.
    """
    transformers = import_transformers()
    try:
        config = getattr(transformers, f"{CLASSES[kind]}Config")(**architecture)
        return getattr(transformers, f"{CLASSES[kind]}Model")(config)
    except Exception as error:  # of many kinds, for fields that are wrong or do not fit together
        raise ModelError(
            f"encoder.architecture does not describe a {kind} encoder ({_reason(error)}).",
            "Give the fields of its configuration in transformers.",
        ) from error


def load_hub_encoder(kind: str, source: str, head: str = "Model") -> PreTrainedModel:
    """Load a model from the hub, or from a folder with its configuration and weights.

    A pickle in such a folder (`pytorch_model.bin`) may hold tensors only. The configuration's
    `do_normalize` says whether the model was trained on waveforms of mean 0 and variance 1: kept
    there, it goes wherever the weights go.

    Args:
        source: a folder, or OWNER/NAME on the hub.
        head: "Model" for the encoder alone, "ForCTC" with the layer that predicts letters.

    Raises:
        ModelError: it cannot be loaded, is of another kind, or lacks weights.
    """
    if not Path(source).is_dir() and (source[:1] in "/.~" or source.count("/") != 1):
        raise ModelError(
            f"There is no folder '{source}' with a speech encoder.",
            "Name a folder, or OWNER/NAME on the hub, in config.json or the training file.",
        )
    transformers = import_transformers()
    transformers.logging.set_verbosity_error()  # missing weights are reported below
    transformers.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(source)
        if config.model_type == kind:
            model, report = getattr(transformers, f"{CLASSES[kind]}{head}").from_pretrained(
                source, config=config, dtype=torch.float32, output_loading_info=True
            )
            model.config.do_normalize = _needs_normalised(transformers, source)
    except Exception as error:  # files, network, formats: each raises its own
        raise ModelError(
            f"The speech encoder '{source}' could not be loaded ({_reason(error)}).",
            "Give a folder with config.json and model.safetensors, or OWNER/NAME on the Hugging "
            "Face hub and a network.",
        ) from error
    if config.model_type != kind:
        raise ModelError(
            f"The speech encoder '{source}' is of kind '{config.model_type}', not '{kind}'.",
            "Correct the encoder's kind.",
        )
    missing = sorted(set(report["missing_keys"]) - {"masked_spec_embed"})  # for training alone
    if missing:
        raise ModelError(
            f"The speech encoder '{source}' lacks {len(missing)} weights, {missing[0]} first.",
            "Fetch it again.",
        )
    return model


def import_transformers() -> ModuleType:
    """Import `transformers`; raises ModelError if it is not installed."""
    try:
        import transformers  # each class is imported on first use, which takes seconds
    except ImportError as error:
        raise ModelError(
            "This network needs the package transformers.",
            "Install it: pip install 'jambatalk[paper]'.",
        ) from error
    return transformers


def _needs_normalised(transformers: ModuleType, source: str) -> bool:
    try:
        return transformers.Wav2Vec2FeatureExtractor.from_pretrained(source).do_normalize
    except OSError:  # the file is optional; most models are
        return True


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
