"""What moves beside the mouth while somebody still speaks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from jambatalk import Face, Motion, Nonverbal, Speech, load_head
from jambatalk.motion.nonverbal.nonverbal_stream import NonverbalStream

VOICES = Path(__file__).parent.parent / "assets" / "voices"
FPS, RATE = 30.0, 16_000


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


@pytest.fixture(scope="module")
def minutes() -> np.ndarray:
    """Two minutes of a real voice."""
    return np.resize(Speech.read(VOICES / "jfk.flac").samples, 120 * RATE)


def live(
    face: Face,
    samples: np.ndarray,
    step: int = 3200,
    late: float = 0.3,
    seed: int = 0,
    nonverbal: Nonverbal | None = None,
) -> Iterator[Motion]:
    """The life of a mouth at rest whose frames come `late` seconds after their sound."""
    life, there = NonverbalStream(FPS, seed, nonverbal), 0

    def mouth(until: int) -> Motion:
        nonlocal there
        count, there = max(until - there, 0), max(until, there)
        return Motion(np.zeros((count, len(face.blendshapes)), np.float32), FPS, face)

    for start in range(0, len(samples), step):
        chunk = samples[start : start + step]
        heard = (start + len(chunk)) / RATE
        yield life.feed(chunk, mouth(int((heard - late) * FPS)))
    yield life.finish(mouth(round(len(samples) / RATE * FPS)))


def joined(pieces: Iterator[Motion]) -> Motion:
    pieces = list(pieces)
    weights = np.concatenate([piece.weights for piece in pieces])
    pose = np.concatenate([piece.pose for piece in pieces])
    return Motion(weights, FPS, pieces[0].face, pose=pose)


def blinks_a_minute(motion: Motion) -> float:
    closed = motion.blendshape("eyeBlinkLeft") > 0.9
    return np.count_nonzero(np.diff(closed.astype(int)) == 1) / motion.duration * 60


def test_the_size_of_the_pieces_does_not_matter(face: Face, minutes: np.ndarray) -> None:
    some = minutes[: 20 * RATE]
    large, small = (joined(live(face, some, step)) for step in (50_000, 333))
    assert len(large) == len(small) == 600
    np.testing.assert_array_equal(large.weights, small.weights)
    np.testing.assert_array_equal(large.pose, small.pose)
    other = joined(live(face, some, seed=1))
    assert not np.array_equal(other.pose, large.pose)


def test_it_waits_no_longer_than_it_says(face: Face, minutes: np.ndarray) -> None:
    frames = heard = 0
    for piece in live(face, minutes[: 5 * RATE], step=160, late=0.0):
        frames, heard = frames + len(piece), heard + 160
        assert frames >= (heard / RATE - NonverbalStream.look_ahead) * FPS - 1


def test_a_speaker_blinks_nods_and_looks_about(face: Face, minutes: np.ndarray) -> None:
    motion = joined(live(face, minutes))
    assert 10.5 < blinks_a_minute(motion) < 32.5  # 95 % of adults, see alive/blinks.py
    degrees = np.degrees(motion.pose)
    assert (degrees.std(0) > 0.4).all()
    assert (np.abs(degrees) < (4, 5, 3)).all()
    assert np.abs(degrees.mean(0)).max() < 1
    assert np.abs(np.diff(degrees, axis=0)).max() < 1  # a frame
    assert np.degrees(np.abs(motion.pose[0])).max() == 0
    assert motion.blendshape("eyeLookOutLeft").std() > 0.03
    assert motion.blendshape("browInnerUp").max() > 0.1
    for blendshape in ("jawOpen", "mouthClose", "tongueOut"):
        assert not motion.blendshape(blendshape).any()


def test_a_click_is_no_speech(face: Face) -> None:
    assert len(joined(live(face, np.full(100, 0.5, np.float32), step=50))) >= 0  # 6 ms


def test_silence_rests_and_blinks(face: Face) -> None:
    hiss = 0.0005 * np.random.default_rng(0).standard_normal(60 * RATE)
    motion = joined(live(face, hiss.astype(np.float32)))
    assert 5 < blinks_a_minute(motion) < 25
    assert not motion.blendshape("browInnerUp").any()


def test_parts_can_be_left_out(face: Face, minutes: np.ndarray) -> None:
    some = minutes[: 5 * RATE]
    pieces = list(live(face, some, nonverbal=Nonverbal.of(["blinks"])))
    assert all(piece.pose is None for piece in pieces)
    weights = np.concatenate([piece.weights for piece in pieces])
    moving = {face.blendshapes[k] for k in np.flatnonzero(weights.any(axis=0))}
    assert moving == {"eyeBlinkLeft", "eyeBlinkRight"}
    still = list(live(face, some, nonverbal=Nonverbal.of([])))
    assert not np.concatenate([piece.weights for piece in still]).any()
