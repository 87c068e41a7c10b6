"""The benchmarks run, and write docs/performance.md from their template."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

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
