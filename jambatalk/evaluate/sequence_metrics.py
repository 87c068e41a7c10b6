"""The metrics that `jambatalk evaluate` reports, and their values for one sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jambatalk.evaluate import curve_metrics, metrics
from jambatalk.evaluate.mesh_regions import MeshRegions


@dataclass(frozen=True)
class Metric:
    """A reported metric.

    Attributes:
        key: name in JSON and CSV.
        title: name in tables.
        unit: of the reported value.
        digits: decimals in tables.
        best: "low", "high", "zero" for signed metrics, or "" for values to compare only.
        by_frame: whether sequences are weighted by their frames, or equally.
        formula: its definition in words.
    """

    key: str
    title: str
    unit: str
    digits: int
    best: str
    by_frame: bool
    formula: str


# fmt: off
METRICS = (
    #      key, title, unit, digits, best, by_frame
    Metric("lve", "LVE", "mm²", 3, "low", True,
           "mean over frames of the largest squared distance among the lip vertices"),
    Metric("fdd", "FDD", "mm²", 4, "zero", False,
           "mean over upper-face vertices of the standard deviation over time of the squared "
           "distance from the template, target minus prediction"),
    Metric("mve", "MVE", "mm", 3, "low", True,
           "mean over frames and all vertices of the distance"),
    Metric("velocity", "velocity error", "mm/s", 2, "low", True,
           "mean over frames and lip vertices of the length of the velocities' difference"),
    Metric("acceleration", "acceleration error", "m/s²", 3, "low", True,
           "mean over frames and lip vertices of the length of the accelerations' difference"),
    Metric("frequency", "frequency error", "dB", 2, "low", False,
           "root mean square over 0.5 to 10 Hz of the difference of the lip vertices' power "
           "spectra, Welch's method, windows of 1 s"),
    Metric("aperture_r", "lip aperture, r", "", 3, "high", False,
           "Pearson's correlation of the lip apertures over time"),
    Metric("aperture_lag", "lip aperture, best lag", "ms", 0, "zero", False,
           "shift within ±150 ms at which that correlation is greatest; positive for a late "
           "prediction"),
    Metric("aperture_error", "lip aperture, error", "mm", 2, "low", True,
           "mean over frames of the absolute difference of the lip apertures"),
    Metric("aperture_sd", "lip aperture, sd ratio", "", 3, "", False,
           "standard deviation of the predicted lip aperture over that of the target; 1 is ideal"),
    Metric("closed_target", "lips closed, target", "%", 1, "", True,
           "frames in which the target aperture is at most a tenth of its 95th percentile"),
    Metric("closed", "lips closed", "%", 1, "", True,
           "the same of the predicted aperture, with the same threshold"),
    Metric("closure_recall", "closure recall", "%", 1, "high", False,
           "target closures (runs of closed frames) within which the prediction closes, ±40 ms"),
    Metric("closure_precision", "closure precision", "%", 1, "high", False,
           "predicted closures within which the target closes, ±40 ms"),
    Metric("loudness_r", "aperture and loudness, r", "", 3, "high", False,
           "greatest correlation of the predicted lip aperture with the speech level in dB, within "
           "±150 ms"),
    Metric("loudness_lag", "aperture and loudness, lag", "ms", 0, "zero", False,
           "shift of that correlation; positive where the lips are late"),
    Metric("beat", "beat alignment", "", 3, "high", False,
           "mean over onsets of opening lips of exp(-d²/(2·0.1²)), d seconds to the nearest onset "
           "of loudness"),
    Metric("beat_target", "beat alignment, target", "", 3, "", False,
           "the same of the target"),
)
# fmt: on


def evaluate_sequence(
    pred: np.ndarray,
    target: np.ndarray,
    template: np.ndarray | None,
    regions: MeshRegions,
    fps: float,
    samples: np.ndarray | None = None,
) -> dict[str, float]:
    """Evaluate one sequence: key of :data:`METRICS` → value in its unit.

    FDD is left out without `template` or upper face, and what depends on the speech without
    `samples`. Values that are undefined for the sequence, such as closures where there are none,
    are NaN.

    Args:
        pred: (T, V, 3) metres.
        target: (T, V, 3) metres.
        template: (V, 3) metres, the face at rest.
        samples: (n,) speech at 16 kHz.
    """
    lips = regions.lips
    values = {
        "lve": metrics.lip_vertex_error(pred, target, lips) * 1e6,
        "mve": metrics.mean_vertex_error(pred, target) * 1e3,
        "velocity": metrics.derivative_error(pred, target, lips, fps, 1) * 1e3,
        "acceleration": metrics.derivative_error(pred, target, lips, fps, 2),
        "frequency": metrics.frequency_error(pred, target, lips, fps),
    }
    if template is not None and regions.upper_face is not None:
        values["fdd"] = 1e6 * metrics.upper_face_dynamics_deviation(
            pred, target, template, regions.upper_face
        )
    pred_aperture, target_aperture = lip_apertures(pred, target, template, regions)
    closures = curve_metrics.closure_scores(pred_aperture, target_aperture, fps)
    spread = target_aperture.std()
    values |= {
        "aperture_r": curve_metrics.correlation(pred_aperture, target_aperture),
        "aperture_lag": curve_metrics.best_lag(pred_aperture, target_aperture, fps)[0] * 1e3,
        "aperture_error": float(np.abs(pred_aperture - target_aperture).mean()) * 1e3,
        "aperture_sd": float(pred_aperture.std() / spread) if spread > 1e-9 else float("nan"),
        "closed_target": closures.target_closed * 100,
        "closed": closures.pred_closed * 100,
        "closure_recall": closures.recall * 100,
        "closure_precision": closures.precision * 100,
    }
    if samples is not None:
        level = curve_metrics.loudness(samples, fps, len(pred_aperture))
        lag, r = curve_metrics.best_lag(pred_aperture, level, fps)
        pred_onsets, target_onsets, sound_onsets = (
            curve_metrics.onsets(curve, fps) for curve in (pred_aperture, target_aperture, level)
        )
        values |= {
            "loudness_r": r,
            "loudness_lag": lag * 1e3,
            "beat": curve_metrics.beat_alignment(pred_onsets, sound_onsets),
            "beat_target": curve_metrics.beat_alignment(target_onsets, sound_onsets),
        }
    return {metric.key: values[metric.key] for metric in METRICS if metric.key in values}


def lip_apertures(
    pred: np.ndarray, target: np.ndarray, template: np.ndarray | None, regions: MeshRegions
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the predicted and the target lip aperture, (T,) metres each, 0 at rest.

    Without a template, 0 is the 1st percentile of the target aperture.
    """
    apertures = [metrics.lip_aperture(x, regions.pairs, regions.up) for x in (pred, target)]
    if template is None:
        zero = np.percentile(apertures[1], 1)
    else:
        zero = metrics.lip_aperture(template[None], regions.pairs, regions.up)[0]
    return apertures[0] - zero, apertures[1] - zero
