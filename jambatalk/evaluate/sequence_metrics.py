"""The measures of `jambatalk evaluate`, and what they give for one sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jambatalk.evaluate import curve_metrics, metrics
from jambatalk.evaluate.mesh_regions import Regions


@dataclass(frozen=True)
class Measure:
    """What is reported.

    Attributes:
        key: in JSON and CSV.
        title: for people.
        unit: as reported. digits: behind the point, as shown in tables.
        best: "low", "high", or "zero" for those with a sign.
        region: which of :class:`Regions` it looks at; "" for all vertices.
        by_frame: whether sequences count by their frames, or all alike.
        formula: in words.
    """

    key: str
    title: str
    unit: str
    digits: int
    best: str
    region: str
    by_frame: bool
    formula: str


MEASURES = (
    Measure(
        *("lve", "LVE", "mm²", 3, "low", "lips", True),
        "mean over frames of the largest squared distance among the lip vertices",
    ),
    Measure(
        *("fdd", "FDD", "mm²", 4, "zero", "upper_face", False),
        "mean over upper-face vertices of the standard deviation over time of the squared distance "
        "from the template, truth minus prediction",
    ),
    Measure(
        *("mve", "MVE", "mm", 3, "low", "", True),
        "mean over frames and all vertices of the distance",
    ),
    Measure(
        *("velocity", "velocity error", "mm/s", 2, "low", "lips", True),
        "mean over frames and lip vertices of the length of the velocities' difference",
    ),
    Measure(
        *("acceleration", "acceleration error", "m/s²", 3, "low", "lips", True),
        "mean over frames and lip vertices of the length of the accelerations' difference",
    ),
    Measure(
        *("frequency", "frequency error", "dB", 2, "low", "lips", False),
        "root mean square over 0.5 to 10 Hz of the difference of the lip vertices' power spectra, "
        "Welch's method, windows of 1 s",
    ),
    Measure(
        *("opening_r", "lip opening, r", "", 3, "high", "opening", False),
        "Pearson's correlation of the lips' opening over time",
    ),
    Measure(
        *("opening_lag", "lip opening, best lag", "ms", 0, "zero", "opening", False),
        "the shift within ±150 ms at which that correlation is greatest; above 0 the prediction is "
        "late",
    ),
    Measure(
        *("opening_error", "lip opening, error", "mm", 2, "low", "opening", True),
        "mean over frames of the absolute difference of the lips' openings",
    ),
    Measure(
        *("opening_sd", "lip opening, sd ratio", "", 3, "", "opening", False),
        "standard deviation of the predicted opening over that of the true one; 1 is right",
    ),
    Measure(
        *("closed_true", "lips closed, truth", "%", 1, "", "opening", True),
        "part of the frames in which the true opening is at most a tenth of its 95th percentile",
    ),
    Measure(
        *("closed", "lips closed", "%", 1, "", "opening", True),
        "the same of the predicted opening, by the same threshold",
    ),
    Measure(
        *("closures_reached", "closures reached", "%", 1, "high", "opening", False),
        "part of the true closures (runs of closed frames) inside which the prediction closes too, "
        "give or take 40 ms",
    ),
    Measure(
        *("closures_justified", "closures justified", "%", 1, "high", "opening", False),
        "part of the predicted closures inside which the truth closes too",
    ),
    Measure(
        *("loudness_r", "opening and loudness, r", "", 3, "high", "opening", False),
        "greatest correlation of the predicted opening with the speech's level in dB, the opening "
        "up to 150 ms early or late",
    ),
    Measure(
        *("loudness_lag", "opening and loudness, lag", "ms", 0, "zero", "opening", False),
        "the shift at which it is reached; above 0 the opening is late",
    ),
    Measure(
        *("beat", "beat alignment", "", 3, "high", "opening", False),
        "mean over onsets of opening of exp(-d²/(2·0.1²)), d seconds to the nearest onset of "
        "loudness",
    ),
    Measure(
        *("beat_true", "beat alignment, truth", "", 3, "", "opening", False),
        "the same of the true motion: what a prediction should come near",
    ),
)


def measure(
    truth: np.ndarray,
    predicted: np.ndarray,
    rest: np.ndarray | None,
    regions: Regions,
    fps: float,
    samples: np.ndarray | None = None,
) -> dict[str, float]:
    """Measures one sequence: key of :data:`MEASURES` → value in its unit.

    What cannot be measured is left out: FDD without `rest` or without an upper face, what needs the
    speech without `samples`. A value that is undefined for this sequence (a closure where none is)
    is nan.

    Args:
        truth, predicted: (T, V, 3) metres.
        rest: (V, 3) metres, the template.
        samples: (n,) the speech at 16 kHz.
    """
    lips = regions.lips
    values = {
        "lve": metrics.lip_vertex_error(truth, predicted, lips) * 1e6,
        "mve": metrics.mean_vertex_error(truth, predicted) * 1e3,
        "velocity": metrics.velocity_error(truth, predicted, lips, fps) * 1e3,
        "acceleration": metrics.acceleration_error(truth, predicted, lips, fps),
        "frequency": metrics.frequency_error(truth, predicted, lips, fps),
    }
    if rest is not None and regions.upper_face is not None:
        values["fdd"] = 1e6 * metrics.upper_face_dynamics_deviation(
            truth, predicted, rest, regions.upper_face
        )
    true, said = openings(truth, predicted, rest, regions)
    closures = curve_metrics.closures(true, said, fps)
    values |= {
        "opening_r": curve_metrics.correlation(true, said),
        "opening_lag": curve_metrics.best_lag(true, said, fps)[0] * 1e3,
        "opening_error": float(np.abs(true - said).mean()) * 1e3,
        "opening_sd": float(said.std() / true.std()) if true.std() > 1e-9 else float("nan"),
        "closed_true": closures.true * 100,
        "closed": closures.predicted * 100,
        "closures_reached": closures.reached * 100,
        "closures_justified": closures.justified * 100,
    }
    if samples is not None:
        level = curve_metrics.loudness(samples, fps, len(said))
        lag, r = curve_metrics.best_lag(level, said, fps)
        sound = curve_metrics.beats(level, fps)
        values |= {
            "loudness_r": r,
            "loudness_lag": lag * 1e3,
            "beat": curve_metrics.beat_alignment(curve_metrics.beats(said, fps), sound),
            "beat_true": curve_metrics.beat_alignment(curve_metrics.beats(true, fps), sound),
        }
    return {m.key: values[m.key] for m in MEASURES if m.key in values}


def openings(
    truth: np.ndarray, predicted: np.ndarray, rest: np.ndarray | None, regions: Regions
) -> tuple[np.ndarray, np.ndarray]:
    """How far the true and the predicted lips are apart, (T,) metres each, 0 as at rest.

    Without a face at rest, 0 is the 1st percentile of the true opening.
    """
    true, said = (metrics.lip_opening(x, regions.pairs, regions.up) for x in (truth, predicted))
    if rest is None:
        zero = np.percentile(true, 1)
    else:
        zero = metrics.lip_opening(rest[None], regions.pairs, regions.up)[0]
    return true - zero, said - zero
