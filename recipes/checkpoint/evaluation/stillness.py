"""Rows of the benchmark table: how much lips move in sound without speech, and in silence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jambatalk.motion.nonverbal import STILL
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.evaluation.benchmark_table import INF, Row
from recipes.checkpoint.evaluation.sounds import hum, music, pink_noise, white_noise

SECONDS, EDGE = 10.0, 2.0  # duration, and what is left out at both ends
LEVEL, ROOM_LEVEL = -20.0, -55.0  # dB of the RMS against full scale; -60 counts as silence
LIMIT = 0.5  # mm that nobody sees


def stillness_rows(head: TalkingHead) -> list[Row]:
    """Measure the range of the lip aperture in the neutral style and in the worst of the others."""
    found = {
        sound: _movements(head, Speech.from_array(samples, SAMPLE_RATE, sound))
        for sound, samples in _sounds().items()
    }
    first, *others = head.styles
    rows = [_row("stillness", "lips move without speech by", first, found)]
    if others:
        worst = max(others, key=lambda style: max(found[sound][style][0] for sound in found))
        metric = "lips move without speech by: worst other style"
        rows.append(_row("stillness_worst", metric, worst, found))
    return rows


def _sounds() -> dict[str, np.ndarray]:
    """Make the sounds, (n,) each."""
    length = round(SECONDS * SAMPLE_RATE)

    def at(samples: np.ndarray, level: float) -> np.ndarray:
        rms = np.sqrt(np.mean(samples**2))
        return (samples / rms * 10 ** (level / 20)).astype(np.float32)

    return {
        "white noise": at(white_noise(length), LEVEL),
        "pink noise": at(pink_noise(length), LEVEL),
        "hum": at(hum(length), LEVEL),
        "music": at(music(length), LEVEL),
        "a quiet room": at(pink_noise(length), ROOM_LEVEL),
        "digital silence": np.zeros(length, np.float32),
    }


Movements = Mapping[str, tuple[float, float, float, float]]


def _movements(head: TalkingHead, speech: Speech) -> Movements:
    """Measure the lips in the middle of a sound, mm.

    Returns:
        Style → range, standard deviation, largest value and largest change between frames of the
        lip aperture.
    """
    movements = {}
    for style, motion in zip(
        head.styles, head.compare(speech, head.styles, nonverbal=STILL), strict=True
    ):
        first, last = round(EDGE * motion.fps), round((SECONDS - EDGE) * motion.fps)
        aperture = motion.lip_aperture()[first:last] * 1e3
        change = float(np.abs(np.diff(aperture)).max())
        movements[style] = (
            float(np.ptp(aperture)),
            float(aperture.std()),
            float(aperture.max()),
            change,
        )
    return movements


def _row(key: str, metric: str, style: str, found: Mapping[str, Movements]) -> Row:
    """Make the row of a style: the value is that of the worst sound."""
    by_sound = {sound: movements[style] for sound, movements in found.items()}
    _, spread, largest, change = (max(values) for values in zip(*by_sound.values(), strict=True))
    ranges = ", ".join(f"{sound} {values[0]:.2f}" for sound, values in by_sound.items())
    return Row(
        key=key,
        metric=metric,
        value=max(values[0] for values in by_sound.values()),
        unit="mm",
        low=-INF,
        high=LIMIT,
        sample=f"{SECONDS - 2 * EDGE:g} s of {SECONDS:g} s of each sound, style {style}",
        note=f"{ranges}; at most sd {spread:.2f}, aperture {largest:.2f}, {change:.2f} from one "
        "frame to the next",
    )
