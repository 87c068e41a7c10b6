"""Metrics against values computed by hand."""

import math

import numpy as np
import pytest

from jambatalk.evaluate import curve_metrics, metrics
from jambatalk.evaluate.report import bootstrap_mean

FPS = 25.0


def zeros(frames: int = 4, vertices: int = 3) -> np.ndarray:
    return np.zeros((frames, vertices, 3), np.float32)


def test_lve_averages_the_largest_squared_lip_distance():
    pred, target = zeros(2), zeros(2)
    pred[0, 0] = (0.003, 0.004, 0)  # 5 mm: 25 mm²
    pred[0, 1] = (0.001, 0, 0)
    pred[1, 1] = (0, 0, -0.002)  # 2 mm: 4 mm²
    pred[1, 2] = (1, 1, 1)  # not a lip vertex
    lve = metrics.lip_vertex_error(pred, target, np.array([0, 1]))
    assert lve == pytest.approx((25 + 4) / 2 * 1e-6)


def test_fdd_is_the_difference_of_standard_deviations():
    template = np.array([[0.1, 0, 0], [0, 0.1, 0], [5, 5, 5]])
    pred, target = (np.tile(template, (2, 1, 1)) for _ in range(2))
    target[1, 0, 2] += 0.004  # squared distances 0 and 16 mm²: standard deviation 8
    pred[1, 0, 2] += 0.002  # 0 and 4: 2
    pred[0, 1, 0] -= 0.006  # 36 and 0: 18, where the target does not move
    pred[:, 2] = 7  # not in the upper face
    upper_face = np.array([0, 1])
    fdd = metrics.upper_face_dynamics_deviation(pred, target, template, upper_face)
    assert fdd == pytest.approx(((8 - 2) + (0 - 18)) / 2 * 1e-6)
    assert metrics.upper_face_dynamics_deviation(target, target, template, upper_face) == 0


def test_mve_is_the_mean_distance():
    pred = zeros(2, 2)
    pred[0, 0] = (0.003, 0, 0.004)
    pred[1, 1] = (0, 0.001, 0)
    assert metrics.mean_vertex_error(pred, zeros(2, 2)) == pytest.approx(0.006 / 4)


def test_velocity_and_acceleration_errors_are_per_second():
    pred, region = zeros(4, 2), np.array([1])
    pred[:, 1, 0] = (0, 0.001, 0.002, 0.003)  # constant velocity, 25 mm/s
    assert metrics.derivative_error(pred, zeros(4, 2), region, FPS, 1) == pytest.approx(0.025)
    assert metrics.derivative_error(pred, zeros(4, 2), region, FPS, 2) < 1e-6
    pred[:, 1, 0] = (0, 0.001, 0, 0.001)  # back and forth: second differences of 2 mm
    acceleration = metrics.derivative_error(pred, zeros(4, 2), region, FPS, 2)
    assert acceleration == pytest.approx(0.002 * 25**2)
    assert math.isnan(metrics.derivative_error(zeros(2), zeros(2), region, FPS, 2))


def test_frequency_error_is_in_decibels():
    rng, region = np.random.default_rng(0), np.arange(3)
    target = rng.normal(0, 0.01, (200, 3, 3))
    assert metrics.frequency_error(target + 0.5, target, region, FPS) == pytest.approx(0, abs=1e-6)
    halved = metrics.frequency_error(target / 2, target, region, FPS)
    assert halved == pytest.approx(20 * np.log10(2), abs=0.01)  # a quarter of the power
    smooth = (target[:-1] + target[1:]) / 2
    assert metrics.frequency_error(smooth, target[1:], region, FPS) > 2
    assert math.isnan(metrics.frequency_error(target[:20], target[:20], region, FPS))


def test_lip_aperture_is_measured_along_up():
    vertices = zeros(2)
    vertices[1, 0], vertices[1, 1] = (0, 0.004, 0.003), (0, -0.002, 0)
    aperture = metrics.lip_aperture(vertices, np.array([[0, 1]]), np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(aperture, [0, 0.006], atol=1e-9)


def test_best_lag_is_positive_for_late_predictions():
    times = np.arange(100) / FPS
    target, late = np.sin(7 * times), np.sin(7 * (times - 0.08))
    lag, r = curve_metrics.best_lag(late, target, FPS)
    assert lag == pytest.approx(0.08, abs=0.011)
    assert r > 0.999
    assert curve_metrics.best_lag(target, late, FPS)[0] == pytest.approx(-0.08, abs=0.011)
    assert math.isnan(curve_metrics.best_lag(late[:10], target[:10], FPS)[0])


def test_closures_are_relative_to_the_target_aperture():
    target = np.array([1.0, 0, 0, 1, 1, 1, 1, 0, 1, 1])  # two closures; the 95th percentile is 1
    pred = np.array([0.5, 0.5, 0.05, 0.5, 0.05, 0.5, 0.5, 0.5, 0.5, 0.5])
    scores = curve_metrics.closure_scores(pred, target, FPS)
    assert scores.target_closed == pytest.approx(0.3)
    assert scores.pred_closed == pytest.approx(0.2)
    assert scores.recall == 0.5  # the first, not the second
    assert scores.precision == 0.5  # frame 4 is two frames, 80 ms, from the first closure
    same = curve_metrics.closure_scores(target, target, FPS)
    assert (same.recall, same.precision) == (1, 1)
    assert math.isnan(curve_metrics.closure_scores(pred, target + 1, FPS).recall)


def test_loudness_is_in_decibels_below_the_maximum():
    samples = np.concatenate([np.full(8000, 0.5), np.full(8000, 0.05), np.zeros(8000)])
    level = curve_metrics.loudness(samples, FPS, 37)
    assert level[6] == pytest.approx(0, abs=1e-6)
    assert level[18] == pytest.approx(-20, abs=1e-6)
    assert level[31] == -60


def test_onsets_are_where_a_curve_rises():
    times = np.arange(75) / FPS
    aperture = np.clip(np.sin(2 * np.pi * times), 0, None)  # opens at 0, 1 and 2 s
    onsets = curve_metrics.onsets(aperture, FPS)
    np.testing.assert_allclose(onsets, [0.02, 1.02, 2.02], atol=0.021)
    assert curve_metrics.beat_alignment(onsets, onsets) == 1
    late = curve_metrics.beat_alignment(onsets, onsets + 0.1)
    assert late == pytest.approx(math.exp(-0.5), abs=1e-6)
    assert not len(curve_metrics.onsets(np.zeros(50), FPS))
    assert math.isnan(curve_metrics.beat_alignment(onsets, np.empty(0)))


def test_bootstrap_weights_values_and_leaves_out_nan():
    values, frames = np.array([1.0, 4.0, np.nan]), np.array([300.0, 100.0, 50.0])
    estimate = bootstrap_mean(values, frames)
    assert estimate.mean == pytest.approx(1.75)
    assert estimate == bootstrap_mean(values, frames)
    assert (estimate.low, estimate.high) == (1, 4)
    assert bootstrap_mean(values[:1], frames[:1]) == (1, 1, 1)
    assert math.isnan(bootstrap_mean(np.array([np.nan]), np.ones(1)).mean)


def test_bootstrap_interval_is_that_of_the_normal_approximation():
    values = np.random.default_rng(0).normal(5, 1, 100)
    _, low, high = bootstrap_mean(values, np.ones(100))
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 10, rel=0.1)
