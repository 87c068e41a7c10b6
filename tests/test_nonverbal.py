"""Nonverbal motion: its statistics, its parts, and that the mouth does not change."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from synthetic import prosody_of

from jambatalk import Face, Motion, Nonverbal, Speech, load_head
from jambatalk.cli import main
from jambatalk.errors import MotionError
from jambatalk.face.eyes import Eyes
from jambatalk.face.neck import Neck
from jambatalk.motion.nonverbal import PARTS, STILL, blend, nonverbal_values
from jambatalk.motion.nonverbal.voice_features import RATE

VOICES = Path(__file__).parent.parent / "assets" / "voices"
MINUTES = 10
FPS = 30.0


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


@pytest.fixture(scope="module")
def jfk() -> Speech:
    return Speech.read(VOICES / "jfk.flac")


@pytest.fixture(scope="module")
def speaker(jfk: Speech) -> Speech:
    """Ten minutes of the same voice."""
    return Speech.from_array(np.resize(jfk.samples, MINUTES * 60 * 16000), 16000)


@pytest.fixture(scope="module")
def silence() -> Speech:
    return Speech.from_array(np.zeros(MINUTES * 60 * 16000), 16000)


def resting(face: Face, speech: Speech, fps: float = FPS) -> Motion:
    return Motion(
        np.zeros((round(speech.duration * fps), len(face.blendshapes)), np.float32), fps, face
    )


def talking(face: Face, speech: Speech) -> Motion:
    """Move all blendshapes at random."""
    motion = resting(face, speech)
    rng = np.random.default_rng(0)
    return replace(motion, weights=rng.uniform(0, 0.6, motion.weights.shape).astype(np.float32))


def add_nonverbal(
    motion: Motion, speech: Speech, seed: int = 0, nonverbal: Nonverbal | None = None
) -> Motion:
    values = nonverbal_values(speech, motion.fps, len(motion), seed)
    return blend(motion, values, nonverbal or Nonverbal())


@pytest.fixture(scope="module")
def long(face: Face, speaker: Speech) -> Motion:
    return add_nonverbal(resting(face, speaker), speaker)


def blinks_of(motion: Motion) -> np.ndarray:
    """Find the start and end of each blink, (n, 2) seconds."""
    closed = motion.blendshape("eyeBlinkLeft") > 0.02
    edges = np.flatnonzero(np.diff(np.concatenate([[False], closed, [False]])))
    return edges.reshape(-1, 2) / motion.fps


def test_blinks_are_as_frequent_and_irregular_as_in_adults(
    face: Face, long: Motion, silence: Speech
) -> None:
    speaking = blinks_of(long)
    resting_blinks = blinks_of(add_nonverbal(resting(face, silence), silence))
    assert 18 < len(speaking) / MINUTES < 26
    assert 11 < len(resting_blinks) / MINUTES < 19
    for blinks in (speaking, resting_blinks):
        waits = np.diff(blinks[:, 0])
        assert waits.min() > 0.5
        assert 0.45 < waits.std() / waits.mean() < 0.9
        assert np.median(waits) < 0.92 * waits.mean()  # many short, few long


def test_blink_closes_fast_and_fully_and_opens_slowly(face: Face, speaker: Speech) -> None:
    fine = add_nonverbal(resting(face, speaker, 240.0), speaker, nonverbal=Nonverbal.of(["blinks"]))
    closed = fine.blendshape("eyeBlinkLeft")
    for start, end in blinks_of(fine)[:100]:
        shape = closed[round(start * 240) : round(end * 240)]
        full = np.flatnonzero(shape > 0.999)
        assert 0.15 < end - start < 0.5
        assert len(full) / 240 > 1 / 30  # no frame rate from 30 misses it
        assert full[0] < len(shape) - 1 - full[-1]
    assert np.abs(np.diff(closed, n=2)).max() < 0.045  # a corner would be 0.07
    np.testing.assert_array_equal(closed, fine.blendshape("eyeBlinkRight"))


def test_blinks_gather_at_the_edges_of_phrases(long: Motion, speaker: Speech) -> None:
    speaking = prosody_of(speaker).speaking
    edges = np.flatnonzero(np.diff(speaking.astype(int))) / RATE

    def near(times: np.ndarray) -> float:
        return float((np.abs(times[:, None] - edges).min(1) < 0.3).mean())

    everywhere = np.arange(0, MINUTES * 60, 0.05)
    assert near(blinks_of(long)[:, 0]) > 1.4 * near(everywhere)


@pytest.mark.parametrize("down", [0.0, 0.25, 0.5])
def test_lids_close_over_the_eyes_in_every_direction(down: float) -> None:
    for name in ("mara", "kofi", "yuki", "elsa"):
        face = load_head(name)
        lids = Eyes.of(face).lids
        assert 0.2 < lids < 0.6
        for closed in (0.3, 0.5, 0.7, 1.0):
            weights = np.zeros(len(face.blendshapes), np.float32)
            weights[face.blendshapes.index("eyeBlinkLeft")] = closed * (1 - lids * down)
            weights[face.blendshapes.index("eyeLookDownLeft")] = down
            protrusion, bare = eye_and_lids(face, weights)
            assert protrusion < 2e-4
            assert (bare == 0) == (closed == 1) or 0.3 < closed < 1


def eye_and_lids(face: Face, weights: np.ndarray) -> tuple[float, int]:
    """Return how far the left eyeball protrudes through its lids, metres, and how many of its
    vertices they leave uncovered from the front."""
    vertices = face.vertices(weights)
    ball = face.regions["eyes"][face.template[face.regions["eyes"], 0] > 0]
    centre = vertices[ball].mean(0)
    front = vertices[ball][vertices[ball, 2] > centre[2] + 0.003]
    front = front[np.abs(front[:, 0] - centre[0]) < 0.007]  # not in the eye's corners
    skin = np.isin(face.triangles, face.regions["skin"]).all(1)
    a, b, c = np.moveaxis(vertices[face.triangles[skin]], 1, 0)
    outward = np.cross(b - a, c - a)
    near = np.abs((a + b + c)[:, :2] / 3 - centre[:2]).max(1) < 0.02
    kept = near & (outward[:, 2] > 0.3 * np.linalg.norm(outward, axis=1))
    a, b, c = a[kept], b[kept], c[kept]
    u, v = cross(front[:, None] - a, c - a), cross(b - a, front[:, None] - a)
    area = cross(b - a, c - a)
    u, v = u / area, v / area
    over = (u >= 0) & (v >= 0) & (u + v <= 1)
    lid = np.where(over, a[:, 2] + u * (b - a)[:, 2] + v * (c - a)[:, 2], -1).max(1)
    covered = lid > centre[2]
    return float((front[covered, 2] - lid[covered]).max(initial=0.0)), np.count_nonzero(~covered)


def cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]


def test_mouth_does_not_change(face: Face, jfk: Speech) -> None:
    before = talking(face, jfk)
    after = add_nonverbal(before, jfk, seed=7)
    for blendshape in face.blendshapes:
        if not blendshape.startswith(("eye", "brow", "cheekSquint")):
            np.testing.assert_array_equal(
                after.blendshape(blendshape), before.blendshape(blendshape)
            )
    assert 0 <= after.weights.min() <= after.weights.max() <= 1
    # cheeks move the corners of the mouth a little, brows, lids and eyes not at all
    lips = face.regions["lips"]
    for cheeks, most in ((True, 4e-4), (False, 1e-6)):
        still = add_nonverbal(before, jfk, 7, Nonverbal(cheeks=cheeks, head_motion=False))
        moved = np.abs(still.vertices()[:, lips] - before.vertices()[:, lips]).max()
        assert (moved > 1e-6) == cheeks
        assert moved < most


def test_cheeks_never_part_closed_lips(face: Face, jfk: Speech) -> None:
    motion = add_nonverbal(resting(face, jfk), jfk, nonverbal=Nonverbal.of(["cheeks"]))
    assert motion.blendshape("cheekSquintLeft").max() > 0.1
    assert motion.lip_aperture().max() < 1e-5


def test_cheeks_are_added_to_those_of_a_smile(face: Face, jfk: Speech) -> None:
    smile = talking(face, jfk)
    rise = add_nonverbal(resting(face, jfk), jfk).blendshape("cheekSquintLeft")
    np.testing.assert_allclose(
        add_nonverbal(smile, jfk).blendshape("cheekSquintLeft"),
        np.minimum(smile.blendshape("cheekSquintLeft") + rise, 1.0),
        atol=1e-6,
    )


def test_nonverbal_motion_depends_on_the_seed_and_not_on_the_mouth(face: Face, jfk: Speech) -> None:
    one, again = (add_nonverbal(resting(face, jfk), jfk, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.weights, again.weights)
    np.testing.assert_array_equal(one.pose, again.pose)
    styled = add_nonverbal(talking(face, jfk), jfk, seed=3)
    np.testing.assert_array_equal(styled.pose, one.pose)
    np.testing.assert_array_equal(styled.blendshape("eyeBlinkLeft"), one.blendshape("eyeBlinkLeft"))
    other = add_nonverbal(resting(face, jfk), jfk, seed=4)
    assert np.abs(other.pose - one.pose).max() > 0.01
    assert (other.blendshape("eyeBlinkLeft") != one.blendshape("eyeBlinkLeft")).any()
    for wrong in (-1, 0.5, None):
        with pytest.raises(MotionError, match="not a seed"):
            add_nonverbal(resting(face, jfk), jfk, seed=wrong)


def test_nonverbal_motion_does_not_depend_on_the_frame_rate(face: Face, jfk: Speech) -> None:
    slow, fast = (add_nonverbal(resting(face, jfk, fps), jfk) for fps in (25.0, 50.0))
    np.testing.assert_allclose(
        slow.blendshape("eyeBlinkLeft"), fast.blendshape("eyeBlinkLeft")[::2], atol=1e-3
    )
    assert np.degrees(np.abs(slow.pose - fast.pose[::2])).max() < 0.3


def test_parts_can_be_selected(face: Face, jfk: Speech) -> None:
    before, whole = talking(face, jfk), add_nonverbal(talking(face, jfk), jfk)
    np.testing.assert_array_equal(
        add_nonverbal(before, jfk, nonverbal=STILL).weights, before.weights
    )
    moves = {
        "blinks": ("eyeBlink", "eyeWide", "eyeSquint"),
        "brows": ("brow",),
        "cheeks": ("eyeSquint", "cheekSquint"),
        "gaze": ("eyeLook",),
    }
    for part in PARTS:
        alone = add_nonverbal(before, jfk, nonverbal=Nonverbal.of([part]))
        without = add_nonverbal(before, jfk, nonverbal=replace(Nonverbal(), **{part: False}))
        assert (alone.pose is not None) == (part == "head_motion") == (without.pose is None)
        for blendshape in face.blendshapes:
            mine = blendshape.startswith(moves.get(part, "-"))
            assert mine or (alone.blendshape(blendshape) == before.blendshape(blendshape)).all()
            if mine and part != "blinks" and not blendshape.startswith("eyeSquint"):
                assert (without.blendshape(blendshape) == before.blendshape(blendshape)).all()
        if part == "brows":  # the same with and without the others
            np.testing.assert_array_equal(
                alone.blendshape("browInnerUp"), whole.blendshape("browInnerUp")
            )
    with pytest.raises(MotionError, match="'ears' is no part"):
        Nonverbal.of(["ears"])


def test_head_moves_as_far_and_as_smoothly_as_a_speaker_s(long: Motion) -> None:
    """Bounds are about those of the fluent speech in docs/nonverbal.md."""
    pose = np.degrees(long.pose)
    assert (np.abs(pose.mean(0)) < 1.0).all()
    assert (pose.std(0) > (2.7, 3.0, 2.7)).all()
    assert (pose.std(0) < (4.7, 5.2, 4.5)).all()
    assert (np.abs(pose).max(0) < (15, 17, 13)).all()
    assert not pose[[0, -1]].any()
    pose = gaussian_filter1d(pose, 0.08 * FPS, axis=0)  # as the tracked heads were
    speed = np.diff(pose, axis=0) * FPS  # degrees a second
    assert (np.sqrt((speed**2).mean(0)) < (12, 12, 9)).all()
    assert (np.abs(speed).max(0) < (45, 70, 60)).all()
    acceleration = np.diff(speed, axis=0) * FPS
    assert (np.sqrt((acceleration**2).mean(0)) < (75, 100, 50)).all()


def test_face_is_calm_in_silence(face: Face, silence: Speech) -> None:
    motion = add_nonverbal(resting(face, silence), silence)
    degrees = np.degrees(motion.pose)
    assert (degrees.std(0) > 0.2).all()  # alive
    assert (degrees.std(0) < 1.2).all()
    assert np.abs(np.diff(degrees, axis=0)).max() * FPS < 10
    for blendshape in face.blendshapes:
        if blendshape.startswith(("brow", "cheek", "eyeSquint")):
            assert not motion.blendshape(blendshape).any()


def test_head_and_face_come_to_rest_after_speech(face: Face, jfk: Speech) -> None:
    pause = np.zeros(8 * 16000, np.float32)
    speech = Speech.from_array(np.concatenate([jfk.samples, pause, jfk.samples]), 16000)
    motion = add_nonverbal(resting(face, speech), speech)
    rest = slice(round((11 + 3.5) * FPS), round((11 + 7.5) * FPS))
    assert np.degrees(np.abs(motion.pose[rest])).max() < 3.5
    assert motion.blendshape("browInnerUp")[rest].max() < 0.02
    talk = slice(round(20.5 * FPS), round(29 * FPS))
    assert np.degrees(np.ptp(motion.pose[talk], axis=0)).min() > 6
    assert motion.blendshape("browInnerUp")[talk].max() > 0.2


def test_head_and_brows_rise_with_accents(face: Face, jfk: Speech) -> None:
    accents = prosody_of(jfk).accents()
    assert 5 < len(accents) < 25
    at = np.array([round(time * FPS) for time, strength in accents if strength > 0.5])
    rises, brows = [], []
    for seed in range(8):
        motion = add_nonverbal(resting(face, jfk), jfk, seed)
        rises.append(motion.pose[at - 6, 0] - motion.pose[at + 4, 0])
        brows.append(motion.blendshape("browInnerUp"))
    assert np.degrees(np.mean(rises)) > 0.5
    brows = np.mean(brows, axis=0)
    assert brows[at].mean() > 1.3 * brows.mean()


def test_eyes_stay_on_the_viewer_while_the_head_turns(face: Face, long: Motion) -> None:
    eyes = Eyes.of(face)
    pose = np.radians(np.array([[0, 4, 0], [3, 0, 0], [-3, -4, 0], [2, 3, 0]], np.float32))
    weights = np.zeros((len(pose), len(face.blendshapes)), np.float32)
    for blendshape, weight in eyes.look(np.zeros((len(pose), 2)), pose).items():
        weights[:, face.blendshapes.index(blendshape)] = weight
    vertices = Motion(weights, FPS, face, pose=pose).vertices()
    for side in (-1, 1):
        ball = face.regions["eyes"][side * face.template[face.regions["eyes"], 0] > 0]
        pupil = ball[face.template[ball, 2].argmax()]
        axis = vertices[:, pupil] - vertices[:, ball].mean(1)
        rest = face.template[pupil] - face.template[ball].mean(0)
        away = np.degrees(np.arctan2(axis[:, :2], axis[:, 2:]) - np.arctan2(rest[:2], rest[2]))
        assert np.abs(away).max() < 0.5
    # over minutes, glances apart, the eyes move against the head
    left = long.blendshape("eyeLookOutLeft") - long.blendshape("eyeLookInLeft")
    assert np.corrcoef(left, long.pose[:, 1])[0, 1] < -0.5


def test_gaze_hops_and_leaves_the_viewer_but_mostly_stays(long: Motion) -> None:
    eyes = Eyes.of(long.face)
    yaw = eyes.turn["eyeLookOutLeft"] * long.blendshape("eyeLookOutLeft")
    yaw = yaw - eyes.turn["eyeLookInLeft"] * long.blendshape("eyeLookInLeft") + long.pose[:, 1]
    up = eyes.turn["eyeLookUpLeft"] * long.blendshape("eyeLookUpLeft")
    up = up - eyes.turn["eyeLookDownLeft"] * long.blendshape("eyeLookDownLeft") - long.pose[:, 0]
    off = np.degrees(np.hypot(yaw, up))
    assert 0.03 < (off > 3.5).mean() < 0.25
    assert off.max() < 12
    hops = np.count_nonzero(np.diff(off) > 0.4) / (60 * MINUTES)
    assert 0.2 < hops < 2  # a second


def test_mesh_without_neck_or_blendshapes_moves_as_a_whole(face: Face, jfk: Speech) -> None:
    above = face.template[:, 1] > face.template[face.landmarks["chin"], 1].min() - 0.01
    place = np.cumsum(above) - 1
    bare = replace(
        face,
        template=face.template[above],
        triangles=place[face.triangles[above[face.triangles].all(1)]],
        blendshapes=(),
        deltas=np.zeros((0, above.sum(), 3), np.float32),
        regions={},
        landmarks={name: place[index] for name, index in face.landmarks.items()},
    )
    assert (Neck.of(bare).share == 1).all()
    offsets = np.zeros((90, above.sum(), 3), np.float32)
    motion = add_nonverbal(Motion.of_vertices(offsets, FPS, bare), jfk)
    apart = np.linalg.norm(motion.vertices()[:, :1] - motion.vertices(), axis=-1)
    np.testing.assert_allclose(apart, np.broadcast_to(apart[0], apart.shape), atol=1e-6)
    assert np.ptp(motion.vertices(), axis=0).max() > 0.002


def test_pose_is_saved_and_an_invalid_one_refused(face: Face, jfk: Speech, tmp_path: Path) -> None:
    motion = add_nonverbal(resting(face, jfk), jfk)
    again = Motion.load(motion.save(tmp_path / "motion.npz"))
    np.testing.assert_array_equal(again.pose, motion.pose)
    np.testing.assert_array_equal(motion.on(load_head(2)).pose, motion.pose)
    with pytest.raises(MotionError, match="does not fit"):
        replace(motion, pose=motion.pose[1:])
    with pytest.raises(MotionError, match="not numbers"):
        replace(motion, pose=np.full_like(motion.pose, np.nan))


def test_short_and_unusual_recordings(face: Face) -> None:
    noise = np.random.default_rng(0).standard_normal(160000).astype(np.float32)
    for samples in (
        noise[:3200],
        noise * 1e-4,
        noise,
        np.ones(32000),
        np.sin(np.arange(48000) / 8),
    ):
        speech = Speech.from_array(samples, 16000)
        for fps in (25.0, 30.0):
            motion = add_nonverbal(resting(face, speech, fps), speech)
            assert np.isfinite(motion.vertices()).all()


def test_command_line_adds_nonverbal_motion_by_default(tmp_path: Path) -> None:
    def motion(*options: str) -> Motion:
        path = tmp_path / "motion.npz"
        assert main(["animate", str(VOICES / "pico_en.wav"), "-o", str(path), *options]) == 0
        return Motion.load(path)

    usual, still = motion(), motion("--nonverbal", "none")
    assert usual.blendshape("eyeBlinkLeft").max() > 0.9
    assert np.abs(usual.pose).max() > 0.01
    assert still.pose is None
    some = motion("--nonverbal", "gaze,head_motion", "--seed", "2")
    assert np.abs(some.pose - usual.pose).max() > 0.01
    np.testing.assert_array_equal(some.blendshape("eyeBlinkLeft"), still.blendshape("eyeBlinkLeft"))
    np.testing.assert_allclose(usual.lip_aperture(), still.lip_aperture(), atol=1e-6)
