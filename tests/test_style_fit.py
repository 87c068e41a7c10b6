"""Styles of one's own: fitted to a clip of lips, saved, and used wherever a style is named."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from jambatalk import Motion, Speech, TalkingHead, export_motion, load_head
from jambatalk.app.controls import style_choices, style_note
from jambatalk.batch import Settings, plan
from jambatalk.cli import main
from jambatalk.errors import DataError, JambaTalkError, ModelError
from jambatalk.face.lips import aperture, linear_measures, width
from jambatalk.motion.nonverbal import STILL
from jambatalk.styles.fit import LipScores, StyleFit, lip_error
from jambatalk.styles.lip_track import LipTrack
from jambatalk.styles.own_style import OwnStyle, fingerprint
from recipes.checkpoint.evaluation import own_styles
from recipes.checkpoint.evaluation.tracked_speech import TrackedSpeech

VOICES = Path(__file__).parent.parent / "assets" / "voices"
VOICE, OTHER = VOICES / "jfk.flac", VOICES / "pico_en.wav"
LATE = 0.12  # seconds


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def captured(talking_head: TalkingHead) -> Motion:
    """The lips of a trained style, not the neutral one."""
    return talking_head.animate(VOICE, talking_head.styles[-1], nonverbal=STILL)


def later(motion: Motion, seconds: float) -> Motion:
    """Delay a motion; its first frame is repeated."""
    times = np.arange(len(motion)) - seconds * motion.fps
    weights = [np.interp(times, np.arange(len(motion)), column) for column in motion.weights.T]
    return replace(motion, weights=np.stack(weights, 1).astype(np.float32))


def write_curves(path: Path, motion: Motion, unit: float = 4321.0, times: bool = True) -> Path:
    """Write the lips as curves in some unit, with times that leave out every seventh frame."""
    rows = [
        {"Time": f"{5 + t / motion.fps:.4f}", "lip_open": unit * a, "LIP_WIDTH": unit * w}
        for t, (a, w) in enumerate(zip(motion.lip_aperture(), motion.lip_width(), strict=True))
        if not times or t % 7 != 3
    ]
    with path.open("w", newline="") as file:
        names = list(rows[0]) if times else list(rows[0])[1:]
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def fit(talking_head: TalkingHead, captured: Motion) -> StyleFit:
    return talking_head.fit_style(LipTrack.of_motion(later(captured, LATE)), VOICE)


@pytest.fixture
def saved(fit: StyleFit, tmp_path: Path) -> Path:
    return fit.style.save(tmp_path / "mine")


def apart(one: Motion, other: Motion) -> float:
    """Root-mean-square distance of the lips, metres."""
    lips = one.face.regions["lips"]
    return float(np.sqrt(np.mean((one.vertices()[:, lips] - other.vertices()[:, lips]) ** 2)))


def test_a_style_of_the_network_is_found_again(talking_head: TalkingHead, fit: StyleFit) -> None:
    assert fit.lag == pytest.approx(LATE, abs=0.021)
    assert fit.helps
    assert min(fit.own.r) > 0.97
    assert fit.own.amplitude == pytest.approx((1, 1), abs=0.1)
    table = talking_head.model.decoder.style_table.weight.detach()
    true, neutral = table[len(talking_head.styles) - 1], table[0]
    assert (fit.style.vector - true).norm() < (neutral - true).norm()


def test_it_holds_on_other_speech(saved: Path) -> None:
    talking_head = TalkingHead.from_pretrained(device="cpu")
    true = talking_head.styles[-1]
    mine = talking_head.add_style(saved)
    neutral = talking_head.styles[0]
    motions = talking_head.compare(OTHER, [true, mine, neutral], nonverbal=STILL)
    assert apart(motions[0], motions[1]) < 0.35 * apart(motions[0], motions[2])


def test_lip_curves_suffice(talking_head: TalkingHead, captured: Motion, tmp_path: Path) -> None:
    fit = talking_head.fit_style(write_curves(tmp_path / "lips.csv", captured), VOICE)
    assert abs(fit.lag) < 0.021
    assert fit.helps
    assert min(fit.own.r) > 0.97
    assert fit.own.amplitude == pytest.approx((1, 1), abs=0.15)


def test_fitting_is_deterministic(
    talking_head: TalkingHead, captured: Motion, fit: StyleFit
) -> None:
    before = {name: weight.clone() for name, weight in talking_head.model.state_dict().items()}
    again = talking_head.fit_style(LipTrack.of_motion(later(captured, LATE)), VOICE)
    assert torch.equal(again.style.vector, fit.style.vector)
    for name, weight in talking_head.model.state_dict().items():
        assert torch.equal(weight, before[name])
    assert all(weight.grad is None for weight in talking_head.model.parameters())


def test_tracks_of_every_kind_give_the_same_lips(captured: Motion, tmp_path: Path) -> None:
    face = captured.face
    expected = LipTrack.of_motion(captured)
    paths = [export_motion(captured, tmp_path / f"track{suffix}") for suffix in (".csv", ".json")]
    for path in (*paths, captured.save(tmp_path / "track.npz")):
        track = LipTrack.read(path, face)
        assert track.fps == pytest.approx(captured.fps, rel=1e-4)
        np.testing.assert_allclose(track.measures, expected.measures, atol=2e-5)
    curves = LipTrack.read(write_curves(tmp_path / "curves.csv", captured), face)
    assert curves.fps == pytest.approx(captured.fps * 6 / 7, rel=1e-2)
    assert not curves.has_face
    untimed = write_curves(tmp_path / "untimed.csv", captured, times=False)
    assert LipTrack.read(untimed, face, captured.fps).fps == captured.fps


def test_measures_are_those_of_the_face(captured: Motion) -> None:
    matrix, rest = linear_measures(captured.face)
    measures = captured.weights @ matrix + rest
    np.testing.assert_allclose(measures[:, 0], aperture(captured.face, captured.weights), atol=1e-6)
    np.testing.assert_allclose(measures[:, 1], width(captured.face, captured.weights), atol=5e-4)


def test_error_of_lips() -> None:
    curve = torch.sin(torch.arange(90.0) / 5)[:, None] * 0.004
    assert lip_error(curve, curve) == pytest.approx(0, abs=1e-5)
    assert lip_error(-curve, curve) == pytest.approx(4, abs=0.05)
    assert lip_error(1.5 * curve, curve) == pytest.approx(0.25, abs=0.01)
    moved = curve + curve.std(correction=0)
    assert lip_error(moved, curve) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:100], r"lasts 3\.\d s.*10 s or more"),
        (lambda rows: rows * 20, "lasts 202 s.*120 s or less"),
        (lambda rows: [[t, "", w] for t, _, w in rows], "not numbers in frame 0.*Fill gaps"),
        (lambda rows: [[t, "open", w] for t, _, w in rows], "could not convert.*Give numbers"),
        (lambda rows: [[t, "0.1", w] for t, _, w in rows], "do not move"),
        (lambda rows: [[t, a, str(float(w) - 200)] for t, a, w in rows], "Give distances"),
        (lambda rows: rows[::-1], "do not rise"),
        (lambda rows: [[t, a] for t, a, _ in rows], "not numbers in frame 0"),
        (lambda rows: [[str(9 * float(t)), a, w] for t, a, w in rows], r"lasts 9\d.*--fps"),
        (lambda rows: [*rows[90:], *rows[:90]], "do not follow the speech.*begin together"),
    ],
)
def test_bad_tracks_are_refused(
    talking_head: TalkingHead, captured: Motion, tmp_path: Path, change: object, message: str
) -> None:
    path = write_curves(tmp_path / "lips.csv", captured)
    header, *rows = list(csv.reader(path.open()))
    times = [row[0] for row in rows]
    changed = change(rows)
    if "follow" in message:  # the lips of another time
        changed = [[t, *row[1:]] for t, row in zip(times, changed, strict=True)]
    if "120 s" in message:
        changed = [[str(number / 28), *row[1:]] for number, row in enumerate(changed)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *changed])
    with pytest.raises(DataError, match=message):
        talking_head.fit_style(path, VOICE)


def test_tracks_without_lips_or_rate_are_refused(tmp_path: Path) -> None:
    path, face = tmp_path / "lips.csv", load_head(1)
    path.write_text("time,lip_open\n0,1\n")
    with pytest.raises(DataError, match=r"no lips; it has time, lip_open.*'lip_width'"):
        LipTrack.read(path, face)
    path.write_text("lip_open,lip_width\n0,1\n")
    with pytest.raises(DataError, match=r"frame rate .* not known.*--fps"):
        LipTrack.read(path, face)
    with pytest.raises(DataError, match="no file"):
        LipTrack.read(tmp_path / "none.csv", face)


def test_own_styles_are_named_like_others(saved: Path, captured: Motion) -> None:
    talking_head = TalkingHead.from_pretrained(device="cpu")
    known, speech = talking_head.styles, Speech.read(OTHER)
    name = talking_head.add_style(saved)
    assert talking_head.styles == (*known, "mine")
    assert ("Mine", "mine") in style_choices(talking_head)
    assert style_note(talking_head, "mine").startswith("`own`")
    whole = talking_head.animate(speech, {name: 1, known[0]: 1}, 1.2, nonverbal=STILL)
    stream = talking_head.stream({name: 1, known[0]: 1}, 1.2, nonverbal=STILL)
    parts = [stream.feed(speech.samples), stream.finish()]
    np.testing.assert_array_equal(np.concatenate([p.weights for p in parts]), whole.weights)
    before = TalkingHead.from_pretrained(device="cpu").animate(speech, known[1], nonverbal=STILL)
    after = talking_head.animate(speech, known[1], nonverbal=STILL)
    np.testing.assert_array_equal(after.weights, before.weights)
    with pytest.raises(ModelError, match="a style 'mine' already"):
        talking_head.add_style(saved)


def test_styles_of_other_networks_are_refused(saved: Path, tmp_path: Path) -> None:
    other = TalkingHead.from_pretrained(device="cpu")
    with torch.no_grad():
        other.model.decoder.motion_map.bias[0] += 0.01
    with pytest.raises(ModelError, match=r"of another network.*style fit"):
        other.add_style(saved)
    decoder = TalkingHead.from_pretrained(device="cpu").model.decoder
    short = OwnStyle(torch.zeros(3), fingerprint(decoder)).save(tmp_path / "short")
    with pytest.raises(ModelError, match=r"not a style of \d+ numbers"):
        OwnStyle.read(short, decoder)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(saved.read_bytes()[:60])
    with pytest.raises(ModelError, match="is not a style"):
        OwnStyle.read(damaged, decoder)
    with pytest.raises(ModelError, match="There is no file"):
        OwnStyle.read(tmp_path / "none.safetensors", decoder)


def test_batch_takes_own_styles(saved: Path, fit: StyleFit, tmp_path: Path) -> None:
    settings = Settings(styles=("neutral", str(saved)), formats=(".npz",))
    jobs, resolved = plan(VOICES, tmp_path / "out", settings)
    assert resolved.styles == ("neutral", "mine")
    assert resolved.own_styles == (str(saved),)
    names = [output.path.name for output in jobs[0].outputs]
    assert names[1].endswith(".mine.npz")
    OwnStyle(fit.style.vector + 0.1, fit.style.decoder).save(saved)
    again, _ = plan(VOICES, tmp_path / "out", settings)
    assert again[0].outputs[1].key != jobs[0].outputs[1].key
    with pytest.raises(ModelError, match="no style"):
        plan(VOICES, tmp_path / "out", replace(settings, styles=("none.safetensors",)))


def test_command(captured: Motion, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    track = export_motion(captured, tmp_path / "track.csv")
    style = tmp_path / "me.safetensors"
    assert main(["style", "fit", str(track), str(VOICE), "-o", str(tmp_path / "me")]) == 0
    printed = capsys.readouterr().out
    assert "neutral " in printed
    assert "me " in printed
    assert "no better" not in printed
    out = tmp_path / "out.npz"
    animate = ["animate", str(OTHER), "--style", str(style), "--nonverbal", "none", "-o", str(out)]
    assert main(animate) == 0
    neutral = TalkingHead.from_pretrained().animate(OTHER, nonverbal=STILL)
    assert apart(Motion.load(out), neutral) > 1e-4


def test_the_command_says_that_a_style_does_not_help(
    talking_head: TalkingHead,
    captured: Motion,
    fit: StyleFit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    worse = replace(fit, own=LipScores((0.1, 0.1), (1.0, 1.0), fit.neutral.error + 0.1))
    monkeypatch.setattr(TalkingHead, "fit_style", lambda *_: worse)
    track = export_motion(captured, tmp_path / "track.csv")
    assert main(["style", "fit", str(track), str(VOICE), "-o", str(tmp_path / "me")]) == 0
    assert "no better than the neutral style" in capsys.readouterr().out


def test_checkpoints_without_styles_are_refused(captured: Motion) -> None:
    talking_head = TalkingHead.from_pretrained(device="cpu")
    talking_head.model.config = replace(talking_head.model.config, style_width=0)
    with pytest.raises(JambaTalkError, match="no styles"):
        talking_head.fit_style(LipTrack.of_motion(captured), VOICE)


def test_table_of_people(
    talking_head: TalkingHead, captured: Motion, monkeypatch: pytest.MonkeyPatch
) -> None:
    lips = np.stack([captured.lip_aperture(), captured.lip_width()], 1)
    lips[100:103] = np.nan  # no face was found
    clip = TrackedSpeech("s4", Speech.read(VOICE), lips, captured.fps)
    monkeypatch.setattr(own_styles, "clip_names", lambda folder: ["s4_one"])
    monkeypatch.setattr(own_styles, "read_clips", lambda folder, names: [clip, clip])
    short = replace(clip, person="address", speech=Speech.from_array(np.zeros(80_000), 16_000))
    monkeypatch.setattr(own_styles, "read_address", lambda folder: short)
    (joined,) = own_styles.read_people(Path(), 20.0)
    assert joined.speech.duration == len(joined.lips) / joined.fps == 20.0
    assert np.isfinite(joined.lips).all()
    scores = own_styles.fit_person(talking_head, joined)
    before, after = scores[:, :2]  # correlations
    assert after.min() > 0.97
    assert before.max() < after.min()
    row = own_styles.format_row("s4", np.array([[0.5, 0.4, 1.2, 0.8], [0.6, 0.5, 1.1, 0.9]]))
    assert row == "| s4 | 0.50 → 0.60 | 0.40 → 0.50 | 1.20 → 1.10 | 0.80 → 0.90 |"
