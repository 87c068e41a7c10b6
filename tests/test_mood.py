"""Moods: the face shows them, and the lips say what they said."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jambatalk import MOODS, Motion, Nonverbal, Speech, TalkingHead, load_head
from jambatalk.cli import main
from jambatalk.errors import MotionError
from jambatalk.motion.mood import MAX_INTENSITY, VOICE
from jambatalk.motion.mood.tags import MoodSpan, mood_curve, read_tags
from jambatalk.motion.nonverbal import NonverbalStream, nonverbal_values
from jambatalk.motion.nonverbal.blending import LIDS, MOOD, POSE
from jambatalk.motion.nonverbal.prosody import ProsodyStream
from jambatalk.motion.nonverbal.vocal_arousal import VocalArousal

VOICE_FILE = Path(__file__).parent.parent / "assets" / "voices" / "jfk.flac"
RATE = 16_000
FELT = (*MOODS[1:], VOICE)
SIGNATURES = {  # blendshapes by which each mood is known, and those it must leave alone
    "happy": (("mouthSmile", "cheekSquint"), ("mouthFrown", "browDown", "noseSneer")),
    "sad": (("browInnerUp", "mouthFrown"), ("mouthSmile", "eyeWide", "browOuterUp")),
    "angry": (("browDown", "eyeSquint", "mouthPress"), ("mouthSmile", "browOuterUp")),
    "surprised": (("browInnerUp", "browOuterUp", "eyeWide"), ("browDown", "noseSneer")),
    "afraid": (("browInnerUp", "eyeWide", "mouthStretch"), ("mouthSmile", "noseSneer")),
    "disgusted": (("noseSneer", "mouthFrown"), ("mouthSmile", "eyeWide", "browInnerUp")),
    "tender": (("mouthSmile", "browInnerUp"), ("mouthFrown", "browDown", "noseSneer")),
}


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def speech() -> Speech:
    return Speech(Speech.read(VOICE_FILE).samples[: 6 * RATE])


@pytest.fixture(scope="module")
def animate(talking_head: TalkingHead, speech: Speech) -> Callable[..., Motion]:
    def animate(mood: object = None, **choices: object) -> Motion:
        return talking_head.animate(speech, mood=mood, **choices)

    return animate


def weight(motion: Motion, name: str) -> np.ndarray:
    sides = [k for k, each in enumerate(motion.face.blendshapes) if each.startswith(name)]
    return motion.weights[:, sides].mean(1)


@pytest.mark.parametrize("mood", FELT)
def test_lips_say_what_they_said(animate: Callable[..., Motion], mood: str) -> None:
    without = animate()
    face = without.face
    for intensity in (1.0, MAX_INTENSITY):
        motion = animate({mood: intensity})
        assert np.abs(motion.weights - without.weights).max() > 0.1
        said, shown = without.lip_aperture(), motion.lip_aperture()
        assert np.corrcoef(said, shown)[0, 1] > 0.95
        closed = said < 2e-4
        assert closed.sum() > 20
        assert (shown[closed] < said[closed] + 2e-5).all()
        pairs = [
            face.points(each.weights[closed], "inner_lip_upper")[..., 1]
            - face.points(each.weights[closed], "inner_lip_lower")[..., 1]
            for each in (without, motion)
        ]
        assert pairs[1].max() < pairs[0].max() + 2e-4  # nor do they part beside the middle
        assert motion.weights.min() >= 0
        assert motion.weights.max() <= 1
        for name in ("tongueOut", "tongueUp", "mouthPucker", "mouthFunnel"):
            np.testing.assert_array_equal(motion.blendshape(name), without.blendshape(name))


@pytest.mark.parametrize("mood", SIGNATURES)
def test_each_mood_has_its_signature(animate: Callable[..., Motion], mood: str) -> None:
    without, motion = animate(), animate(mood)
    shown, absent = SIGNATURES[mood]
    for name in shown:
        assert (weight(motion, name) - weight(without, name))[60:120].mean() > 0.2, name
    for name in absent:
        assert (weight(motion, name) - weight(without, name))[60:120].mean() < 0.05, name


def test_moods_differ_from_each_other(animate: Callable[..., Motion]) -> None:
    means = np.array([animate(mood).weights[60:120].mean(0) for mood in MOODS])
    apart = np.abs(means[:, None] - means[None]).max(-1)
    assert apart[~np.eye(len(MOODS), dtype=bool)].min() > 0.15


@pytest.mark.parametrize("mood", ["neutral", {"happy": 0.0}, {"sad": 0, "neutral": 1.5}, []])
def test_no_mood_changes_nothing(animate: Callable[..., Motion], mood: object) -> None:
    without, motion = animate(), animate(mood)
    assert motion.weights.tobytes() == without.weights.tobytes()
    assert motion.pose.tobytes() == without.pose.tobytes()


def test_intensity_is_a_dial(animate: Callable[..., Motion]) -> None:
    smiles = [weight(animate({"happy": x}), "cheekSquint")[60:120].mean() for x in (0, 0.5, 1)]
    assert np.diff(smiles).min() > 0.2
    both = animate({"happy": 0.5, "surprised": 0.5})
    assert weight(both, "mouthSmile")[60:120].mean() > 0.3
    assert weight(both, "eyeWide")[60:120].mean() > 0.2


def test_mood_over_time(animate: Callable[..., Motion]) -> None:
    motion = animate([(1.0, "surprised"), (3.0, {"sad": 0.8}), (5.0, "neutral")])
    without = animate()
    wide, frown = (weight(motion, n) - weight(without, n) for n in ("eyeWide", "mouthFrown"))
    assert np.abs(wide[:15]).max() < 0.05
    assert wide[60:80].mean() > 0.3
    assert np.abs(wide[120:]).max() < 0.05
    assert frown[125:140].mean() > 0.3
    assert np.abs(frown[-10:]).max() < 0.05


def test_mood_comes_and_goes_smoothly(animate: Callable[..., Motion]) -> None:
    calm = Nonverbal.of(())
    without, motion = animate(nonverbal=calm), animate({"afraid": 1.5}, nonverbal=calm)
    for name in ("browInnerUp", "eyeWide", "mouthStretch"):
        added = weight(motion, name) - weight(without, name)
        assert added[0] == added[-1] == pytest.approx(0, abs=1e-6)
        assert added.max() > 0.5
        assert np.abs(np.diff(added)).max() < 0.15


def test_all_of_the_manner_takes_part() -> None:
    speech = Speech(np.resize(Speech.read(VOICE_FILE).samples, 60 * RATE))
    values = {m: nonverbal_values(speech, 30.0, 1800, mood=m) for m in (None, "sad", "angry")}

    def blinks(mood: str | None) -> int:
        return int(np.count_nonzero(np.diff((values[mood][:, LIDS] > 0.9).astype(int)) == 1))

    def moved(mood: str | None) -> float:
        return float(np.abs(np.diff(values[mood][:, POSE], axis=0)).mean())

    middle = slice(60, -60)
    assert moved("sad") < 0.7 * moved(None) < 0.9 * moved("angry")
    assert blinks("angry") < 0.85 * blinks(None)
    pitch = {mood: np.degrees(v[middle, POSE][:, 0]).mean() for mood, v in values.items()}
    assert pitch["sad"] > pitch[None] + 3  # the head hangs
    elevation = {mood: np.degrees(v[middle, 1]).mean() for mood, v in values.items()}
    assert elevation["sad"] < elevation[None] - 2


@pytest.mark.parametrize("size", [1000, 16_000])
@pytest.mark.parametrize("mood", [{"sad": 1.2}, VOICE, [(0.5, "happy"), (3.1, {"angry": 0.6})]])
def test_streamed_equals_whole(
    talking_head: TalkingHead, speech: Speech, mood: object, size: int
) -> None:
    whole = talking_head.animate(speech, seed=4, mood=mood)
    stream = talking_head.stream(seed=4, mood=mood)
    parts = [stream.feed(speech.samples[k : k + size]) for k in range(0, 6 * RATE, size)]
    parts.append(stream.finish())
    weights = np.concatenate([part.weights for part in parts])
    np.testing.assert_allclose(weights, whole.weights, rtol=0, atol=1e-5)
    pose = np.concatenate([part.pose for part in parts])
    np.testing.assert_allclose(pose, whole.pose, rtol=0, atol=1e-6)


def test_mood_changes_during_a_stream(talking_head: TalkingHead, speech: Speech) -> None:
    stream = talking_head.stream(mood="happy")
    first = stream.feed(speech.samples[: 3 * RATE])
    stream.change(mood={"sad": 1.0})
    rest = stream.feed(speech.samples[3 * RATE :])
    smile = np.concatenate([weight(first, "cheekSquint"), weight(rest, "cheekSquint")])
    assert smile[len(first) - 10 : len(first)].mean() > 0.4
    assert smile[len(first) + 35 :].mean() < 0.2
    assert np.abs(np.diff(smile))[len(first) - 3 : len(first) + 30].max() < 0.15
    alone = talking_head.stream(nonverbal=Nonverbal.of(()))
    with pytest.raises(MotionError, match="mouth alone"):
        alone.change(mood="happy")


def test_mood_without_other_motion(talking_head: TalkingHead, speech: Speech) -> None:
    motion = talking_head.animate(speech, mood="surprised", nonverbal=Nonverbal.of(()))
    assert motion.pose is None
    assert weight(motion, "eyeWide")[60:120].mean() > 0.4


def lively(samples: np.ndarray, faster: float) -> np.ndarray:
    """Play a voice faster and so higher."""
    place = np.arange(0, len(samples) - 1, faster)
    return np.interp(place, np.arange(len(samples)), samples).astype(np.float32)


def test_arousal_follows_pitch_and_rate(speech: Speech) -> None:
    """A calm voice and then a higher, faster, louder one: the latter is livelier."""

    def arousal(samples: np.ndarray) -> np.ndarray:
        course, stream = VocalArousal(), ProsodyStream()
        for prosody in (*stream.feed(samples), *stream.finish()):
            course.step(prosody, prosody.start / 100)
        return course.at(np.arange(0, len(samples) / RATE, 0.1))

    calm = 0.25 * speech.samples
    after = lively(speech.samples, 1.35)
    flat = arousal(np.concatenate([calm, calm[: len(after)]]))[len(calm) // 1600 + 15 :]
    raised = arousal(np.concatenate([calm, after]))[len(calm) // 1600 + 15 :]
    assert raised[:20].mean() > flat[:20].mean() + 0.2
    assert np.abs(np.diff(raised)).max() < 0.35
    hiss = 0.0005 * np.random.default_rng(0).standard_normal(5 * RATE)
    assert not arousal(hiss.astype(np.float32)).any()


def test_mood_from_the_voice_is_as_lively_as_it(speech: Speech) -> None:
    values = nonverbal_values(speech, 30.0, 180, mood=VOICE)[:, MOOD]
    assert not values[:, :-2].any()
    assert values[:, -2:].max() > 0.1
    assert (values[:, -2:].min(1) == 0).all()  # lively or calm


@pytest.mark.parametrize(
    ("mood", "message"),
    [
        ("hapy", "no mood 'hapy'. Did you mean 'happy'"),
        ({"sad": 1.6}, "intensity 1.6"),
        ({"sad": float("nan")}, "intensity nan"),
        ({"sad": 1.0, "happy": 1.0}, "make 2 together"),
        (3, "not a mood"),
        ([(2.0, "sad"), (1.0, "happy")], "do not increase"),
        ([(float("inf"), "sad")], "do not increase"),
        ([("now", "sad")], "not a mood"),
        ([(0.0, "furious")], "no mood 'furious'"),
    ],
)
def test_invalid_moods_are_refused(mood: object, message: str) -> None:
    with pytest.raises(MotionError, match=message):
        NonverbalStream(30.0, mood=mood)


def test_tags_of_a_text() -> None:
    said, spans = read_tags("Well, [happy] you came! [sad 0,6] It rains. [neutral]So?")
    assert said == "Well, you came! It rains. So?"
    assert [(said[s.start : s.end].strip(), s.name, s.intensity) for s in spans] == [
        ("you came!", "happy", 1.0),
        ("It rains.", "sad", 0.6),
        ("So?", "neutral", 1.0),
    ]
    assert read_tags("No tags: a[1], [ ].") == ("No tags: a[1], [ ].", [])
    assert read_tags("[Angry] No") == ("No", [MoodSpan(0, 2, "angry")])
    for text, message in (("[hapy] Hi", "Did you mean 'happy'"), ("[sad 2] Hi", "intensity 2")):
        with pytest.raises(MotionError, match=message):
            read_tags(text)


def test_tags_find_their_time() -> None:
    said, spans = read_tags("[happy] Hello. [sad] Goodbye.")
    curve = mood_curve(said, spans, [(0.2, 1.8)])
    assert curve == [(0.2, {"happy": 1.0}), (pytest.approx(0.2 + 1.6 * 5 / 12), {"sad": 1.0})]
    sounds = [(0.1 * k, 0.1 * k + 0.1) for k in range(5)] + [
        (2 + k / 7, 2 + (k + 1) / 7) for k in range(7)
    ]
    assert mood_curve(said, spans, sounds)[1][0] == pytest.approx(2.0)  # after the pause
    assert mood_curve("Hello", [], sounds) is None
    with pytest.raises(MotionError):
        mood_curve(said, spans, [])


def test_command_line(tmp_path: Path, speech: Speech) -> None:
    speech_file = VOICE_FILE.parent / "pico_de.wav"
    out = tmp_path / "out.npz"
    common = ["animate", str(speech_file), "-o", str(out), "--device", "cpu"]
    assert not main([*common, "--mood", "surprised", "--mood-intensity", "0.8"])
    surprised = Motion.load(out)
    assert not main(common)
    assert (
        weight(surprised, "browOuterUp").mean()
        > weight(Motion.load(out), "browOuterUp").mean() + 0.2
    )
    assert main([*common, "--mood", "hapy"])
    assert main([*common, "--mood", "happy", "--mood-intensity", "2"])


def test_a_face_whose_lips_cannot_be_closed_keeps_its_mouth() -> None:
    from dataclasses import replace

    from jambatalk.motion.mood import express

    face = load_head(1)
    kept = [k for k, name in enumerate(face.blendshapes) if name != "mouthClose"]
    names = tuple(face.blendshapes[k] for k in kept)
    face = replace(face, blendshapes=names, deltas=face.deltas[kept])
    still = Motion(np.zeros((2, len(names)), np.float32), 30.0, face)
    shares = np.zeros((2, 9))
    shares[1, 0] = 1.0
    motion = express(still, shares)
    assert not weight(motion, "mouthSmile").any()
    assert weight(motion, "cheekSquint")[1] > 0.5
    assert not motion.weights[0].any()
