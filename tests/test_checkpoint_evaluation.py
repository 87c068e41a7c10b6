"""The evaluation of the bundled checkpoint: its metrics, its benchmark table, its main claims."""

import json
import math
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from captured_data import jfk_phones, write_data, write_grid
from local_data import DATA
from PIL import Image

from jambatalk import Speech, TalkingHead, load_head
from jambatalk.errors import DataError, NotInstalledError
from jambatalk.motion.motion import Motion
from recipes.checkpoint.augment import add_babble
from recipes.checkpoint.captured.held_out import held_out_clips
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.evaluation.baselines import (
    exchange_lips,
    gru_baseline,
    linear_baseline,
)
from recipes.checkpoint.evaluation.benchmark_table import Row, table, tables, to_dicts
from recipes.checkpoint.evaluation.captured_rows import CapturedEvaluation
from recipes.checkpoint.evaluation.card_table import write_table
from recipes.checkpoint.evaluation.evaluate_checkpoint import evaluate_checkpoint
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.languages import recognised_row, written_row
from recipes.checkpoint.evaluation.lip_plots import main as plot_lips
from recipes.checkpoint.evaluation.phone_rows import phone_rows
from recipes.checkpoint.evaluation.phone_statistics import PhoneStatistics, percent_below
from recipes.checkpoint.evaluation.tracked_speech import TrackedSpeech

FPS = 50.0
VOICES = Path(__file__).parent.parent / "assets" / "voices"


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained()


def aperture(seconds: float, *closed: tuple[float, float], low: float = 0.0) -> np.ndarray:
    """A mouth open by a centimetre, by `low` of it in some spans, with ramps of 40 ms."""
    times = np.arange(round(seconds * FPS)) / FPS
    distance = [np.maximum(first - times, times - last) for first, last in closed]
    opened = np.clip(np.min(distance, 0) / 0.04, 0, 1)
    return 0.01 * (low + (1 - low) * opened)


def test_phone_statistics_are_measured_within_phones() -> None:
    phones = [
        Phone("AA", 0.0, 0.3),
        Phone("M", 0.3, 0.4),
        Phone("AE", 0.4, 0.7),
        Phone("F", 0.7, 0.8),
        Phone("IY", 0.8, 1.0),
        Phone("B", 1.0, 1.1),  # the mouth is open
        Phone("SIL", 1.1, 2.0),
    ]
    closed = aperture(2.0, (0.32, 0.42), (1.4, 2.0))
    statistics = PhoneStatistics()
    statistics.add(np.minimum(closed, aperture(2.0, (0.72, 0.8), low=0.2)), FPS, phones)
    assert statistics.bilabials == pytest.approx([0, 1], abs=0.01)
    assert statistics.labiodentals == pytest.approx([0.2], abs=0.01)
    assert percent_below(statistics.bilabials, 0.1) == 50
    assert statistics.closure_delays == pytest.approx([0.02], abs=0.006)  # closed 0.32 to 0.42
    assert len(statistics.open_vowels) == 2
    assert statistics.open_vowels[0] > 0.95
    # open from 1.1 to 1.4, within the first 0.3 s of the pause
    assert np.mean(np.array(statistics.pauses) <= 0.1) == pytest.approx(1.0, abs=0.06)


def test_closure_delay_ignores_closures_beside_pauses_and_lip_sounds() -> None:
    phones = [
        Phone("M", 0.1, 0.2),
        Phone("P", 0.2, 0.3),
        Phone("AA", 0.3, 0.5),
        Phone("B", 0.5, 0.6),
        Phone("SIL", 0.6, 1.0),
    ]
    statistics = PhoneStatistics()
    statistics.add(aperture(1.0, (0.1, 0.3), (0.5, 0.6)), FPS, phones)
    assert len(statistics.bilabials) == 3
    assert not statistics.closure_delays


def test_add_babble_has_the_signal_to_noise_ratio() -> None:
    rng = np.random.default_rng(0)
    voices = [rng.normal(0, 0.1 * n, 5000 * n) for n in range(1, 8)]
    speech = np.sin(np.arange(16000)).astype(np.float32)
    noisy = add_babble(speech, voices, 5.0, np.random.default_rng(1))
    babble = noisy - speech
    assert 10 * np.log10(np.mean(speech**2) / np.mean(babble**2)) == pytest.approx(5, abs=0.01)
    np.testing.assert_array_equal(noisy, add_babble(speech, voices, 5.0, np.random.default_rng(1)))


