"""What reads files from strangers: good files of each kind, and what is done with bad ones."""

from __future__ import annotations

import io
import json
import pickle
import tempfile
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import export_motions
import numpy as np
import synthetic
import torch
from damage import pack_messages, unpack_messages
from PIL import Image

from jambatalk import Motion, TalkingHead, load_head
from jambatalk.app.live.session import LiveSession
from jambatalk.data.dataset_settings import DatasetSettings
from jambatalk.data.tracks import TrackFile
from jambatalk.data.vocaset import _read_nested
from jambatalk.evaluate.mesh_motion import read_motion
from jambatalk.evaluate.mesh_regions import read_region
from jambatalk.export import export_motion
from jambatalk.face.library import HeadLibrary
from jambatalk.face.mesh import read_mesh, read_templates
from jambatalk.face.user_face import make_face, read_mask
from jambatalk.files.bundled import HEADS, VOICES
from jambatalk.files.origins import PUBLISHED_WEIGHTS
from jambatalk.files.pth import read_pth
from jambatalk.files.regular import read_file
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.speech import Speech
from jambatalk.styles.lip_track import LipTrack
from jambatalk.styles.own_style import OwnStyle, fingerprint
from jambatalk.train.config_file import load_config
from jambatalk.train.training_config import TrainingConfig

Files = Mapping[str, bytes | Path]  # name → content, or the file to link to


@dataclass(frozen=True)
class Target:
    """One kind of file.

    Attributes:
        files: of a good folder.
        hit: names of those that are damaged.
        use: opens the folder with the damaged file of that name, and does with it what users do.
        share: of all inputs.
        is_named: whether a message must name the file, or the folder, which is wrong.
    """

    files: Files
    hit: tuple[str, ...]
    use: Callable[[Path, str], object]
    share: int
    is_named: bool = True


@cache
def targets() -> dict[str, Target]:
    """Make the good files of all kinds."""
    return {
        "motion": Target(_motions(), ("weights.npz", "posed.npz", "offsets.npz"), _use_motion, 20),
        "motion of vertices": Target(
            {"vertices.npy": _npy(np.zeros((20, 30, 3), np.float32))},
            ("vertices.npy",),
            lambda folder, name: read_motion(folder / name, 30.0),
            5,
        ),
        "head": Target(
            _head(),
            (
                "heads.json",
                "topology.npz",
                "mara.npz",
                "textures/mara_skin.jpg",
                "textures/lashes.png",
            ),
            _use_head,
            15,
        ),
        "checkpoint": Target(
            _checkpoint(),
            ("config.json", "config.json", "model.safetensors", "encoder.safetensors"),
            _use_checkpoint,
            18,
        ),
        "style": Target({"own.safetensors": _style()}, ("own.safetensors",), _use_style, 7),
        "track": Target(
            _tracks(), ("track.csv", "curves.csv", "track.json", "track.npz"), _use_track, 8
        ),
        "training": Target(
            {
                "run.yaml": _training(),
                "dataset.json": b'{"fps": 30, "val": ["a"], "leave_out": ["b"]}',
            },
            ("run.yaml", "run.yaml", "dataset.json"),
            _use_settings,
            10,
        ),
        "pickle": Target(_pickles(), ("templates.pkl", "mask.pkl", "frames.pkl"), _use_pickle, 10),
        "published weights": Target(
            {"net.pth": _pth()}, ("net.pth",), lambda f, n: read_pth(f / n, PUBLISHED_WEIGHTS), 4
        ),
        "mesh": Target(_meshes(), ("face.ply", "face.obj"), _use_mesh, 5),
        "region": Target(
            {
                "lips.json": b'{"lips": [1, 2, 3]}',
                "lips.txt": b"1 2, 3\n4",
                "lips.npy": _npy(np.arange(4)),
                "lips.npz": _npz(lips=np.arange(4)),
                "lips.pkl": pickle.dumps({"lips": [1, 2]}),
            },
            ("lips.json", "lips.txt", "lips.npy", "lips.npz", "lips.pkl"),
            lambda folder, name: read_region(str(folder / name), ("lips",), 10),
            5,
        ),
        "recording": Target(_recordings(), ("voice.wav", "voice.flac"), _use_recording, 8),
        "live messages": Target(
            {"session.live": _messages()}, ("session.live",), _use_messages, 8, is_named=False
        ),
    }


