"""Rows of the checkpoint's evaluation, on lips and sounds that are known."""

import numpy as np
import pytest

from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.evaluation import sounds
from recipes.checkpoint.evaluation.clip_statistics import by_person, clip_interval, median_interval
from recipes.checkpoint.evaluation.pause_rows import (
    closed_frames,
    closing_delays,
    parting_leads,
    pause_rows,
)
from recipes.checkpoint.evaluation.people_rows import people_rows
from recipes.checkpoint.evaluation.rounding import rounding_row
from recipes.checkpoint.evaluation.tracked_speech import LipPair

FPS = 25.0
PHONES = [  # 0.4 s each, the pause 0.8 s
    Phone("W", 0.0, 0.4),
    Phone("IY", 0.4, 0.8),
    Phone("AA", 0.8, 1.2),
    Phone("SIL", 1.2, 2.0),
    Phone("S", 2.0, 2.4),
    Phone("EY", 2.4, 2.8),
]


def mouth(narrow: float, wide: float) -> np.ndarray:
    """Lips (70, 2) whose width is `narrow` in W, `wide` in IY and EY, and 1 elsewhere."""
    times = np.arange(70) / FPS
    lips = np.ones((70, 2))
    lips[:, 0] = 0.2 + 0.1 * np.sin(9 * times)
    lips[times <= 0.4, 1] = narrow
    lips[((times > 0.4) & (times <= 0.8)) | (times >= 2.4), 1] = wide
    return lips


def pair(person: str, pred: np.ndarray, target: np.ndarray, phones: list[Phone]) -> LipPair:
    return LipPair(person, pred, target, FPS, phones)


def test_rounding_is_the_contrast_over_the_captured_one() -> None:
    half, full = mouth(0.95, 1.05), mouth(0.9, 1.1)
    pairs = [pair(who, half, full, PHONES) for who in ("s4", "s4", "s33")]
    row = rounding_row("people", "people: ", "clips", pairs)
    assert row.value == pytest.approx(0.5, abs=0.01)
    assert row.within_bounds is False
    assert row.interval == pytest.approx((row.value, row.value))
    assert row.note.startswith("1.00 in standard deviations; s4 0.5")
    assert row.sample.startswith("3 rounded, 6 spread sounds")
    assert rounding_row("people", "people: ", "", [pair("s4", full, full, PHONES)]).value == 1


def test_rounding_without_phones_has_no_value() -> None:
    row = rounding_row(
        "people", "people: ", "clips", [pair("s4", mouth(1, 1), mouth(1, 1), [])] * 2
    )
    assert np.isnan(row.value)
    assert row.note == "no such sounds are known"


def test_people_rows_name_amplitudes_of_each_person() -> None:
    lips, rng = mouth(0.9, 1.1), np.random.default_rng(0)
    small = lips.mean(0) + 0.5 * (lips - lips.mean(0))
    people = [pair("s4", lips, lips, PHONES), pair("s33", small, lips, PHONES)]
    noise = pair("address", rng.normal(size=lips.shape), lips, PHONES)
    rows = {row.key: row for row in people_rows(people, [noise])}
    assert rows["people_lip_open"].value == pytest.approx(1)
    assert rows["people_lip_width"].value == pytest.approx(1)
    assert rows["people_amplitude_width"].note == "s4 1.00, s33 0.50"
    assert rows["people_amplitude_open"].interval == pytest.approx((0.5, 1.0))
    assert rows["address_lip_open"].value < 0.6
    assert rows["address_lip_open"].interval is None
    assert {"people_rounding", "address_rounding"} < rows.keys()


