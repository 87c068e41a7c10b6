"""Any recording in, checked 16 kHz mono out."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from scipy.io import wavfile

from jambatalk import Speech
from jambatalk.errors import SpeechError
from jambatalk.speech import loudness_normalised

VOICES = Path(__file__).parent.parent / "assets" / "voices"
JFK = VOICES / "jfk.flac"


def convert(target: Path, *options: str) -> Path:
    command = [get_ffmpeg_exe(), "-v", "error", "-y", "-t", "2", "-i", str(JFK), *options]
    subprocess.run([*command, str(target)], check=True)
    return target


@pytest.fixture(scope="module")
def two_seconds() -> np.ndarray:
    return Speech.read(JFK).samples[:32000]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", ("-ar", "44100", "-ac", "2")),
        ("a.wav", ("-ar", "8000", "-c:a", "pcm_u8")),
        ("a.wav", ("-c:a", "pcm_s24le", "-ac", "6")),
        ("a.flac", ()),
        ("a.mp3", ("-ar", "22050")),
        ("a.ogg", ("-c:a", "libopus", "-ar", "48000")),
        ("a.m4a", ()),
        ("a.webm", ("-c:a", "libopus", "-ar", "48000")),
        ("a.mp4", ("-f", "lavfi", "-i", "color=s=64x64:d=2", "-shortest")),
    ],
)
def test_common_formats_are_decoded(
    tmp_path: Path, two_seconds: np.ndarray, name: str, options: tuple[str, ...]
) -> None:
    speech = Speech.read(convert(tmp_path / name, *options))
    assert speech.samples.dtype == np.float32
    assert speech.duration == pytest.approx(2.0, abs=0.08)
    assert loudness_correlation(speech.samples, two_seconds) > 0.9


def loudness_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Correlate loudness in steps of 20 ms, which a codec's phase and delay hardly change."""

    def loudness(x: np.ndarray) -> np.ndarray:
        return np.sqrt((x[: len(x) // 320 * 320].reshape(-1, 320) ** 2).mean(1))

    a, b = loudness(a), loudness(b)
    length = min(len(a), len(b))
    return float(np.corrcoef(a[:length], b[:length])[0, 1])


def test_arrays_of_any_type_are_accepted(two_seconds: np.ndarray) -> None:
    as_int16 = Speech.from_array((two_seconds.clip(-1, 1) * 32767).astype(np.int16), 16000)
    as_uint8 = Speech.from_array((two_seconds.clip(-1, 1) * 127 + 128).astype(np.uint8), 16000)
    stereo = Speech.from_array(np.stack([two_seconds, two_seconds], 1), 16000)
    np.testing.assert_allclose(as_int16.samples, two_seconds.clip(-1, 1), atol=1e-4)
    np.testing.assert_allclose(as_uint8.samples, two_seconds.clip(-1, 1), atol=2 / 128)
    np.testing.assert_array_equal(stereo.samples, two_seconds)
    slower = Speech.from_array(two_seconds, 48000)
    assert slower.duration == pytest.approx(2 / 3, abs=1e-3)


def test_normalised_loudness_does_not_depend_on_the_microphone(two_seconds: np.ndarray) -> None:
    loud = loudness_normalised(Speech.from_array(two_seconds, 16000).samples)
    quiet = loudness_normalised(Speech.from_array(two_seconds * 0.05, 16000).samples)
    np.testing.assert_allclose(loud, quiet, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "missing.wav", "no file"),
        (lambda folder: written(folder / "text.wav", b"I am not sound."), "could not be read"),
        (lambda folder: written(folder / "empty.wav", b""), "could not be read"),
        (lambda folder: wav(folder, np.zeros(0, np.int16)), "0.00 s"),
        (lambda folder: wav(folder, np.ones(2000, np.int16)), "0.12 s"),
        (lambda folder: wav(folder, np.full(16000, np.nan, np.float32)), "not numbers"),
        (lambda folder: wav(folder, np.ones(16000 * 4, np.int16)), "longer than 3 s"),
        (lambda folder: convert(folder / "mute.mp4", "-an", *MUTE), "could not be read"),
    ],
)
def test_unusable_recordings_are_refused(tmp_path: Path, make, message: str) -> None:
    with pytest.raises(SpeechError, match=message) as caught:
        Speech.read(make(tmp_path), max_seconds=3)
    assert caught.value.cure


MUTE = ("-f", "lavfi", "-i", "color=s=64x64:d=1", "-map", "1:v")


def test_playlists_are_refused(tmp_path: Path) -> None:
    convert(tmp_path / "secret.wav")
    playlist = tmp_path / "voice.wav"
    playlist.write_text("ffconcat version 1.0\nfile 'secret.wav'\n")
    with pytest.raises(SpeechError, match="could not be read"):
        Speech.read(playlist)


@pytest.mark.parametrize("name", ["http:voice.wav", "concat:a|b.wav", "-i.wav", "a:b/c.wav"])
def test_names_with_colons_are_files(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(convert(tmp_path / "plain.wav").read_bytes())
    assert Speech.read(path).duration == pytest.approx(2.0)


def test_decoding_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jambatalk.speech.DECODING_SECONDS", -3)
    with pytest.raises(SpeechError, match="took too long"):
        Speech.read(JFK, max_seconds=3)


def test_speech_of_any_source(two_seconds: np.ndarray) -> None:
    speech = Speech.of(JFK)
    assert speech.source == JFK
    assert Speech.of(speech) is speech
    assert np.array_equal(Speech.of(str(JFK)).samples, speech.samples)
    assert np.array_equal(Speech.of((two_seconds, 16_000)).samples, two_seconds)
    assert Speech.of((two_seconds, np.float64(8000))).duration == pytest.approx(4.0)


@pytest.mark.parametrize(
    "source", [np.zeros(16_000), (16_000, np.zeros(16_000)), None, 3, (np.zeros(9), 1, 2), b"a.wav"]
)
def test_speech_of_anything_else_is_refused(source: object) -> None:
    with pytest.raises(SpeechError, match=r"\(samples, rate\)"):
        Speech.of(source)


def test_unusable_arrays_are_refused() -> None:
    for samples in (np.zeros((2, 3, 4)), np.zeros(16_000, complex), np.array(["a"] * 16_000)):
        with pytest.raises(SpeechError, match="cannot be made of ndarray"):
            Speech.from_array(samples, 16_000)
    for rate in (0, -16_000, np.nan, np.inf, 1e12, None, "16000"):
        with pytest.raises(SpeechError, match="rate in Hz"):
            Speech.from_array(np.zeros(16_000), rate)
    with pytest.raises(SpeechError, match="longer than"):
        Speech.from_array(np.ones(16_000 * 4), 16_000, max_seconds=3)
    with pytest.raises(SpeechError, match="not numbers"):
        Speech.from_array(np.full(48_000, np.inf, np.float32), 48_000)


def test_silence_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert Speech.from_array(np.zeros(16_000), 16_000).is_silent
    assert "silent" in caplog.text


def test_one_quiet_word_is_not_silence() -> None:
    samples = np.zeros(600 * 16_000, np.float32)
    samples[:16_000] = 0.005 * np.sin(np.arange(16_000) / 10)
    assert not Speech(samples).is_silent


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def wav(folder: Path, samples: np.ndarray) -> Path:
    wavfile.write(folder / "made.wav", 16000, samples)
    return folder / "made.wav"
