"""Architecture of the bundled checkpoint."""

from __future__ import annotations

from jambatalk.face.face import Face
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from recipes.checkpoint.coarticulation.phone_tracks import PHONES
from recipes.checkpoint.lip_styles.speakers import NOTES
from recipes.checkpoint.whisper_wheels import TINY_EN

FPS = JambaTalkConfig.fps
LAYERS = (1, 2, 3)  # of Whisper's four: the last adds time, and nothing about lips
WINDOW = (48, 16, 16)  # features before, in and after a step: 0.96, 0.32 and 0.32 s


def bundled_config(face: Face) -> JambaTalkConfig:
    """Return the bundled network's configuration.

    Args:
        face: a bundled head, whose blendshapes are predicted.
    """
    architecture = TINY_EN.architecture | {"encoder_layers": max(LAYERS)}
    return JambaTalkConfig(
        encoder=EncoderConfig(layers=LAYERS, architecture=architecture, window=WINDOW),
        styles=tuple(NOTES),
        style_notes=dict(NOTES),
        blendshapes=face.blendshapes,
        phones=PHONES,
        experts=4,
        experts_per_frame=2,
        dropout=0.2,
    )
