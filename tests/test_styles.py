"""Speaking styles with the bundled checkpoint: strength and mixtures, on a real voice."""

from pathlib import Path

import numpy as np
import pytest
from captured_data import jfk_phones

from jambatalk import Motion, Speech, TalkingHead
from jambatalk.motion.nonverbal import STILL

VOICE = Path(__file__).parent.parent / "assets" / "voices" / "jfk.flac"
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained()


@pytest.fixture(scope="module")
def speech() -> Speech:
    return Speech.from_array(Speech.read(VOICE).samples[:80_000], 16_000)


def at_strengths(talking_head: TalkingHead, speech: Speech, style: str) -> list[Motion]:
    return [talking_head.animate(speech, style, s, nonverbal=STILL) for s in STRENGTHS]


def test_strength_scales_the_neutral_style(talking_head: TalkingHead, speech: Speech) -> None:
    motions = at_strengths(talking_head, speech, talking_head.styles[0])
    assert not motions[0].weights.any()  # a still face
    assert max(motion.weights.max() for motion in motions) <= 1
    for measure in ("lip_aperture", "lip_width"):
        spread = [getattr(motion, measure)().std() for motion in motions]
        assert (np.diff(spread) > 0.02 * spread[4]).all()
    opening = [np.percentile(motion.lip_aperture(), 95) for motion in motions]
    assert opening[6] / opening[4] == pytest.approx(1.5, abs=0.25)


def test_strength_leads_away_from_neutral(talking_head: TalkingHead, speech: Speech) -> None:
    neutral = talking_head.animate(speech, nonverbal=STILL).weights
    for style in talking_head.styles[1:]:
        motions = at_strengths(talking_head, speech, style)
        apart = [np.sqrt(np.mean((motion.weights - neutral) ** 2)) for motion in motions]
        assert apart[0] == 0
        assert (np.diff(apart) > 0).all(), style


def test_lips_touch_at_full_strength(talking_head: TalkingHead, speech: Speech) -> None:
    phones = [phone for phone in jfk_phones() if phone.name in ("M", "F")]
    assert len(phones) == 3
    for style in talking_head.styles:
        motion = talking_head.animate(speech, style, 1.5, nonverbal=STILL)
        aperture = motion.lip_aperture()
        wide = np.percentile(aperture, 95)
        for phone in phones:
            around = slice(int(phone.start * motion.fps), int(phone.end * motion.fps) + 2)
            least = aperture[around].min()
            assert least < (0.1 * wide if phone.name == "M" else 0.0025), (style, phone)


def test_streamed_is_whole_at_any_strength(talking_head: TalkingHead, speech: Speech) -> None:
    neutral, other = talking_head.styles[0], talking_head.styles[-1]
    for style in (neutral, {neutral: 0.4, other: 0.6}):
        for strength in (0.3, 1.5):
            whole = talking_head.animate(speech, style, strength, nonverbal=STILL)
            stream = talking_head.stream(style, strength, nonverbal=STILL)
            parts = [stream.feed(speech.samples), stream.finish()]
            weights = np.concatenate([part.weights for part in parts])
            np.testing.assert_array_equal(weights, whole.weights)


def test_mixtures_lie_between_their_styles(talking_head: TalkingHead, speech: Speech) -> None:
    names = talking_head.styles
    for start in range(len(names) - 2):
        three = names[start : start + 3]
        motions = talking_head.compare(speech, [*three, dict.fromkeys(three, 1)], nonverbal=STILL)
        *alone, mixed = (motion.lip_aperture() for motion in motions)
        assert np.isfinite(motions[-1].weights).all()
        for measure in (np.mean, np.std):
            values = [measure(curve) for curve in alone]
            margin = 0.15 * max(values)
            assert min(values) - margin < measure(mixed) < max(values) + margin, three
        middle = np.mean([motion.weights for motion in motions[:3]], 0)
        apart = [np.abs(motion.weights - middle).mean() for motion in motions]
        assert apart[3] < 0.7 * max(apart[:3]), three


def test_strength_is_continuous_over_mixtures(talking_head: TalkingHead, speech: Speech) -> None:
    """Near a pure style, a mixture moves as that style does, at any strength."""
    neutral, other = talking_head.styles[0], talking_head.styles[-1]
    for strength in (0.0, 0.5, 1.5):
        for one, two in ((neutral, other), (other, neutral)):
            pure, near = (
                talking_head.animate(speech, style, strength, nonverbal=STILL).weights
                for style in (one, {one: 0.999, two: 0.001})
            )
            assert np.abs(pure - near).max() < 0.02