def test_table_shows_bounds_and_baselines() -> None:
    rows = [
        Row("a", "up", 0.97, "", 2, 0.95, math.inf, 0.99, "3 clips", "a note"),
        Row("b", "between", 20.0, "ms", 0, -15.0, 15.0),
        Row("c", "unknown", math.nan, "", 2, -math.inf, 0.05),
        Row("d", "without bounds", 4.0, interval=(3.5, 4.25)),
    ]
    assert [row.within_bounds for row in rows] == [True, False, None, None]
    baselines = {"linear": {"a": 0.8}, "of other rows": {"e": 1.0}}
    markdown = table(rows, baselines)
    assert markdown.startswith("| metric | linear | checkpoint |")
    assert "| 4.00 [3.50, 4.25] |" in markdown
    grouped = tables({"First": rows[:1], "Second": rows[1:]}, baselines)
    assert grouped.startswith("### First\n\n| metric | linear | checkpoint |")
    assert "\n\n### Second\n\n| metric | checkpoint |" in grouped
    assert "| up | 0.80 | 0.97 | ≥ 0.95 | yes | 0.99 | 3 clips; a note |" in markdown
    assert "| between | – | 20 ms | -15 to 15 | no | – |  |" in markdown
    assert "| unknown | – | – | ≤ 0.05 |  | – |  |" in markdown
    assert json.loads(json.dumps(to_dicts(rows), allow_nan=False))[2]["value"] is None


