"""Plots of lip apertures over time below the waveform."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from jambatalk.errors import NotInstalledError
from jambatalk.speech import SAMPLE_RATE

TARGET_COLOR = "#202020"
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito
SIZE = (11.0, 4.5)  # inches


def require_matplotlib() -> None:
    """Raise a NotInstalledError unless matplotlib is installed."""
    if find_spec("matplotlib") is None:
        raise NotInstalledError(
            "Plots need matplotlib, which is not installed.",
            "Install it: pip install 'jambatalk[evaluate]'.",
        )


def plot_apertures(
    path: Path,
    title: str,
    predictions: Mapping[str, np.ndarray],
    target: np.ndarray,
    fps: float,
    samples: np.ndarray | None = None,
) -> Path:
    """Plot lip apertures in mm, and above them the waveform, as .png, .svg or .pdf.

    Args:
        predictions: name → aperture (T,) in metres.
        target: (T,) metres.
        samples: (n,) speech at 16 kHz; None for no waveform.

    Raises:
        NotInstalledError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure  # not pyplot, which needs a display

    figure = Figure(figsize=SIZE, layout="constrained")
    heights = [1, 2] if samples is not None else [1]
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    if samples is not None:
        seconds = np.arange(len(samples)) / SAMPLE_RATE
        axes[0].plot(seconds, samples, color="#808080", linewidth=0.4)
        axes[0].set_yticks([])
        axes[0].set_ylabel("speech")
    lips, seconds = axes[-1], np.arange(len(target)) / fps
    lips.plot(seconds, target * 1e3, color=TARGET_COLOR, linewidth=2, label="target")
    for number, (name, aperture) in enumerate(predictions.items()):
        color = COLORS[number % len(COLORS)]
        lips.plot(
            np.arange(len(aperture)) / fps, aperture * 1e3, color=color, linewidth=1.3, label=name
        )
    lips.axhline(0, color="#b0b0b0", linewidth=0.6, zorder=0)
    lips.set(xlim=(0, len(target) / fps), xlabel="seconds", ylabel="lip aperture, mm")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_title(title, loc="left", fontsize=11)
    figure.legend(loc="outside upper right", frameon=False, ncols=1 + len(predictions))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path
