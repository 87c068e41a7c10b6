"""Errors of a predicted mesh motion against its target.

All functions take arrays (T, V, 3) in metres of the same length and frame rate and return SI units.
In the formulas q is the predicted and p the target position of vertex v at frame t, and r the
vertex of the face at rest.
"""

from __future__ import annotations

import numpy as np

from jambatalk.evaluate.warping import warp

SPECTRUM_SECONDS = 1.0  # window of the power spectra
SPECTRUM_BAND = (0.5, 10.0)  # Hz: slower is posture, faster is noise
SILENT_POWER = 1e-12  # m²/Hz, movement of a micrometre: the least power counted


def lip_vertex_error(pred: np.ndarray, target: np.ndarray, lips: np.ndarray) -> float:
    """Compute the lip vertex error LVE in m²: mean over t of max over v in `lips` of |q - p|².

    Richard et al., "MeshTalk", ICCV 2021; Xing et al., "CodeTalker", CVPR 2023. Over several
    sequences it is the mean over all their frames.
    """
    return float(_squared_norm(pred[:, lips] - target[:, lips]).max(1).mean())


def upper_face_dynamics_deviation(
    pred: np.ndarray, target: np.ndarray, template: np.ndarray, upper_face: np.ndarray
) -> float:
    """Compute the upper-face dynamics deviation FDD in m².

    FDD = mean over v in `upper_face` of (std_t |p - r|² - std_t |q - r|²), with r of `template`
    (V, 3). It is signed: positive where the prediction moves less than the target. Xing et al.,
    "CodeTalker", CVPR 2023. Over several sequences it is the mean over sequences, in which opposite
    signs cancel.
    """
    rest = template[upper_face]
    spread = [_squared_norm(x[:, upper_face] - rest).std(0) for x in (target, pred)]
    return float((spread[0] - spread[1]).mean())


def largest_lip_error(pred: np.ndarray, target: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Compute the largest lip error of each frame, (T,) m: max over v in `lips` of |q - p|.

    Its mean over t is Lip-max: Thambiraja et al., "Imitator", ICCV 2023.
    """
    return np.sqrt(_squared_norm(pred[:, lips] - target[:, lips]).max(1))


def vertex_errors(pred: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Compute the mean vertex error MVE in m and the face vertex error FVE in m².

    MVE is the mean over t and all v of |q - p|. FVE is LVE of the whole face: mean over t of max
    over all v of |q - p|². Papers also call the former FVE; no first source of either is known.
    """
    squared = _squared_norm(pred - target)
    return float(np.sqrt(squared).mean()), float(squared.max(1).mean())


def lip_time_warping(pred: np.ndarray, target: np.ndarray, lips: np.ndarray, fps: float) -> float:
    """Compute LDTW in m, the lip error after dynamic time warping.

    LDTW is the mean over the pairs (i, j) of the best alignment of frames, see
    :func:`jambatalk.evaluate.warping.warp`, of the mean over v in `lips` of |q_i - p_j|. Time
    warping of lips as a measure: Thambiraja et al., "Imitator", ICCV 2023.
    """
    q, p = (np.ascontiguousarray(motion[:, lips]) for motion in (pred, target))
    return float(warp(q, p, lambda a, b: np.sqrt(_squared_norm(a - b)).mean(1), fps)[1].mean())


def lip_speed(vertices: np.ndarray, lips: np.ndarray, fps: float) -> float:
    """Compute the lip intensity, m/s: mean over t and v in `lips` of |Δq|·fps; NaN for one frame.

    Chae-Yeon et al., "Perceptually Accurate 3D Talking Head Generation", CVPR 2025, as the lips'
    part of SLCC.
    """
    if len(vertices) < 2:
        return float("nan")
    return float(np.sqrt(_squared_norm(np.diff(vertices[:, lips], axis=0))).mean() * fps)


def derivative_error(
    pred: np.ndarray, target: np.ndarray, region: np.ndarray, fps: float, order: int
) -> float:
    """Compute the velocity error in m/s (order 1) or the acceleration error in m/s² (order 2).

    It is the mean over t and v in `region` of |Δq - Δp|·fps, or of |Δ²q - Δ²p|·fps²; NaN for
    sequences that are too short.
    """
    if len(target) <= order:
        return float("nan")
    error = np.diff(pred[:, region] - target[:, region], order, axis=0)
    return float(np.linalg.norm(error, axis=-1).mean() * fps**order)


def frequency_error(pred: np.ndarray, target: np.ndarray, region: np.ndarray, fps: float) -> float:
    """Compute the log-spectral distance in dB: root mean square over f of 10·log10(Q(f) / P(f)).

    P and Q are the power spectral densities of the target and predicted positions by Welch's method
    (Hann windows of 1 s, half overlapping), averaged over the vertices of `region` and the three
    axes, with f from 0.5 to 10 Hz or half the frame rate. Jitter raises Q at high f,
    over-smoothing lowers it. NaN for sequences under a second and for a target without motion.
    """
    if len(target) < SPECTRUM_SECONDS * fps:
        return float("nan")
    from scipy.signal import welch

    powers = []
    for motion in (pred, target):
        hertz, power = welch(motion[:, region], fps, nperseg=round(SPECTRUM_SECONDS * fps), axis=0)
        in_band = (hertz >= SPECTRUM_BAND[0]) & (hertz <= SPECTRUM_BAND[1])
        powers.append(power[in_band].mean((1, 2)))
    if powers[1].max() < SILENT_POWER:
        return float("nan")
    decibels = 10 * np.log10((powers[0] + SILENT_POWER) / (powers[1] + SILENT_POWER))
    return float(np.sqrt(np.mean(decibels**2)))


def lip_aperture(vertices: np.ndarray, pairs: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Compute the lip aperture, (T,) metres: mean over `pairs` of (upper - lower)·up.

    Args:
        vertices: (T, V, 3).
        pairs: (n, 2), a vertex of the upper and one of the lower lip that touch in a closed mouth.
        up: (3,) unit vector from the lower to the upper lip. The aperture is negative where the
            lips overlap.
    """
    return (vertices[:, pairs[:, 0]] - vertices[:, pairs[:, 1]]).mean(1) @ up


def _squared_norm(x: np.ndarray) -> np.ndarray:
    """Compute |x|² over the last axis, in float64 without a copy of x in it."""
    total = np.square(x[..., 0], dtype=np.float64)
    for axis in range(1, x.shape[-1]):
        total += np.square(x[..., axis], dtype=np.float64)
    return total
