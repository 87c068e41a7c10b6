"""MP4 files: format, sound, errors, and clips side by side."""

import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from scipy.io import wavfile

from jambatalk import Motion, View, load_head
from jambatalk.errors import RenderError, Stopped, VideoError
from jambatalk.render import mp4
from jambatalk.render.clip_grid import grid_size, side_by_side
from jambatalk.render.mp4 import write_video
from jambatalk.render.video import draw_video
from jambatalk.speech import Speech

SIZE = (96, 64)


def pictures(count: int, size: tuple[int, int] = SIZE) -> Iterator[np.ndarray]:
    """Yield grey frames that get lighter."""
    for number in range(count):
        yield np.full((size[1], size[0], 3), 40 + number % 200, np.uint8)


def clicking(tmp_path: Path, seconds: float, at: float, rate: int = 44_100) -> Path:
    """Write a quiet recording with one loud click."""
    samples = np.random.default_rng(0).normal(0, 0.01, (round(seconds * rate), 2))
    samples[round(at * rate) : round((at + 0.02) * rate)] = 0.8
    path = tmp_path / "click.wav"
    wavfile.write(path, rate, (samples * 32767).astype(np.int16))
    return path


def ffmpeg(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([get_ffmpeg_exe(), "-y", *map(str, arguments)], capture_output=True)


def described(path: Path) -> str:
    """Return what ffmpeg prints about a file."""
    return ffmpeg("-i", path).stderr.decode()


def packets(path: Path, stream: str) -> tuple[int, float]:
    """Return the number of packets of a stream, and the end of the last one in seconds."""
    listing = ffmpeg("-v", "error", "-i", path, "-map", stream, "-c", "copy", "-f", "framecrc", "-")
    text = listing.stdout.decode()
    base = re.search(r"#tb 0: (\d+)/(\d+)", text)
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    end = max(int(row[2]) + int(row[3]) for row in rows)
    return len(rows), end * int(base[1]) / int(base[2])


def sound(path: Path) -> np.ndarray:
    """Return the sound track, mono at 16 kHz."""
    raw = ffmpeg("-v", "error", "-i", path, "-ac", "1", "-ar", 16_000, "-f", "f32le", "-").stdout
    return np.frombuffer(raw, np.float32)


def write(path: Path, speech: Speech | None, count: int, fps: float = 30, **more) -> Path:
    return write_video(
        path, pictures(count), fps=fps, size=SIZE, frame_count=count, speech=speech, **more
    )


@pytest.mark.parametrize("fps", [25, 30, 60, 30000 / 1001])
@pytest.mark.parametrize("speech_is", ["as long", "shorter", "longer"])
def test_format_is_what_players_need(tmp_path, fps, speech_is):
    seconds = 2.0
    spoken = {"as long": 2.0, "shorter": 1.3, "longer": 3.1}[speech_is]
    speech = Speech.read(clicking(tmp_path, spoken, at=0.5))
    count = round(seconds * fps)
    path = write(tmp_path / "new" / "folder" / "out.mp4", speech, count, fps)
    text = described(path)
    assert "Video: h264" in text
    assert "yuv420p(tv, bt709, progressive" in text
    assert "Audio: aac (LC)" in text
    assert f"{SIZE[0]}x{SIZE[1]}" in text
    assert f"{fps:.4g} fps" in text
    frames, picture_ends = packets(path, "0:v")
    _, sound_ends = packets(path, "0:a")
    assert frames == count
    assert picture_ends == pytest.approx(count / fps, abs=1e-3)
    assert abs(picture_ends - sound_ends) < 1 / fps
    assert abs(len(sound(path)) / 16_000 - picture_ends) < 1 / fps
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "can be played while it loads"
    assert [file.name for file in path.parent.iterdir()] == ["out.mp4"]


def click(samples: np.ndarray) -> float:
    return np.argmax(np.abs(samples) > 0.3) / 16_000


@pytest.mark.parametrize("kind", ["wav", "webm", "m4a", "late", "array"])
def test_sound_is_in_sync_with_the_encoder_input(tmp_path, kind):
    source = clicking(tmp_path, 2, at=1.2)
    if kind in ("webm", "m4a"):
        ffmpeg("-i", source, tmp_path / f"click.{kind}")
        source = tmp_path / f"click.{kind}"
    if kind == "late":  # a video whose sound starts after its picture
        black = ("-f", "lavfi", "-i", "color=black:s=64x64:d=3")
        ffmpeg(*black, "-itsoffset", "0.7", "-i", source, tmp_path / "late.mp4")
        source = tmp_path / "late.mp4"
    speech = Speech.read(source)
    if kind == "array":
        speech = Speech.from_array(speech.samples, 16_000)
    path = write(tmp_path / "out.mp4", speech, 60)
    assert click(sound(path)) == pytest.approx(click(speech.samples), abs=0.01)
    assert ("stereo" in described(path)) == (kind != "array"), "as it was recorded"


def test_sound_of_a_deleted_recording_is_kept(tmp_path):
    source = clicking(tmp_path, 1, at=0.5)
    speech = Speech.read(source)
    source.unlink()
    assert click(sound(write(tmp_path / "out.mp4", speech, 30))) == pytest.approx(0.5, abs=0.01)


def test_picture_is_upright_and_keeps_its_colours(tmp_path):
    frame = np.zeros((64, 96, 3), np.uint8)
    frame[:32], frame[32:] = (40, 210, 60), (30, 90, 180)
    path = write_video(
        tmp_path / "out.mp4", [frame] * 5, fps=30, size=SIZE, frame_count=5, speech=None
    )
    raw = ffmpeg("-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-").stdout
    decoded = np.frombuffer(raw, np.uint8).reshape(5, 64, 96, 3)[2].astype(int)
    assert np.abs(decoded[8] - frame[8]).max() < 5
    assert np.abs(decoded[56] - frame[56]).max() < 5
    assert "Audio" not in described(path)


def test_same_input_gives_same_bytes(tmp_path):
    speech = Speech.read(clicking(tmp_path, 1, at=0.5))
    one, other = (write(tmp_path / name, speech, 30) for name in ("1.mp4", "2.mp4"))
    assert one.read_bytes() == other.read_bytes()


def test_stopping_keeps_the_old_file_and_removes_the_rest(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_text("the old one")
    reports = []

    def stop(stage: str, done: float) -> None:
        reports.append((stage, done))
        if done > 0.5:
            raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        write(path, None, 300, progress=stop)
    assert path.read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [path]
    assert {stage for stage, _ in reports} == {"Rendering"}
    assert [done for _, done in reports] == sorted(done for _, done in reports)


def test_progress_ends_at_one(tmp_path):
    reports = []
    write(tmp_path / "out.mp4", None, 25, progress=lambda stage, done: reports.append(done))
    assert reports[-1] == 1.0


@pytest.mark.parametrize("difference", [-1, 1])
def test_wrong_number_of_frames_is_an_error(tmp_path, difference):
    with pytest.raises(VideoError, match="announced"):
        write_video(
            tmp_path / "out.mp4",
            pictures(30 + difference),
            fps=30,
            size=SIZE,
            frame_count=30,
            speech=None,
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="cannot suspend a process")
def test_stalled_ffmpeg_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(mp4, "STALL_SECONDS", 1.0)
    get_ffmpeg_exe()  # runs ffmpeg once
    started = []

    class Suspended(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)
            self.send_signal(signal.SIGSTOP)

    monkeypatch.setattr(mp4.subprocess, "Popen", Suspended)
    with pytest.raises(VideoError, match="did nothing for 1 s"):
        write(tmp_path / "out.mp4", None, 300)
    assert not list(tmp_path.iterdir())
    assert started[0].returncode is not None


def test_name_with_a_colon_is_not_a_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = clicking(tmp_path, 1, at=0.5).rename("http:click.wav")
    recording = Speech.from_array(wavfile.read(source)[1], 44_100)
    speech = replace(recording, source=Path("http:click.wav"))
    path = write(Path("concat:out.mp4"), speech, 30)
    assert click(sound(path.resolve())) == pytest.approx(0.5, abs=0.01)


def test_frame_of_another_size_is_an_error(tmp_path):
    with pytest.raises(VideoError, match="shape"):
        write_video(
            tmp_path / "out.mp4",
            pictures(3, (64, 64)),
            fps=30,
            size=SIZE,
            frame_count=3,
            speech=None,
        )
    assert not list(tmp_path.iterdir())


def test_error_of_ffmpeg_is_explained(tmp_path):
    source = clicking(tmp_path, 1, at=0.5)
    speech = Speech.read(source)
    source.write_text("no longer a recording " * 1000)
    with pytest.raises(VideoError, match="damaged, or no recording"):
        write(tmp_path / "out.mp4", speech, 30)
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    "name", ["file.txt/out.mp4", "out.avi", "folder.mp4", "a" * 300 + "/o.mp4"]
)
def test_path_that_cannot_be_written_is_rejected_first(tmp_path, name):
    (tmp_path / "file.txt").write_text("")
    (tmp_path / "folder.mp4").mkdir()

    def never() -> Iterator[np.ndarray]:
        raise AssertionError("drawn in vain")
        yield

    with pytest.raises(VideoError, match=r"Choose|End"):
        write_video(tmp_path / name, never(), fps=30, size=SIZE, frame_count=1, speech=None)


@pytest.mark.parametrize(
    ("count", "shape"), [(2, (64, 128)), (3, (64, 192)), (4, (128, 128)), (5, (128, 192))]
)
def test_clips_are_side_by_side_with_captions(count, shape):
    greys = [40, 90, 140, 255, 200][:count]
    streams = [iter([np.full((64, 64, 3), grey, np.uint8)] * 2) for grey in greys]
    captions = ["crisp", "très vif", "a caption that is far too long for this", "日本語", "five"][
        :count
    ]
    first, second = side_by_side(streams, captions)
    assert first.shape == (*shape, 3)
    assert grid_size(count, 64) == shape[::-1]
    assert (first == second).all()
    for number, grey in enumerate(greys):
        row, column = divmod(number, shape[1] // 64)
        cell = first[row * 64 : row * 64 + 64, column * 64 : column * 64 + 64].astype(int)
        assert (cell[:40] == grey).all()
        letters = cell[48:]
        assert letters.max() - letters.min() > 90, "letters are readable on any background"


def test_motions_of_another_frame_rate_are_resampled(tmp_path):
    face = load_head(1)
    jaw = face.blendshapes.index("jawOpen")

    def opening(fps: float) -> Motion:
        weights = np.zeros((round(2 * fps), len(face.blendshapes)), np.float32)
        weights[:, jaw] = np.arange(len(weights)) / (2 * fps)
        return Motion(weights, fps, face)

    motions = [opening(fps) for fps in (25.0, 30.0, 60.0)]
    path = draw_video(motions, None, tmp_path / "out.mp4", View(size=64))
    assert packets(path, "0:v") == (50, pytest.approx(2.0, abs=1e-3))
    raw = ffmpeg("-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-").stdout
    first, *others = np.split(np.frombuffer(raw, np.uint8).reshape(50, 64, 192, 3), 3, 2)
    for other in others:
        assert np.abs(other.astype(int) - first).mean() < 1


def test_clips_that_do_not_match_are_rejected():
    with pytest.raises(RenderError, match="lengths"):
        list(side_by_side([pictures(3, (64, 64)), pictures(2, (64, 64))], ["a", "b"]))
    with pytest.raises(RenderError, match="Choose 2 to 9"):
        next(side_by_side([pictures(1, (64, 64))] * 10, list("abcdefghij")))
    with pytest.raises(RenderError, match="captions"):
        next(side_by_side(list(islice([pictures(1)] * 2, 2)), ["a"]))
