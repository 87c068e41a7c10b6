"""Published weights by name: what is there, what is missing, what may be left out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from jambatalk.errors import ModelError, abbreviate

# of a normalised weight's length and direction, before PyTorch 2.1 and since
SPELLINGS = {
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}
CONSTANT_TOLERANCE = 1e-4  # of a table of sines that was saved with the weights


def respelled(name: str) -> str:
    """Return a weight's name with today's spelling of weight norm."""
    module, _, last = name.rpartition(".")
    return f"{module}.{SPELLINGS[last]}" if last in SPELLINGS else name


def fit_weights(
    published: Mapping[str, Tensor], module: nn.Module, constants: Mapping[str, Tensor], cure: str
) -> dict[str, Tensor]:
    """Return the module's weights, float32, out of published ones.

    Args:
        module: on any device, "meta" too.
        constants: name → value of what was saved with the weights but is computed here; it is
            checked and left out. Only the rows of the value are compared.
        cure: where the right weights come from.

    Raises:
        ModelError: weights are missing, unexpected or of another shape, or a constant is another;
            the message has their names as published.
    """
    expected = {name: weight.shape for name, weight in module.state_dict().items()}
    weights, unexpected, reshaped = {}, [], []
    for name, weight in published.items():
        ours = respelled(name)
        if name in constants:
            _check_constant(name, weight, constants[name], cure)
        elif ours not in expected:
            unexpected.append(name)
        else:
            shape = expected.pop(ours)
            if weight.shape != shape:
                reshaped.append(f"{name} {tuple(weight.shape)} instead of {tuple(shape)}")
            weights[ours] = weight.float()
    missing = list(expected) + [name for name in constants if name not in published]
    if missing or unexpected or reshaped:
        raise ModelError(
            f"The weights do not fit the layout: missing {abbreviate(missing)}; unexpected "
            f"{abbreviate(unexpected)}; of another shape {abbreviate(reshaped)}.",
            cure,
        )
    return weights


def _check_constant(name: str, weight: Tensor, value: Tensor, cure: str) -> None:
    if weight.is_meta:  # a shape without numbers
        return
    rows = weight[tuple(slice(n) for n in value.shape)] if weight.ndim == value.ndim else weight
    close = rows.shape == value.shape and torch.allclose(
        rows.float(), value, atol=CONSTANT_TOLERANCE
    )
    if not close:
        raise ModelError(f"'{name}' is not the table of sines that it should be.", cure)
