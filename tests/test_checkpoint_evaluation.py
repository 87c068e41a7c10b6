"""The measures of a checkpoint's lips: sounds, pauses, noise; and the table, where the data is."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from places import DATA

from jambatalk import TalkingHead
from jambatalk.errors import DataError, NotInstalledError
from recipes.checkpoint.captured.grid_corpus import read_grid, read_tracked_lips
from recipes.checkpoint.captured.held_out import held_out_clips
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.evaluation import sounds as phones
from recipes.checkpoint.evaluation.babble import add_babble
from recipes.checkpoint.evaluation.benchmark_table import Row, sound_rows, table, to_dicts
from recipes.checkpoint.evaluation.card_table import write_table
from recipes.checkpoint.evaluation.evaluate import Bench
from recipes.checkpoint.evaluation.languages import recognised_row, written_row
from recipes.checkpoint.evaluation.sounds import SoundStatistics

FPS = 50.0


def mouth(seconds: float, *closed: tuple[float, float], depth: float = 0.0) -> np.ndarray:
    """A mouth a centimetre open, and `depth` of it in these stretches; ramps of 40 ms."""
    times = np.arange(round(seconds * FPS)) / FPS
    away = [np.maximum(first - times, times - last) for first, last in closed]
    near = np.clip(np.min(away, 0) / 0.04, 0, 1)
    return 0.01 * (depth + (1 - depth) * near)


def test_sounds_are_measured_inside_their_times() -> None:
    said = [
        Phone("AA", 0.0, 0.3),
        Phone("M", 0.3, 0.4),
        Phone("AE", 0.4, 0.7),
        Phone("F", 0.7, 0.8),
        Phone("IY", 0.8, 1.0),
        Phone("B", 1.0, 1.1),  # the mouth is open
        Phone("SIL", 1.1, 2.0),
    ]
    opening = np.minimum(mouth(2.0, (0.32, 0.42), (1.4, 2.0)), mouth(2.0, (0.72, 0.8), depth=0.2))
    found = SoundStatistics()
    found.add(opening, FPS, said)
    assert found.bilabials == pytest.approx([0, 1], abs=0.01)
    assert found.labiodentals == pytest.approx([0.2], abs=0.01)
    assert phones.share_below(found.bilabials, 0.1) == 50
    assert found.timing == pytest.approx([0.02], abs=0.006)  # closed from 0.32 to 0.42
    assert len(found.open_vowels) == 2
    assert found.open_vowels[0] > 0.95
    # 1.1 to 1.4 it is open: of the pause without its first tenth, two thirds of 0.8 s are closed
    assert np.mean(np.array(found.pauses) <= 0.1) == pytest.approx(0.6 / 0.8, abs=0.04)
    assert len(found.whole_pauses) > len(found.pauses)


def test_timing_leaves_out_closures_that_have_two_reasons() -> None:
    said = [Phone("M", 0.1, 0.2), Phone("P", 0.2, 0.3), Phone("AA", 0.3, 0.5), Phone("B", 0.5, 0.6)]
    found = SoundStatistics()
    found.add(mouth(1.0, (0.1, 0.3), (0.5, 0.6)), FPS, [*said, Phone("SIL", 0.6, 1.0)])
    assert len(found.bilabials) == 3
    assert not found.timing  # beside another lip sound, or beside a pause


def test_babble_has_the_level_asked_for() -> None:
    rng = np.random.default_rng(0)
    talkers = [rng.normal(0, 0.1 * n, 5000 * n) for n in range(1, 8)]
    speech = np.sin(np.arange(16000)).astype(np.float32)
    noisy = add_babble(speech, talkers, 5.0, np.random.default_rng(1))
    babble = noisy - speech
    assert 10 * np.log10(np.mean(speech**2) / np.mean(babble**2)) == pytest.approx(5, abs=0.01)
    np.testing.assert_array_equal(noisy, add_babble(speech, talkers, 5.0, np.random.default_rng(1)))


def test_the_table_says_what_is_reached() -> None:
    rows = [
        Row("a", "up", 0.97, "", 2, 0.95, math.inf, 0.99, "3 clips", "a note"),
        Row("b", "within", 20.0, "ms", 0, -15.0, 15.0),
        Row("c", "unknown", math.nan, "", 2, -math.inf, 0.05),
        Row("d", "told", 4.0),
    ]
    assert [row.reached for row in rows] == [True, False, None, None]
    said = table(rows, {"linear": {"a": 0.8}})
    assert "| up | 0.80 | 0.97 | ≥ 0.95 | yes | 0.99 | 3 clips; a note |" in said
    assert "| within | – | 20 ms | -15 to 15 | no | – |  |" in said
    assert "| unknown | – | – | ≤ 0.05 |  | – |  |" in said
    assert json.loads(json.dumps(to_dicts(rows), allow_nan=False))[2]["value"] is None


def test_the_table_goes_into_the_model_card_in_place_of_the_last(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("# A network\n\n## Measured\nNot yet.\n\n## Limits\nMany.\n")
    for value in (0.5, 0.75):
        write_table(tmp_path, table([Row("key", "how far", value)]), "jambatalk measure")
    text = card.read_text()
    assert text.startswith("# A network\n\n## Measured\nOn ")
    assert "by `jambatalk measure`" in text
    assert "| how far | 0.75 |" in text
    assert "0.50" not in text
    assert text.endswith("\n\n## Limits\nMany.\n")
    card.write_text("# A network\n")
    with pytest.raises(DataError, match="no section '## Measured'"):
        write_table(tmp_path, "", "")
    assert card.read_text() == "# A network\n"


def test_the_worst_style_is_named() -> None:
    found = {
        style: SoundStatistics(
            bilabials=[least], labiodentals=[0.2], open_vowels=[1.0], timing=[late]
        )
        for style, least, late in (("a", 0.0, 0.0), ("b", 0.05, -0.03), ("c", 0.4, 0.01))
    }
    rows = {row.key: row for row in sound_rows(found, SoundStatistics())}
    assert rows["bilabials"].value == 100
    assert rows["bilabials_worst"].value == 0
    assert rows["bilabials_worst"].note == "b 100.0 %, c 0.0 %"
    assert rows["closure_timing_worst"].value == pytest.approx(-30)
    assert rows["closure_timing_worst"].reached is False


@pytest.mark.skipif(not DATA.is_dir(), reason="the training data is not here")
def test_held_out_clips_follow_the_voice() -> None:
    bench = Bench(TalkingHead.from_pretrained(), DATA)
    names = held_out_clips(DATA / "grid_s1")
    assert len(names) == 45
    bench.clips = list(read_grid(DATA / "grid_s1", bench.face, names[:9]))
    assert [clip.name for clip in bench.clips] == names[:9]
    lips = read_tracked_lips(DATA / "grid_s1", names[:9])
    assert all(len(lips[clip.name].aperture) == len(clip.weights) for clip in bench.clips)
    opening, width, amplitude = bench.grid()
    assert opening.value > 0.8
    assert opening.real > 0.98  # the captured motion is the tracked lips'
    assert width.value > 0.5
    assert 0.5 < amplitude.value < 1.5
    (jitter,) = bench.jitter()
    assert 0.3 < jitter.value < 3


@pytest.mark.skipif(not DATA.is_dir(), reason="the training data is not here")
def test_lips_close_where_other_languages_write_it() -> None:
    bench = Bench(TalkingHead.from_pretrained(), DATA)
    row = written_row(bench.talking_head, bench.librivox[:1], DATA)
    if row.note.startswith("needs"):
        pytest.skip(row.note)  # the extra "corpus", espeak-ng
    assert all(f"{language} " in row.note for language in ("en", "de", "es", "it"))
    assert row.reached


def test_what_a_row_needs_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing() -> None:
        raise NotInstalledError("It is not installed.", "Run 'pip install jambatalk[corpus]'.")

    monkeypatch.setattr("recipes.checkpoint.evaluation.languages.TakeAligner", missing)
    monkeypatch.setattr("recipes.checkpoint.evaluation.languages.Recogniser", missing)
    head = TalkingHead.from_pretrained()
    for row in (written_row(head, [], tmp_path), recognised_row(head, [], [])):
        assert row.reached is None
        assert "jambatalk[corpus]" in row.note
