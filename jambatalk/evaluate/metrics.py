"""Errors of a predicted mesh in motion against the true one.

All take arrays (T, V, 3) in metres, T frames of V vertices, of the same length and frame rate, and
return SI units. p is the true position of a vertex v at frame t, q the predicted one.
"""

from __future__ import annotations

import numpy as np

SPECTRUM_SECONDS = 1.0  # length of the windows whose spectra are averaged
SPECTRUM_HZ = (0.5, 10.0)  # slower is posture, faster is noise
SILENT_POWER = 1e-12  # m²/Hz: a micrometre of movement; below it there is no spectrum to compare


def lip_vertex_error(truth: np.ndarray, predicted: np.ndarray, lips: np.ndarray) -> float:
    """LVE, m²: mean over t of max over v in `lips` of |p - q|².

    Richard, Zollhöfer, Wen, de la Torre and Sheikh, "MeshTalk", ICCV 2021; Xing et al.,
    "CodeTalker", CVPR 2023. Over several sequences it is the mean over all their frames.
    """
    return float(_squared(predicted[:, lips] - truth[:, lips]).max(1).mean())


def upper_face_dynamics_deviation(
    truth: np.ndarray, predicted: np.ndarray, template: np.ndarray, upper_face: np.ndarray
) -> float:
    """FDD, m²: mean over v in `upper_face` of std_t |p - r|² - std_t |q - r|².

    r is the vertex of `template` (V, 3), the face at rest. It has a sign: above 0 the prediction
    moves less than the truth. Xing et al., "CodeTalker", CVPR 2023. Over several sequences it is
    the mean over sequences, so that those of opposite sign cancel; look at it for each subject.
    """
    rest = template[upper_face]
    true, said = (_squared(x[:, upper_face] - rest).std(0) for x in (truth, predicted))
    return float((true - said).mean())


def mean_vertex_error(truth: np.ndarray, predicted: np.ndarray) -> float:
    """MVE, m: mean over t and all v of |p - q|."""
    return float(np.linalg.norm(predicted - truth, axis=-1).mean())


def velocity_error(
    truth: np.ndarray, predicted: np.ndarray, region: np.ndarray, fps: float
) -> float:
    """m/s: mean over t and v in `region` of |Δp - Δq|·fps, Δ from one frame to the next."""
    return _difference_error(truth, predicted, region, fps, 1)


def acceleration_error(
    truth: np.ndarray, predicted: np.ndarray, region: np.ndarray, fps: float
) -> float:
    """m/s²: mean over t and v in `region` of |Δ²p - Δ²q|·fps²."""
    return _difference_error(truth, predicted, region, fps, 2)


def frequency_error(
    truth: np.ndarray, predicted: np.ndarray, region: np.ndarray, fps: float
) -> float:
    """dB: root mean square over f of 10·log10(Q(f)/P(f)), the log-spectral distance.

    P and Q are the power spectral densities of the positions, by Welch's method (Hann windows of
    1 s, half overlapping), averaged over the vertices of `region` and the three axes; f runs from
    0.5 to 10 Hz, or to half the frame rate. A jittering prediction has too much at high f, an
    over-smooth one too little. NaN for sequences under a second or a truth that stands still.
    """
    if len(truth) < SPECTRUM_SECONDS * fps:
        return float("nan")
    from scipy.signal import welch

    powers = []
    for motion in (truth, predicted):
        hertz, power = welch(motion[:, region], fps, nperseg=round(SPECTRUM_SECONDS * fps), axis=0)
        spoken = (hertz >= SPECTRUM_HZ[0]) & (hertz <= SPECTRUM_HZ[1])
        powers.append(power[spoken].mean((1, 2)))
    if powers[0].max() < SILENT_POWER:
        return float("nan")
    decibels = 10 * np.log10((powers[1] + SILENT_POWER) / (powers[0] + SILENT_POWER))
    return float(np.sqrt(np.mean(decibels**2)))


def lip_opening(vertices: np.ndarray, pairs: np.ndarray, up: np.ndarray) -> np.ndarray:
    """How far the lips are apart, (T,) metres: mean over `pairs` of (upper - lower)·up.

    Args:
        pairs: (n, 2) vertices of the upper and of the lower lip that touch when it is closed.
        up: (3,) the unit vector from the lower to the upper lip; negative openings are lips that
            press into each other.
    """
    return (vertices[:, pairs[:, 0]] - vertices[:, pairs[:, 1]]).mean(1) @ up


def _difference_error(
    truth: np.ndarray, predicted: np.ndarray, region: np.ndarray, fps: float, order: int
) -> float:
    if len(truth) <= order:
        return float("nan")
    error = np.diff(predicted[:, region] - truth[:, region], order, axis=0)
    return float(np.linalg.norm(error, axis=-1).mean() * fps**order)


def _squared(x: np.ndarray) -> np.ndarray:
    return np.square(x, dtype=np.float64).sum(-1)
