"""Converting public downloads to the data folder, on tiny synthetic downloads."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from jambatalk import load_head
from jambatalk.errors import DataError
from recipes.checkpoint.captured.facegood import MAPPING, read_facegood
from recipes.checkpoint.captured.grid_corpus import UNIT, read_grid, read_tracked_lips
from recipes.checkpoint.corpus.phone_times import read_grid_alignments
from recipes.checkpoint.corpus.speech_sources import SOURCES
from recipes.checkpoint.prepare_data import convert_grid
from recipes.checkpoint.prepare_data.__main__ import main, prepare_data
from recipes.checkpoint.prepare_data.convert_facegood import NAMES, TAKES
from recipes.checkpoint.prepare_data.track_landmarks import POINTS, measure_face
from recipes.checkpoint.prepare_data.transcode import read_frames, transcode

VOICE = Path(__file__).parent.parent / "assets" / "voices" / "jfk.flac"
ALIGNMENT = "0 12500 sil\n12500 20000 bin\n20000 27500 blue\n27500 50000 sil\n"


def ffmpeg(*arguments: str) -> None:
    subprocess.run([get_ffmpeg_exe(), "-v", "error", "-y", *arguments], check=True)


def sound(path: Path, seconds: float = 0.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg("-t", str(seconds), "-i", str(VOICE), str(path))


def video(path: Path) -> None:
    """Two seconds at 25 fps with sound, as GRID's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = ("-f", "lavfi", "-t", "2", "-i", "testsrc=size=360x288:rate=25")
    ffmpeg(*picture, "-t", "2", "-i", str(VOICE), "-c:v", "mpeg1video", "-c:a", "mp2", str(path))


def mesh(frames: int) -> np.ndarray:
    """A still face mesh, at random positions but for finite distances."""
    points = np.random.default_rng(0).uniform(0.3, 0.6, (POINTS, 3))
    return np.tile(points, (frames, 1, 1))


class FakeTracker:
    """Stands in for MediaPipe: finds the same face in every frame but the last."""

    def __init__(self, model: Path | None) -> None:
        pass

    def __call__(self, path: Path, fps: float):
        points = mesh(sum(1 for _ in read_frames(path)))
        points[:, [87, 14, 317]] = points[:, [82, 13, 312]]  # closed lips
        points[-1] = np.nan
        return measure_face(points, 0.8)


def test_grid_is_converted_to_the_format_training_reads(tmp_path, monkeypatch, capsys):
    downloads, data = tmp_path / "downloads", tmp_path / "data"
    for clip in ("bbaf2n", "bbaf3s"):
        video(downloads / "grid" / "s1" / f"{clip}.mpg")
        alignment = downloads / "grid" / "alignments" / "s1" / f"{clip}.align"
        alignment.parent.mkdir(parents=True, exist_ok=True)
        alignment.write_text(ALIGNMENT)
    monkeypatch.setattr(convert_grid, "Tracker", FakeTracker)
    assert prepare_data(downloads, data, ["grid"]) == 0
    assert "grid: 2 recordings" in capsys.readouterr().out
    transcripts = read_grid_alignments(data / "grid_s1")
    assert transcripts["bbaf2n"].text == "bin blue"
    words = json.loads((data / "grid_s1" / "alignments.json").read_text())["bbaf3s"]["words"]
    assert words[1] == ["bin", 0.5, 0.8]
    lips = read_tracked_lips(data / "grid_s1")
    assert list(lips) == ["bbaf2n", "bbaf3s"]
    assert lips["bbaf2n"].tracked.tolist() == [True] * 49 + [False]
    (clip,) = read_grid(data / "grid_s1", load_head(1), ["bbaf2n"])
    assert clip.fps == 25
    assert len(clip.weights) == 50
    assert len(clip.samples) == pytest.approx(32000, abs=1500)
    assert len(list(SOURCES["grid"].takes(data))) == 2
    monkeypatch.setattr(convert_grid, "Tracker", None)  # nothing is converted twice
    assert prepare_data(downloads, data, ["grid"]) == 0


def test_lips_are_measured_in_distances_of_the_pupils():
    points = mesh(3)
    points[:, 468], points[:, 473] = (0.4, 0.4, 0.0), (0.6, 0.4, 0.0)
    points[:, 78], points[:, 308] = (0.4, 0.6, 0.0), (0.5, 0.6, 0.0)
    for upper, lower in ((82, 87), (13, 14), (312, 317)):
        points[:, upper], points[:, lower] = (0.5, 0.5, 0.0), (0.5, 0.55, 0.0)
    points[1] = np.nan
    face = measure_face(points, aspect=0.8)
    np.testing.assert_allclose(face.lips[0], [0.05 * 0.8 / 0.2, 0.5], rtol=1e-6)
    assert face.tracked.tolist() == [True, False, True]
    assert face.landmarks.shape == (3, 51, 3)
    nose = face.landmarks[0, face.index.index(1)] / UNIT
    np.testing.assert_allclose(nose, points[0, 1], atol=1 / UNIT)