def _motions() -> Files:
    motion = export_motions.chatter(40)
    face = export_motions.mask_face()
    few = face.triangles[(face.triangles < 500).all(1)]
    small = replace(
        face,
        triangles=few,
        template=face.template[:500],
        colors=face.colors[:500],
        gloss=face.gloss[:500],
        deltas=face.deltas[:, :500],
    )
    offsets = np.zeros((6, 500, 3), np.float32) + np.float32(0.001)
    made = {
        "weights.npz": motion,
        "posed.npz": export_motions.nodding(motion),
        "offsets.npz": Motion.of_vertices(offsets, 30.0, small),
    }
    with tempfile.TemporaryDirectory() as folder:
        return {name: motion.save(Path(folder, name)).read_bytes() for name, motion in made.items()}


def _use_motion(folder: Path, name: str) -> None:
    motion = Motion.load(folder / name)
    next(motion.frames(), None)
    if motion.face.blendshapes:
        motion.sealed().lip_aperture()
    for suffix in (".csv", ".json") if motion.face.blendshapes else (".glb",):
        export_motion(motion, folder / f"out{suffix}")


def _head() -> Files:
    names = ["topology.npz", "mara.npz"]
    [mara] = [e for e in json.loads((HEADS / "heads.json").read_text()) if e["name"] == "mara"]
    pictures = {m[k] for m in mara["materials"] for k in ("albedo", "detail", "wrinkles") if k in m}
    files: dict[str, bytes | Path] = {name: HEADS / name for name in names}
    for picture in pictures:
        with Image.open(HEADS / "textures" / picture) as image:  # small ones, to be quick
            file = io.BytesIO()
            image.resize((48, 32)).save(file, image.format)
        files[f"textures/{picture}"] = file.getvalue()
    return files | {"heads.json": json.dumps([mara]).encode()}


def _use_head(folder: Path, name: str) -> None:
    heads = HeadLibrary(folder)
    face = heads.load(1)
    motion = Motion(np.zeros((2, len(face.blendshapes)), np.float32), 30.0, face)
    next(motion.frames())
    motion.sealed().lip_width()
    if name == "heads.json":  # it takes a second
        export_motion(motion, folder / "out.glb")


@cache
def _network() -> JambaTalk:
    torch.manual_seed(0)
    architecture = {
        "d_model": 16,
        "encoder_layers": 2,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "num_mel_bins": 80,
    }
    encoder = EncoderConfig(layers=(1, 2), architecture=architecture, window=(20, 10, 5))
    config = JambaTalkConfig(
        encoder=encoder,
        encoder_width=16,
        width=16,
        layers=("mamba", "mamba_moe", "attention"),
        heads=2,
        kv_heads=1,
        styles=("neutral", "crisp"),
        style_notes={"crisp": "Clear."},
        blendshapes=load_head(1).blendshapes,
    )
    return JambaTalk(config).eval()


