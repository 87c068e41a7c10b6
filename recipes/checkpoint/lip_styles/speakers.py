"""All speaking styles: of captured speakers, their middle, and designed ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from recipes.checkpoint.captured.facegood import STYLE as MANDARIN_WOMAN
from recipes.checkpoint.captured.grid_corpus import STYLE as ENGLISH_MAN
from recipes.checkpoint.captured.lip_range import LipRange
from recipes.checkpoint.lip_styles.designed import DESIGNS
from recipes.checkpoint.lip_styles.lip_style import LipStyle
from recipes.checkpoint.lip_styles.measure import fit_manner

SPEAKERS_FILE = Path(__file__).with_name("speakers.json")  # GRID's people, see `measure`
NEUTRAL = "neutral"
SPEAKERS = {  # style → speaker of GRID, and what is his or hers
    "expansive": ("s31", "The widest movements of all"),
    "reserved": ("s30", "A mouth that hardly opens"),
    "open": ("s25", "Lips far apart, corners nearly still"),
    "rounding": ("s24", "Quick lips that round and spread far"),
    "brisk": ("s27", "Narrow, fast and precise"),
    "lip-led": ("s5", "A narrow mouth, whose lips move more than the jaw"),
    "jaw-led": ("s3", "The jaw drops with every vowel"),
    ENGLISH_MAN: ("s1", "An English man reading commands"),
}
NOTES = {
    NEUTRAL: "Captured: The middle of twenty-six people reading, from video (GRID).",
    **{
        name: f"Captured: {note}, from video (GRID, speaker {who[1:]})."
        for name, (who, note) in SPEAKERS.items()
    },
    **{name: f"Designed: {design.note}" for name, design in DESIGNS.items()},
    MANDARIN_WOMAN: "Captured: A woman speaking Mandarin, animated by artists (FACEGOOD).",
}


def lip_styles(facegood: Sequence[np.ndarray]) -> dict[str, LipStyle]:
    """Return all styles, in the order of `NOTES`.

    Args:
        facegood: lip shapes (T, 3) of FACEGOOD's takes.
    """
    people = json.loads(SPEAKERS_FILE.read_text())
    ranges = {
        who: LipRange(np.array(row["mean"]), np.array(row["spread"])) for who, row in people.items()
    }
    manners = {who: np.array(row["manner"]) for who, row in people.items() if row["manner"]}
    neutral = LipStyle(LipRange.median(list(ranges.values())), np.median(list(manners.values()), 0))
    styles = {
        name: LipStyle(ranges[who], manners[who], people[who]["sharpness"])
        for name, (who, _) in SPEAKERS.items()
    }
    styles |= {name: design.apply(neutral) for name, design in DESIGNS.items()}
    styles[NEUTRAL] = neutral
    styles[MANDARIN_WOMAN] = replace(
        neutral,
        range=LipRange.of(np.concatenate(facegood)[:, :2]),
        manner=fit_manner(facegood),
    )
    return {name: styles[name] for name in NOTES}
