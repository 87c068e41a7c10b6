"""A speaking style as the decoder takes it: a vector, and an amplitude."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from jambatalk.errors import ModelError

MAX_STRENGTH = 1.5  # of a style; beyond it faces distort

Style = str | Mapping[str, float]


class SpeakingStyle(NamedTuple):
    """What conditions the decoder.

    Attributes:
        vector: (s,), sets the decoder's norms.
        amplitude: factor of the motion, before the lips are closed where they touch.
        seed: of networks that draw at random; JambaTalk does not.
        template: (V, 3) metres, of the head that moves, for networks that predict its vertices;
            JambaTalk predicts offsets that do not depend on it.
    """

    vector: Tensor
    amplitude: float = 1.0
    seed: int = 0
    template: Tensor | None = None


def speaking_style(
    table: Tensor, names: Sequence[str], style: Style, strength: float
) -> SpeakingStyle:
    """Return a named style or a mixture of styles, at a strength.

    Strength s moves the vector from the neutral style to s times its distance. The neutral style
    has no distance: s scales its motion, and that of a mixture by the share n of the neutral style
    in it, 1 + (s - 1) n.

    Args:
        table: (styles, s), neutral first. No columns: there is one style.

    Raises:
        ModelError: an unknown name, shares that are negative or all zero, or a strength that is
            not between 0 and `MAX_STRENGTH`.
    """
    check_strength(strength)
    shares = mix_styles(style, names)
    vector = table.new_zeros(table.shape[1])
    for name, share in shares.items():
        vector = vector + share * table[names.index(name)]
    amplitude = 1.0 + (strength - 1.0) * shares.get(names[0], 0.0)
    return SpeakingStyle(torch.lerp(table[0], vector, strength), amplitude)


def mix_styles(style: Style, names: Sequence[str]) -> dict[str, float]:
    """Return the shares, which sum to one, of a named style or of a mixture of styles.

    Raises:
        ModelError: an unknown name, or shares that are negative or all zero.
    """
    if not isinstance(style, str | Mapping):
        raise ModelError(f"{style!r} is not a style.", "Give a name, or names with their shares.")
    shares = {style: 1.0} if isinstance(style, str) else dict(style)
    for name in shares:
        if name not in names:
            raise ModelError(f"There is no style '{name}'.", f"Choose from {', '.join(names)}.")
    total = sum(shares.values())
    if not (0 < total < float("inf") and min(shares.values()) >= 0):  # NaN fails too
        raise ModelError(f"The shares {shares} do not make a style.", "Use positive shares.")
    return {name: share / total for name, share in shares.items()}


def check_strength(strength: float) -> None:
    """Raise a ModelError unless a style's strength is between 0 and `MAX_STRENGTH`."""
    if not 0 <= strength <= MAX_STRENGTH:  # NaN fails too
        raise ModelError(
            f"A style cannot have the strength {strength:g}.", f"Choose 0 to {MAX_STRENGTH}."
        )
