"""The benchmarks run, and write docs/performance.md from their template."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jambatalk import load_head
from jambatalk.face.neck import head_rotation
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.corpus.recording import Recording

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "benchmarks"


def run(script: str, *arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, SCRIPTS / script, *arguments, "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_stages_add_up_to_the_total():
    results = run("speech_to_video.py", "--seconds", "2", "--size", "64", "--runs", "1")
    parts = sum(
        results[stage][0] for stage in ("Encoding speech", "Predicting motion", "Rendering")
    )
    assert parts == pytest.approx(results["total"][0], rel=0.1)  # no time is missing
    assert results["cpu"][0] > 0


@pytest.mark.slow
def test_soak_prints_its_table():
    command = [sys.executable, SCRIPTS / "soak.py", "--runs", "3"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [memory] = [line for line in done.stdout.splitlines() if "memory of the page" in line]
    assert memory.endswith("(last 3) |")
    assert "| temporary files | 4 | 4 | 4 |" in done.stdout


@pytest.mark.slow
def test_published_pipeline_renders_every_counted_frame():
    results = run(
        "published_pipeline.py", "rendering", "--seconds", "1", "--size", "64", "--every", "10"
    )
    assert results["frames"] == 3
    assert results["rendering"] > 0
    assert results["rest"] > 0


@pytest.mark.slow
def test_long_speech_measures_the_memory_of_every_process():
    results = run("long_speech.py", "0.02", "--size", "64")
    for process in ("video", "render worker", "ffmpeg"):
        assert 20 < results[f"{process}, MB"] < 4000, process


def test_bench_fills_in_the_page(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import bench

    def measured(script: str, *arguments: object) -> dict:
        stages = ("Encoding speech", "Predicting motion", "Rendering", "total")
        streamed = ("first motion, ms", "step, ms", "look-ahead, s", "real-time factor")
        memory = ("video, MB", "render worker, MB", "ffmpeg, MB")
        return {
            "published_pipeline.py": {"seconds": 3.0, "parameters": 3e8}
            | {"rendering": 6.0, "rest": 1.0, "frames": 60},
            "speech_to_video.py": {stage: [2.0] for stage in stages},
            "stages.py": {"decode": [1.0, 2.0]},
            "streaming.py": {name: [1.0] for name in streamed},
            "published_networks.py": {"parameters": 1e8, "memory": 1.0}
            | {"encode": 1.0, "decode": 2.0},
            "long_speech.py": {"animate": 1.0, "video": 2.0} | dict.fromkeys(memory, 300.0),
        }[script]

    monkeypatch.setattr(bench, "run", measured)
    monkeypatch.setattr(
        bench,
        "measure_cold_start",
        lambda *_: dict.fromkeys(("cold", "added", "added_factor"), "1"),
    )
    monkeypatch.setattr(sys, "argv", ["bench.py", "-o", str(tmp_path)])
    bench.main()
    page = (tmp_path / "performance.md").read_text()
    assert "$" not in page
    assert "| 512×512 | 2.00 (2.00–2.00) |" in page
    row = "| 0.20 | 34 | 17 times |"
    assert row in page, "3 s of network, 6 s for each 60 of 300 frames, 1 s of the rest"
    assert "| FaceFormer | 100 | 10 | 1.0 | 2.0 | 3.0 | 1.0 | 3.0 | 3.1 |" in page
    for plot in ("performance_factor.png", "performance_memory.png"):
        assert plot in page
        assert (tmp_path / plot).stat().st_size > 1000


def test_held_out_phones_uses_aligned_held_out_english(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import held_out_phones

    phones = [Phone("SIL", 0.0, 0.3), Phone("M", 0.3, 0.4), Phone("AA", 0.4, 0.6)]
    tone = np.sin(np.arange(9600) / 20).astype(np.float32)
    one = Recording("one", "read", "ann", "en", "held_out", tone, phones, "ma", "text")
    others = [
        replace(one, name="train", split="train"),
        replace(one, name="german", language="de"),
        replace(one, name="recognised", timing="recognised"),
    ]
    for recording in [one, *others]:
        recording.save(tmp_path)
    monkeypatch.setattr(sys, "argv", ["held_out_phones.py", "--corpus", str(tmp_path)])
    held_out_phones.main()
    page = capsys.readouterr().out
    (row,) = (line for line in page.splitlines() if line.startswith("| P/B/M closed (≤ 0.10) |"))
    assert row.endswith("| 1 phones |")
    assert page.endswith("\n1 recordings of 1 speakers\n")


def test_pose_is_measured_from_tracked_points(tmp_path, monkeypatch):
    """Draw a head's points from known poses, with a cut between two takes, and measure them."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import tracked_heads

    face = load_head(1)
    pose = np.stack([9 * np.sin(np.arange(60) / k) for k in (7, 11, 17)], 1)
    solid = np.zeros((68, 3))
    solid[tracked_heads.RIGID] = tracked_heads._rigid_points(face) - face.template.mean(0)
    solid[tracked_heads.BROWS] = solid[27] + [0, 0.02, 0]
    for first in tracked_heads.EYES:
        solid[first + 1 : first + 3] = solid[first] + [0.01, 0.004, 0]
        solid[first + 4 : first + 6] = solid[first] + [0.01, -0.004, 0]
    drawn = head_rotation(np.radians(pose)).as_matrix() @ solid.T
    points = 1800 * drawn[:, :2].swapaxes(1, 2) * (1, -1) + 300
    points[40:] += 90  # the cut
    write_wave(tmp_path / "address.flac", 2.4)
    np.savez(tmp_path / "motion.npz", landmarks=points.astype(np.float32), first_frame_s=0.025)
    takes = tracked_heads.read_address(tmp_path, face)
    assert [len(take.pose) for take in takes] == [40, 20]
    np.testing.assert_allclose(np.concatenate([take.pose for take in takes]), pose, atol=0.05)
    assert takes[1].times[0] == pytest.approx(0.025 + 40 / 25)


def write_wave(path: Path, seconds: float) -> None:
    soundfile.write(path, np.zeros(round(seconds * 16000), np.float32), 16000)


def test_curve_is_described_by_its_range_speed_and_lag(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import head_motion

    time = np.arange(1000) / 25
    curve, loud = 3 * np.sin(2 * np.pi * 0.25 * time), -np.sin(2 * np.pi * 0.25 * (time + 0.2))
    sd, _, speed, _, half, r, lag = head_motion.curve_row([curve], [loud])
    assert float(sd) == pytest.approx(3 / np.sqrt(2), rel=0.03)
    assert float(speed) == pytest.approx(3 / np.sqrt(2) * 2 * np.pi * 0.25, rel=0.05)
    assert float(half) == pytest.approx(4 / 6, abs=0.05)  # a sixth of a period
    assert (float(r), float(lag)) == (-1.0, 0.2)
