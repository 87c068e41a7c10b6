"""The command line as a user types it."""

import subprocess
import sys
from pathlib import Path

import pytest
from imageio_ffmpeg import read_frames

import jambatalk
from jambatalk import Motion
from jambatalk.cli import GROUPS, main

ROOT = Path(__file__).parent.parent
VOICE = ROOT / "assets" / "voices" / "pico_en.wav"


def test_animate_and_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "new" / "one.mp4", tmp_path / "two.mp4"
    quick = ["--size", "64", "--head", "3"]
    assert main(["animate", str(VOICE), "-o", str(one), "--style", "crisp", *quick]) == 0
    said = capsys.readouterr().out
    for stage in (
        "Reading",
        "Loading",
        "Encoding speech",
        "Predicting motion",
        "Rendering",
        str(one),
    ):
        assert stage in said
    assert main(["compare", str(VOICE), "-o", str(two), "--styles", "crisp,smiling", *quick]) == 0
    assert one.stat().st_size > 10_000
    assert two.stat().st_size > 10_000


def test_motion_is_saved_and_drawn_later(tmp_path: Path) -> None:
    motion, video = tmp_path / "motion.npz", tmp_path / "later.mp4"
    assert main(["animate", str(VOICE), "-o", str(motion), "--strength", "1.2"]) == 0
    assert Motion.load(motion).duration == pytest.approx(5.86, abs=0.05)
    options = ["--speech", str(VOICE), "--head", "2", "--size", "64"]
    assert main(["draw", str(motion), "-o", str(video), *options]) == 0
    assert video.stat().st_size > 10_000
    truth = ["--styles", "crisp", "--truth", str(motion), *options[2:]]
    assert main(["compare", str(VOICE), "-o", str(video), *truth]) == 0
    assert next(read_frames(video))["size"] == (128, 64)  # two heads


def test_lists_styles_and_heads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert "crisp" in said
    assert "theatrical" in said
    assert " 12 " in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["animate", "missing.wav", "-o", "a.mp4"], "no file 'missing.wav'"),
        (["animate", str(Path(__file__)), "-o", "a.mp4"], "could not be read as sound"),
        (["animate", str(VOICE), "-o", "a.avi"], "not a name for a video"),
        (["animate", str(VOICE), "-o", "a.mp4", "--fps", "24"], "has the model's frame rate"),
        (["animate", str(VOICE), "-o", "a.mp4", "--no-sound"], "has the model's frame rate"),
        (["animate", "missing.wav", "-o", "a.glb", "--fps", "0"], "not a frame rate"),
        (["animate", str(VOICE), "-o", "a.mp4", "--style", "angry"], "no style 'angry'"),
        (["animate", str(VOICE), "-o", "a.mp4", "--head", "99"], "no head 99"),
        (["animate", str(VOICE), "-o", "a.mp4", "--background", "blue"], "not a colour"),
        (["animate", str(VOICE), "-o", "a.mp4", "--max-seconds", "3"], "longer than 3 s"),
        (["animate", str(VOICE), "-o", "a.mp4", "--checkpoint", "/nowhere"], "no checkpoint"),
        (["compare", str(VOICE), "-o", "a.mp4", "--styles", "crisp"], "not 1"),
        (["draw", str(VOICE), "-o", "a.mp4"], "not a saved motion"),
        (
            ["compare", str(VOICE), "-o", "a.mp4", "--styles", "crisp", "--truth", str(VOICE)],
            "not a saved motion",
        ),
        (["app", "--port", "99999"], "port cannot be 99999"),
    ],
)
def test_errors_are_one_line_with_the_cure(
    arguments: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_reader_that_has_enough_is_no_error() -> None:
    code = "import sys; from jambatalk.cli import main; sys.exit(main(['list']))"
    listing = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    listing.stdout.close()
    assert listing.stderr.read() == b""
    assert listing.wait() == 1


def test_import_is_instant_and_free_of_heavy_packages() -> None:
    code = (
        "import sys, jambatalk, jambatalk.speech, jambatalk.motion.motion, jambatalk.cli\n"
        "heavy = {'torch', 'transformers', 'gradio', 'pyrender', 'librosa', 'scipy'}\n"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["animte", "a.wav"], "did you mean 'animate'?"),
        (["animate", "a.wav", "-o", "a.mp4", "--stile", "crisp"], "did you mean '--style'?"),
        (["train", "a.yaml", "--resumee"], "did you mean '--resume'?"),
    ],
)
def test_misspelt_words_are_corrected(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "There is not enough memory."),
        (OSError(28, "No space left on device", "out.mp4"), "No space left on device ('out.mp4')"),
        (KeyError("x" * 500), "Something unforeseen happened (KeyError"),
    ],
)
def test_what_nobody_foresaw_is_one_sentence(
    error: Exception,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("jambatalk.model.checkpoint.fetch_checkpoint", fail)
    with caplog.at_level("INFO"):
        assert main(["list"]) == 1
    text = capsys.readouterr().err
    assert sentence in text
    assert text.count("\n") == 1
    assert len(text) < 200
    assert "Traceback" in caplog.text  # which --verbose shows


def test_help_groups_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for group in GROUPS:
        assert f"\n{group}:\n" in text
    assert text.count("\n  ") <= 2 + 18  # -h, --version and at most eighteen commands


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"jambatalk {jambatalk.__version__}\n"


def test_list_does_not_import_torch() -> None:
    code = (
        "import sys; from jambatalk.cli import main; main(['list'])\n"
        "assert not {'torch', 'scipy', 'gradio', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
