"""Plots of lip apertures over time below the waveform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import NotInstalledError
from jambatalk.speech import SAMPLE_RATE

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

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


@dataclass(frozen=True, eq=False)
class ApertureCurves:
    """The lip apertures of a sequence.

    Attributes:
        sequence: its name.
        predictions: name → aperture (T,) in metres.
        target: (T,) metres.
        fps: frames a second.
        samples: (n,) speech at 16 kHz; None for no waveform.
    """

    sequence: str
    predictions: Mapping[str, np.ndarray]
    target: np.ndarray
    fps: float
    samples: np.ndarray | None = None


def plot_apertures(path: Path, sequences: Sequence[ApertureCurves]) -> Path:
    """Plot lip apertures in mm, and above them the waveform, as .png, .svg or .pdf.

    Args:
        sequences: one below the other, of the same predictions.

    Raises:
        NotInstalledError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure  # not pyplot, which needs a display

    figure = Figure(figsize=(SIZE[0], SIZE[1] * len(sequences)), layout="constrained")
    rows = figure.subfigures(len(sequences), 1, squeeze=False)[:, 0]
    for row, curves in zip(rows, sequences, strict=True):
        _draw(row, curves)
    handles, labels = rows[0].axes[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", frameon=False, ncols=len(labels))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path


def _draw(figure: SubFigure, curves: ApertureCurves) -> None:
    samples, fps = curves.samples, curves.fps
    heights = [1, 2] if samples is not None else [1]
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    if samples is not None:
        seconds = np.arange(len(samples)) / SAMPLE_RATE
        axes[0].plot(seconds, samples, color="#808080", linewidth=0.4)
        axes[0].set_yticks([])
        axes[0].set_ylabel("speech")
    lips = axes[-1]
    lines = {"target": (curves.target, TARGET_COLOR, 2.0)}
    for number, (name, aperture) in enumerate(curves.predictions.items()):
        lines[name] = (aperture, COLORS[number % len(COLORS)], 1.3)
    for name, (aperture, color, width) in lines.items():
        seconds = np.arange(len(aperture)) / fps
        lips.plot(seconds, aperture * 1e3, color=color, linewidth=width, label=name)
    lips.axhline(0, color="#b0b0b0", linewidth=0.6, zorder=0)
    lips.set(xlim=(0, len(curves.target) / fps), xlabel="seconds", ylabel="lip aperture, mm")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_title(curves.sequence, loc="left", fontsize=11)
