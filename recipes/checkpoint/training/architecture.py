"""Architecture and styles of the bundled checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

from jambatalk.face.face import Face
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from recipes.checkpoint.coarticulation.designed_styles import STYLES as DESIGNED
from recipes.checkpoint.coarticulation.phone_tracks import PHONES
from recipes.checkpoint.whisper_wheels import TINY_EN

CAPTURED = {
    "english-man": "Captured: An English man reading commands, from video (GRID, speaker 1).",
    "mandarin-woman": "Captured: A woman speaking Mandarin, animated by artists (FACEGOOD).",
}
NEUTRAL = {"neutral": "Captured: The middle of fourteen people reading, from video (GRID)."}
RULES = {name: f"Designed: {style.note}" for name, style in DESIGNED.items()}
STYLES = RULES | NEUTRAL | CAPTURED
FPS = JambaTalkConfig.fps
LAYERS = (1, 2, 3)  # of Whisper's four: the last adds time, and nothing about lips
WINDOW = (48, 16, 16)  # features before, in and after a step: 0.96, 0.32 and 0.32 s


def bundled_config(face: Face, styles: Mapping[str, str] = STYLES) -> JambaTalkConfig:
    """Return the bundled network's configuration.

    Args:
        face: a bundled head, whose blendshapes are predicted.
        styles: name → description.
    """
    architecture = TINY_EN.architecture | {"encoder_layers": max(LAYERS)}
    return JambaTalkConfig(
        encoder=EncoderConfig(layers=LAYERS, architecture=architecture, window=WINDOW),
        styles=tuple(styles),
        style_notes=dict(styles),
        blendshapes=face.blendshapes,
        phones=PHONES,
        experts=4,
        experts_per_frame=2,
        dropout=0.2,
    )
