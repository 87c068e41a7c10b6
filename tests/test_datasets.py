"""VOCASET, BIWI, folders of vertices and tracks: small synthetic sets in their exact formats."""

import json
import logging
import pickle
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import synthetic

from jambatalk.data.dataset import Dataset
from jambatalk.data.registry import open_dataset
from jambatalk.errors import DataError
from jambatalk.face.library import load_head
from jambatalk.files.safe_pickle import read_pickle


@pytest.fixture(scope="module")
def vocaset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.write_vocaset(tmp_path_factory.mktemp("vocaset"))


@pytest.fixture(scope="module")
def biwi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.write_biwi(tmp_path_factory.mktemp("biwi"), vertices=3895)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small folder of vertices that a test may damage."""
    return synthetic.write_folder(tmp_path / "custom", sentences=(1, 2, 3, 4, 5))


# VOCASET


def test_vocaset_is_read_as_downloaded(vocaset: Path) -> None:
    splits = {split: open_dataset("vocaset", vocaset, split) for split in ("train", "val", "test")}
    assert [len(s.subjects) for s in splits.values()] == [8, 2, 2]
    assert [len(s) for s in splits.values()] == [16, 2, 2]  # val and test begin at sentence 21
    assert not set(splits["train"].subjects) & set(splits["test"].subjects)
    assert len(open_dataset("vocaset", vocaset, "all")) == 24
    train = splits["train"]
    first = train[0]
    assert (train.fps, train.vertex_count) == (30.0, 5023)
    assert first.name == "FaceTalk_170725_00137_TA_sentence01"
    assert first.subject == "FaceTalk_170725_00137_TA"
    assert first.vertices.shape == (len(first), 5023, 3)
    assert first.vertices.dtype == first.audio.dtype == np.float32
    assert first.template.shape == (5023, 3)
    assert len(first.audio) == round(len(first) / 30 * 16000)
    # every second frame of those on disk, beginning with the first
    captured = np.load(vocaset / "data_verts.npy", mmap_mode="r")
    np.testing.assert_array_equal(first.vertices, captured[: 2 * len(first) : 2])


def test_converted_vocaset_gives_the_same_recordings(vocaset: Path, tmp_path: Path) -> None:
    downloaded = open_dataset("vocaset", vocaset, "val")
    converted = synthetic.write_vocaset(tmp_path / "60", converted=True)
    for one, other in zip(downloaded, open_dataset("vocaset", converted, "val"), strict=True):
        assert (one.name, one.fps) == (other.name, other.fps)
        np.testing.assert_array_equal(one.vertices, other.vertices)
        np.testing.assert_allclose(one.audio, other.audio, atol=1e-4)
    halved = synthetic.write_vocaset(tmp_path / "30", converted=True, fps=30.0)
    again = open_dataset("vocaset", halved, "val")
    assert again.fps == 30.0  # not halved twice
    assert abs(len(again[0]) - len(downloaded[0])) <= 1


def test_motion_and_sound_are_in_sync(vocaset: Path, biwi: Path) -> None:
    for dataset in (open_dataset("vocaset", vocaset, "all"), open_dataset("biwi", biwi, "all")):
        head = synthetic.make_head(dataset.vertex_count)
        sounds, mouths = [], []
        for take in dataset:
            jaw, _ = synthetic.curves(take.audio, 16000, take.fps)
            moved = take.vertices - take.template
            mouth = moved[:, head.upper_lip, 1].mean(1) - moved[:, head.lower_lip, 1].mean(1)
            sounds.append(jaw - jaw.mean())
            mouths.append((mouth - mouth.mean())[: len(jaw)])
        sound, mouth = np.concatenate(sounds), np.concatenate(mouths)
        aligned = np.corrcoef(sound, mouth)[0, 1]
        assert aligned > 0.95
        assert aligned > max(np.corrcoef(np.roll(sound, s), mouth)[0, 1] for s in (-1, 1))


def test_missing_sentences_are_accepted_and_missing_subjects_are_not(tmp_path: Path) -> None:
    # the real set lacks sentences 24 and 32 of two subjects
    folder = synthetic.write_vocaset(tmp_path / "set", sentences=(21, 22), converted=True)
    (folder / "wav" / "FaceTalk_170908_03277_TA_sentence22.wav").unlink()
    assert len(open_dataset("vocaset", folder, "val")) == 3
    for path in folder.glob("*/FaceTalk_170908_*"):
        path.unlink()
    with pytest.raises(DataError, match=r"no recording .*21 to 40.* FaceTalk_170908_03277_TA"):
        open_dataset("vocaset", folder, "val")


def test_other_folders_are_not_accepted_as_vocaset(vocaset: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither data_verts.npy nor vertices_npy"):
        open_dataset("vocaset", tmp_path, "train")
    shutil.copytree(vocaset, tmp_path / "cut", dirs_exist_ok=True)
    verts = np.load(vocaset / "data_verts.npy", mmap_mode="r")
    np.save(tmp_path / "cut" / "data_verts.npy", verts[:50])
    with pytest.raises(DataError, match=r"data_verts.npy has 50 frames.*Download"):
        open_dataset("vocaset", tmp_path / "cut", "train")
    synthetic.write_python2_pickle(tmp_path / "cut" / "raw_audio_fixed.pkl", ["no"])
    with pytest.raises(DataError, match=r"raw_audio_fixed.pkl is not a dictionary"):
        open_dataset("vocaset", tmp_path / "cut", "train")
    templates = {"FaceTalk_170725_00137_TA": np.zeros((5022, 3))}
    synthetic.write_python2_pickle(tmp_path / "cut" / "templates.pkl", templates)
    with pytest.raises(DataError, match="5022 vertices, VOCASET's have 5023"):
        open_dataset("vocaset", tmp_path / "cut", "train")


# BIWI


def test_biwi_has_the_published_splits(biwi: Path) -> None:
    splits = {s: open_dataset("biwi", biwi, s) for s in ("train", "val", "test-a", "test-b")}
    assert [len(s.subjects) for s in splits.values()] == [6, 6, 6, 8]
    assert [len(s) for s in splits.values()] == [6, 6, 6, 8]
    assert splits["train"].subjects == splits["test-a"].subjects == splits["val"].subjects
    assert not set(splits["train"].subjects) & set(splits["test-b"].subjects)
    names = {recording.name for s in splits.values() for recording in s}
    assert len(names) == 26  # no recording in two
    take = splits["val"][0]
    assert (take.name, take.subject, take.fps) == ("F2_e33", "F2", 25.0)
    assert take.vertices.shape == (len(take), 3895, 3)
    with pytest.raises(DataError, match="train, val, test-a, test-b"):
        open_dataset("biwi", biwi, "test")


def test_biwi_with_all_its_vertices(tmp_path: Path) -> None:
    subjects = ("F2", "F3", "F4", "M3", "M4", "M5")
    folder = synthetic.write_biwi(tmp_path, subjects, (33,), vertices=23370, seconds=0.3)
    assert np.load(folder / "vertices_npy" / "F2_e33.npy", mmap_mode="r").shape[1] == 70110
    assert open_dataset("biwi", folder, "val")[0].vertices.shape[1:] == (23370, 3)
    (folder / "templates.pkl").write_bytes(pickle.dumps({"F2": np.zeros((5023, 3))}))
    with pytest.raises(DataError, match="5023 vertices, BIWI's have 3895 or 23370"):
        open_dataset("biwi", folder, "val")


# folders of vertices


def test_folder_of_vertices_with_and_without_splits(folder: Path) -> None:
    train, val = (open_dataset("folder", folder, split) for split in ("train", "val"))
    assert (len(train), [r.name for r in val]) == (9, ["ben_05"])
    notes = {"fps": 30, "val": ["anna_02"], "test": ["ben"], "leave_out": ["anna_03"]}
    (folder / "dataset.json").write_text(json.dumps(notes))
    names = {
        s: [r.name for r in open_dataset("folder", folder, s)] for s in ("train", "val", "test")
    }
    assert names["train"] == ["anna_01", "anna_04", "anna_05"]
    assert names["val"] == ["anna_02"]
    assert names["test"] == [f"ben_0{n}" for n in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize("kind", ["pkl", "obj", "ply"])
def test_templates_come_in_several_forms(folder: Path, kind: str) -> None:
    import trimesh

    expected = open_dataset("folder", folder, "train")[0].template
    with np.load(folder / "templates.npz") as file:
        templates = dict(file)
    (folder / "templates.npz").unlink()
    if kind == "pkl":
        flat = {subject: template.reshape(-1) for subject, template in templates.items()}
        (folder / "templates.pkl").write_bytes(pickle.dumps(flat))
    else:
        (folder / "templates").mkdir()
        triangles = synthetic.make_head(300).triangles
        for subject, template in templates.items():
            mesh = trimesh.Trimesh(template, triangles, process=False)
            mesh.export(folder / "templates" / f"{subject}.{kind}")
    read = open_dataset("folder", folder, "train")[0].template
    np.testing.assert_allclose(read, expected, atol=1e-6)


def test_small_differences_of_length_are_cut(folder: Path) -> None:
    motion = folder / "vertices_npy" / "anna_01.npy"
    whole = np.load(motion)
    np.save(motion, whole[:-4])
    take = open_dataset("folder", folder, "all")[0]
    assert len(take) == len(whole) - 4
    assert len(take.audio) == round(len(take) / 30 * 16000)
    np.save(motion, np.concatenate([whole, whole[:6]]))
    assert len(open_dataset("folder", folder, "all")[0]) == len(whole)


def damage_vertices(folder: Path) -> None:
    np.save(folder / "vertices_npy" / "anna_01.npy", np.zeros((20, 897), np.float32))


def damage_shape(folder: Path) -> None:
    np.save(folder / "vertices_npy" / "anna_01.npy", np.zeros((20, 898), np.float32))


def damage_length(folder: Path) -> None:
    np.save(folder / "vertices_npy" / "anna_01.npy", np.zeros((60, 900), np.float32))


def damage_template(folder: Path) -> None:
    np.savez(folder / "templates.npz", anna=np.zeros((300, 3)), carl=np.zeros((300, 3)))


def damage_templates(folder: Path) -> None:
    (folder / "templates.npz").unlink()


def damage_array(folder: Path) -> None:
    path = folder / "vertices_npy" / "anna_01.npy"
    path.write_bytes(path.read_bytes()[:5000])


def damage_pickle_in_array(folder: Path) -> None:
    array = np.array([{"no": "numbers"}], object)
    np.save(folder / "vertices_npy" / "anna_01.npy", array, allow_pickle=True)


def damage_sound(folder: Path) -> None:
    (folder / "wav" / "anna_01.wav").write_bytes(b"no sound")


def damage_names(folder: Path) -> None:
    for path in folder.glob("wav/*"):
        path.rename(path.with_name(f"x{path.name}"))


def damage_rate(folder: Path) -> None:
    (folder / "dataset.json").unlink()


def damage_key(folder: Path) -> None:
    (folder / "dataset.json").write_text('{"fsp": 30}')


def damage_held_out(folder: Path) -> None:
    (folder / "dataset.json").write_text('{"fps": 30, "val": ["ana_01"]}')


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_vertices, r"anna_01.npy has 299 vertices, the template of 'anna' 300"),
        (damage_shape, r"anna_01.npy has the shape \(20, 898\), which is not one of vertices"),
        (damage_length, r"'anna_01' \(sound 0.66 s, motion 2.00 s\), at 30 frames"),
        (damage_template, r"no template of 'ben'.*anna, carl"),
        (damage_templates, r"no templates in .*templates.pkl"),
        (damage_array, r"anna_01.npy. is not"),
        (damage_pickle_in_array, r"anna_01.npy. is not"),
        (damage_sound, r"anna_01.wav. is not"),
        (damage_names, r"of 10 sounds in wav/ and 10 motions in vertices_npy/"),
        (damage_rate, r"frame rate .* not known.*dataset.json"),
        (damage_key, r"unknown key 'fsp'. Is it 'fps'\?"),
        (damage_held_out, r"'ana_01', which is not in the set. Is it 'anna_01'\?"),
    ],
)
def test_damaged_folder_is_refused_when_opened(folder: Path, damage: object, message: str) -> None:
    damage(folder)
    with pytest.raises(DataError, match=message):
        open_dataset("folder", folder, "train")


def test_values_that_are_not_finite_are_named_with_their_frame(folder: Path) -> None:
    motion = np.load(folder / "vertices_npy" / "anna_02.npy")
    motion[7, 100] = np.nan
    np.save(folder / "vertices_npy" / "anna_02.npy", motion)
    dataset = open_dataset("folder", folder, "train")
    assert len(dataset[0])
    with pytest.raises(DataError, match=r"'anna_02' is not finite in frame 7 .*leave_out"):
        dataset[1]
    (folder / "dataset.json").write_text('{"fps": 30, "leave_out": ["anna_02"]}')  # the cure
    assert "anna_02" not in [take.name for take in open_dataset("folder", folder, "all")]
    samples = np.full(16000, np.nan, np.float32)
    soundfile.write(folder / "wav" / "anna_01.wav", samples[:10560], 16000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"anna_01.wav.*not numbers"):
        open_dataset("folder", folder, "all")[0]


def test_unknown_sets_splits_and_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no data set 'voca'.*vocaset, biwi, folder, tracks"):
        open_dataset("voca", folder, "train")
    with pytest.raises(DataError, match=r"no split 'training'.*train, val, test"):
        open_dataset("folder", folder, "training")
    with pytest.raises(DataError, match="no folder"):
        open_dataset("folder", tmp_path / "nowhere", "train")
    with pytest.raises(DataError, match="no recording in 'custom/test'"):
        open_dataset("folder", folder, "test")


# tracks


@pytest.mark.parametrize("kind", ["csv", "json", "a2f", "npz"])
def test_tracks_of_every_kind_give_the_same_weights(tmp_path: Path, kind: str) -> None:
    dataset = open_dataset("tracks", synthetic.write_tracks(tmp_path, kind=kind), "train")
    blendshapes = load_head(1).blendshapes
    assert (len(dataset), dataset.fps, dataset.blendshapes) == (3, 30.0, blendshapes)
    take = dataset[0]
    assert take.vertices is None
    assert take.template is None
    assert (take.subject, take.weights.shape) == ("anna", (30, 53))
    jaw, rounding = synthetic.curves(synthetic.make_voice(1.0, 16000, 0), 16000, 60.0)
    np.testing.assert_allclose(
        take.weights[:, blendshapes.index("jawOpen")], 0.5 * jaw[::2], atol=1e-6
    )
    pucker = take.weights[:, blendshapes.index("mouthPucker")]
    np.testing.assert_allclose(pucker, 0.6 * rounding[::2], atol=1e-6)
    assert np.count_nonzero(take.weights.any(0)) == 2


def test_invalid_tracks_are_refused(tmp_path: Path) -> None:
    folder = synthetic.write_tracks(tmp_path)
    track = folder / "tracks" / "anna_01.csv"
    good = track.read_text()
    track.write_text(good.replace("JawOpen", "Jaw"))
    with pytest.raises(DataError, match=r"anna_01.csv has no 'jawOpen'"):
        open_dataset("tracks", folder, "train")
    header, *rows = good.splitlines()
    percentages = [",".join([*row.split(",")[:2], *["40"] * 53]) for row in rows]
    track.write_text("\n".join([header, *percentages]))
    with pytest.raises(DataError, match=r"weights up to 40.*percentages"):
        open_dataset("tracks", folder, "train")[0]
    track.write_text("\n".join([header, "10:00:00:00.000,61,0.5", *rows]))
    with pytest.raises(DataError, match=r"anna_01.csv' is not a blendshape track"):
        open_dataset("tracks", folder, "train")
    track.write_text(good)
    (folder / "dataset.json").unlink()
    with pytest.raises(DataError, match=r"frame rate .* not known"):
        open_dataset("tracks", folder, "train")


# from disk


def test_recordings_are_read_one_at_a_time(vocaset: Path) -> None:
    opened = open_dataset("vocaset", vocaset, "train")  # imports soundfile and fills caches
    one = opened[0]
    whole = (vocaset / "data_verts.npy").stat().st_size
    tracemalloc.start()
    dataset = open_dataset("vocaset", vocaset, "train")
    held, _ = tracemalloc.get_traced_memory()
    dataset[3]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 0.05 * whole
    assert peak - held < 4 * one.vertices.nbytes


def test_recordings_are_read_in_loader_processes(vocaset: Path) -> None:
    from torch.utils.data import DataLoader

    dataset = open_dataset("vocaset", vocaset, "val")
    loader = DataLoader(dataset, batch_size=None, num_workers=2)
    assert [take.name for take in loader] == [take.name for take in dataset]
    copied: Dataset = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copied[1].vertices, dataset[1].vertices)
    np.testing.assert_array_equal(copied[1].audio, dataset[1].audio)


def test_pickles_of_vocaset_are_read_once_for_all_splits(
    vocaset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "vocaset"
    folder.mkdir()
    for path in vocaset.iterdir():
        (folder / path.name).hardlink_to(path)
    read: list[str] = []

    def counted(path: Path) -> object:
        read.append(path.name)
        return read_pickle(path)

    monkeypatch.setattr("jambatalk.data.vocaset.read_pickle", counted)
    for split in ("train", "val", "test"):
        assert len(open_dataset("vocaset", folder, split)[0].audio)
    assert sorted(read) == ["raw_audio_fixed.pkl", "subj_seq_to_idx.pkl"]


def test_unpaired_recordings_are_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "wav" / "anna_01.wav").unlink()
    with caplog.at_level(logging.WARNING):
        assert len(open_dataset("folder", folder, "all")) == 9
    assert "anna_01" in caplog.text