def test_write_table_replaces_the_table_of_the_card(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("# A network\n\n## Measured\nNot yet.\n\n## Limits\nMany.\n")
    for value in (0.5, 0.75):
        write_table(tmp_path, table([Row("key", "distance", value)]), "jambatalk measure")
    text = card.read_text(encoding="utf-8")
    assert text.startswith("# A network\n\n## Measured\nOn ")
    assert "by `jambatalk measure`" in text
    assert "| distance | 0.75 |" in text
    assert "0.50" not in text
    assert text.endswith("\n\n## Limits\nMany.\n")
    card.write_text("# A network\n")
    with pytest.raises(DataError, match="no section '## Measured'"):
        write_table(tmp_path, "", "")
    assert card.read_text() == "# A network\n"


def test_phone_rows_name_the_worst_style() -> None:
    statistics = {
        style: PhoneStatistics(
            bilabials=[least], labiodentals=[0.2], open_vowels=[1.0], closure_delays=[delay]
        )
        for style, least, delay in (("a", 0.0, 0.0), ("b", 0.05, -0.03), ("c", 0.4, 0.01))
    }
    rows = {row.key: row for row in phone_rows(statistics, PhoneStatistics())}
    assert rows["bilabials"].value == 100
    assert rows["bilabials_worst"].value == 0
    assert rows["bilabials_worst"].note == "outside: c 0.0 %"
    assert rows["labiodentals_worst"].note == "all 2 within"
    assert rows["closure_delay_worst"].value == pytest.approx(-30)
    assert rows["closure_delay_worst"].within_bounds is False


def test_lips_close_in_every_style(talking_head: TalkingHead) -> None:
    """The main claim, on the bundled voice with aligned phones."""
    speech, phones = Speech.read(VOICES / "jfk.flac"), jfk_phones()
    for style, motion in zip(
        talking_head.styles, talking_head.compare(speech, talking_head.styles), strict=True
    ):
        statistics = PhoneStatistics()
        statistics.add(motion.lip_aperture(), motion.fps, phones)
        assert len(statistics.bilabials) == 2
        assert max(statistics.bilabials) < 0.05, style  # M of "my" and "Americans"
        assert max(np.abs(statistics.closure_delays)) < 0.04, style
        # short vowels hardly part lips in some designed styles
        real = talking_head.style_notes[style].startswith("Captured")
        assert (np.median if real else np.max)(statistics.open_vowels) > 0.6, style
        assert percent_below(statistics.pauses, 0.1) > 80, style  # 86.7 in captured motion


def test_evaluate_checkpoint_on_its_own_motion(talking_head: TalkingHead, tmp_path: Path) -> None:
    """Every row, on data whose captured motion is the checkpoint's: a perfect imitation."""
    face = load_head(1)
    folder = write_data(tmp_path, face, lambda s, style: talking_head.animate(s, style))
    groups = evaluate_checkpoint(talking_head, folder)
    assert all(groups.values())
    rows = {row.key: row for group in groups.values() for row in group}
    assert rows["grid_lip_open"].value > 0.99
    assert rows["grid_lip_open"].captured > 0.97  # after fitting to tracked landmarks
    assert rows["grid_lip_width"].value > 0.99
    assert rows["grid_amplitude_open"].value == pytest.approx(1, abs=0.05)
    assert rows["facegood_jaw"].value > 0.99
    assert rows["facegood_jaw"].note.endswith("+0 ms")
    assert rows["bilabials"].value == rows["bilabials_worst"].value == 100
    assert rows["bilabials"].sample == "2 phones of LibriVox, style neutral"
    assert rows["bilabials"].captured == 100
    assert rows["styles"].value > 50  # after two recordings of each style
    assert 0 < rows["babble"].value < 0.7
    assert 0.2 < rows["jitter"].value < 5
    assert rows["address_lip_open"].value > 0.97
    assert rows["address_lip_width"].value > 0.97
    assert rows["address_amplitude_open"].value == pytest.approx(1, abs=0.05)
    assert rows["people_lip_open"].value > 0.8  # a captured style, predicted in the neutral one
    assert rows["people_rounding"].sample.startswith("2 rounded, 0 spread sounds")
    if find_spec("pocketsphinx"):
        assert rows["accents_bilabials"].sample.startswith("0 phones")
        assert rows["children_bilabials"].value == 100
    else:
        assert rows["readers"].note.startswith("needs")
    assert rows["stillness"].value < 1
    assert "pauses of" in rows["parting"].sample
    assert {"languages_recognised", "languages_written"} < rows.keys()


def test_baselines_are_scored_on_the_same_clips(talking_head: TalkingHead, tmp_path: Path) -> None:
    face = load_head(1)

    def animate(speech: Speech, style: str) -> Motion:
        return talking_head.animate(speech, style)

    folder = write_data(tmp_path, face, animate)
    # the first clip is held out; the second, which is the same, trains
    write_grid(folder / "grid_s1", face, animate, ["one", "two"])
    for suffix in (".npz", ".flac"):
        take = folder / "facegood" / f"1114_3_15{suffix}"
        shutil.copy(take, take.with_name(f"1114_2_01{suffix}"))
    keys = {f"{who}_lip_{x}" for who in ("grid", "people", "address") for x in ("open", "width")}
    gru = gru_baseline(talking_head.model, folder, steps=60)
    linear = linear_baseline(folder)
    assert gru.keys() == keys < linear.keys()
    assert gru["grid_lip_open"] > 0.8
    assert linear["grid_lip_open"] > 0.8
    assert max(gru["address_lip_open"], linear["address_lip_open"]) < 0.8  # another speaker


def test_another_clip_is_of_the_same_person() -> None:
    speech = Speech.from_array(np.ones(16000), 16000)
    lips = {name: np.full((25, 2), value) for value, name in enumerate("abc")}
    lips["c"][:, 0] = np.arange(25)
    clips = [
        TrackedSpeech(person, speech, lips[name], 25.0)
        for person, name in (("s4", "a"), ("s33", "c"), ("s4", "b"))
    ]
    first, alone, last = exchange_lips(clips)
    np.testing.assert_array_equal(first.pred, lips["b"])
    np.testing.assert_array_equal(last.pred, lips["a"])
    assert alone.pred[0, 0] == 13  # by half of its 25 frames
    assert alone.target is lips["c"]


def test_lips_of_people_held_out_are_plotted(talking_head: TalkingHead, tmp_path: Path) -> None:
    write_data(tmp_path, load_head(1), lambda s, style: talking_head.animate(s, style))
    plots = tmp_path / "plots"
    assert plot_lips(["--data", str(tmp_path), "--clips", "1", "-o", str(plots)]) == 0
    assert sorted(path.name for path in plots.iterdir()) == ["address.png", "s4_one.png"]
    assert all(Image.open(path).width > 1000 for path in plots.iterdir())


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data of the checkpoint")
def test_captured_evaluation_on_held_out_clips(talking_head: TalkingHead) -> None:
    data = HeldOutData(DATA, load_head(1))
    names = held_out_clips(DATA / "grid_s1")
    assert len(names) == 45
    data.grid_clips = [clip for clip in data.grid_clips if clip.name in names[:9]]
    assert [clip.name for clip in data.grid_clips] == names[:9]
    assert all(len(data.grid_tracked[c.name].lips) == len(c.weights) for c in data.grid_clips)
    evaluation = CapturedEvaluation(talking_head, data)
    opening, width, amplitude, _, rounding = evaluation.grid_rows()
    low, high = opening.interval
    assert 0.5 < low < opening.value < high < 1
    assert opening.value > 0.8
    assert opening.captured > 0.98  # the captured motion is fitted to the tracked lips
    assert width.value > 0.5
    assert 0.5 < amplitude.value < 1.5
    assert 0.5 < rounding.value < 2
    assert rounding.captured == pytest.approx(1, abs=0.2)
    (jitter,) = evaluation.jitter_rows()
    assert 0.3 < jitter.value < 3


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data of the checkpoint")
def test_lips_close_in_written_phones_of_other_languages(talking_head: TalkingHead) -> None:
    row = written_row(talking_head, HeldOutData(DATA, load_head(1)))
    if row.note.startswith("needs"):
        pytest.skip(row.note)  # the extra "recipes", espeak-ng
    assert all(f"{language} " in row.note for language in ("en", "de", "es", "it"))
    assert row.within_bounds


def test_language_rows_name_missing_programs(
    talking_head: TalkingHead, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing() -> None:
        raise NotInstalledError("It is not installed.", "Run 'pip install jambatalk[recipes]'.")

    monkeypatch.setattr("recipes.checkpoint.evaluation.languages.TakeAligner", missing)
    monkeypatch.setattr("recipes.checkpoint.evaluation.languages.Recogniser", missing)
    data = HeldOutData(tmp_path, load_head(1))
    for row in (written_row(talking_head, data), recognised_row(talking_head, data)):
        assert row.within_bounds is None
        assert "jambatalk[recipes]" in row.note
