"""Measures against values computed by hand."""

import math

import numpy as np
import pytest

from jambatalk.evaluate import curve_metrics, metrics
from jambatalk.evaluate.report import bootstrap

FPS = 25.0


def still(frames: int = 4, vertices: int = 3) -> np.ndarray:
    return np.zeros((frames, vertices, 3), np.float32)


def test_lve_is_the_worst_lip_vertex_squared_averaged_over_frames() -> None:
    truth, predicted = still(2), still(2)
    predicted[0, 0] = (0.003, 0.004, 0)  # 5 mm: 25 mm²
    predicted[0, 1] = (0.001, 0, 0)
    predicted[1, 1] = (0, 0, -0.002)  # 2 mm: 4 mm²
    predicted[1, 2] = (1, 1, 1)  # no lip
    lve = metrics.lip_vertex_error(truth, predicted, np.array([0, 1]))
    assert lve == pytest.approx((25 + 4) / 2 * 1e-6)


def test_fdd_is_the_difference_of_the_spreads_of_squared_motion() -> None:
    template = np.array([[0.1, 0, 0], [0, 0.1, 0], [5, 5, 5]])
    truth, predicted = (np.tile(template, (2, 1, 1)) for _ in range(2))
    truth[1, 0, 2] += 0.004  # squared motion 0, 16 mm²: standard deviation 8
    predicted[1, 0, 2] += 0.002  # 0, 4: 2
    predicted[0, 1, 0] -= 0.006  # 36, 0: 18, where the truth is still
    predicted[:, 2] = 7  # not of the upper face
    upper = np.array([0, 1])
    fdd = metrics.upper_face_dynamics_deviation(truth, predicted, template, upper)
    assert fdd == pytest.approx(((8 - 2) + (0 - 18)) / 2 * 1e-6)
    assert metrics.upper_face_dynamics_deviation(truth, truth, template, upper) == 0


def test_mve_is_the_mean_distance() -> None:
    predicted = still(2, 2)
    predicted[0, 0] = (0.003, 0, 0.004)
    predicted[1, 1] = (0, 0.001, 0)
    assert metrics.mean_vertex_error(still(2, 2), predicted) == pytest.approx(0.006 / 4)


def test_velocity_and_acceleration_are_per_second() -> None:
    predicted, region = still(4, 2), np.array([1])
    predicted[:, 1, 0] = (0, 0.001, 0.002, 0.003)  # an even drift, 25 mm/s
    assert metrics.velocity_error(still(4, 2), predicted, region, FPS) == pytest.approx(0.025)
    assert metrics.acceleration_error(still(4, 2), predicted, region, FPS) < 1e-6
    predicted[:, 1, 0] = (0, 0.001, 0, 0.001)  # to and fro: changes of the change by 2 mm
    acceleration = metrics.acceleration_error(still(4, 2), predicted, region, FPS)
    assert acceleration == pytest.approx(0.002 * 25**2)
    assert math.isnan(metrics.acceleration_error(still(2), still(2), region, FPS))


def test_frequency_error_is_in_decibels() -> None:
    rng, region = np.random.default_rng(0), np.arange(3)
    truth = rng.normal(0, 0.01, (200, 3, 3))
    assert metrics.frequency_error(truth, truth + 0.5, region, FPS) == pytest.approx(0, abs=1e-6)
    halved = metrics.frequency_error(truth, truth / 2, region, FPS)
    assert halved == pytest.approx(20 * np.log10(2), abs=0.01)  # a quarter of the power
    smooth = (truth[:-1] + truth[1:]) / 2
    assert metrics.frequency_error(truth[1:], smooth, region, FPS) > 2
    assert math.isnan(metrics.frequency_error(truth[:20], truth[:20], region, FPS))


def test_lip_opening_is_along_up() -> None:
    vertices = still(2)
    vertices[1, 0], vertices[1, 1] = (0, 0.004, 0.003), (0, -0.002, 0)
    opening = metrics.lip_opening(vertices, np.array([[0, 1]]), np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(opening, [0, 0.006], atol=1e-9)


def test_lag_is_found_and_signed() -> None:
    times = np.arange(100) / FPS
    truth, late = np.sin(7 * times), np.sin(7 * (times - 0.08))
    lag, r = curve_metrics.best_lag(truth, late, FPS)
    assert lag == pytest.approx(0.08, abs=0.011)
    assert r > 0.999
    assert curve_metrics.best_lag(late, truth, FPS)[0] == pytest.approx(-0.08, abs=0.011)
    assert math.isnan(curve_metrics.best_lag(truth[:10], late[:10], FPS)[0])


def test_closures_by_the_true_scale() -> None:
    truth = np.array([1.0, 0, 0, 1, 1, 1, 1, 0, 1, 1])  # two closures; the 95th percentile is 1
    predicted = np.array([0.5, 0.5, 0.05, 0.5, 0.05, 0.5, 0.5, 0.5, 0.5, 0.5])
    found = curve_metrics.closures(truth, predicted, FPS)
    assert found.true == pytest.approx(0.3)
    assert found.predicted == pytest.approx(0.2)
    assert found.reached == 0.5  # the first, not the second
    assert found.justified == 0.5  # that of frame 4 is two frames, 80 ms, from the first closure
    assert curve_metrics.closures(truth, truth, FPS)[2:] == (1, 1)
    assert math.isnan(curve_metrics.closures(truth + 1, predicted, FPS).reached)


def test_loudness_is_in_decibels_below_the_loudest() -> None:
    samples = np.concatenate([np.full(8000, 0.5), np.full(8000, 0.05), np.zeros(8000)])
    level = curve_metrics.loudness(samples, FPS, 37)
    assert level[6] == pytest.approx(0, abs=1e-6)
    assert level[18] == pytest.approx(-20, abs=1e-6)
    assert level[31] == -60


def test_beats_are_where_it_rises() -> None:
    times = np.arange(75) / FPS
    mouth = np.clip(np.sin(2 * np.pi * times), 0, None)  # opens at 0, 1 and 2 s
    beats = curve_metrics.beats(mouth, FPS)
    np.testing.assert_allclose(beats, [0.02, 1.02, 2.02], atol=0.021)
    assert curve_metrics.beat_alignment(beats, beats) == 1
    off = curve_metrics.beat_alignment(beats, beats + 0.1)
    assert off == pytest.approx(math.exp(-0.5), abs=1e-6)
    assert not len(curve_metrics.beats(np.zeros(50), FPS))
    assert math.isnan(curve_metrics.beat_alignment(beats, np.empty(0)))


def test_bootstrap_weighs_and_is_seeded() -> None:
    values, frames = np.array([1.0, 4.0, np.nan]), np.array([300.0, 100.0, 50.0])
    estimate = bootstrap(values, frames)
    assert estimate.mean == pytest.approx(1.75)
    assert estimate == bootstrap(values, frames)
    assert (estimate.low, estimate.high) == (1, 4)
    many = np.random.default_rng(0).normal(5, 1, 100)
    _, low, high = bootstrap(many, np.ones(100))
    assert (high - low) / 2 == pytest.approx(1.96 * many.std() / 10, rel=0.1)
    assert math.isnan(bootstrap(np.array([np.nan]), np.ones(1)).mean)