def test_pauses_compare_closing_and_parting() -> None:
    times = np.arange(70) / FPS
    late, early = np.ones((70, 2)), np.ones((70, 2))
    late[(times >= 1.36) & (times <= 1.6), 0] = 0.0  # closed from 0.16 s into the pause
    early[(times >= 1.16) & (times <= 1.96), 0] = 0.0
    assert closing_delays(late[:, 0], FPS, PHONES) == pytest.approx([160], abs=10)
    assert closing_delays(early[:, 0], FPS, PHONES) == pytest.approx([-40], abs=10)
    assert closing_delays(np.ones(70), FPS, PHONES) == [np.inf]
    assert np.mean(closed_frames(early[:, 0], FPS, PHONES)) == 100
    # from 1.64 s on, after they closed; all along, for a mouth that closes in the W alone
    assert parting_leads(late[:, 0], FPS, PHONES) == pytest.approx([400], abs=45)
    assert parting_leads(np.where(times < 0.4, 0.0, 1.0), FPS, PHONES) == pytest.approx([800])
    closed = np.where(times < 1.9, 0.0, 1.0)
    assert parting_leads(closed, FPS, PHONES) == pytest.approx([120], abs=45)
    assert parting_leads(closed[::-1], FPS, PHONES) == []
    sets = {"a": [pair("s4", early, late, PHONES)], "b": [pair("s1", late, late, PHONES)]}
    rows = {row.key: row for row in pause_rows(sets, 1.0)}
    assert rows["closing"].value == pytest.approx(-40, abs=10)
    assert rows["closing"].captured == pytest.approx(160, abs=10)
    assert rows["closing"].note == "b 160 ms (captured 160 ms)"
    assert rows["pauses"].value == 100
    assert rows["pauses"].captured < 50


def test_intervals_are_of_the_resampled_clips() -> None:
    values = np.random.default_rng(1).normal(size=40)
    low, high = median_interval(values)
    assert low < np.median(values) < high
    assert (low, high) == median_interval(values)
    assert median_interval(values[:1]) is None
    assert clip_interval(lambda drawn: float(len(drawn)), 7) == (7, 7)
    assert by_person(["a", "b", "a"], np.array([1.0, 2.0, 3.0]), np.median) == "a 2.00, b 2.00"


def power(samples: np.ndarray, low: float, high: float) -> float:
    """Power between two frequencies in Hz."""
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    return float(spectrum[(frequencies >= low) & (frequencies < high)].sum())


def voice(seconds: float = 1.0) -> np.ndarray:
    """A buzz of 125 Hz with a formant."""
    from scipy.signal import lfilter

    pulses = np.zeros(round(seconds * SAMPLE_RATE))
    pulses[::128] = 1.0
    return lfilter([1.0], [1.0, -1.7, 0.9], pulses)


def test_backgrounds_have_their_spectra() -> None:
    length = 4 * SAMPLE_RATE
    octaves = [(250, 500), (2000, 4000)]
    white, pink = (
        [power(make(length), *band) for band in octaves]
        for make in (sounds.white_noise, sounds.pink_noise)
    )
    assert white[1] / white[0] == pytest.approx(8, rel=0.1)
    assert pink[1] / pink[0] == pytest.approx(1, rel=0.1)
    assert power(sounds.hum(length), 40, 410) > 0.99 * power(sounds.hum(length), 0, 8000)
    music = sounds.music(length)
    np.testing.assert_array_equal(music, sounds.music(length))
    assert power(music, 0, 200) > 0.1 * power(music, 0, 8000)
    assert power(music, 4000, 8000) > 1e-4 * power(music, 0, 8000)


def test_telephone_keeps_its_band() -> None:
    noise = sounds.white_noise(SAMPLE_RATE)
    call = sounds.telephone(noise)
    assert power(call, 500, 3000) == pytest.approx(power(noise, 500, 3000), rel=0.1)
    assert power(call, 0, 150) < 0.01 * power(noise, 0, 150)
    assert power(call, 5000, 8000) < 0.01 * power(noise, 5000, 8000)


def test_whisper_has_no_pitch_and_keeps_the_envelope() -> None:
    spoken = np.concatenate([voice(), np.zeros(SAMPLE_RATE)]).astype(np.float32)
    whispered = sounds.whisper(spoken)
    assert whispered.shape == spoken.shape
    periodic = [
        np.corrcoef(sound[4000:12000], sound[4128:12128])[0, 1] for sound in (spoken, whispered)
    ]
    assert periodic[0] > 0.95
    assert abs(periodic[1]) < 0.2
    formant = power(whispered[:SAMPLE_RATE], 800, 1600)
    assert formant > 5 * power(whispered[:SAMPLE_RATE], 3000, 3800)
    assert np.abs(whispered[-8000:]).max() < 1e-3 * np.abs(whispered).max()


def test_shout_is_brighter_and_cut() -> None:
    spoken = voice()
    shouted = sounds.shout(spoken)
    ratios = [power(x, 2000, 4000) / power(x, 0, 500) for x in (spoken, shouted)]
    assert ratios[1] > 3 * ratios[0]
    assert np.abs(shouted).max() < 1
