"""The metrics that `jambatalk evaluate` reports, and their values for one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jambatalk.evaluate import curve_metrics, metrics
from jambatalk.evaluate.mesh_regions import MeshRegions
from jambatalk.evaluate.phone_classes import class_errors
from jambatalk.evaluate.spoken_words import SpokenWords, mesh_curves, names_words
from jambatalk.model.phones import TimedPhone


@dataclass(frozen=True)
class Metric:
    """A reported metric.

    Attributes:
        key: name in JSON and CSV.
        title: name in tables.
        unit: of the reported value.
        digits: decimals in tables.
        best: "low", "high", "zero" for signed metrics, or "" for values to compare only.
        over: what is averaged: all frames, sequences, or nothing: the coefficient of correlation of
            two other metrics over sequences, or a property of the whole network.
        formula: its definition in words.
        of: keys of the two correlated metrics.
    """

    key: str
    title: str
    unit: str
    digits: int
    best: str
    over: Literal["frames", "sequences", "correlation", "network"]
    formula: str
    of: tuple[str, ...] = ()


# fmt: off
METRICS = (
    #      key, title, unit, digits, best, over
    Metric("lve", "LVE", "mm²", 3, "low", "frames",
           "mean over frames of the largest squared distance among the lip vertices"),
    Metric("fdd", "FDD", "mm²", 4, "zero", "sequences",
           "mean over upper-face vertices of the standard deviation over time of the squared "
           "distance from the template, target minus prediction"),
    Metric("lip_max", "Lip-max", "mm", 3, "low", "frames",
           "mean over frames of the largest distance among the lip vertices"),
    Metric("fve", "FVE", "mm²", 3, "low", "frames",
           "mean over frames of the largest squared distance among all vertices"),
    Metric("mve", "MVE", "mm", 3, "low", "frames",
           "mean over frames and all vertices of the distance"),
    Metric("ldtw", "LDTW", "mm", 3, "low", "sequences",
           "mean distance of the lip vertices after dynamic time warping within ±0.5 s"),
    Metric("velocity", "velocity error", "mm/s", 2, "low", "frames",
           "mean over frames and lip vertices of the length of the velocities' difference"),
    Metric("acceleration", "acceleration error", "m/s²", 3, "low", "frames",
           "mean over frames and lip vertices of the length of the accelerations' difference"),
    Metric("frequency", "frequency error", "dB", 2, "low", "sequences",
           "root mean square over 0.5 to 10 Hz of the difference of the lip vertices' power "
           "spectra, Welch's method, windows of 1 s"),
    Metric("aperture_r", "lip aperture, r", "", 3, "high", "sequences",
           "Pearson's correlation of the lip apertures over time"),
    Metric("aperture_ccc", "lip aperture, CCC", "", 3, "high", "sequences",
           "Lin's concordance of the lip apertures, which also counts amplitude and mean"),
    Metric("aperture_lag", "lip aperture, best lag", "ms", 0, "zero", "sequences",
           "shift within ±150 ms at which that correlation is greatest; positive for a late "
           "prediction"),
    Metric("mtm", "MTM", "ms", 1, "low", "sequences",
           "mean distance in time of corresponding extrema of the speed of opening, by derivative "
           "dynamic time warping of the lip apertures"),
    Metric("mod", "MOD", "mm", 2, "low", "frames",
           "mouth-opening difference: mean over frames of the absolute difference of the lip "
           "apertures"),
    Metric("aperture_sd", "lip aperture, sd ratio", "", 3, "", "sequences",
           "standard deviation of the predicted lip aperture over that of the target; 1 is ideal"),
    Metric("closed_target", "lips closed, target", "%", 1, "", "frames",
           "frames in which the target aperture is at most a tenth of its 95th percentile"),
    Metric("closed", "lips closed", "%", 1, "", "frames",
           "the same of the predicted aperture, with the same threshold"),
    Metric("closure_recall", "closure recall", "%", 1, "high", "sequences",
           "target closures (runs of closed frames) within which the prediction closes, ±40 ms"),
    Metric("closure_precision", "closure precision", "%", 1, "high", "sequences",
           "predicted closures within which the target closes, ±40 ms"),
    Metric("loudness_r", "aperture and loudness, r", "", 3, "high", "sequences",
           "greatest correlation of the predicted lip aperture with the speech level in dB, within "
           "±150 ms"),
    Metric("loudness_lag", "aperture and loudness, lag", "ms", 0, "zero", "sequences",
           "shift of that correlation; positive where the lips are late"),
    Metric("beat", "BA, beat alignment", "", 3, "high", "sequences",
           "mean over onsets of opening lips of exp(-d²/(2·0.1²)), d seconds to the nearest onset "
           "of loudness"),
    Metric("beat_target", "BA, beat alignment, target", "", 3, "", "sequences",
           "the same of the target"),
    Metric("speech_rms", "speech, RMS", "", 4, "", "sequences",
           "root mean square of the recording, whose full scale is 1"),
    Metric("lip_speed_target", "lip speed, target", "mm/s", 2, "", "sequences",
           "mean over frames and lip vertices of the target's speed"),
    Metric("lip_speed", "lip speed", "mm/s", 2, "", "sequences",
           "the same of the prediction"),
    Metric("slcc", "SLCC", "", 3, "", "correlation",
           "speech-lip intensity correlation: Pearson's r over sequences of the speech's RMS and "
           "the lip speed, both less the mean and over the standard deviation of their subject; "
           "that of the target is ideal", ("speech_rms", "lip_speed")),
    Metric("slcc_target", "SLCC, target", "", 3, "", "correlation",
           "the same of the target", ("speech_rms", "lip_speed_target")),
    Metric("bilabial", "Lip-max in P, B, M", "mm", 3, "low", "sequences",
           "Lip-max over the frames within these phones"),
    Metric("labiodental", "Lip-max in F, V", "mm", 3, "low", "sequences",
           "the same of labiodental phones"),
    Metric("rounded", "Lip-max in UW, UH, OW, W, AO", "mm", 3, "low", "sequences",
           "the same of rounded phones"),
    Metric("open", "Lip-max in AA, AE, AW, AY", "mm", 3, "low", "sequences",
           "the same of open phones"),
    Metric("words", "words read from the lips", "%", 1, "high", "sequences",
           "words of GRID's sentences that our lip reader names from the motion of the lips"),
    Metric("words_target", "words read from the lips, target", "%", 1, "", "sequences",
           "the same of the target: what the reader can read at best"),
    Metric("lse_d", "LSE-D", "", 3, "low", "sequences",
           "SyncNet's distance of the rendered head and the sound, the least mean within ±15 "
           "frames"),
    Metric("lse_d_target", "LSE-D, target", "", 3, "", "sequences", "the same of the target"),
    Metric("lse_c", "LSE-C", "", 3, "high", "sequences",
           "SyncNet's confidence: the median of these distances less the least"),
    Metric("lse_c_target", "LSE-C, target", "", 3, "", "sequences", "the same of the target"),
    Metric("sync_offset", "SyncNet's offset", "ms", 0, "zero", "sequences",
           "where that distance is least; positive for late lips"),
    Metric("sync_offset_target", "SyncNet's offset, target", "ms", 0, "", "sequences",
           "the same of the target"),
    Metric("plrs", "PLRS", "", 3, "high", "sequences",
           "perceptual lip readability score: mean cosine of the brought encoders' vectors of "
           "speech and mesh"),
    Metric("plrs_target", "PLRS, target", "", 3, "", "sequences", "the same of the target"),
    Metric("coverage", "coverage error", "mm", 3, "low", "sequences",
           "mean distance of the lip vertices to the target, of the nearest of all predictions for "
           "the sequence"),
    Metric("style_diversity", "diversity across styles", "mm", 3, "", "sequences",
           "mean distance of the lip vertices between two predictions in different styles"),
    Metric("seed_diversity", "diversity across seeds", "mm", 3, "", "sequences",
           "the same between two predictions of different seeds"),
    Metric("rtf", "real-time factor", "", 3, "low", "network",
           "seconds from speech to vertices for a second of speech"),
    Metric("peak_memory", "peak memory", "MB", 0, "low", "network",
           "largest resident memory of a process that does nothing else; on a GPU, of its memory"),
    Metric("parameters", "parameters", "M", 2, "", "network",
           "of all parts that are loaded for prediction"),
)
# fmt: on


def evaluate_sequence(
    pred: np.ndarray,
    target: np.ndarray,
    template: np.ndarray | None,
    regions: MeshRegions,
    fps: float,
    samples: np.ndarray | None = None,
    phones: Sequence[TimedPhone] = (),
    spoken: SpokenWords | None = None,
) -> dict[str, float]:
    """Evaluate one prediction of one sequence: key of :data:`METRICS` → value in its unit.

    FDD is left out without `template` or upper face, what depends on the speech without `samples`,
    classes of phones without `phones`, and lip reading without `spoken`. Values that are undefined
    for the sequence, such as closures where there are none, are NaN.

    Args:
        pred: (T, V, 3) metres.
        target: (T, V, 3) metres.
        template: (V, 3) metres, the face at rest.
        samples: (n,) speech at 16 kHz.
        phones: those of the speech.
        spoken: the words of a sentence of GRID.
    """
    lips = regions.lips
    largest = metrics.largest_lip_error(pred, target, lips)
    mean_error, face_error = metrics.vertex_errors(pred, target)
    values = {
        "lve": metrics.lip_vertex_error(pred, target, lips) * 1e6,
        "lip_max": float(largest.mean()) * 1e3,
        "fve": face_error * 1e6,
        "mve": mean_error * 1e3,
        "ldtw": metrics.lip_time_warping(pred, target, lips, fps) * 1e3,
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
        "aperture_ccc": curve_metrics.concordance(pred_aperture, target_aperture),
        "mtm": curve_metrics.temporal_misalignment(pred_aperture, target_aperture, fps) * 1e3,
        "aperture_lag": curve_metrics.best_lag(pred_aperture, target_aperture, fps)[0] * 1e3,
        "mod": float(np.abs(pred_aperture - target_aperture).mean()) * 1e3,
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
            "speech_rms": float(np.sqrt(np.square(samples, dtype=np.float64).mean())),
            "lip_speed_target": metrics.lip_speed(target, lips, fps) * 1e3,
            "lip_speed": metrics.lip_speed(pred, lips, fps) * 1e3,
        }
    if phones:
        values |= {name: x * 1e3 for name, x in class_errors(largest, phones, fps).items()}
    if spoken is not None:
        from jambatalk.evaluate.lip_reader import load_reader  # torch takes seconds

        for name, motion in (("words", pred), ("words_target", target)):
            named = names_words(load_reader(), mesh_curves(motion, regions), fps, spoken)
            values[name] = float(named.mean()) * 100
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