def _checkpoint() -> Files:
    with tempfile.TemporaryDirectory() as folder:
        _network().save_pretrained(Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _use_checkpoint(folder: Path, name: str) -> None:
    talking_head = TalkingHead.from_pretrained(folder, "cpu")
    talking_head.animate((np.zeros(8000, np.float32), 16_000), talking_head.styles[-1])


def _style() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        style = OwnStyle(torch.zeros(16), fingerprint(_network().decoder))
        return style.save(Path(folder, "own")).read_bytes()


def _use_style(folder: Path, name: str) -> None:
    talking_head = TalkingHead(deepcopy(_network()))
    style = talking_head.add_style(folder / name)
    talking_head.animate((np.zeros(8000, np.float32), 16_000), style)


def _tracks() -> Files:
    face, frames = load_head(1), 330
    weights = 0.3 * (1 + np.sin(np.arange(frames)[:, None] / 3 + np.arange(len(face.blendshapes))))
    values = {
        "fps": 30.0,
        "blendshapes": list(face.blendshapes),
        "weights": weights.round(3).tolist(),
    }
    rows = [",".join(face.blendshapes), *(",".join(map(str, row)) for row in values["weights"])]
    curve = [f"{n / 30},{w[0] * 0.02},{0.05 + w[1] * 0.01}" for n, w in enumerate(weights)]
    return {
        "track.csv": "\n".join(rows).encode(),
        "curves.csv": "\n".join(["time,lip_open,lip_width", *curve]).encode(),
        "track.json": json.dumps(values).encode(),
        "track.npz": _npz(
            fps=30.0, blendshapes=np.array(face.blendshapes), weights=weights.astype(np.float32)
        ),
    }


def _use_track(folder: Path, name: str) -> None:
    LipTrack.read(folder / name, load_head(1), None if name == "curves.csv" else 30.0)
    if name != "curves.csv":
        track = TrackFile(folder / name, load_head(1).blendshapes)
        assert len(track.read(slice(0, 10))) <= track.shape[0]


def _training() -> bytes:
    return b"""data: {set: tracks, folder: data/own, train: train, val: val, crop: 60}
network: {layout: default, start: null, changes: {width: 64, encoder: {layers: [3, 4]}}}
optimizer: {name: adamw, learning_rate: 1e-4, weight_decay: 0.01}
loss: {vertices: 1.0, velocity: 1.0, lip_features: 0, letters: 0, weights: 1.0}
epochs: 5
batch: 4
"""


def _use_settings(folder: Path, name: str) -> None:
    if name == "run.yaml":
        load_config(folder / name, TrainingConfig, ["epochs=3"])
    else:
        DatasetSettings.read(folder)


def _pickles() -> Files:
    head = synthetic.make_head(60)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.pkl")
        synthetic.write_python2_pickle(path, {"F1": head.template, "F2": head.template})
        return {
            "templates.pkl": path.read_bytes(),
            "mask.pkl": pickle.dumps({"lips": head.lips, "left_eyeball": np.arange(4)}),
            "frames.pkl": pickle.dumps({"F1": {"s1": {"audio": np.zeros(9), "sample_rate": 22}}}),
        }


def _use_pickle(folder: Path, name: str) -> None:
    if name == "templates.pkl":
        read_templates(folder / name)
    elif name == "mask.pkl":
        head = synthetic.make_head(60)
        make_face("own", head.template, head.triangles, read_mask(folder / name))
    else:
        _read_nested(folder / name)


def _pth() -> bytes:
    file = io.BytesIO()
    weights = {"lip_map.weight": torch.zeros(8, 9), "lip_map.bias": torch.zeros(8)}
    torch.save(weights, file)
    return file.getvalue()


def _meshes() -> Files:
    head = synthetic.make_head(60)
    lines = [f"v {x} {y} {z}" for x, y, z in head.template]
    lines += [f"f {a} {b} {c}" for a, b, c in head.triangles + 1]
    with tempfile.TemporaryDirectory() as folder:
        synthetic.write_face(Path(folder), 60)
        ply = Path(folder, "face.ply").read_bytes()
    return {"face.ply": ply, "face.obj": "\n".join(lines).encode()}


def _use_mesh(folder: Path, name: str) -> None:
    vertices, triangles = read_mesh(folder / name)
    make_face("own", vertices, triangles, {"lips": np.arange(3)})


def _recordings() -> Files:
    import soundfile

    samples, rate = soundfile.read(VOICES / "pico_en.wav", frames=16_000)
    files = {}
    for kind in ("wav", "flac"):
        file = io.BytesIO()
        soundfile.write(file, samples, rate, format=kind)
        files[f"voice.{kind}"] = file.getvalue()
    return files


def _use_recording(folder: Path, name: str) -> None:
    speech = Speech.read(folder / name)
    _network().encode(speech)


def _messages() -> bytes:
    rng = np.random.default_rng(0)
    first = {"style": "neutral", "strength": 1.0, "head": "mara", "mood": "happy", "intensity": 0.5}
    sound = [rng.integers(-9000, 9000, 1600, np.int16).tobytes() for _ in range(6)]
    change = {"style": "crisp", "strength": 0.5, "head": "kofi"}
    parts = [json.dumps(first), *sound[:3], json.dumps(change), *sound[3:], '{"end": true}']
    return pack_messages(parts)


def _use_messages(folder: Path, name: str) -> None:
    session = LiveSession(TalkingHead(_network()))
    for message in unpack_messages(read_file(folder / name)):
        session.take(message)
        for answer in session.work():
            assert isinstance(answer, bytes) or json.loads(answer)
        if session.ended:
            return


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()
