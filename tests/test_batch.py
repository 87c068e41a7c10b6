"""Batches: `jambatalk batch` on this machine, and in a Ray cluster."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from scipy.io import wavfile

from jambatalk import Motion
from jambatalk.batch import Job, Report, Settings, plan, run
from jambatalk.batch.job_runner import JobRunner
from jambatalk.cli import main

ROOT = Path(__file__).parent.parent
VOICES = ROOT / "assets" / "voices"
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
NPZ = Settings(formats=(".npz",))


def write_voice(path: Path, start: float, seconds: float = 0.5) -> Path:
    """Write a part of a real voice."""
    rate, samples = wavfile.read(VOICES / "pico_en.wav")
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate, samples[int(start * rate) : int((start + seconds) * rate)])
    return path


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    """Five recordings in a tree; names and lengths are sorted differently."""
    folder = tmp_path / "voices"
    for number in range(5):
        write_voice(folder / f"{number % 2}" / f"{number}.wav", number, 0.5 + number / 10)
    return folder


def files(folder: Path) -> dict[str, int]:
    """Return name → modification time of all results."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".jambatalk" not in path.parts and path.name != "report.json"
    }


def test_batch_writes_every_recording_in_every_style_and_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = tmp_path / "in", tmp_path / "out"
    hello = write_voice(given / "hello.wav", 0.3)
    write_voice(given / "sub folder" / "hello.wav", 2)
    (given / "hello.mp3").write_text("no sound at all")
    (given / "moved.wav").symlink_to(given / "elsewhere.wav")
    (given / "README.txt").write_text("no recording")
    names = [
        f"{recording}.{style}.{suffix}"
        for recording in ("hello.wav", "sub folder/hello.wav")
        for style in ("crisp", "neutral")
        for suffix in ("mp4", "npz")
    ]

    def batch(*more: str) -> dict:
        options = ["--styles", "neutral,crisp", "--formats", "mp4,npz", "--size", "64"]
        options += ["--processes", "1", *more]
        assert main(["batch", str(given), str(out), *options]) == 1  # two files are bad
        return json.loads((out / "report.json").read_text())

    report = batch()
    printed = capsys.readouterr()
    first = files(out)
    assert list(first) == names
    assert report["totals"]["files_made"] == len(names)
    assert report["totals"]["done"] == 2
    assert report["totals"]["speech_seconds"] == pytest.approx(1.0, abs=0.01)
    assert "failed: hello.mp3: 'hello.mp3' could not be read as sound" in printed.out
    assert "failed: moved.wav: There is no file" in printed.out
    assert "4 recordings: 2 done, 0 skipped, 2 failed" in printed.out
    assert printed.err == (
        "jambatalk: 2 of 4 recordings failed. The same command tries them again.\n"
    )
    alone = tmp_path / "alone.npz"
    assert main(["animate", str(hello), "-o", str(alone), "--style", "crisp"]) == 0
    same = Motion.load(out / "hello.wav.crisp.npz")
    assert np.allclose(same.weights, Motion.load(alone).weights, atol=1e-5)

    # complete files are not written again ...
    assert batch()["totals"]["files_made"] == 0
    assert files(out) == first
    # ... unless one is gone, its recording has changed, or an option
    (out / names[0]).unlink()
    os.utime(given / "sub folder" / "hello.wav")
    changed = batch("--background", "#ff0000")
    second = files(out)
    assert list(second) == names
    assert changed["totals"]["files_made"] == 6
    assert [name for name in names if second[name] == first[name]] == [
        "hello.wav.crisp.npz",  # which has no background
        "hello.wav.neutral.npz",
    ]
    assert not list(out.rglob(".jambatalk-*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "out"], "no folder"),
        (["empty", "out"], "no recordings in"),
        (["voices", "voices/out"], "among the recordings"),
        (["voices", "out", "--styles", "crisp,angry"], "no style 'angry'"),
        (["voices", "out", "--formats", "mp4,avi"], "no format 'avi'"),
        (["voices", "out", "--formats", ","], "no format to write"),
        (["voices", "out", "--head", "99"], "no head 99"),
        (["voices", "out", "--size", "7"], "7 pixels"),
        (["voices", "out", "--seed", "-1"], "not a seed"),
        (["voices", "out", "--fps", "0"], "not a frame rate"),
        (["voices", "out", "--device", "gpu"], "no device 'gpu'"),
        (["voices", "out", "--processes", "0"], "cannot be 0"),
        (["voices", "out", "--strength", "nan"], "strength nan"),
        (["voices", "voices/hello.wav"], "lie among"),
        (["voices", "afile"], "cannot be written to"),
        (["voices", "out", "--checkpoint", "/nowhere"], "no checkpoint"),
        (["voices", "out", "--ray", "127.0.0.1:1"], "Ray"),  # none there, or not installed
    ],
)
def test_invalid_arguments_are_rejected_before_any_work(
    arguments: list[str],
    message: str,
    voices: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(voices.parent)
    Path("empty").mkdir()
    Path("afile").touch()
    assert main(["batch", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not Path("out").exists()


def test_unexpected_errors_are_logged_with_a_traceback(
    voices: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    [job, *_], settings = plan(voices, tmp_path / "out", NPZ)
    monkeypatch.setattr("jambatalk.batch.job_runner.export_motion", broken)
    outcome = JobRunner(settings, render_workers=4).run(job)
    [reason] = outcome.failed.values()
    assert reason == "Unexpected error: ZeroDivisionError: a bug. The log says where."
    assert job.name in caplog.text
    assert "in broken" in caplog.text


def test_exports_have_the_requested_frame_rate(voices: Path, tmp_path: Path) -> None:
    [job, *_], settings = plan(voices, tmp_path / "out", replace(NPZ, fps=24))
    [name] = JobRunner(settings, render_workers=4).run(job).made
    [path] = (tmp_path / "out").rglob(name)
    assert Motion.load(path).fps == 24


class Deadly(Job):
    """A job that kills the process that runs it, as lack of memory might."""

    def missing(self) -> list:
        if os.environ["DRIVER"] != str(os.getpid()):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().missing()


@posix
def test_a_dead_worker_costs_only_its_own_file(
    voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIVER", str(os.getpid()))
    jobs, settings = plan(voices, tmp_path / "out", NPZ)
    victim = jobs[3]
    jobs[3] = Deadly(**vars(victim))
    report = Report(len(jobs))
    for outcome in run(jobs, settings, processes=2):
        report.add(outcome)
    [failed] = report.failed
    assert failed.name == victim.name
    assert "died (SIGKILL)" in failed.failed[victim.outputs[0].path.name]
    assert sorted(outcome.name for outcome in report.outcomes) == [job.name for job in jobs]
    assert len(files(tmp_path / "out")) == len(jobs) - 1
    planned, _ = plan(voices, tmp_path / "out", NPZ)
    assert [job.name for job in planned if job.missing()] == [victim.name]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[subprocess.Popen]:
    """A running batch of two long recordings and a short one, in one process."""
    voices = tmp_path / "voices"
    write_voice(voices / "short.wav", 0)
    for name in ("a.wav", "b.wav"):
        write_voice(voices / name, 0, 5)
    arguments = ["batch", voices, tmp_path / "out", "--size", "384", "--processes", "1"]
    batch = subprocess.Popen(
        [sys.executable, "-m", "jambatalk", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a test run in the background inherits that Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert "1 file of 5.0 s" in batch.stdout.readline()
    yield batch
    if batch.poll() is None:
        batch.kill()
    batch.communicate()


def wait_for_end(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive


@pytest.mark.slow
@posix
def test_ctrl_c_stops_cleanly_and_the_next_run_continues(
    command: subprocess.Popen, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, family = tmp_path / "out", psutil.Process(command.pid).children(recursive=True)
    while not list(out.rglob(".jambatalk-*")):  # until the second recording
        time.sleep(0.01)
    os.killpg(command.pid, signal.SIGINT)  # as a terminal does
    output, error = command.communicate(timeout=60)
    assert command.returncode == 130
    assert error == "\njambatalk: stopped.\n"
    assert "3 recordings: 1 done, 0 skipped, 0 failed, 2 left" in output
    wait_for_end(family)
    first = files(out)
    assert len(first) == 1
    assert not list(out.rglob(".jambatalk-*"))
    assert main(["batch", str(tmp_path / "voices"), str(out), "--size", "384"]) == 0
    assert "2 done, 1 skipped, 0 failed" in capsys.readouterr().out
    assert files(out).items() >= first.items()


@pytest.mark.slow
@posix
def test_workers_end_when_the_batch_is_killed(command: subprocess.Popen, tmp_path: Path) -> None:
    family = psutil.Process(command.pid).children(recursive=True)
    assert family
    command.kill()
    wait_for_end(family)
    assert len(files(tmp_path / "out")) == 1


@pytest.fixture
def ray_of_two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Ray cluster of two cores, small enough for any machine."""
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("DRIVER", str(os.getpid()))
    ray.init(
        "local",
        num_cpus=2,
        object_store_memory=100 << 20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # actors cannot import it
    yield
    ray.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("ray_of_two")
@posix
def test_nothing_is_lost_or_repeated_when_ray_actors_die(voices: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    jobs, settings = plan(voices, out, Settings(formats=(".npz",), styles=("neutral", "crisp")))
    deadly = jobs.pop()
    outcomes, before = [], {}
    for outcome in run([*jobs, Deadly(**vars(deadly))], settings, ray="auto"):
        outcomes.append(outcome)
        if outcome.made and not before:
            before = files(out)
            with suppress(ProcessLookupError):  # it may have died of its next job already
                os.kill(int(outcome.worker.split(":")[1]), signal.SIGKILL)
    assert sorted(outcome.name for outcome in outcomes) == [
        *(job.name for job in jobs),
        deadly.name,
    ]
    [failed] = [outcome for outcome in outcomes if outcome.failed]
    assert failed.name == deadly.name
    assert "3 workers died running it" in next(iter(failed.failed.values()))
    wanted = sorted(output.path for job in jobs for output in job.outputs)
    after = files(out)
    assert [out / name for name in after] == wanted
    assert after.items() >= before.items()
    made = [name for outcome in outcomes for name in outcome.made]
    kept = [name for outcome in outcomes for name in outcome.kept]  # by the killed one
    assert sorted(made + kept) == sorted(path.name for path in wanted)
    assert not list(out.rglob(".jambatalk-*"))
