"""Today's motion, exports, video and live frames, which moving and renaming code may not change.

All is made from the first seconds of one real voice and compared with the files in
tests/data/golden. Where another result is wanted, write them anew and judge what changed:

    python tests/test_golden.py --write
"""

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import conftest  # noqa: F401  one thread, also where the files are written
import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image
from scipy.ndimage import gaussian_filter

# ---- The project's names, which nothing below this section knows ----
from jambatalk import Motion, Speech, TalkingHead, View, export_motion
from jambatalk.app.live.session import LiveSession
from jambatalk.motion.nonverbal import STILL

ROOT, HEAD, SEED, RATE = Path(__file__).parent.parent, "mara", 7, 16_000
load = cache(TalkingHead.from_pretrained)


@cache
def voice(count: int) -> Speech:
    return Speech.from_array(Speech.read(ROOT / "assets/voices/jfk.flac").samples[:count], RATE)


def mouth(style: str | dict[str, float], strength: float) -> np.ndarray:
    return load().animate(voice(COUNT), style, strength, HEAD, STILL).weights


def streamed_mouth(style: str | dict[str, float], strength: float) -> np.ndarray:
    stream, samples = load().stream(style, strength, HEAD, STILL), voice(COUNT).samples
    pieces = (samples[start : start + PIECE] for start in range(0, COUNT, PIECE))
    return np.concatenate([part.weights for part in [*map(stream.feed, pieces), stream.finish()]])


def each(make: Callable[..., np.ndarray] = mouth) -> dict[str, np.ndarray]:
    settings = {name: (name, 1.0) for name in load().styles} | {"mix": MIX, "strong": STRONG}
    return {name: make(*setting) for name, setting in settings.items()}


@cache
def whole(count: int) -> Motion:
    return load().animate(voice(count), head=HEAD, seed=SEED)


def nonverbal() -> dict[str, np.ndarray]:
    return {"frames": np.hstack([whole(COUNT).weights, whole(COUNT).pose])}


def columns() -> tuple[str, ...]:
    return (*whole(COUNT).face.blendshapes, "pitch", "yaw", "roll")


def exported(path: Path) -> Path:
    return export_motion(whole(COUNT), path)


def video(path: Path) -> Path:
    return load().video([whole(SHOWN)], voice(SHOWN), path, View(size=SIZE))


def live() -> dict[str, np.ndarray]:
    """Speak in real time: when replies of frames come, and the first second of frames."""
    sent, frames = 0, []
    session = LiveSession(load(), lambda: sent * CHUNK / RATE)
    session.take(json.dumps({"style": "neutral", "strength": 1, "head": HEAD}))
    hello = json.loads(next(session.work()))
    assert (*hello["blendshapes"], *columns()[-3:]) == columns()
    came = [f"{hello['fps']:g} a second, {hello['look_ahead']:.4g} s late"]
    sound = np.rint(voice(SHOWN).samples * 32767).astype("<i2").reshape(-1, CHUNK)
    for sent, message in enumerate(sound, 1):  # the clock reads sent
        session.take(message.tobytes())
        for reply in session.work():
            came.append(f"frame {struct.unpack('<I', reply[:4])[0]} after message {sent}")
            frames.append(np.frombuffer(reply[4:], "<f4").reshape(-1, len(columns())))
    return {"came": np.array(came), "frames": np.concatenate(frames)[:LIVE]}


# ---- What is pinned ----
DATA = Path(__file__).parent / "data" / "golden"
COUNT, PIECE = 50_000, 3200  # samples; the last piece is shorter
MIX, STRONG = ({"crisp": 0.6, "smiling": 0.3, "english-man": 0.1}, 1.0), ("theatrical", 1.4)
SHOWN, SIZE, PICTURES = 32_000, 256, (12, 30, 48)  # samples, pixels, frames
CHUNK, LIVE = 640, 30  # samples of a message, frames
COMPUTED = ("NORMAL", "TANGENT", "WEIGHTS_0", "COLOR_0")  # not to the last digit everywhere


