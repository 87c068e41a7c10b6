"""Speech heard while it is spoken gives what the whole recording gives."""

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
from jambatalk.motion.nonverbal import STILL
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
    whole = talking_head.animate(speech, "two", nonverbal=STILL)
    stream = talking_head.stream("two")
    motions = [stream.feed(piece) for piece in pieces(speech.samples, size)]
    motions.append(stream.finish())
    weights = np.concatenate([motion.weights for motion in motions])
    assert whole.weights.std() > 0.01
    np.testing.assert_allclose(weights, whole.weights, atol=2e-5)


def test_frames_come_when_promised(talking_head: TalkingHead, speech: Speech) -> None:
    stream, given = talking_head.stream(), 0
    for number, piece in enumerate(pieces(speech.samples, 160), 1):
        given += len(stream.feed(piece))
        certain = number * 160 / 16000 - stream.look_ahead
        assert given >= int(certain * stream.fps)
    assert stream.look_ahead == pytest.approx((10 + 7 + 1) * 0.02)


def test_what_comes_later_changes_nothing(talking_head: TalkingHead, speech: Speech) -> None:
    first, other = talking_head.stream(), talking_head.stream()
    heard = first.feed(speech.samples[:40_000])
    again = other.feed(np.concatenate([speech.samples[:40_000], np.ones(8000, np.float32)]))
    assert len(heard) > 60
    np.testing.assert_allclose(again.weights[: len(heard)], heard.weights, atol=2e-5)


def test_a_window_is_heard_by_itself(talking_head: TalkingHead, speech: Speech) -> None:
    encoder = talking_head.model.encoder
    hearing = StreamingEncoder(encoder)
    features = torch.cat([hearing.feed(speech.samples), hearing.finish()])
    assert features.shape == (150, 2, 32)
    # step 8 is features 80 to 90; alone, at 50 a second and 30 frames
    window = loudness_normalised(speech.samples[40 * 320 : 97 * 320])
    step = encoder.hidden_states(encoder.inputs(window[None]))[0, 40:50]
    torch.testing.assert_close(features[48], step[0])  # frame 48 lies at feature 80
    torch.testing.assert_close(features[51], step[5])


def test_the_end_is_not_lost(talking_head: TalkingHead, speech: Speech) -> None:
    for count in (1, 3200, 5000, 16_001):
        stream = talking_head.stream()
        frames = len(stream.feed(speech.samples[:count])) + len(stream.finish())
        assert frames == max(1, round(count / 16000 * 30))


def test_what_cannot_be_heard_is_refused(talking_head: TalkingHead) -> None:
    stream = talking_head.stream()
    for wrong in (np.zeros((5, 2)), np.array([np.nan])):
        with pytest.raises(SpeechError):
            stream.feed(wrong)
    stream.finish()
    with pytest.raises(SpeechError, match="over"):
        stream.feed(np.zeros(10))


@pytest.mark.parametrize(
    "whole", [{"encoder": replace(ENCODER, window=None)}, {"attention_window": None}]
)
def test_a_network_that_hears_recordings_whole_does_not_stream(
    whole: dict, talking_head: TalkingHead, speech: Speech
) -> None:
    deaf = TalkingHead(JambaTalk(replace(talking_head.model.config, **whole)))
    with pytest.raises(ModelError, match="whole"):
        deaf.stream()
    assert len(deaf.animate(speech)) == round(speech.duration * 30)  # but it speaks


@pytest.mark.parametrize("window", [(1, 2), (1, 0, 1), (-1, 2, 3)])
def test_impossible_windows_are_refused(window: tuple[int, ...]) -> None:
    with pytest.raises(ModelError):
        replace(ENCODER, window=window)
