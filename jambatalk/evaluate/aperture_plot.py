"""How far the lips are apart over time, under the waveform."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import JambaTalkError
from jambatalk.speech import SAMPLE_RATE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRUTH = "#202020"
INKS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito
SIZE = (11.0, 4.5)  # inches


def require_matplotlib() -> None:
    """Says so before any work is done if it is not installed.

    Raises:
        JambaTalkError: it is not.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise JambaTalkError(
            "Plots need matplotlib, which is not installed.",
            "Install it: pip install matplotlib, or the extra: pip install -e '.[evaluate]'",
        ) from error


def plot_openings(
    path: Path,
    title: str,
    truth: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    fps: float,
    samples: np.ndarray | None = None,
) -> Path:
    """Writes a .png, .svg or .pdf: the waveform, and under it the lips' opening in mm.

    Args:
        truth: (T,) metres. predicted: name → (T,) metres.
        samples: (n,) the speech at 16 kHz; without it there is no waveform.

    Raises:
        JambaTalkError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure  # not pyplot: no display, no state

    figure: Figure = Figure(figsize=SIZE, layout="constrained")
    shares = [1, 2] if samples is not None else [1]
    axes = figure.subplots(len(shares), 1, sharex=True, height_ratios=shares, squeeze=False)[:, 0]
    if samples is not None:
        seconds = np.arange(len(samples)) / SAMPLE_RATE
        axes[0].plot(seconds, samples, color="#808080", linewidth=0.4)
        axes[0].set_yticks([])
        axes[0].set_ylabel("speech")
    lips = axes[-1]
    lips.plot(np.arange(len(truth)) / fps, truth * 1e3, color=TRUTH, linewidth=2, label="truth")
    for number, (name, curve) in enumerate(predicted.items()):
        ink = INKS[number % len(INKS)]
        lips.plot(np.arange(len(curve)) / fps, curve * 1e3, color=ink, linewidth=1.3, label=name)
    lips.axhline(0, color="#b0b0b0", linewidth=0.6, zorder=0)
    lips.set_xlim(0, len(truth) / fps)
    lips.set_xlabel("seconds")
    lips.set_ylabel("lips apart, mm")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_title(title, loc="left", fontsize=11)
    figure.legend(loc="outside upper right", frameon=False, ncols=1 + len(predicted))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path
