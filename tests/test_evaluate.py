"""Folders of predictions, as a researcher has them, through the command line."""

import csv
import json
import pickle
import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import trimesh
from imageio_ffmpeg import get_ffmpeg_exe

from jambatalk import Motion, load_head
from jambatalk.cli import main
from jambatalk.errors import DataError
from jambatalk.evaluate.mesh_motion import MeshMotion, aligned
from jambatalk.evaluate.mesh_regions import Regions, find_pair
from jambatalk.evaluate.sequence_metrics import openings

VOICES = Path(__file__).parent.parent / "assets" / "voices"
FPS = 30.0
SIDE = 12  # of the grid of vertices
LIPS = [y * SIDE + x for y in (3, 4, 5, 6) for x in range(3, 9)]
BROW = [y * SIDE + x for y in (10, 11) for x in range(SIDE)]


def template() -> tuple[np.ndarray, np.ndarray]:
    """A sheet of 12 cm with a mouth slit between its rows 4 and 5, and its triangles."""
    x, y = np.meshgrid(np.arange(SIDE) * 0.01, np.arange(SIDE) * 0.01)
    y = np.where(y > 0.045, y - 0.0095, y)  # the lips touch, but for half a millimetre
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(SIDE**2)], 1)
    corner = np.array([r * SIDE + c for r in range(SIDE - 1) for c in range(SIDE - 1)])
    quads = np.stack([corner, corner + 1, corner + SIDE + 1, corner + SIDE], 1)
    return vertices, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def talking(frames: int = 60, size: float = 1.0, late: int = 0, fps: float = FPS) -> np.ndarray:
    """(T, V, 3) metres: the lower lip goes down and up twice a second by a centimetre."""
    vertices, _ = template()
    motion = np.tile(vertices, (frames, 1, 1))
    times = np.arange(frames) / fps - late / FPS
    opening = size * 0.01 * (1 - np.cos(4 * np.pi * times)) / 2
    lower = [v for v in LIPS if v < 5 * SIDE]
    inside = np.where([4 <= v % SIDE <= 7 for v in lower], 1.0, 0.5)
    motion[:, lower, 1] -= opening[:, None] * inside
    return motion.astype(np.float32)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A truth, a good prediction and a late, small one, of two subjects."""
    for folder in ("truth", "good", "late", "audio"):
        (tmp_path / folder).mkdir()
    for name in ("anna_01", "anna_02", "ben_01"):
        np.save(tmp_path / "truth" / f"{name}.npy", talking().reshape(60, -1))
        np.save(tmp_path / "good" / f"{name}.npy", talking(61, 0.9))  # one frame longer
        np.save(tmp_path / "late" / f"{name}_condition_anna.npy", talking(60, 0.4, 3))
        command = [get_ffmpeg_exe(), "-v", "error", "-t", "2", "-i", str(VOICES / "jfk.flac")]
        subprocess.run([*command, str(tmp_path / "audio" / f"{name}.wav")], check=True)
    vertices, triangles = template()
    trimesh.Trimesh(vertices, triangles, process=False).export(tmp_path / "sheet.ply")
    np.savez(tmp_path / "templates.npz", anna=vertices, ben=vertices)
    (tmp_path / "lips.txt").write_text(", ".join(map(str, LIPS)))
    np.savez(tmp_path / "masks.npz", lips=LIPS, forehead=BROW, eye_region=BROW)
    return tmp_path


def evaluate(study: Path, *more: str, predictions: tuple[str, ...] = ("good", "late")) -> int:
    given = [str(study / "truth"), *(str(study / name) for name in predictions)]
    options = ["--fps", str(FPS), "-o", str(study / "out")]
    return main(["evaluate", *given, *options, *more])


def test_two_predictions_side_by_side(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    regions = ["--lip-region", str(study / "masks.npz"), "--upper-region", str(study / "masks.npz")]
    audio = ["--audio", str(study / "audio"), "--template", str(study / "templates.npz")]
    assert evaluate(study, *regions, *audio) == 0
    report = json.loads((study / "out" / "report.json").read_text())
    good, late = report["overall"]["good"], report["overall"]["late"]
    # a tenth of the opening is missing: 1 mm where it is widest
    squared = np.mean((0.001 * (1 - np.cos(4 * np.pi * np.arange(60) / FPS)) / 2) ** 2) * 1e6
    assert good["lve"]["mean"] == pytest.approx(squared, rel=1e-3)
    assert late["lve"]["low"] > good["lve"]["high"]
    assert good["opening_sd"]["mean"] == pytest.approx(0.9, abs=1e-3)
    assert good["opening_lag"]["mean"] == pytest.approx(0, abs=1e-6)
    assert late["opening_lag"]["mean"] == pytest.approx(100, abs=1e-6)
    assert late["fdd"]["mean"] == 0
    assert report["difference_to_first"]["late"]["lve"]["low"] > 0
    assert set(report["subjects"]) == {"anna", "ben"}  # by their templates
    assert "masks.npz, lips, 24 vertices" in report["regions"]["lips"]
    assert "masks.npz, forehead + eye_region" in report["regions"]["upper_face"]
    rows = list(csv.DictReader((study / "out" / "sequences.csv").open()))
    assert len(rows) == 6
    assert float(rows[0]["lve (mm²)"]) == pytest.approx(squared, rel=1e-3)
    latex = (study / "out" / "report.tex").read_text()
    assert f"good & {squared:.3f} & " in latex
    said = capsys.readouterr().out
    assert said.count(f"| LVE, mm² | {squared:.3f} [") == 1
    assert "beat alignment" in said


def test_without_template_or_speech_their_measures_are_left_out(study: Path) -> None:
    assert evaluate(study, "--lip-region", str(study / "lips.txt")) == 0
    measured = json.loads((study / "out" / "report.json").read_text())["overall"]["good"]
    assert "lve" in measured
    assert not {"fdd", "beat", "loudness_r"} & set(measured)


def test_saved_motions_bring_their_regions(tmp_path: Path) -> None:
    face = load_head(1)
    weights = np.zeros((40, len(face.blendshapes)), np.float32)
    weights[:, face.blendshapes.index("jawOpen")] = (1 - np.cos(np.arange(40) / 3)) / 5
    for folder, size in (("truth", 1.0), ("mine", 0.8)):
        (tmp_path / folder).mkdir()
        Motion(weights * size, FPS, face).save(tmp_path / folder / "one.npz")
    folders = [str(tmp_path / folder) for folder in ("truth", "mine")]
    assert main(["evaluate", *folders, "-o", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert f"head '{face.name}'" in report["regions"]["lips"]
    assert report["overall"]["mine"]["opening_sd"]["mean"] == pytest.approx(0.8, abs=1e-3)
    assert report["overall"]["mine"]["opening_r"]["mean"] > 0.999


def test_the_opening_pair_is_found() -> None:
    vertices, _ = template()
    upper, lower = find_pair(talking(), vertices, np.array(LIPS))
    assert upper - lower == SIDE  # opposite each other
    assert lower // SIDE == 4
    assert 4 <= lower % SIDE <= 7  # in the middle of the mouth
    with pytest.raises(DataError, match="do not open"):
        find_pair(talking(size=0), vertices, np.array(LIPS))


def test_flame_masks_are_read_as_data(study: Path) -> None:
    with (study / "FLAME_masks.pkl").open("wb") as file:
        pickle.dump({"lips": np.array(LIPS), "forehead": np.array(BROW)}, file, protocol=2)
    masks = str(study / "FLAME_masks.pkl")
    regions = ["--lip-region", masks, "--upper-region", f"{masks}:forehead"]
    assert evaluate(study, *regions, "--template", str(study / "sheet.ply")) == 0
    report = json.loads((study / "out" / "report.json").read_text())
    assert report["regions"]["lips"] == "FLAME_masks.pkl, lips, 24 vertices"
    assert report["overall"]["good"]["fdd"]["mean"] == 0
    assert set(report["subjects"]) == {"sheet"}  # one template, one subject


def test_units_and_millimetres_agree(study: Path) -> None:
    for folder in ("truth", "good"):
        for path in (study / folder).glob("*.npy"):
            np.save(path, np.load(path) * 1000)
    region = ["--lip-region", str(study / "lips.txt"), "--unit", "mm"]
    assert evaluate(study, *region, predictions=("good",)) == 0
    measured = json.loads((study / "out" / "report.json").read_text())["overall"]["good"]
    assert measured["mve"]["mean"] == pytest.approx(0.5 * 10 / 144, rel=1e-3)
    assert measured["opening_error"]["mean"] == pytest.approx(0.5, rel=1e-3)


def test_frame_rates_meet_at_the_slower_one() -> None:
    truth = MeshMotion("a", talking(120, fps=60), 60.0)
    predicted = MeshMotion("b", talking(60), 30.0)
    with pytest.raises(DataError, match="--resample"):
        aligned(truth, predicted)
    there, here = aligned(truth, predicted, resample=True)
    assert there.fps == here.fps == 30
    np.testing.assert_array_equal(there.vertices, truth.vertices[::2])
    np.testing.assert_array_equal(here.vertices, predicted.vertices)


@pytest.mark.parametrize(
    ("frames", "vertices", "says"),
    [
        (60, 24, "24 vertices, its truth has 144"),
        (57, 144, "57 frames at 30 a second, its truth 60"),
    ],
)
def test_what_cannot_be_compared_is_named(
    study: Path, capsys: pytest.CaptureFixture[str], frames: int, vertices: int, says: str
) -> None:
    np.save(study / "good" / "ben_01.npy", talking()[:frames, :vertices])
    assert evaluate(study, "--lip-region", str(study / "lips.txt"), predictions=("good",)) == 1
    error = capsys.readouterr().err
    assert "'ben_01'" in error
    assert says in error


def test_names_must_match_unless_asked_for_the_common_ones(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (study / "good" / "ben_01.npy").unlink()
    region = ["--lip-region", str(study / "lips.txt")]
    assert evaluate(study, *region) == 1
    assert "'ben_01' among the true motions has no counterpart in" in capsys.readouterr().err
    assert evaluate(study, *region, "--common") == 0
    report = json.loads((study / "out" / "report.json").read_text())
    assert report["true_sequences_left_out"] == 1
    assert len(report["sequences"]) == 4


def test_mistakes_are_one_line_with_the_cure(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    region = ["--lip-region", str(study / "lips.txt")]
    (study / "empty").mkdir()
    (study / "far.txt").write_text("1 2 144")
    broken = talking()
    broken[3, 3] = np.nan
    (study / "broken").mkdir()
    for path in (study / "truth").iterdir():
        np.save(study / "broken" / path.name, broken)
    for run, says in (
        (lambda: evaluate(study), "--lip-region"),
        (lambda: evaluate(study, *region, predictions=("empty",)), "no motions in"),
        (lambda: evaluate(study, *region, predictions=("nowhere",)), "no folder"),
        (lambda: evaluate(study, *region, predictions=("good", "good")), "same name"),
        (lambda: evaluate(study, *region, predictions=("broken",)), "NaN"),
        (lambda: evaluate(study, *region, "--names", "a"), "1 names for 2"),
        (lambda: evaluate(study, *region, "--pred-fps", "25"), "--resample"),
        (lambda: evaluate(study, *region, "--audio", str(study / "empty")), "no recording of"),
        (lambda: evaluate(study, *region, "--lip-pairs", "3-4"), "UPPER:LOWER"),
        (lambda: evaluate(study, "--lip-region", str(study / "far.txt")), "vertex 144"),
        (lambda: evaluate(study, "--lip-region", f"{study / 'masks.npz'}:nose"), "'nose'"),
        (lambda: evaluate(study, "--lip-region", str(study / "none.txt")), "no region file"),
        (lambda: evaluate(study, "--lip-region", "none/lve.txt"), "Doubiiu/CodeTalker"),
        (lambda: evaluate(study, *region, "--template", str(study / "masks.npz")), "template"),
        (lambda: evaluate(study, *region, "--template", str(study / "audio")), "no templates in"),
        (lambda: main(["evaluate", *[str(study / "truth")] * 2, "-o", "x"]), "--fps"),
    ):
        assert run() == 1
        error = capsys.readouterr().err
        assert says in error
        assert len(error.splitlines()) == 1


@pytest.mark.skipif(not find_spec("matplotlib"), reason="matplotlib is not installed")
def test_plots_are_drawn(study: Path) -> None:
    from PIL import Image

    options = ["--lip-region", str(study / "lips.txt"), "--audio", str(study / "audio"), "--plots"]
    assert evaluate(study, *options) == 0
    drawn = sorted((study / "out" / "plots").iterdir())
    assert [path.name for path in drawn] == ["anna_01.png", "anna_02.png", "ben_01.png"]
    with Image.open(drawn[0]) as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 50


def test_render_compare_puts_truth_and_predictions_in_one_video(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = study / "compare.mp4"
    files = [str(study / "truth" / "ben_01.npy"), str(study / "good" / "ben_01.npy")]
    options = ["--fps", str(FPS), "-o", str(video), "--size", "64"]
    assert main(["render-compare", *files, *options]) == 1
    assert "--template" in capsys.readouterr().err
    options += ["--template", str(study / "sheet.ply")]
    np.save(study / "mm.npy", talking() * 1000)
    assert main(["render-compare", str(study / "mm.npy"), files[1], *options]) == 1
    assert "--unit" in capsys.readouterr().err
    options += ["--speech", str(VOICES / "jfk.flac")]
    assert main(["render-compare", *files, *options]) == 0
    probe = [get_ffmpeg_exe(), "-v", "info", "-i", str(video)]
    said = subprocess.run(probe, capture_output=True, text=True).stderr
    assert "128x64" in said
    assert "Duration: 00:00:02.0" in said
    assert "Audio: aac" in said


def test_the_opening_is_that_of_the_heads_lips() -> None:
    face = load_head(1)
    weights = np.zeros((5, len(face.blendshapes)), np.float32)
    weights[:, face.blendshapes.index("jawOpen")] = np.linspace(0, 0.5, 5)
    motion = Motion(weights, FPS, face)
    vertices = motion.vertices()
    regions = Regions.choose(vertices, face.template, face)
    opening, _ = openings(vertices, vertices, face.template, regions)
    apart = motion.lip_aperture() - motion.lip_aperture()[0]
    np.testing.assert_allclose(opening, apart, atol=1e-6)
    bare = replace(face, landmarks={}, regions={"lips": face.regions["lips"]})
    found = Regions.choose(vertices, face.template, bare)
    opening, _ = openings(vertices, vertices, face.template, found)
    np.testing.assert_allclose(opening, apart, rtol=0.3, atol=0.001)
    assert found.upper_face is None