def glb() -> dict[str, np.ndarray]:
    """The structure, digests of the geometry to 0.01 mm, and the weights of the animation."""
    with TemporaryDirectory() as folder:
        data = exported(Path(folder) / "head.glb").read_bytes()
    magic, _, length, size = struct.unpack("<4s3I", data[:16])
    assert (magic, length) == (b"glTF", len(data))
    document, binary = json.loads(data[20 : 20 + size]), data[28 + size :]

    def values(kind: dict, count: int) -> np.ndarray:
        dtype = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}[kind["componentType"]]
        start = document["bufferViews"][kind["bufferView"]]["byteOffset"]
        return np.frombuffer(binary, dtype, count, start)

    def array(number: int) -> np.ndarray:
        accessor = document["accessors"][number]
        width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}[accessor["type"]]
        full = values(accessor, accessor["count"] * width).reshape(-1, width).astype(float)
        if sparse := accessor.get("sparse"):
            changed = values(accessor | sparse["values"], sparse["count"] * width)
            full[values(sparse["indices"], sparse["count"])] = changed.reshape(-1, width)
        return full

    (mesh,), (animation,) = document["meshes"], document["animations"]
    samplers = animation["samplers"]
    paths = [channel["target"]["path"] for channel in animation["channels"]]
    sampler = dict(zip(paths, samplers, strict=True))
    digests = []
    for primitive in mesh["primitives"]:
        parts = {"triangles": primitive["indices"], **primitive["attributes"]}
        targets = zip(mesh["extras"]["targetNames"], primitive["targets"], strict=True)
        parts |= {name: target["POSITION"] for name, target in targets}
        material = document["materials"][primitive["material"]]["name"]
        for name, number in parts.items():
            if name in COMPUTED:
                continue
            rounded = np.rint(1e5 * array(number)).astype("<i8")
            digests.append(f"{material} {name} {len(rounded)} {sha256(rounded).hexdigest()}")
    times = array(sampler["weights"]["input"])[:, 0]
    weights = array(sampler["weights"]["output"]).reshape(len(times), -1).astype(np.float32)
    rotation = array(sampler["rotation"]["output"]).astype(np.float32)
    found = {"geometry": np.array(digests), "times": times, "weights": weights}
    return found | {"rotation": rotation, "pivot": np.array(document["nodes"][2]["translation"])}


def pictures() -> np.ndarray:
    """All frames (T, H, W, 3) of the video."""
    with TemporaryDirectory() as folder:
        command = [get_ffmpeg_exe(), "-v", "error", "-i", video(Path(folder) / "video.mp4")]
        command += ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        pixels = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(-1, SIZE, SIZE, 3)


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004) of two pictures, 1 for the same."""
    x, y = (picture @ np.array([0.299, 0.587, 0.114]) for picture in (one, other))
    mx, my, xx, yy, xy = (gaussian_filter(z, 1.5) for z in (x, y, x * x, y * y, x * y))
    alike = (2 * mx * my + 2.55**2) * (2 * (xy - mx * my) + 7.65**2)
    return float((alike / (mx**2 + my**2 + 2.55**2) / (xx - mx**2 + yy - my**2 + 7.65**2)).mean())


ARRAYS = {"mouth": each, "nonverbal": nonverbal, "glb": glb, "live": live}
ALL = ARRAYS | {"streamed mouth": lambda: each(streamed_mouth)}


@pytest.mark.parametrize("name", ALL)
def test_motion(name: str) -> None:
    now, faults = ALL[name](), []
    with np.load(DATA / f"{name.split()[-1]}.npz") as then:
        assert list(now) == then.files
        for key in now:
            new, old = now[key], then[key]
            assert new.shape == old.shape, key
            off = np.abs(new - old) if new.dtype.kind == "f" else new != old
            row, *rest = at = np.unravel_index(off.argmax(), off.shape)
            if not off[at] <= 1e-5:  # nor may it be NaN
                name = "".join(columns()[k] for k in rest)
                faults.append(f"{key}, row {row} {name}: {new[at]}, was {old[at]}")
    assert not faults, "\n".join(faults)


def test_csv(tmp_path: Path) -> None:
    files = exported(tmp_path / "track.csv"), DATA / "track.csv"
    now, then = ([line.split(",") for line in file.read_text().splitlines()] for file in files)
    assert now[0] == then[0]
    for number, (new, old) in enumerate(zip(now[1:], then[1:], strict=True), 2):
        for name, cell, was in zip(then[0], new, old, strict=True):
            same = cell == was or abs(float(cell) - float(was)) <= 1e-4
            assert same, f"line {number}, {name}: {cell}, was {was}"


def test_video() -> None:
    frames = pictures()
    assert len(frames) == 60
    for number in PICTURES:
        then = np.asarray(Image.open(DATA / f"frame_{number}.png"))
        before, now, after = (ssim(frames[number + k], then) for k in (-1, 0, 1))
        assert now > max(0.97, before, after), f"frame {number}: {before}, {now}, {after}"
        assert np.abs(frames[number] - then.astype(float)).mean() < 2, f"colours of {number}"


if __name__ == "__main__":
    assert sys.argv[1:] == ["--write"], __doc__
    for name, make in ARRAYS.items():
        np.savez_compressed(DATA / f"{name}.npz", **make())
    exported(DATA / "track.csv")
    frames = pictures()
    for number in PICTURES:
        Image.fromarray(frames[number]).save(DATA / f"frame_{number}.png", optimize=True)
