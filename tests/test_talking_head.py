"""The whole path with the bundled checkpoint, on real voices."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from local_data import DATA

import jambatalk
from jambatalk import Motion, Speech, TalkingHead, View
from jambatalk.errors import FaceError, ModelError, MotionError, SpeechError, Stopped, VideoError
from jambatalk.motion.nonverbal import STILL
from jambatalk.motion.nonverbal.prosody import ProsodyStream

ROOT = Path(__file__).parent.parent
VOICES = ROOT / "assets" / "voices"
PHONES = DATA / "speech" / "librivox_phones"


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained()


@pytest.fixture(scope="module")
def jfk() -> Speech:
    return Speech.read(VOICES / "jfk.flac")


@pytest.fixture(scope="module")
def motion(talking_head: TalkingHead, jfk: Speech) -> Motion:
    return talking_head.animate(jfk)


def loudness(speech: Speech, frames: int, fps: float) -> np.ndarray:
    """Level around each frame (T,), dB below the loudest."""
    half = int(0.03 * 16000)
    padded = np.pad(speech.samples, half)
    centres = (np.arange(frames) / fps * 16000).astype(int)
    rms = np.array([np.sqrt(np.mean(padded[c : c + 2 * half] ** 2)) for c in centres])
    return 20 * np.log10(rms / rms.max() + 1e-6)


def test_motion_is_as_long_as_the_speech(motion: Motion, jfk: Speech) -> None:
    assert len(motion) == round(jfk.duration * motion.fps)
    assert 0 <= motion.weights.min() <= motion.weights.max() <= 1


@pytest.mark.parametrize("voice", sorted(path.name for path in VOICES.glob("*.*a*")))
@pytest.mark.parametrize("style", ["neutral", "crisp", "theatrical"])
def test_lips_open_in_loud_speech(talking_head: TalkingHead, voice: str, style: str) -> None:
    speech = Speech.read(VOICES / voice)
    motion = talking_head.animate(speech, style)
    aperture, level = motion.lip_aperture(), loudness(speech, len(motion), motion.fps)
    assert np.median(aperture[level > -12]) > 0.003
    assert np.median(aperture[level > -12]) > 1.5 * np.median(aperture[level < -30])


def test_lips_close_in_a_pause(talking_head: TalkingHead, jfk: Speech) -> None:
    pause = np.random.default_rng(0).standard_normal(16000) * 1e-3
    speech = Speech.from_array(np.concatenate([jfk.samples[:56000], pause]), 16000)
    for style in talking_head.styles:
        aperture = talking_head.animate(speech, style).lip_aperture()
        assert aperture[-20:].max() < 0.0025
        assert aperture[:100].max() > 0.004


@pytest.mark.skipif(not PHONES.exists(), reason="needs recordings with phone times")
def test_open_vowels_open_and_closed_consonants_close(talking_head: TalkingHead) -> None:
    open_vowels, closures = [], []
    for file in sorted(PHONES.glob("*.phone.json")):
        speech = Speech.read(next(PHONES.glob(file.name.removesuffix(".phone.json") + ".[wf]*")))
        aperture = talking_head.animate(speech, "crisp").lip_aperture()
        wide = np.percentile(aperture, 95)
        for phone, start, end in phones(file):
            frames = aperture[int(start * 30) : max(int(end * 30), int(start * 30) + 1) + 1]
            if phone in ("AA", "AE", "EY", "AY"):
                open_vowels.append(frames.max() / wide)
            elif phone in ("P", "B", "M"):
                closures.append(frames.min() / wide)
    assert min(len(open_vowels), len(closures)) > 10
    assert np.median(open_vowels) > 0.5
    assert np.median(closures) < 0.2


def phones(file: Path) -> list[tuple[str, float, float]]:
    return [
        (segment["t"].strip("012"), segment["b"], segment["b"] + segment["d"])
        for word in json.loads(file.read_text())["w"]
        for segment in word["w"]
    ]


def test_same_speech_same_motion(talking_head: TalkingHead, jfk: Speech, motion: Motion) -> None:
    again = TalkingHead.from_pretrained().animate(Speech.read(VOICES / "jfk.flac"))
    np.testing.assert_array_equal(again.weights, motion.weights)


def test_style_changes_the_motion(talking_head: TalkingHead, jfk: Speech) -> None:
    crisp, theatrical = talking_head.compare(jfk, ["crisp", "theatrical"])
    lips = crisp.face.regions["lips"]
    apart = np.linalg.norm(crisp.vertices()[:, lips] - theatrical.vertices()[:, lips], axis=-1)
    assert apart.mean() > 0.0005
    assert apart.max() > 0.002
    # the one opens wide and rounds, the other bares the teeth
    assert theatrical.lip_aperture().mean() > 1.2 * crisp.lip_aperture().mean()
    rounded = [motion.blendshape("mouthPucker").mean() for motion in (theatrical, crisp)]
    assert rounded[0] > 1.3 * rounded[1]
    alone = talking_head.animate(jfk, "theatrical")
    np.testing.assert_array_equal(alone.weights, theatrical.weights)
    neutral = talking_head.animate(jfk, "theatrical", strength=0)
    np.testing.assert_array_equal(neutral.weights, talking_head.animate(jfk, "neutral").weights)


def test_speech_is_encoded_once_for_all_styles(
    talking_head: TalkingHead, jfk: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, encoder = [], talking_head.model.encoder
    encode = encoder.hidden_states
    monkeypatch.setattr(encoder, "hidden_states", lambda w: counts.append(len(w)) or encode(w))
    streams: list[object] = []
    init = ProsodyStream.__init__
    monkeypatch.setattr(ProsodyStream, "__init__", lambda s: streams.append(s) or init(s))
    talking_head.compare(jfk, list(talking_head.styles))
    assert sum(counts) == -(-jfk.duration // 0.32)  # every step once
    assert len(streams) == 1  # and prosody


def test_silence_gives_a_resting_face(talking_head: TalkingHead) -> None:
    silence = Speech.from_array(np.zeros(32000), 16000)
    rest = talking_head.animate(silence, nonverbal=STILL)
    assert len(rest) == 60
    assert not rest.weights.any()
    assert rest.pose is None
    resting = talking_head.animate(silence)
    moving = {
        blendshape
        for blendshape in resting.face.blendshapes
        if resting.blendshape(blendshape).any()
    }
    assert all(blendshape.startswith("eye") for blendshape in moving)
    assert 0 < np.degrees(np.abs(resting.pose)).max() < 3


def test_unknown_names_are_refused_before_any_work(talking_head: TalkingHead, jfk: Speech) -> None:
    def must_not_start(stage: str, done: float) -> None:
        raise AssertionError(stage)

    with pytest.raises(ModelError, match="no style 'angry'"):
        talking_head.animate(jfk, "angry", progress=must_not_start)
    with pytest.raises(FaceError, match="no head 'none'"):
        talking_head.animate(jfk, head="none", progress=must_not_start)


def test_public_names() -> None:
    assert set(jambatalk.__all__) < set(dir(jambatalk))
    for name in jambatalk.__all__:
        assert getattr(jambatalk, name).__doc__
    methods = ("from_pretrained", "animate", "compare", "stream", "video")
    assert all("Example:" in getattr(TalkingHead, name).__doc__ for name in methods)
    with pytest.raises(AttributeError, match="no attribute 'Speach'"):
        _ = jambatalk.Speach


def test_recordings_are_given_as_path_samples_or_speech(
    talking_head: TalkingHead, tmp_path: Path
) -> None:
    path = VOICES / "pico_en.wav"
    speech = Speech.read(path)
    expected = talking_head.animate(speech, nonverbal=STILL).weights
    for recording in (path, str(path), (speech.samples, 16_000)):
        motion = talking_head.animate(recording, nonverbal=STILL)
        np.testing.assert_array_equal(motion.weights, expected)
    for wrong in (speech.samples, None, (16_000, speech.samples), [1.0, 2.0]):
        with pytest.raises(SpeechError, match=r"\(samples, rate\)"):
            talking_head.animate(wrong)
    with pytest.raises(SpeechError, match="no file"):
        talking_head.video(talking_head.animate(speech), "none.wav", tmp_path / "a.mp4")


def test_progress_stops_the_work(
    talking_head: TalkingHead, jfk: Speech, motion: Motion, tmp_path: Path
) -> None:
    def stop(stage: str, done: float) -> None:
        if done > 0.2:
            raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        talking_head.video(motion, jfk, tmp_path / "a.mp4", View(size=64), progress=stop)
    assert not list(tmp_path.iterdir())


def probe(path: Path) -> dict:
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    streams = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {stream["codec_type"]: stream for stream in streams["streams"]}


def test_video_has_every_frame_and_the_sound(
    talking_head: TalkingHead, jfk: Speech, motion: Motion, tmp_path: Path
) -> None:
    stages: dict[str, float] = {}
    path = talking_head.video(
        [motion], jfk, tmp_path / "a.mp4", View(size=128), progress=stages.__setitem__
    )
    streams = probe(path)
    assert streams["video"]["codec_name"] == "h264"
    assert int(streams["video"]["nb_frames"]) == len(motion)
    assert streams["video"]["r_frame_rate"] == "30/1"
    assert streams["audio"]["codec_name"] == "aac"
    durations = [float(stream["duration"]) for stream in streams.values()]
    assert durations == pytest.approx([jfk.duration] * 2, abs=1 / 30)
    assert stages["Rendering"] == 1.0
    # the sound is the speech, from its first sample on
    sound = Speech.read(path).samples[: len(jfk.samples)]
    lag = np.arange(-800, 801)
    middle = slice(40000, 72000)
    r = [np.dot(sound[middle], np.roll(jfk.samples, n)[middle]) for n in lag]
    assert abs(lag[int(np.argmax(r))]) < 160  # 10 ms
    best = np.roll(jfk.samples, lag[int(np.argmax(r))])
    assert np.corrcoef(sound[middle], best[middle])[0, 1] > 0.95


def test_video_of_several_motions(talking_head: TalkingHead, jfk: Speech, tmp_path: Path) -> None:
    speech = Speech.from_array(jfk.samples[:32000], 16000)
    motions = talking_head.compare(speech, ["crisp", "theatrical", "neutral"])
    motions[1] = motions[1].resampled(25)  # drawn at the rate of the first
    captions = ["crisp", "theatrical", "neutral"]
    path = talking_head.video(motions, speech, tmp_path / "a.mp4", View(size=96), captions)
    streams = probe(path)
    assert (streams["video"]["width"], streams["video"]["height"]) == (288, 96)
    assert int(streams["video"]["nb_frames"]) == 60


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"nonverbal": "none"}, MotionError, "jambatalk.Nonverbal"),
        ({"style": ["crisp"]}, ModelError, "not a style"),
        ({"head": 13.5}, FaceError, "not a head"),
    ],
)
def test_arguments_of_another_kind_are_refused(
    talking_head: TalkingHead, jfk: Speech, arguments: dict, error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        talking_head.animate(jfk, **arguments)


def test_video_needs_a_motion(talking_head: TalkingHead, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no motion"):
        talking_head.video([], None, tmp_path / "out.mp4")


def test_stream_takes_float_samples_alone(talking_head: TalkingHead) -> None:
    stream = talking_head.stream()
    with pytest.raises(SpeechError, match="int16"):
        stream.feed(np.zeros(1600, np.int16))
