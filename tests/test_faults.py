"""What happens when a process is killed, a disk is full, or memory, files or the clock fail."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from export_motions import VOICE, chatter, mask_face
from page_server import wait_until

from jambatalk import Motion, Speech, TalkingHead
from jambatalk.batch import Report, Settings, plan, ray_workers, run
from jambatalk.batch.jobs import alone_in
from jambatalk.cli import main
from jambatalk.errors import BatchError, ExportError, JambaTalkError, VoiceError, lacks_memory
from jambatalk.export import FORMATS, export_motion
from jambatalk.files.unfinished import PREFIX, scratch_folder, whole_file
from jambatalk.render.mp4 import write_video
from jambatalk.styles.own_style import OwnStyle
from jambatalk.voices import load_voice

resource = pytest.importorskip("resource", reason="limits and signals are POSIX's")
ROOT = Path(__file__).parent.parent
OLD = "what was there before"
SUFFIXES = (*FORMATS, ".mp4", ".safetensors")


@pytest.fixture(scope="module")
def motion() -> Motion:
    return chatter(12)


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained(device="cpu")


def write(motion: Motion, path: Path) -> None:
    """Write a file of any kind."""
    if path.suffix == ".mp4":
        noise = np.random.default_rng(0).integers(0, 255, (len(motion), 64, 64, 3), np.uint8)
        speech = Speech(np.zeros(8000, np.float32))
        write_video(path, noise, fps=30, size=(64, 64), frame_count=len(motion), speech=speech)
    elif path.suffix == ".safetensors":
        OwnStyle(torch.zeros(64), "0" * 64).save(path)
    elif path.suffix == ".glb":  # without pictures, which take seconds
        offsets = np.zeros((len(motion), 4000, 3), np.float32)
        export_motion(Motion.of_vertices(offsets, 30.0, mask_face()), path)
    else:
        export_motion(motion, path)


@contextmanager
def limit(kind: int, value: int) -> Iterator[None]:
    """Lower what this process may take."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (value, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_may_not_grow_leaves_nothing(
    suffix: str, motion: Motion, tmp_path: Path
) -> None:
    path = tmp_path / f"out{suffix}"
    for size in (0, 300):
        path.write_text(OLD)
        with (
            pytest.raises(JambaTalkError, match=r"cannot be written|could not be written"),
            limit(resource.RLIMIT_FSIZE, size),
        ):
            write(motion, path)
        assert path.read_text() == OLD
        assert list(tmp_path.iterdir()) == [path]
    write(motion, path)
    assert path.stat().st_size > 300


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="mounts a disk")
@pytest.mark.parametrize("options", ["size=64k", "size=64k,ro"])
def test_tiny_and_read_only_disks(options: str, motion: Motion, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("may not mount")
    try:
        for suffix in (".glb", ".zip", ".npy", ".mp4"):
            why = "Read-only" if "ro" in options else "No space left|the disk is full"
            with pytest.raises(JambaTalkError, match=why):
                write(chatter(60) if suffix == ".mp4" else motion, disk / f"out{suffix}")
            assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_too_few_open_files_end_in_a_sentence(motion: Motion, tmp_path: Path) -> None:
    def open_files() -> int:
        return psutil.Process().num_fds()

    write(motion, tmp_path / "first.mp4")  # what is imported at first use
    before, made = open_files(), 0
    used = set(map(int, os.listdir("/dev/fd")))
    free = [number for number in range(1000) if number not in used]
    for room in range(14):
        for path in (tmp_path / "out.mp4", tmp_path / "out.npz"):
            with limit(resource.RLIMIT_NOFILE, free[room]), suppress(JambaTalkError):
                write(motion, path)
                made += 1
                path.unlink()
        assert open_files() == before
    assert 2 <= made < 28
    assert [path.name for path in tmp_path.iterdir()] == ["first.mp4"]


def test_two_writers_of_one_name(tmp_path: Path) -> None:
    path, texts = tmp_path / "out.txt", [letter * 5000 for letter in "abc"]

    def write_often(text: str) -> None:
        for _ in range(20):
            with whole_file(path, ExportError) as unfinished, unfinished.open("w") as file:
                for start in range(0, len(text), 500):
                    file.write(text[start : start + 500])
                    file.flush()

    threads = [threading.Thread(target=write_often, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    wait_until(path.exists)
    while any(thread.is_alive() for thread in threads):
        assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import time
from pathlib import Path
from jambatalk.errors import ExportError
from jambatalk.files.unfinished import scratch_folder, whole_file
with whole_file(Path({path!r}), ExportError) as file, scratch_folder(ExportError) as folder:
    file.write_text("half")
    (folder / "half").touch()
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, out = tmp_path / "tmp", tmp_path / "out"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER.format(path=str(out / f"{name}.npz"))],
            env=os.environ | {"TMPDIR": str(temporary)},
            cwd=ROOT,
        )
        for name in ("dead", "alive")
    ]

    def left() -> list[list[Path]]:
        return [list(out.glob(f"{PREFIX}*")), list(temporary.glob(f"{PREFIX}*/half"))]

    wait_until(lambda: [len(found) for found in left()] == [2, 2])
    writers[0].kill()
    writers[0].wait()
    assert not (out / "dead.npz").exists()
    with whole_file(out / "next.npz", ExportError), scratch_folder(ExportError):
        assert [len(found) for found in left()] == [2, 1]  # the living one's, and this one's
    writers[1].kill()
    writers[1].wait()
    with whole_file(out / "next.npz", ExportError), scratch_folder(ExportError):
        pass
    assert [path.name for path in out.iterdir()] == ["next.npz"]
    assert not list(temporary.iterdir())


