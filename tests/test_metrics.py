"""Metrics against values computed by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from jambatalk.errors import DataError
from jambatalk.evaluate import curve_metrics, metrics
from jambatalk.evaluate.phone_classes import class_errors, read_phones
from jambatalk.evaluate.report import Report, Score, bootstrap_mean
from jambatalk.evaluate.sample_metrics import Condition, coverage_error, diversity
from jambatalk.evaluate.warping import warp
from jambatalk.export.phones import export_phones
from jambatalk.model.phones import TimedPhone

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


def test_mve_is_the_mean_and_fve_the_largest_squared_distance():
    pred = zeros(2, 2)
    pred[0, 0] = (0.003, 0, 0.004)
    pred[1, 1] = (0, 0.001, 0)
    mve, fve = metrics.vertex_errors(pred, zeros(2, 2))
    assert mve == pytest.approx(0.006 / 4)
    assert fve == pytest.approx((25 + 1) / 2 * 1e-6)


def test_lip_max_is_the_largest_lip_distance():
    pred = zeros(2)
    pred[0, 0], pred[0, 1] = (0.003, 0.004, 0), (0.001, 0, 0)
    pred[1, 1], pred[1, 2] = (0, 0, -0.002), (1, 1, 1)  # the last is not a lip vertex
    largest = metrics.largest_lip_error(pred, zeros(2), np.array([0, 1]))
    np.testing.assert_allclose(largest, [0.005, 0.002], rtol=1e-6)


def test_ldtw_forgives_a_shift_in_time():
    target, lips = zeros(6, 2), np.array([1])
    target[:, 1, 1] = np.array([0, 0, 3, 1, 0, 0]) / 1000
    late = np.concatenate([target[:1], target[:-1]])
    assert metrics.lip_time_warping(late, target, lips, FPS) == pytest.approx(0, abs=1e-9)
    # 0 and 0, 4 and 3, 4 and 1, 0 and 0: the 4 has to be with one of them, and best with the 3
    pred, target = zeros(4, 2), zeros(4, 2)
    pred[:, 1, 1] = np.array([0, 4, 0, 0]) / 1000
    target[:, 1, 1] = np.array([0, 0, 3, 0]) / 1000
    pairs, distances = warp(pred[:, 1, 1], target[:, 1, 1], lambda a, b: abs(a - b), FPS)
    assert [tuple(pair) for pair in pairs] == [(0, 0), (0, 1), (1, 2), (2, 3), (3, 3)]
    assert distances.sum() == pytest.approx(0.001)
    assert metrics.lip_time_warping(pred, target, lips, FPS) == pytest.approx(0.001 / 5)


def test_warping_keeps_within_half_a_second():
    target = np.zeros(50)
    target[10], late = 1, np.roll(target, 5)
    late[10 + 5] = 0
    late[10 + 20] = 1  # 0.8 s late
    pairs, _ = warp(late, target, lambda a, b: abs(a - b), FPS)
    assert np.abs(pairs[:, 0] - pairs[:, 1]).max() <= 12
    assert (np.diff(pairs, axis=0) >= 0).all()


def test_lip_speed_is_the_mean_per_second():
    vertices = zeros(3)
    vertices[1, 0, 1], vertices[2, 0, 1] = 0.004, 0.001  # 4 and 3 mm; the other lip rests
    assert metrics.lip_speed(vertices, np.array([0, 1]), FPS) == pytest.approx(0.0035 / 2 * FPS)
    assert math.isnan(metrics.lip_speed(vertices[:1], np.array([0]), FPS))


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


def test_concordance_counts_amplitude_and_mean():
    target = np.array([0.0, 1, 2, 3])  # variance 5/4
    assert curve_metrics.concordance(target, target) == pytest.approx(1)
    assert curve_metrics.concordance(target + 1, target) == pytest.approx(2.5 / 3.5)
    assert curve_metrics.concordance(2 * target, target) == pytest.approx(5 / (5 + 1.25 + 2.25))
    assert curve_metrics.concordance(target * 0, target * 0) == 0


def test_mtm_is_the_shift_of_a_late_prediction():
    times = np.arange(150) / FPS
    target = 0.01 * (1 - np.cos(2 * np.pi * 1.5 * times))
    for frames in (0, 1, 3):  # 0, 40 and 120 ms; both at rest before
        late = np.concatenate([np.zeros(frames), target])[: len(target)]
        mtm = curve_metrics.temporal_misalignment(0.5 * late + 0.002, 0.5 * target, FPS)
        assert mtm == pytest.approx(frames / FPS, abs=0.007)  # the ends are pinned
    assert math.isnan(curve_metrics.temporal_misalignment(target * 0, target, FPS))


def test_mtm_of_curves_without_common_timing_is_no_delay():
    rng = np.random.default_rng(0)
    noise, target = 0.005 * rng.normal(size=(2, 200))
    assert 0.1 < curve_metrics.temporal_misalignment(noise, target, FPS) < 0.3  # matched by chance
    trembling = 1e-9 * noise  # rounding errors of a still mouth
    assert math.isnan(curve_metrics.temporal_misalignment(trembling, target, FPS))
    assert math.isnan(curve_metrics.temporal_misalignment(target, trembling, FPS))


def test_diversity_tells_styles_from_seeds():
    names = ("anna_seed_0", "anna_seed_1", "ben_seed_0", "ben_seed_1")
    conditions = [Condition.of(name) for name in names]
    assert conditions[3] == ("ben", "1")
    lips = [np.full((2, 3, 3), (0, 0, height)) for height in (0.0, 1, 5, 7)]
    assert diversity(lips, conditions, "style") == pytest.approx((5 + 6) / 2)
    assert diversity(lips, conditions, "seed") == pytest.approx((1 + 2) / 2)
    assert math.isnan(diversity(lips[::2], conditions[::2], "seed"))
    assert coverage_error(lips, lips[0] + (0, 4, 5)) == pytest.approx(4)  # of the third
    assert math.isnan(coverage_error(lips[:1], lips[0]))


def test_errors_by_phone_class(tmp_path):
    phones = [TimedPhone("SIL", 0, 0.04), TimedPhone("M", 0.04, 0.12), TimedPhone("AA", 0.12, 0.2)]
    by_class = class_errors(np.array([9.0, 1, 2, 4, 6, 9]), phones, FPS)
    assert (by_class["bilabial"], by_class["open"]) == (1.5, 5)
    assert math.isnan(by_class["rounded"])
    for suffix in (".json", ".TextGrid"):
        assert read_phones(export_phones(phones, tmp_path / f"one{suffix}"))[1:] == phones[1:]
    (tmp_path / "aligned.TextGrid").write_text(
        'item [1]:\n class = "IntervalTier"\n name = "words"\n intervals [1]:\n xmin = 0\n'
        'xmax = 1\n text = "P"\n item [2]:\n class = "IntervalTier"\n name = "phones"\n'
        'intervals [1]:\n xmin = 0.5\n xmax = 1\n text = "UW1"\n'
    )
    assert read_phones(tmp_path / "aligned.TextGrid") == [TimedPhone("UW", 0.5, 1)]
    for name, content in (("ipa.json", '[{"phone": "ɑ", "start": 0, "end": 1}]'), ("no.json", "3")):
        (tmp_path / name).write_text(content)
        with pytest.raises(DataError, match="phones"):
            read_phones(tmp_path / name)


def test_slcc_correlates_what_is_normalised_by_subject():
    speech, lips = [0.1, 0.2, 0.3, 1, 2], [1, 3, 2, 50, 40]
    scores = [
        Score("net", str(n), "anna" if n < 3 else "ben", 9, {"speech_rms": s, "lip_speed": v})
        for n, (s, v) in enumerate(zip(speech, lips, strict=True))
    ]
    # anna's are ±1.22 and 0 against -1.22, 1.22 and 0, so their products 1.5, 0 and 0; ben's -1, -1
    estimate = Report(scores, {}).estimates("net")["slcc"]
    assert estimate.mean == pytest.approx((1.5 - 2) / 5)
    assert estimate.low < estimate.mean < estimate.high
    assert math.isnan(Report(scores, {}).estimates("net", "ben")["slcc"].mean)  # only two
    same = [replace(score, prediction="same") for score in scores]
    difference = Report([*scores, *same], {}).estimates("same", minus="net")["slcc"]
    assert difference == pytest.approx((0, 0, 0), abs=1e-9)


def test_best_lag_is_positive_for_late_predictions():
    times = np.arange(100) / FPS
    target, late = np.sin(7 * times), np.sin(7 * (times - 0.08))
    lag, r = curve_metrics.best_lag(late, target, FPS)
    assert lag == pytest.approx(0.08, abs=0.011)
    assert r > 0.999
    assert curve_metrics.best_lag(target, late, FPS)[0] == pytest.approx(-0.08, abs=0.011)
    assert math.isnan(curve_metrics.best_lag(late[:10], target[:10], FPS)[0])
    assert math.isnan(curve_metrics.best_lag(target * 0, target, FPS)[0])


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
