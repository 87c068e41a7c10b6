"""Construction of the speech encoder that a configuration names."""

from jambatalk.model.config import EncoderConfig
from jambatalk.model.encoder import SpeechEncoder
from jambatalk.model.whisper import WhisperSpeechEncoder


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