def test_the_end_of_the_terminal_stops_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "jambatalk.cli.animation._voices", lambda _: signal.raise_signal(signal.SIGHUP)
    )
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        assert main(["voices"]) == 130
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
        assert main(["voices"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_killed_program_leaves_no_process_and_the_next_run_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = chatter(900).save(tmp_path / "motion.npz")
    runs: dict[str, tuple[subprocess.Popen, Path, Path, list[psutil.Process]]] = {}
    for name in ("SIGKILL", "SIGTERM"):
        out, temporary = tmp_path / name / "out.mp4", tmp_path / f"tmp-{name}"
        temporary.mkdir()
        command = [sys.executable, "-m", "jambatalk", "draw", str(saved), "-o", str(out)]
        program = subprocess.Popen(
            [*command, "--size", "128"],
            env=os.environ | {"TMPDIR": str(temporary)},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda out=out: any(path.stat().st_size for path in out.parent.glob(".*.mp4")))
        family = psutil.Process(program.pid).children(recursive=True)
        program.send_signal(getattr(signal, name))
        runs[name] = program, out, temporary, family
    for name, (program, out, temporary, family) in runs.items():
        _, error = program.communicate(timeout=60)
        _, alive = psutil.wait_procs(family, timeout=60)
        assert family
        assert not alive
        assert not out.exists()
        left = [*out.parent.glob(f"{PREFIX}*"), *temporary.glob(f"{PREFIX}*")]
        if name == "SIGKILL":
            assert len(left) == 3  # the video, the frames, ffmpeg's messages
        else:
            assert (program.returncode, left) == (130, [])
            assert error == "\njambatalk: stopped.\n"
    _, out, temporary, _ = runs["SIGKILL"]
    short = chatter(4).save(tmp_path / "short.npz")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert main(["draw", str(short), "-o", str(out), "--size", "64"]) == 0
    assert [path.name for path in out.parent.iterdir()] == ["out.mp4"]
    assert not list(temporary.glob(f"{PREFIX}*"))


def test_a_killed_ffmpeg_is_named(tmp_path: Path) -> None:
    def frames() -> Iterator[np.ndarray]:
        for number in range(500):
            if number == 3:
                [ffmpeg] = [c for c in psutil.Process().children() if "ffmpeg" in c.name()]
                ffmpeg.kill()
            yield np.zeros((64, 64, 3), np.uint8)

    path = tmp_path / "out.mp4"
    with pytest.raises(JambaTalkError, match="ffmpeg ended by SIGKILL"):
        write_video(path, frames(), fps=30, size=(64, 64), frame_count=500, speech=None)
    assert not list(tmp_path.iterdir())


def noise(seconds: float) -> Speech:
    samples = np.random.default_rng(0).normal(0, 0.1, round(16_000 * seconds))
    return Speech(samples.astype(np.float32))


def in_fork(work: Callable[[], str], bytes_more: int) -> str:
    """Return what `work` returns in a copy of this process that may take that much more memory."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + bytes_more
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            os.write(writer, work().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(child, 0)
    return text


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as on Linux")
def test_too_little_memory_ends_in_a_sentence(talking_head: TalkingHead) -> None:
    long, short = noise(600.0), noise(1.0)

    def animate(speech: Speech) -> str:
        try:
            talking_head.animate(speech)
        except Exception as error:
            return "too little" if lacks_memory(error) else repr(error)
        return "made"

    talking_head.animate(short)  # what is allocated at first use
    assert in_fork(partial(animate, long), 4 << 20) == "too little"
    assert in_fork(partial(animate, short), 1 << 30) == "made"


def test_a_clock_that_jumps_changes_nothing(
    talking_head: TalkingHead, motion: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = talking_head.animate(noise(1.0)).weights
    export_motion(motion, tmp_path / "before.npz")
    jumps = iter([4e9, 0.0, 2e9, -1.0] * 10_000)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    assert (talking_head.animate(noise(1.0)).weights == before).all()
    after = export_motion(motion, tmp_path / "after.npz")
    assert after.read_bytes() == (tmp_path / "before.npz").read_bytes()
    write(motion, tmp_path / "out.mp4")


def test_a_voice_whose_program_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = load_voice("espeak-de")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(VoiceError, match="could not be started"):
        voice.synthesise("Guten Morgen.")


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    folder = tmp_path / "voices"
    for name in ("open", "closed"):
        (folder / name).mkdir(parents=True)
        (folder / name / "hello.wav").write_bytes(VOICE.read_bytes())
    return folder


def test_a_folder_that_cannot_be_searched_fails_by_name(
    voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = os.scandir

    def refuse(path: object) -> object:  # also to root, whom permissions do not stop
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    jobs, settings = plan(voices, tmp_path / "out", Settings(formats=(".npz",)))
    assert [job.name for job in jobs] == ["open/hello.wav", "closed"]
    report = Report(1)
    for outcome in run(jobs[1:], settings):
        report.add(outcome)
    expected = f"The folder '{voices / 'closed'}' cannot be searched (Permission denied)."
    assert report.lines()[0].startswith(f"failed: closed: {expected}")


def test_a_second_batch_in_the_same_folder_is_refused(voices: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    jobs, settings = plan(voices, out, Settings(formats=(".npz",)))
    with alone_in(out), pytest.raises(BatchError, match="Another batch is at work"):
        list(run(jobs, settings))
    with alone_in(out):
        pass


class SilentCluster:
    """Ray, on a cluster whose actors start, or do not, and never finish a job."""

    class exceptions:  # noqa: N801  as in Ray
        class RayError(Exception):
            pass

        class RayTaskError(RayError):
            pass

    def __init__(self, starts: bool) -> None:
        self.starts, self.killed = starts, 0
        self.ready: list[object] = []

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2}

    def remote(self, **_: object) -> Callable[[type], object]:
        cluster = self

        class Method:
            def __init__(self, ends: bool) -> None:
                self.ends = ends

            def remote(self, *_: object) -> object:
                result = object()
                if self.ends:
                    cluster.ready.append(result)
                return result

        class Actor:
            def __init__(self) -> None:
                self.load, self.run = Method(cluster.starts), Method(False)

        return lambda _: type("Remote", (), {"remote": staticmethod(lambda _: Actor())})

    def wait(self, results: list, timeout: float) -> tuple[list, list]:
        assert timeout <= 10
        return [result for result in results if result in self.ready][:1], []

    def get(self, result: object, timeout: float) -> None:
        if result not in self.ready:
            raise self.exceptions.RayError("Get timed out.")

    def kill(self, _: object) -> None:
        self.killed += 1


@pytest.mark.parametrize("starts", [True, False])
def test_a_cluster_that_does_not_answer_has_a_clock(
    starts: bool, voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, now = SilentCluster(starts), iter(range(0, 10**9, 600))

    @contextmanager
    def connection(*_: object) -> Iterator[SilentCluster]:
        yield cluster

    monkeypatch.setattr(ray_workers, "_connection", connection)
    monkeypatch.setattr(ray_workers.time, "monotonic", lambda: float(next(now)))
    jobs, settings = plan(voices, tmp_path / "out", Settings(formats=(".npz",)))
    outcomes = run(jobs, settings, ray="local")
    if starts:
        reasons = [reason for outcome in outcomes for reason in outcome.failed.values()]
        assert len(reasons) == 2
        assert all("3 workers died running it, the last: Get timed out." in r for r in reasons)
    else:
        with pytest.raises(BatchError, match="No worker has started in 30 minutes"):
            list(outcomes)
    assert cluster.killed >= 2
