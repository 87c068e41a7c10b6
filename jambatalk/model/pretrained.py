"""Speech encoders of `transformers`, from its hub, from a folder, or empty."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from jambatalk.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAMES = {"whisper": "Whisper", "wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM"}


def blank(kind: str, architecture: dict[str, Any]) -> PreTrainedModel:
    """A model of that kind and architecture, its weights random."""
    import transformers  # each class is imported when it is asked for, which takes seconds

    config = getattr(transformers, f"{NAMES[kind]}Config")(**architecture)
    return getattr(transformers, f"{NAMES[kind]}Model")(config)


def pretrained(kind: str, source: str, head: str = "Model") -> PreTrainedModel:
    """A model from a name on the hub or a folder with `config.json` and `model.safetensors` or
    `pytorch_model.bin`, whose pickle may hold tensors only.

    Its configuration's `do_normalize` says whether it was trained on waveforms of mean 0 and
    variance 1: kept there, it goes wherever the weights go.

    Args:
        head: what stands on the encoder: "Model" for nothing, "ForCTC" for letters.

    Raises:
        ModelError: it cannot be loaded, is of another kind, or lacks weights.
    """
    if not Path(source).is_dir() and (source[0] in "/.~" or source.count("/") != 1):
        raise ModelError(
            f"There is no folder '{source}' with a speech encoder.",
            "Give a folder, or OWNER/NAME on the Hugging Face hub.",
        )
    import transformers

    transformers.logging.set_verbosity_error()  # what is missing is said below
    transformers.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(source)
        if config.model_type == kind:
            model, report = getattr(transformers, f"{NAMES[kind]}{head}").from_pretrained(
                source, config=config, dtype=torch.float32, output_loading_info=True
            )
            model.config.do_normalize = _wants_normalised(source)
    except Exception as error:  # files, network, formats: each raises its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ModelError(
            f"The speech encoder '{source}' could not be loaded ({reason}).",
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


def _wants_normalised(source: str) -> bool:
    from transformers import Wav2Vec2FeatureExtractor

    try:
        return Wav2Vec2FeatureExtractor.from_pretrained(source).do_normalize
    except OSError:  # the file is not always there; most models do
        return True
