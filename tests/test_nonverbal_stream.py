"""Nonverbal motion of speech as it arrives."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from synthetic import prosody_of

from jambatalk import Speech
from jambatalk.motion.nonverbal import NonverbalStream, nonverbal_values
from jambatalk.motion.nonverbal.blending import GAZE, LIDS, POSE, UPPER_FACE

VOICES = Path(__file__).parent.parent / "assets" / "voices"
FPS, RATE = 30.0, 16_000


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return Speech.read(VOICES / "jfk.flac").samples


@pytest.fixture(scope="module")
def minutes(voice: np.ndarray) -> np.ndarray:
    """Two minutes of the voice."""
    return np.resize(voice, 120 * RATE)


def streamed(samples: np.ndarray, size: int = 3200, seed: int = 0) -> Iterator[np.ndarray]:
    stream = NonverbalStream(FPS, seed)
    for start in range(0, len(samples), size):
        yield stream.feed(samples[start : start + size])
    yield stream.finish(round(len(samples) / RATE * FPS))


def joined(samples: np.ndarray, size: int = 3200, seed: int = 0) -> np.ndarray:
    return np.concatenate([*streamed(samples, size, seed)])


def blinks_a_minute(values: np.ndarray) -> float:
    closed = values[:, LIDS] > 0.9
    return np.count_nonzero(np.diff(closed.astype(int)) == 1) / len(values) * FPS * 60


@pytest.mark.parametrize("size", [160, 333, 3200, 50_000])
@pytest.mark.parametrize("seconds", [0.21, 0.7, 10.5])
def test_pieces_of_any_size_give_the_motion_of_the_whole(
    voice: np.ndarray, size: int, seconds: float
) -> None:
    some = voice[: round(seconds * RATE)]
    whole = nonverbal_values(Speech(some), FPS, round(seconds * FPS))
    np.testing.assert_allclose(joined(some, size), whole, rtol=0, atol=1e-9)


def test_seed_changes_the_motion(voice: np.ndarray) -> None:
    assert np.abs(joined(voice, seed=1) - joined(voice, seed=0)).max() > 0.1


def test_frames_come_within_the_look_ahead(voice: np.ndarray) -> None:
    frames = 0
    for number, piece in enumerate(streamed(voice[: 5 * RATE], size=160), 1):
        frames += len(piece)
        assert frames >= int((number * 160 / RATE - NonverbalStream.look_ahead) * FPS)


def test_later_sound_does_not_change_earlier_frames(voice: np.ndarray) -> None:
    one, other = NonverbalStream(FPS), NonverbalStream(FPS)
    before = one.feed(voice[:80_000])
    noise = np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    again = other.feed(np.concatenate([voice[:80_000], noise]))
    assert len(before) > 120
    np.testing.assert_allclose(again[: len(before)], before, rtol=0, atol=1e-9)


def test_head_and_brows_begin_before_their_accents(minutes: np.ndarray) -> None:
    """With the look-ahead, neither comes late: a recording known whole allows no more."""
    accents = [time for time, strength in prosody_of(Speech(minutes)).accents() if strength > 0.6]
    heads, brows = [], []
    for seed in range(4):
        values = joined(minutes, seed=seed)
        for at in (round(time * FPS) for time in accents if 2 < time < 118):
            heads.append(-values[at - 8 : at + 12, POSE][:, 0])
            brows.append(values[at - 8 : at + 12, UPPER_FACE][:, 0])
    head, brow = np.mean(heads, axis=0), np.mean(brows, axis=0)
    assert abs(head.argmax() - 8) <= 4  # highest about the accent
    assert head[6] > head[2]  # rising before it
    assert abs(brow.argmax() - 8) <= 4
    assert brow[6] > brow[2]


def test_head_follows_loudness_as_a_speaker_s(minutes: np.ndarray) -> None:
    """In the fluent speech of docs/nonverbal.md, r is -.58."""
    loudness = prosody_of(Speech(minutes)).loudness
    smooth = np.convolve(loudness, np.hanning(101) / np.hanning(101).sum(), mode="same")
    frames = np.arange(round(119 * FPS)) / FPS
    loud = smooth[np.round(frames * 100).astype(int)]
    r = [np.corrcoef(joined(minutes, seed=s)[: len(loud), POSE][:, 0], loud)[0, 1] for s in (0, 1)]
    assert max(r) < -0.5


def test_motion_of_a_speaker(minutes: np.ndarray) -> None:
    values = joined(minutes)
    assert 10.5 < blinks_a_minute(values) < 32.5  # 95 % of adults, see blinks.py
    degrees = np.degrees(values[:, POSE])
    assert (degrees.std(0) > 2.5).all()
    assert (np.abs(degrees) < (15, 17, 13)).all()
    assert np.abs(np.diff(degrees, axis=0)).max() < 3  # a frame
    np.testing.assert_allclose(values[[0, -1], POSE], 0, atol=1e-6)
    np.testing.assert_allclose(values[[0, -1], UPPER_FACE], 0, atol=1e-6)
    assert np.degrees(values[:, GAZE]).std() > 0.8
    brows, cheeks = np.split(values[:, UPPER_FACE], [5], axis=1)
    assert brows[:, 0].max() > 0.3
    assert 0.1 < cheeks.max() < 0.4
    assert np.abs(np.diff(brows[:, :3], axis=0)).max() < 0.2  # a frame


def test_silence_gives_blinks_and_no_accents() -> None:
    hiss = 0.0005 * np.random.default_rng(0).standard_normal(60 * RATE)
    prosody = prosody_of(Speech(hiss.astype(np.float32)))
    assert not prosody.speaking.any()
    assert not prosody.accents()
    values = joined(hiss.astype(np.float32))
    assert 5 < blinks_a_minute(values) < 25
    assert not values[:, UPPER_FACE].any()


def test_prosody_of_a_voice(voice: np.ndarray) -> None:
    """Phrases of a real voice, with times read off its waveform."""
    prosody = prosody_of(Speech(voice))
    phrases = np.flatnonzero(np.diff(prosody.speaking[:1100].astype(int))) / 100
    expected = [0.3, 2.1, 3.3, 3.7, 4.0, 4.3, 5.4, 7.5, 8.2, 10.4, 10.8]
    np.testing.assert_allclose(phrases[: len(expected)], expected, atol=0.12)


def test_noise_in_a_pause_is_not_speech(voice: np.ndarray) -> None:
    noise = 0.006 * np.random.default_rng(0).standard_normal(20 * RATE)  # -44 dB
    samples = np.concatenate([voice, noise.astype(np.float32), voice])
    speaking = prosody_of(Speech(samples)).speaking
    assert not speaking[1150:3050].any()
    assert speaking[3200:4100].mean() > 0.5


def test_steady_noise_of_a_room_is_not_speech() -> None:
    white = np.random.default_rng(0).standard_normal(20 * RATE)
    spectrum = np.fft.rfft(white) / np.sqrt(np.arange(len(white) // 2 + 1) + 1)
    pink = np.fft.irfft(spectrum)  # fans and rooms rumble like this
    pink *= 0.3 / np.abs(pink).max()
    assert prosody_of(Speech(pink.astype(np.float32))).speaking.mean() < 0.1


def test_a_click_is_not_speech() -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[RATE : RATE + 100] = 0.5  # 6 ms
    assert not prosody_of(Speech(click)).speaking.any()


def test_memory_is_bounded(minutes: np.ndarray) -> None:
    """After minutes, a stream holds no more than after ten seconds."""

    def size(stream: NonverbalStream) -> int:
        return len(pickle.dumps(stream))

    stream = NonverbalStream(FPS)
    sizes = []
    for start in range(0, len(minutes), 10 * RATE):
        stream.feed(minutes[start : start + 10 * RATE])
        sizes.append(size(stream))
    assert max(sizes[1:]) < 1.1 * sizes[1]
