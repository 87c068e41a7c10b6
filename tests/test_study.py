import csv
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from page_server import ROOT, TIMEOUT, answers, free_port, wait_until
from playwright.sync_api import expect, sync_playwright

from jambatalk.app.study.answers import Answer, AnswerFile, rate, read_answers
from jambatalk.app.study.results import Preference, Results
from jambatalk.app.study.trials import SIDES, plan_trials
from jambatalk.app.study.videos import Videos, prepare_videos
from jambatalk.cli import main
from jambatalk.errors import DataError

SENTENCES = {"first": 0.6, "second": 0.7, "third": 0.8}  # seconds
PAIRS, CHECKS = 2, 1


def make_video(path: Path, seconds: float = 0.6, *changes: str) -> None:
    path.parent.mkdir(exist_ok=True)
    sources = ["-f", "lavfi", "-i", f"testsrc2=s=64x64:d={seconds}:r=25"]
    sources += ["-f", "lavfi", "-i", f"sine=d={seconds}"]
    codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", *changes]
    subprocess.run([get_ffmpeg_exe(), "-v", "error", *sources, *codecs, str(path)], check=True)


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two folders of three videos."""
    folder = tmp_path_factory.mktemp("systems")
    for name, seconds in SENTENCES.items():
        make_video(folder / "ours" / f"{name}.mp4", seconds, "-metadata", "title=ours")
    shutil.copytree(folder / "ours", folder / "theirs")
    return [folder / "ours", folder / "theirs"]


@pytest.fixture
def study(systems: list[Path], tmp_path: Path) -> Iterator[tuple[subprocess.Popen, str, Path]]:
    """The command as it serves: its process, address and file of answers."""
    port, table = free_port(), tmp_path / "new" / "answers.csv"
    command = [sys.executable, "-m", "jambatalk", "study", *map(str, systems), "-o", str(table)]
    command += ["--port", str(port), "--pairs", str(PAIRS), "--checks", str(CHECKS)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        url = f"http://127.0.0.1:{port}/"
        wait_until(lambda: process.poll() is not None or answers(url))
        yield process, url, table
        process.kill()


def test_a_study_from_the_first_pair_to_the_results(
    study: tuple[subprocess.Popen, str, Path], systems: list[Path]
) -> None:
    process, url, table = study
    with httpx.Client(base_url=url, timeout=TIMEOUT) as client:
        who = client.post("participants", json={}).json()["participant"]
        told = client.get(f"participants/{who}").json()
        assert (told["done"], told["trials"]) == (0, PAIRS + CHECKS)
        assert not any(name in json.dumps(told) for name in ("ours", "theirs", *SENTENCES))
        video = client.get(told["left"], headers={"Range": "bytes=4-7"})  # as Safari asks
        assert (video.status_code, video.content) == (206, b"ftyp")
        assert b"ours" not in client.get(told["left"]).content  # nor in what the file tells

        refused = [
            (404, client.get("videos/answers.csv")),
            (404, client.get("videos/..%2f..%2fanswers.csv")),
            (404, client.get("participants/nobody")),
            (400, client.post(f"participants/{who}", content=b"[[")),
            (400, client.post(f"participants/{who}", json={"trial": 0, "lips": "up"})),
            (409, client.post(f"participants/{who}", json={"trial": 1})),
            (413, client.post(f"participants/{who}", content=b" " * 5000)),
            (405, client.delete("participants")),
        ]
        for status, answer in refused:
            assert answer.status_code == status
            assert answer.json()["detail"].endswith((".", "page.", "again."))
            assert str(systems[0].parent) not in answer.text
        for number in range(PAIRS + CHECKS):
            answer = {"trial": number, "lips": "left", "realism": "right"}
            told = client.post(f"participants/{who}", json=answer).json()
        assert told == {"done": PAIRS + CHECKS, "trials": PAIRS + CHECKS}

    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert "Traceback" not in printed
    assert "Participants: " in printed
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * (PAIRS + CHECKS)
    assert {row["participant"] for row in rows} == {who}
    assert all(row["choice"] == row[row["side"]] for row in rows)
    assert sum(row["check"] != "no" for row in rows) == 2 * CHECKS
    # the order and the sides are those of seed and name
    videos = Videos(
        ("ours", "theirs"),
        tuple(sorted(SENTENCES)),
        {(system, name): Path() for system in ("ours", "theirs") for name in SENTENCES},
        {row["sentence"]: ("ours", Path()) for row in rows if row["check"] != "no"},
    )
    planned = plan_trials(videos, PAIRS, 0, who)
    shown = [(row["sentence"], row["left"], row["right"]) for row in rows[::2]]
    assert shown == [(trial.sentence, *trial.systems) for trial in planned]


def test_the_page_plays_both_videos_before_it_asks(
    study: tuple[subprocess.Popen, str, Path],
) -> None:
    _, url, table = study
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(TIMEOUT * 1000)
        expect.set_options(timeout=TIMEOUT * 1000)
        page.goto(url)
        page.get_by_role("button", name="Begin").click()
        lips = page.get_by_role("group", name="lips").get_by_role("radio").first
        follow = page.get_by_role("button", name="Next")
        for number in range(PAIRS + CHECKS):
            expect(page.locator("#place")).to_have_text(f"Pair {number + 1} of {PAIRS + CHECKS}")
            expect(lips).to_be_disabled()
            for letter in "AB":
                page.get_by_role("button", name=f"Play {letter}").click()
                again = page.get_by_role("button", name=f"Play {letter} again")
                expect(again).to_be_visible()
            expect(lips).to_be_enabled()
            expect(follow).to_be_disabled()
            page.keyboard.press("ArrowLeft")  # the lips
            page.keyboard.press("ArrowRight")  # the realism, and on to "Next"
            expect(follow).to_be_focused()
            page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
        rows = read_answers(table)
        assert page.locator("#code").inner_text() == rows[0].participant
        assert [row.side for row in rows] == ["left", "right"] * (PAIRS + CHECKS)
        browser.close()


def whole_study(
    who: str, choices: Sequence[str], check: str = "passed", trials: int | None = None
) -> list[Answer]:
    """The answers of a participant to pairs of `a` and `b` and, last, to an attention check."""
    trials = trials or len(choices) + 1
    return [
        Answer(
            who, number, trials, "s", *pair, question, SIDES[pair.index(choice)], choice, 1, kind
        )
        for number, (pair, choice, kind) in enumerate(
            [*((("b", "a"), choice, "no") for choice in choices), (("a", "x"), "a", check)], 1
        )
        for question in ("lips", "realism")
    ]


def test_shares_intervals_and_p_are_those_of_the_books() -> None:
    preference = Preference("lips", "a", "b", 8, 10)
    # Wilson, by hand: (8 + 1.92) / (10 + 3.84) ± 1.96 / 13.84 · √(10 · 0.8 · 0.2 + 0.96)
    assert preference.interval() == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert preference.p() == pytest.approx(2 * (45 + 10 + 1) / 2**10)
    assert preference.share == 0.8


def test_only_who_finished_and_passed_the_checks_counts() -> None:
    results = Results.of(
        [
            *whole_study("1", "aab"),
            *whole_study("2", "aaa"),
            *whole_study("3", "bbb", "failed"),
            *whole_study("4", "bbb", trials=9),
            *2 * whole_study("5", "bbb"),  # twice the same
        ]
    )
    assert (results.counted, results.failed, results.unfinished) == (2, 1, 2)
    assert [(each.question, each.system, each.wins) for each in results.preferences] == [
        ("lips", "a", 5),
        ("realism", "a", 5),
    ]
    assert results.preferences[0].answers == 6
    assert "| lips | a | b | 83.3% |" in results.markdown()
    assert "| answers |" not in Results.of([]).markdown()


def test_every_pair_of_systems_comes_equally_often_on_both_sides(tmp_path: Path) -> None:
    systems, sentences = ("a", "b", "c"), tuple(map(str, range(10)))
    files = {(system, name): tmp_path for system in systems for name in sentences}
    videos = Videos(systems, sentences, files, {"3": ("a", tmp_path)})
    planned = [plan_trials(videos, 12, 1, str(who)) for who in range(50)]
    assert planned[0] == plan_trials(videos, 12, 1, "0")
    assert planned[0] != plan_trials(videos, 12, 2, "0")
    pairs = [frozenset(trial.systems) for trial in planned[0] if not trial.fits]
    assert sorted(map(pairs.count, set(pairs))) == [4, 4, 4]
    assert all(trials[0].fits is None for trials in planned)
    sides = {trial.systems for trials in planned for trial in trials}
    assert len(sides) == 6 + 2  # each pair both ways, the check too
    check = next(trial for trial in planned[0] if trial.fits)
    assert check.systems[SIDES.index(check.fits or "")] == "a"
    number = planned[0].index(check)
    wrong = SIDES[1 - SIDES.index(check.fits or "")]
    marks = [rate("0", number, planned[0], [side, wrong], 1)[1].check for side in SIDES]
    assert sorted(marks) == ["failed", "passed"]


def hostile(folder: Path, systems: list[Path]) -> dict[str, tuple[Path, str]]:
    """What a folder beside a good one must not be: name → folder, and the message."""
    cases = {
        "lacks": "'lacks' lacks second.mp4, which another folder has",
        "none": "no videos",
        "text": "is no video with sound",
        "silent": "is no video with sound",
        "vp9": "is not in H.264",
        "longer": "lasts 0.6 s in 'ours' and 2.0 s in 'longer'",
        "device": "device or a pipe",
    }
    for name in cases:
        shutil.copytree(systems[0], folder / name)
    (folder / "lacks" / "second.mp4").unlink()
    shutil.rmtree(folder / "none")
    (folder / "none").mkdir()
    one = {name: folder / name / "first.mp4" for name in cases}
    one["text"].write_text("no video")
    for name in ("silent", "vp9", "longer", "device"):
        one[name].unlink()
    make_video(one["silent"], 0.6, "-an")
    make_video(one["vp9"], 0.6, "-c:v", "libvpx-vp9", "-deadline", "realtime")
    make_video(one["longer"], 2.0)
    one["device"].symlink_to("/dev/zero")
    return {name: (folder / name, message) for name, message in cases.items()}


def test_folders_that_do_not_fit_are_refused(systems: list[Path], tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    for name, (folder, message) in hostile(tmp_path, systems).items():
        with pytest.raises(DataError, match=message):
            prepare_videos({"ours": systems[0], name: folder}, 0, 0, copies)
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(systems[0] / "first.mp4", alone)
    with pytest.raises(DataError, match="needs the lips of another sentence"):
        prepare_videos({"a": alone, "b": alone}, 1, 0, copies)


def test_files_of_answers_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    table = tmp_path / "answers.csv"
    first = AnswerFile(table)
    first.add(whole_study("1", "a"))
    with pytest.raises(DataError, match="Another study writes"):
        AnswerFile(table)
    first.close()
    again = AnswerFile(table)
    again.add(whole_study("2", "b"))
    again.close()
    assert main(["study", "--results", str(table)]) == 0
    assert "2 counted" in capsys.readouterr().out
    with table.open("a") as file:
        file.write("half,a,row\n")
    other, pictures = tmp_path / "other.csv", tmp_path / "none.csv"
    other.write_text("a,b\n1,2\n")
    pictures.write_bytes(b"\xff\xd8")
    for path, message in {
        table: "Row 10 of",
        other: "is not a table of a study",
        pictures: "not UTF-8",
        tmp_path / "missing.csv": "There is no file",
    }.items():
        assert main(["study", "--results", str(path)]) == 1
        assert message in capsys.readouterr().err
    assert main(["study", str(tmp_path)]) == 1
    assert "needs two folders" in capsys.readouterr().err
