"""Motion of speech as it arrives is that of the whole recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from jambatalk.errors import ModelError, SpeechError
from jambatalk.face.library import load_head
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.model.streaming_encoder import StreamingEncoder
from jambatalk.motion.nonverbal import STILL, Nonverbal, NonverbalStream
from jambatalk.speech import Speech, loudness_normalised
from jambatalk.talking_head import TalkingHead

VOICE = Path(__file__).parent.parent / "assets" / "voices" / "pico_en.wav"
SHAPE = {"d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 2}
ENCODER = EncoderConfig(
    layers=(1, 2),
    architecture={**SHAPE, "encoder_ffn_dim": 64, "num_mel_bins": 80},
    window=(40, 10, 7),
)


@pytest.fixture(scope="module")
def speech() -> Speech:
    return Speech.from_array(Speech.read(VOICE).samples[:80_123], 16000)


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    torch.manual_seed(0)
    config = JambaTalkConfig(
        encoder=ENCODER,
        encoder_width=32,
        width=32,
        attention_window=9,
        styles=("one", "two"),
        blendshapes=load_head(1).blendshapes,
    )
    model = JambaTalk(config).eval()
    model.decoder.motion_map.bias.data.fill_(0.3)  # or clamping would hide it
    return TalkingHead(model)


def pieces(samples: np.ndarray, size: int) -> list[np.ndarray]:
    return [samples[i : i + size] for i in range(0, len(samples), size)]


@pytest.mark.parametrize("size", [160, 1000, 3200, 16_000, 80_000])
def test_streamed_equals_whole(talking_head: TalkingHead, speech: Speech, size: int) -> None:
    whole = talking_head.animate(speech, "two", seed=4)
    stream = talking_head.stream("two", seed=4)
    motions = [stream.feed(piece) for piece in pieces(speech.samples, size)]
    motions.append(stream.finish())
    weights = np.concatenate([motion.weights for motion in motions])
    pose = np.concatenate([motion.pose for motion in motions])
    assert whole.weights.std() > 0.01
    assert whole.pose.std() > 0.001
    np.testing.assert_allclose(weights, whole.weights, atol=1e-5)
    np.testing.assert_allclose(pose, whole.pose, atol=1e-5)


def test_stream_of_the_mouth_alone(talking_head: TalkingHead, speech: Speech) -> None:
    stream = talking_head.stream(nonverbal=STILL)
    motions = [stream.feed(speech.samples), stream.finish()]
    assert all(motion.pose is None for motion in motions)
    weights = np.concatenate([motion.weights for motion in motions])
    whole = talking_head.animate(speech, nonverbal=STILL)
    np.testing.assert_allclose(weights, whole.weights, atol=1e-5)


@pytest.mark.parametrize("nonverbal", [STILL, None], ids=["mouth", "all"])
def test_frames_come_within_the_look_ahead(
    talking_head: TalkingHead, speech: Speech, nonverbal: Nonverbal | None
) -> None:
    stream, frames = talking_head.stream(nonverbal=nonverbal), 0
    for number, piece in enumerate(pieces(speech.samples, 160), 1):
        frames += len(stream.feed(piece))
        certain = number * 160 / 16000 - stream.look_ahead
        assert frames >= int(certain * stream.fps)
    mouth = (10 + 7 + 1) * 0.02
    expected = mouth if nonverbal == STILL else max(mouth, NonverbalStream.look_ahead)
    assert stream.look_ahead == pytest.approx(expected)


def test_later_speech_does_not_change_earlier_frames(
    talking_head: TalkingHead, speech: Speech
) -> None:
    one, other = talking_head.stream(), talking_head.stream()
    before = one.feed(speech.samples[:40_000])
    again = other.feed(np.concatenate([speech.samples[:40_000], np.ones(8000, np.float32)]))
    assert len(before) > 50
    np.testing.assert_allclose(again.weights[: len(before)], before.weights, atol=2e-5)


def test_style_and_head_change_smoothly(speech: Speech) -> None:
    talking_head = TalkingHead.from_pretrained(device="cpu")
    stream = talking_head.stream("neutral", nonverbal=STILL)
    first = stream.feed(speech.samples[:40_000])
    stream.change("theatrical", 1.2, "kofi")
    rest = stream.feed(speech.samples[40_000:])
    assert (first.face.name, rest.face.name) == ("mara", "kofi")
    one = talking_head.animate(speech, "neutral", nonverbal=STILL).weights
    two = talking_head.animate(speech, "theatrical", 1.2, "kofi", STILL).weights
    weights = np.concatenate([first.weights, rest.weights])
    np.testing.assert_allclose(first.weights, one[: len(first)], atol=1e-5)
    late = slice(len(first) + 20, len(weights))
    assert np.abs(weights[late] - two[late]).mean() < 0.05 * np.abs(one - two)[late].mean()
    step = np.abs(np.diff(weights, axis=0)).max(1)
    usual = max(np.abs(np.diff(motion, axis=0)).max() for motion in (one, two))
    assert step[len(first) - 1 : len(first) + 10].max() < usual
    with pytest.raises(ModelError, match="no style 'loud'"):
        stream.change("loud")


def test_window_is_encoded_by_itself(talking_head: TalkingHead, speech: Speech) -> None:
    encoder = talking_head.model.encoder
    streaming = StreamingEncoder(encoder)
    features = torch.cat([streaming.feed(speech.samples), streaming.finish()])
    assert features.shape == (150, 2, 32)
    # step 8 is features 80 to 90; alone, at 50 a second and 30 frames
    window = loudness_normalised(speech.samples[40 * 320 : 97 * 320])
    step = encoder.hidden_states(encoder.inputs(window[None]))[0, 40:50]
    torch.testing.assert_close(features[48], step[0])  # frame 48 lies at feature 80
    torch.testing.assert_close(features[51], step[5])


def test_last_frames_are_complete(talking_head: TalkingHead, speech: Speech) -> None:
    for count in (1, 3200, 5000, 16_001):
        stream = talking_head.stream()
        frames = len(stream.feed(speech.samples[:count])) + len(stream.finish())
        assert frames == max(1, round(count / 16000 * 30))


def test_invalid_samples_are_refused(talking_head: TalkingHead) -> None:
    stream = talking_head.stream()
    for wrong in (np.zeros((5, 2)), np.array([np.nan])):
        with pytest.raises(SpeechError):
            stream.feed(wrong)
    stream.finish()
    with pytest.raises(SpeechError, match=r"over|finished"):
        stream.feed(np.zeros(10))


@pytest.mark.parametrize(
    "whole", [{"encoder": replace(ENCODER, window=None)}, {"attention_window": None}]
)
def test_network_that_encodes_recordings_whole_does_not_stream(
    whole: dict, talking_head: TalkingHead, speech: Speech
) -> None:
    model = TalkingHead(JambaTalk(replace(talking_head.model.config, **whole)))
    with pytest.raises(ModelError, match="whole"):
        model.stream()
    assert len(model.animate(speech)) == round(speech.duration * 30)  # but it animates


@pytest.mark.parametrize("window", [(1, 2), (1, 0, 1), (-1, 2, 3)])
def test_invalid_windows_are_refused(window: tuple[int, ...]) -> None:
    with pytest.raises(ModelError):
        replace(ENCODER, window=window)
