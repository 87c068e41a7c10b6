"""`jambatalk evaluate` and `jambatalk render-compare` on folders of motions."""

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
from jambatalk.evaluate.mesh_motion import MeshMotion, align
from jambatalk.evaluate.mesh_regions import choose_regions, find_lip_pair, read_region
from jambatalk.evaluate.sequence_metrics import lip_apertures
from jambatalk.export.phones import export_phones
from jambatalk.model.phones import TimedPhone

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
    aperture = size * 0.01 * (1 - np.cos(4 * np.pi * times)) / 2
    lower = [v for v in LIPS if v < 5 * SIDE]
    inside = np.where([4 <= v % SIDE <= 7 for v in lower], 1.0, 0.5)
    motion[:, lower, 1] -= aperture[:, None] * inside
    return motion.astype(np.float32)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Targets, good predictions and late, small ones, of two subjects."""
    for folder in ("targets", "good", "late", "audio"):
        (tmp_path / folder).mkdir()
    for name in ("anna_01", "anna_02", "ben_01"):
        np.save(tmp_path / "targets" / f"{name}.npy", talking().reshape(60, -1))
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


def evaluate(folders: Path, *more: str, predictions: tuple[str, ...] = ("good", "late")) -> int:
    given = [str(folders / "targets"), *(str(folders / name) for name in predictions)]
    options = ["--fps", str(FPS), "-o", str(folders / "out")]
    return main(["evaluate", *given, *options, *more])


def test_evaluate_compares_two_predictions(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    regions = [
        "--lip-region",
        str(folders / "masks.npz"),
        "--upper-region",
        str(folders / "masks.npz"),
    ]
    audio = ["--audio", str(folders / "audio"), "--template", str(folders / "templates.npz")]
    assert evaluate(folders, *regions, *audio) == 0
    report = json.loads((folders / "out" / "report.json").read_text())
    good, late = report["overall"]["good"], report["overall"]["late"]
    # a tenth of the aperture is missing: 1 mm where it is widest
    squared = np.mean((0.001 * (1 - np.cos(4 * np.pi * np.arange(60) / FPS)) / 2) ** 2) * 1e6
    assert good["lve"]["mean"] == pytest.approx(squared, rel=1e-3)
    assert late["lve"]["low"] > good["lve"]["high"]
    assert good["aperture_sd"]["mean"] == pytest.approx(0.9, abs=1e-3)
    assert good["aperture_lag"]["mean"] == pytest.approx(0, abs=1e-6)
    assert late["aperture_lag"]["mean"] == pytest.approx(100, abs=1e-6)
    assert late["fdd"]["mean"] == 0
    assert report["difference_to_first"]["late"]["lve"]["low"] > 0
    assert set(report["subjects"]) == {"anna", "ben"}  # by their templates
    assert "masks.npz, lips, 24 vertices" in report["regions"]["lips"]
    assert "masks.npz, forehead + eye_region" in report["regions"]["upper_face"]
    rows = list(csv.DictReader((folders / "out" / "sequences.csv").open()))
    assert len(rows) == 6
    assert float(rows[0]["lve (mm²)"]) == pytest.approx(squared, rel=1e-3)
    latex = (folders / "out" / "report.tex").read_text()
    assert f"LVE, mm$^2$ & {squared:.3f} & " in latex
    output = capsys.readouterr().out
    assert output.count(f"| LVE, mm² | {squared:.3f} [") == 1
    assert "beat alignment" in output
    assert good["slcc"]["mean"] is None  # one sentence of ben, and anna's two alike


def test_evaluate_without_template_or_speech_leaves_out_their_metrics(folders: Path) -> None:
    assert evaluate(folders, "--lip-region", str(folders / "lips.txt")) == 0
    measured = json.loads((folders / "out" / "report.json").read_text())["overall"]["good"]
    assert "lve" in measured
    assert not {"fdd", "beat", "loudness_r"} & set(measured)


def test_evaluate_tells_the_mean_of_styles_and_seeds_from_the_best(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, size in enumerate((0.5, 0.7, 0.8, 0.9)):
        for path in (folders / "targets").glob("*.npy"):
            name = f"{path.stem}_condition_{'ab'[number // 2]}_seed_{number % 2}.npy"
            np.save(folders / "late" / name, talking(60, size))
    for path in (folders / "late").glob("*_condition_anna.npy"):
        path.unlink()
    phones = [TimedPhone("AA", 0.2, 0.3), TimedPhone("B", 0.4, 0.6)]
    for name in ("anna_01", "anna_02", "ben_01"):  # widest at 0.25 s, closed at 0.5 s
        export_phones(phones, folders / "audio" / f"{name}.json")
    words = zip(("bin", "blue", "at", "f", "two", "now"), range(6), range(1, 7), strict=True)
    said = json.dumps([[word, start * 0.3, end * 0.3] for word, start, end in words])
    (folders / "words").mkdir()
    for name in ("anna_01", "anna_02", "ben_01"):
        (folders / "words" / f"{name}.json").write_text(said)
    region = ["--lip-region", str(folders / "lips.txt"), "--phones", str(folders / "audio")]
    region += ["--words", str(folders / "words")]
    assert evaluate(folders, *region, predictions=("late", "good")) == 0
    report = json.loads((folders / "out" / "report.json").read_text())
    mean, best, good = (report["overall"][name] for name in ("late", "late, best", "good"))
    assert list(report["overall"]) == ["late", "late, best", "good"]
    assert mean["mod"]["mean"] == pytest.approx(5 * (0.5 + 0.3 + 0.2 + 0.1) / 4, rel=1e-3)
    assert best["mod"]["mean"] == pytest.approx(0.5, rel=1e-3)
    # of 24 lip vertices 8 follow the aperture, 5 mm in the mean, and 4 half of it
    whole = 5 * (8 + 4 / 2) / 24
    assert mean["style_diversity"]["mean"] == pytest.approx(whole * (0.3 + 0.2) / 2, rel=1e-3)
    assert mean["seed_diversity"]["mean"] == pytest.approx(whole * (0.2 + 0.1) / 2, rel=1e-3)
    assert mean["coverage"]["mean"] == pytest.approx(whole * 0.1, rel=1e-3)
    assert best["coverage"]["mean"] is None
    assert good["words"] == good["words_target"]  # smaller by a tenth only
    assert 0 <= good["words"]["mean"] <= 100
    assert good["open"]["mean"] > 0.9 > good["bilabial"]["mean"]  # of 1 mm where it is widest
    rows = list(csv.DictReader((folders / "out" / "sequences.csv").open()))
    assert {row["condition"] for row in rows} == {"", "b_seed_1"}


def test_evaluate_uses_the_regions_of_saved_motions(tmp_path: Path) -> None:
    face = load_head(1)
    weights = np.zeros((40, len(face.blendshapes)), np.float32)
    weights[:, face.blendshapes.index("jawOpen")] = (1 - np.cos(np.arange(40) / 3)) / 5
    for folder, size in (("targets", 1.0), ("mine", 0.8)):
        (tmp_path / folder).mkdir()
        Motion(weights * size, FPS, face).save(tmp_path / folder / "one.npz")
    folders = [str(tmp_path / folder) for folder in ("targets", "mine")]
    assert main(["evaluate", *folders, "-o", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert f"head '{face.name}'" in report["regions"]["lips"]
    assert report["overall"]["mine"]["aperture_sd"]["mean"] == pytest.approx(0.8, abs=1e-3)
    assert report["overall"]["mine"]["aperture_r"]["mean"] > 0.999


def test_find_lip_pair() -> None:
    vertices, _ = template()
    upper, lower = find_lip_pair(talking(), vertices, np.array(LIPS))
    assert upper - lower == SIDE  # opposite each other
    assert lower // SIDE == 4
    assert 4 <= lower % SIDE <= 7  # in the middle of the mouth
    with pytest.raises(DataError, match="do not open"):
        find_lip_pair(talking(size=0), vertices, np.array(LIPS))


def test_evaluate_reads_flame_masks(folders: Path) -> None:
    with (folders / "FLAME_masks.pkl").open("wb") as file:
        pickle.dump({"lips": np.array(LIPS), "forehead": np.array(BROW)}, file, protocol=2)
    masks = str(folders / "FLAME_masks.pkl")
    regions = ["--lip-region", masks, "--upper-region", f"{masks}:forehead"]
    assert evaluate(folders, *regions, "--template", str(folders / "sheet.ply")) == 0
    report = json.loads((folders / "out" / "report.json").read_text())
    assert report["regions"]["lips"] == "FLAME_masks.pkl, lips, 24 vertices"
    assert report["overall"]["good"]["fdd"]["mean"] == 0
    assert set(report["subjects"]) == {"sheet"}  # one template, one subject


def test_evaluate_converts_millimetres(folders: Path) -> None:
    for folder in ("targets", "good"):
        for path in (folders / folder).glob("*.npy"):
            np.save(path, np.load(path) * 1000)
    region = ["--lip-region", str(folders / "lips.txt"), "--unit", "mm"]
    assert evaluate(folders, *region, predictions=("good",)) == 0
    measured = json.loads((folders / "out" / "report.json").read_text())["overall"]["good"]
    assert measured["mve"]["mean"] == pytest.approx(0.5 * 10 / 144, rel=1e-3)
    assert measured["mod"]["mean"] == pytest.approx(0.5, rel=1e-3)


def test_align_resamples_to_the_slower_frame_rate() -> None:
    target = MeshMotion("a", talking(120, fps=60), 60.0)
    pred = MeshMotion("b", talking(60), 30.0)
    with pytest.raises(DataError, match="--resample"):
        align(pred, target)
    aligned_pred, aligned_target = align(pred, target, resample=True)
    assert aligned_pred.fps == aligned_target.fps == 30
    np.testing.assert_array_equal(aligned_pred.vertices, pred.vertices)
    np.testing.assert_array_equal(aligned_target.vertices, target.vertices[::2])


@pytest.mark.parametrize(
    ("frames", "vertices", "message"),
    [
        (60, 24, "24 vertices, its target has 144"),
        (57, 144, "57 frames at 30 a second, its target 60"),
    ],
)
def test_evaluate_names_incomparable_files(
    folders: Path, capsys: pytest.CaptureFixture[str], frames: int, vertices: int, message: str
) -> None:
    np.save(folders / "good" / "ben_01.npy", talking()[:frames, :vertices])
    assert evaluate(folders, "--lip-region", str(folders / "lips.txt"), predictions=("good",)) == 1
    error = capsys.readouterr().err
    assert "'ben_01'" in error
    assert message in error


def test_evaluate_requires_matching_names_or_common(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders / "good" / "ben_01.npy").unlink()
    region = ["--lip-region", str(folders / "lips.txt")]
    assert evaluate(folders, *region) == 1
    assert "'ben_01' among the target motions has no counterpart in" in capsys.readouterr().err
    assert evaluate(folders, *region, "--common") == 0
    report = json.loads((folders / "out" / "report.json").read_text())
    assert report["left_out_targets"] == 1
    assert len(report["sequences"]) == 4


def test_evaluate_reports_errors_in_one_line(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    region = ["--lip-region", str(folders / "lips.txt")]
    (folders / "empty").mkdir()
    (folders / "far.txt").write_text("1 2 144")
    broken = talking()
    broken[3, 3] = np.nan
    (folders / "broken").mkdir()
    for path in (folders / "targets").iterdir():
        np.save(folders / "broken" / path.name, broken)
    for run, message in (
        (lambda: evaluate(folders), "--lip-region"),
        (lambda: evaluate(folders, *region, predictions=("empty",)), "no motions in"),
        (lambda: evaluate(folders, *region, predictions=("nowhere",)), "no folder"),
        (lambda: evaluate(folders, *region, predictions=("good", "good")), "same name"),
        (lambda: evaluate(folders, *region, predictions=("broken",)), "NaN"),
        (lambda: evaluate(folders, *region, "--names", "a"), "1 names for 2"),
        (lambda: evaluate(folders, *region, "--pred-fps", "25"), "--resample"),
        (lambda: evaluate(folders, *region, "--audio", str(folders / "empty")), "no recording of"),
        (lambda: evaluate(folders, *region, "--lip-pairs", "3-4"), "UPPER:LOWER"),
        (lambda: evaluate(folders, "--lip-region", str(folders / "far.txt")), "vertex 144"),
        (lambda: evaluate(folders, "--lip-region", f"{folders / 'masks.npz'}:nose"), "'nose'"),
        (lambda: evaluate(folders, "--lip-region", str(folders / "none.txt")), "no file"),
        (lambda: evaluate(folders, "--lip-region", "none/lve.txt"), "Doubiiu/CodeTalker"),
        (lambda: evaluate(folders, *region, "--template", str(folders / "masks.npz")), "template"),
        (
            lambda: evaluate(folders, *region, "--template", str(folders / "audio")),
            "no templates in",
        ),
        (lambda: main(["evaluate", *[str(folders / "targets")] * 2, "-o", "x"]), "--fps"),
    ):
        assert run() == 1
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) == 1


@pytest.mark.skipif(not find_spec("matplotlib"), reason="matplotlib is not installed")
def test_evaluate_writes_plots(folders: Path) -> None:
    from PIL import Image

    options = [
        "--lip-region",
        str(folders / "lips.txt"),
        "--audio",
        str(folders / "audio"),
        "--plots",
    ]
    assert evaluate(folders, *options) == 0
    drawn = sorted((folders / "out" / "plots").iterdir())
    assert [path.name for path in drawn] == ["anna_01.png", "anna_02.png", "ben_01.png"]
    with Image.open(drawn[0]) as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 50


def test_render_compare_writes_one_video(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = folders / "compare.mp4"
    files = [str(folders / "targets" / "ben_01.npy"), str(folders / "good" / "ben_01.npy")]
    options = ["--fps", str(FPS), "-o", str(video), "--size", "64"]
    assert main(["render-compare", *files, *options]) == 1
    assert "--template" in capsys.readouterr().err
    options += ["--template", str(folders / "sheet.ply")]
    np.save(folders / "mm.npy", talking() * 1000)
    assert main(["render-compare", str(folders / "mm.npy"), files[1], *options]) == 1
    assert "--unit" in capsys.readouterr().err
    options += ["--speech", str(VOICES / "jfk.flac")]
    assert main(["render-compare", *files, *options]) == 0
    probe = [get_ffmpeg_exe(), "-v", "info", "-i", str(video)]
    info = subprocess.run(probe, capture_output=True, text=True).stderr
    assert "128x64" in info
    assert "Duration: 00:00:02.0" in info
    assert "Audio: aac" in info


def test_lip_apertures_equal_those_of_the_head() -> None:
    face = load_head(1)
    weights = np.zeros((5, len(face.blendshapes)), np.float32)
    weights[:, face.blendshapes.index("jawOpen")] = np.linspace(0, 0.5, 5)
    motion = Motion(weights, FPS, face)
    vertices = motion.vertices()
    regions = choose_regions(vertices, face.template, face)
    aperture, _ = lip_apertures(vertices, vertices, face.template, regions)
    expected = motion.lip_aperture() - motion.lip_aperture()[0]
    np.testing.assert_allclose(aperture, expected, atol=1e-6)
    bare = replace(face, landmarks={}, regions={"lips": face.regions["lips"]})
    found = choose_regions(vertices, face.template, bare)
    aperture, _ = lip_apertures(vertices, vertices, face.template, found)
    np.testing.assert_allclose(aperture, expected, rtol=0.3, atol=0.001)
    assert found.upper_face is None


def test_damaged_region_file_raises_data_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "masks.npz", lips=np.arange(100))
    content = (tmp_path / "masks.npz").read_bytes()
    (tmp_path / "masks.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="not a region file"):
        read_region(str(tmp_path / "masks.npz"), ["lips"], 144)