def test_grid_without_mediapipe_names_what_is_missing(tmp_path, monkeypatch, capsys):
    video(tmp_path / "grid" / "s1" / "bbaf2n.mpg")
    (tmp_path / "grid" / "s1" / "bbaf2n.align").write_text(ALIGNMENT)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    assert prepare_data(tmp_path, tmp_path / "data", ["grid"]) == 1
    assert "pip install -e .[tracking]" in capsys.readouterr().out
    assert (tmp_path / "data" / "grid_s1" / "audio" / "bbaf2n.opus").is_file()


def test_damaged_alignment(tmp_path):
    path = tmp_path / "a.align"
    path.write_text("0 sil\n")
    with pytest.raises(DataError, match="not a GRID alignment"):
        convert_grid.read_align(path)


def test_facegood_is_converted_to_the_format_training_reads(tmp_path):
    train = tmp_path / "facegood" / "FACEGOOD-Audio2Face-main" / "code" / "train"
    names = sorted({channel for channels in MAPPING.values() for channel in channels})
    (train / "bs_value").mkdir(parents=True)
    np.save(train / NAMES, np.array(names))
    values = np.random.default_rng(0).uniform(0, 1, (15, len(names)))
    for take in TAKES:
        np.save(train / "bs_value" / f"bs_value_{take}.npy", values)
        sound(train / "wav" / f"{take}.wav")
    assert prepare_data(tmp_path, tmp_path / "data", ["facegood"]) == 0
    clips = list(read_facegood(tmp_path / "data" / "facegood", load_head(1)))
    assert [clip.name for clip in clips] == list(TAKES)
    assert clips[0].weights.shape[0] == 15
    assert clips[0].fps == 30


def test_speech_is_converted_to_the_format_the_corpus_reads(tmp_path):
    libri = tmp_path / "librispeech" / "LibriSpeech" / "train-clean-100"
    for speaker, chapter, number in ((19, 198, 0), (19, 198, 1), (19, 1000, 0), (26, 495, 0)):
        name = f"{speaker}-{chapter}-{number:04d}.flac"
        sound(libri / str(speaker) / str(chapter) / name)
    ocean = tmp_path / "speechocean762" / "speechocean762"
    for split, speaker in (("train", "0001"), ("test", "0003")):
        utterances = [f"{speaker}{number:05d}" for number in range(7)]
        for utterance in utterances:
            sound(ocean / "WAVE" / f"SPEAKER{speaker}" / f"{utterance}.WAV")
        tables = {
            "wav.scp": [f"{u}\tWAVE/SPEAKER{speaker}/{u}.WAV" for u in utterances],
            "text": [f"{u}\tWE CALL IT BEAR" for u in utterances],
            "utt2spk": [f"{u} {speaker}" for u in utterances],
            "spk2age": [f"{speaker}\t6"],
            "spk2gender": [f"{speaker}\tm"],
        }
        (ocean / split).mkdir()
        for table, lines in tables.items():
            (ocean / split / table).write_text("\n".join(lines) + "\n")
    sphinx = tmp_path / "librivox" / "test"
    sound(sphinx / "one.wav")
    phones = {"t": "map", "w": [{"w": [{"t": "M", "b": 0.1, "d": 0.05}]}]}
    (sphinx / "one.phone.json").write_text(json.dumps(phones))
    sources = ["librispeech", "speechocean762", "librivox"]
    assert prepare_data(tmp_path, tmp_path / "data", sources) == 0
    takes = {source: list(SOURCES[source].takes(tmp_path / "data")) for source in sources}
    assert [take.name for take in takes["librispeech"]] == ["19-198-0000", "26-495-0000"]
    assert len(takes["speechocean762"]) == 10
    assert takes["speechocean762"][0].text == "WE CALL IT BEAR"
    assert takes["speechocean762"][0].speaker == "0001"
    assert takes["librivox"][0].text == "map"
    for source in sources:
        assert len(takes[source][0].read().samples) > 7000


def test_missing_downloads_are_listed_with_page_licence_and_layout(tmp_path, capsys):
    (tmp_path / "facegood").mkdir()
    assert main(["--downloads", str(tmp_path), "-o", str(tmp_path / "data")]) == 1
    report = capsys.readouterr().out
    for words in ("zenodo.org/records/3625687", "CC BY 4.0", "openslr.org/101", "grid: missing"):
        assert words in report
    assert "facegood: incomplete" in report


def test_unreadable_files_are_named(tmp_path):
    path = tmp_path / "broken.mpg"
    path.write_bytes(b"no video")
    with pytest.raises(DataError, match=r"broken\.mpg"):
        transcode(path, tmp_path / "broken.flac")
    with pytest.raises(DataError, match=r"broken\.mpg"):
        list(read_frames(path))
