"""Small synthetic data sets in the exact formats of the real ones, for tests and for trying out.

The head is a smooth egg with a mouth; the voice a row of syllables, or a real recording; the jaw
opens with the loudness, and the lips round where the sound is dark, so
that a network can be trained on them. A set is the same each time it is written.

    write_vocaset(folder)                       the files that VOCASET is downloaded as
    write_vocaset(folder, converted=True)       vertices_npy/ and wav/, as the repositories use it
    write_biwi(folder), write_folder(folder), write_tracks(folder)
    write_face(folder, vertices)                which of them are lips, and a mesh of them
    write_speech_encoder(folder)                a wav2vec 2.0 with random weights
    write_hubert(folder)                        a HuBERT with random weights
"""

from __future__ import annotations

import csv
import json
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
import soundfile
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter
from scipy.spatial import ConvexHull

from jambatalk.data.splits import BIWI, VOCASET
from jambatalk.face.library import load_head
from jambatalk.motion.nonverbal.prosody import Prosody, ProsodyStream
from jambatalk.speech import Speech

VOICES = Path(__file__).parent.parent / "assets" / "voices"
MOUTH = np.array([0.0, -0.35])  # x, y on a head of radius 1
LIP_WIDTH, LIP_HEIGHT = 0.28, 0.11
JAW_DROP = 0.016  # metres at full loudness
VOWELS = {"a": (800, 1200), "e": (500, 1900), "i": (300, 2300), "o": (500, 900), "u": (320, 800)}


@dataclass(frozen=True, eq=False)
class Head:
    """A head in metres: x to its left, y up, z out of the face.

    `upper_lip`, `lower_lip`, `upper_face` are vertex indices; `open` and `round` (V, 3) are what a
    fully open jaw and fully rounded lips add to the template.
    """

    template: np.ndarray
    triangles: np.ndarray
    upper_lip: np.ndarray
    lower_lip: np.ndarray
    upper_face: np.ndarray
    open: np.ndarray
    round: np.ndarray

    @property
    def lips(self) -> np.ndarray:
        return np.union1d(self.upper_lip, self.lower_lip)

    def vertices(self, jaw: np.ndarray, rounding: np.ndarray) -> np.ndarray:
        """Return the head over time, (T, V, 3), from two curves (T,) in 0..1."""
        return (
            self.template + jaw[:, None, None] * self.open + rounding[:, None, None] * self.round
        ).astype(np.float32)


@cache
def make_head(vertices: int = 5023, person: int = 0) -> Head:
    """Make an egg with nose, chin and mouth, a little different for each subject."""
    rng = np.random.default_rng(person)
    number = np.arange(vertices)
    y = 1 - (2 * number + 1) / vertices  # a Fibonacci sphere: any number, evenly spread
    angle = number * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - y * y)
    sphere = np.stack([ring * np.sin(angle), y, ring * np.cos(angle)], 1)
    triangles = ConvexHull(sphere).simplices
    a, b, c = sphere[triangles].transpose(1, 0, 2)
    inwards = (np.cross(b - a, c - a) * a).sum(1) < 0
    triangles[inwards] = triangles[inwards][:, ::-1]

    x, y, z = sphere.T
    front = np.clip(z, 0, None) ** 2
    size = np.array([0.075, 0.115, 0.095]) * rng.normal(1, 0.04, 3)
    template = sphere * size
    template[:, 0] *= 1 - 0.25 * np.clip(-y, 0, None)  # narrow towards the chin
    nose = np.exp(-(x**2 / 0.01 + (y + 0.02) ** 2 / 0.02)) * front
    lip = np.exp(-((x - MOUTH[0]) ** 2 / 0.04 + (y - MOUTH[1]) ** 2 / 0.006)) * front
    template[:, 2] += 0.02 * rng.normal(1, 0.1) * nose + 0.006 * lip

    # nearest first, so that even a coarse head has lips
    place = ((x - MOUTH[0]) / LIP_WIDTH) ** 2 + ((y - MOUTH[1]) / LIP_HEIGHT) ** 2
    place[z < 0] = np.inf
    above = y >= MOUTH[1]
    upper_lip, lower_lip = (_region(np.where(side, place, np.inf)) for side in (above, ~above))
    below = np.clip((MOUTH[1] - y) / 0.05, 0, 1) * np.clip(1.6 - np.abs(x) - 0.6 * (z < 0), 0, 1)
    below = below * np.clip((z + 0.4) / 0.6, 0, 1)
    opened = np.stack([0 * x, -JAW_DROP * below, -0.35 * JAW_DROP * below], 1)
    near = np.exp(-place.clip(0, 40))[:, None]
    rounded = near * np.stack([-0.35 * template[:, 0], 0 * x, 0.007 + 0 * x], 1)
    return Head(
        template.astype(np.float32),
        triangles.astype(np.int32),
        upper_lip,
        lower_lip,
        np.flatnonzero((y > 0.1) & (z > 0.2)),
        opened.astype(np.float32),
        rounded.astype(np.float32),
    )


def _region(place: np.ndarray) -> np.ndarray:
    count = max(3, int((place < 1).sum()))
    return np.sort(np.argsort(place)[:count])


def make_voice(seconds: float, rate: int = 22000, seed: int = 0) -> np.ndarray:
    """Synthesise syllables of a hoarse voice between pauses, (n,) float32."""
    rng = np.random.default_rng(seed)
    sound = [np.zeros(int(rng.uniform(0.05, 0.12) * rate))]
    pitch = rng.uniform(95, 220)
    while sum(map(len, sound)) < seconds * rate:
        length = int(rng.uniform(0.12, 0.28) * rate)
        time = np.arange(length) / rate
        glide = pitch * (1 + 0.1 * rng.uniform(-1, 1) * time / time[-1])
        buzz = np.diff(np.floor(np.cumsum(glide) / rate), prepend=0) + 0.02 * rng.normal(
            size=length
        )
        for formant in VOWELS[rng.choice(list(VOWELS))]:
            buzz = _resonator(buzz, formant, rate)
        buzz *= np.hanning(length) * rng.uniform(0.4, 1.0) / (np.abs(buzz).max() + 1e-9)
        hiss = rng.normal(size=int(0.04 * rate)) * rng.uniform(0, 0.08)
        sound += [hiss, buzz]
        if rng.random() < 0.25:
            sound.append(np.zeros(int(rng.uniform(0.1, 0.25) * rate)))
    voice = 0.4 * np.concatenate(sound)[: round(seconds * rate)]
    return (voice + 1e-4 * rng.normal(size=len(voice))).astype(np.float32)


def _resonator(sound: np.ndarray, frequency: float, rate: int) -> np.ndarray:
    radius = np.exp(-np.pi * 90 / rate)
    angle = 2 * np.pi * frequency / rate
    return lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], sound)


def real_voice(seconds: float, rate: int = 16000, start: float = 0.3) -> np.ndarray:
    """Cut a piece from a bundled recording, 11 s long, (n,) float32."""
    import soxr

    samples, own = soundfile.read(VOICES / "jfk.flac", dtype="float32", always_2d=True)
    samples = samples.mean(1)
    piece = samples[int(start * own) : int((start + seconds) * own)]
    return soxr.resample(piece, own, rate)


def curves(samples: np.ndarray, rate: int, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Derive jaw and rounding of the lips, both (T,) in 0..1, from a sound."""
    frames = int(len(samples) / rate * fps + 1e-6)
    edges = (np.arange(frames + 1) / fps * rate).astype(int)
    chunks = [samples[a:b] for a, b in pairwise(edges)]
    power = np.array([np.mean(np.square(c)) for c in chunks])
    slope = np.array([np.mean(np.square(np.diff(c))) for c in chunks])  # large where it is bright
    wide = 0.03 * fps  # the jaw takes about 30 ms
    loud = np.sqrt(gaussian_filter1d(power, wide))
    bright = gaussian_filter1d(slope, wide) / (gaussian_filter1d(power, wide) + 1e-7)
    jaw = 1 - np.exp(-loud / 0.12)
    dark = np.clip(1 - bright / 0.12, 0, 1)
    return jaw, dark * np.clip(4 * jaw, 0, 1)


@dataclass(frozen=True, eq=False)
class Take:
    """One synthetic recording."""

    name: str
    subject: str
    sequence: str
    samples: np.ndarray  # int16
    rate: int
    vertices: np.ndarray  # (T, V, 3)


def takes(
    subjects: Sequence[str],
    sentences: Sequence[int],
    seconds: float,
    pattern: str,
    vertices: int,
    fps: float,
    rate: int,
    real: bool = False,
) -> Iterator[Take]:
    """Yield every sentence by every subject; `pattern` names a sentence."""
    for person, subject in enumerate(subjects):
        amount = 0.7 + 0.5 * ((person * 7) % 5) / 4
        for sentence in sentences:
            seed = 1000 * person + sentence
            length = seconds * (1 + 0.1 * (seed % 3))  # not all alike
            start = (seed * 0.37) % (10.5 - length) if real else 0.0
            voice = real_voice(length, rate, start) if real else make_voice(length, rate, seed)
            jaw, rounding = curves(voice, rate, fps)
            moved = make_head(vertices, person).vertices(amount * jaw, rounding)
            samples = (voice.clip(-1, 1) * 32767).astype(np.int16)
            sequence = pattern.format(sentence)
            yield Take(f"{subject}_{sequence}", subject, sequence, samples, rate, moved)


def write_vocaset(
    folder: Path,
    subjects: Sequence[str] = VOCASET["all"].subjects,
    sentences: Sequence[int] = (1, 21),
    seconds: float = 0.6,
    converted: bool = False,
    fps: float = 60.0,
    real: bool = False,
) -> Path:
    """Write VOCASET, by default all twelve subjects with two sentences of 0.6 s: about 60 MB.

    Args:
        converted: `vertices_npy/` and `wav/` in place of the downloaded files.
        fps: of the motion on disk; 30 only occurs where it is converted.
        real: pieces of a real voice in place of the made one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    templates = {s: make_head(5023, n).template for n, s in enumerate(subjects)}
    write_python2_pickle(folder / "templates.pkl", templates)
    made = takes(subjects, sentences, seconds, "sentence{:02d}", 5023, fps, 22000, real)
    if converted:
        return _write_pairs(folder, made)
    frames, index, sounds = [], {s: {} for s in subjects}, {s: {} for s in subjects}
    count = 0
    for take in made:
        frames.append(take.vertices)
        rows = range(count, count + len(take.vertices))
        index[take.subject][take.sequence] = dict(enumerate(rows))
        sounds[take.subject][take.sequence] = {"audio": take.samples, "sample_rate": take.rate}
        count += len(take.vertices)
    np.save(folder / "data_verts.npy", np.concatenate(frames))
    write_python2_pickle(folder / "subj_seq_to_idx.pkl", index)
    write_python2_pickle(folder / "raw_audio_fixed.pkl", sounds)
    return folder


def write_biwi(
    folder: Path,
    subjects: Sequence[str] = BIWI["all"].subjects,
    sentences: Sequence[int] = (1, 33, 37),
    seconds: float = 0.6,
    vertices: int = 3895,
    real: bool = False,
) -> Path:
    """Write BIWI as the repositories use it, fourteen subjects, three sentences: about 30 MB."""
    folder.mkdir(parents=True, exist_ok=True)
    templates = {s: make_head(vertices, n).template for n, s in enumerate(subjects)}
    (folder / "templates.pkl").write_bytes(pickle.dumps(templates))
    made = takes(subjects, sentences, seconds, "e{:02d}", vertices, 25.0, 16000, real)
    return _write_pairs(folder, made)


def scale_biwi(folder: Path) -> Path:
    """Scale a written BIWI as FaceXHuBERT's: each axis less the mean, over the face's extent.

    The faces as they were are kept in `templates_orig.pkl`.
    """
    templates = pickle.loads((folder / "templates.pkl").read_bytes())
    (folder / "templates.pkl").rename(folder / "templates_orig.pkl")

    def scaled(vertices: np.ndarray, subject: str) -> np.ndarray:
        whole = templates[subject]
        return (vertices - whole.mean(0)) / np.ptp(whole, axis=0)

    faces = {subject: scaled(face, subject) for subject, face in templates.items()}
    (folder / "templates.pkl").write_bytes(pickle.dumps(faces))
    for path in folder.glob("vertices_npy/*.npy"):
        vertices = np.load(path)
        vertices = vertices.reshape(len(vertices), -1, 3)
        changed = scaled(vertices, path.stem.split("_")[0]).astype(np.float32)
        np.save(path, changed.reshape(len(vertices), -1))
    return folder


def write_folder(
    folder: Path,
    subjects: Sequence[str] = ("anna", "ben"),
    sentences: Sequence[int] = tuple(range(1, 11)),
    seconds: float = 0.6,
    vertices: int = 300,
    fps: float = 30.0,
    real: bool = False,
    **settings: object,
) -> Path:
    """Write a small folder of vertices; `settings` go into its dataset.json."""
    folder.mkdir(parents=True, exist_ok=True)
    templates = {s: make_head(vertices, n).template for n, s in enumerate(subjects)}
    np.savez(folder / "templates.npz", **templates)
    (folder / "dataset.json").write_text(json.dumps({"fps": fps, **settings}))
    made = takes(subjects, sentences, seconds, "{:02d}", vertices, fps, 16000, real)
    return _write_pairs(folder, made)


def write_tracks(
    folder: Path,
    names: Sequence[str] = ("anna_01", "anna_02", "anna_03"),
    seconds: float = 1.0,
    fps: float = 60.0,
    kind: str = "csv",
) -> Path:
    """Write ARKit weights: "csv" (Live Link Face), "json" (ours), "a2f" (Audio2Face) or "npz"
    (Motion.save)."""
    for part in ("wav", "tracks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps({"fps": fps}))
    blendshapes = load_head(1).blendshapes
    for number, name in enumerate(names):
        voice = make_voice(seconds, 16000, number)
        jaw, rounding = curves(voice, 16000, fps)
        weights = np.zeros((len(jaw), len(blendshapes)), np.float32)
        weights[:, blendshapes.index("jawOpen")] = 0.5 * jaw
        weights[:, blendshapes.index("mouthPucker")] = 0.6 * rounding
        soundfile.write(folder / "wav" / f"{name}.wav", voice, 16000)
        _write_track(folder / "tracks" / name, kind, weights, fps, blendshapes)
    return folder


def write_face(folder: Path, vertices: int, mesh: str = "face.ply", lips: str = "lips.npy") -> Path:
    """Write a mesh and its lips' vertices, as .npy, or as .pkl with the upper face's (FLAME)."""
    import trimesh

    head = make_head(vertices)
    trimesh.Trimesh(head.template, head.triangles, process=False).export(folder / mesh)
    if lips.endswith(".pkl"):
        high = head.template[head.upper_face, 1] > 0.06
        forehead, eyes = head.upper_face[high], head.upper_face[~high]
        masks = {"lips": head.lips, "forehead": forehead, "eye_region": eyes}
        write_python2_pickle(folder / lips, masks)
    else:
        np.save(folder / lips, head.lips)
    return folder


def write_speech_encoder(folder: Path) -> Path:
    """Write a tiny wav2vec 2.0 with letter head and random weights, 2 layers of 32 channels."""
    import torch
    from paper_files import WAV2VEC2
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    torch.manual_seed(1)
    Wav2Vec2ForCTC(Wav2Vec2Config(**WAV2VEC2)).save_pretrained(folder)
    return folder


def write_hubert(folder: Path) -> Path:
    """Write a tiny HuBERT with random weights, 2 layers of 32 channels."""
    import torch
    from paper_files import BASE
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(1)
    HubertModel(HubertConfig(**BASE)).save_pretrained(folder)
    return folder


def _write_track(
    path: Path, kind: str, weights: np.ndarray, fps: float, blendshapes: Sequence[str]
) -> None:
    if kind == "csv":
        order = sorted(blendshapes)  # another order of columns
        columns = [blendshapes.index(blendshape) for blendshape in order]
        with path.with_suffix(".csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(
                ["Timecode", "BlendshapeCount", *(a[0].upper() + a[1:] for a in order), "HeadYaw"]
            )
            for frame, row in enumerate(weights):
                rows.writerow([f"10:00:00:{frame:02d}.000", 61, *row[columns], 0.1])
    elif kind == "json":
        values = {"fps": fps, "blendshapes": list(blendshapes), "weights": weights.tolist()}
        path.with_suffix(".json").write_text(json.dumps(values))
    elif kind == "a2f":
        values = {"exportFps": fps, "numPoses": len(blendshapes), "numFrames": len(weights)}
        values |= {"facsNames": list(blendshapes), "weightMat": weights.tolist()}
        path.with_suffix(".json").write_text(json.dumps(values))
    else:
        np.savez(
            path.with_suffix(".npz"), weights=weights, fps=fps, blendshapes=np.array(blendshapes)
        )


def _write_pairs(folder: Path, made: Iterator[Take]) -> Path:
    for part in ("wav", "vertices_npy"):
        (folder / part).mkdir(exist_ok=True)
    for take in made:
        soundfile.write(folder / "wav" / f"{take.name}.wav", take.samples, take.rate)
        flat = take.vertices.reshape(len(take.vertices), -1)
        np.save(folder / "vertices_npy" / f"{take.name}.npy", flat)
    return folder


class _Python2Pickler(pickle._Pickler):
    """Pickles text and bytes as Python 2's str, and NumPy's functions under the names they had."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_text(self, value: str | bytes) -> None:
        raw = value.encode("latin1") if isinstance(value, str) else value
        self.write(pickle.BINSTRING + len(raw).to_bytes(4, "little") + raw)
        self.memoize(value)

    def save_function(self, value: object, name: str | None = None) -> None:
        if getattr(value, "__module__", "").startswith("numpy._core"):
            self.write(pickle.GLOBAL + b"numpy.core.multiarray\n" + value.__name__.encode() + b"\n")
            self.memoize(value)
        else:
            self.save_global(value, name)

    dispatch[str] = dispatch[bytes] = save_text
    dispatch[type(make_head)] = dispatch[type(len)] = save_function


def write_python2_pickle(path: Path, value: object) -> None:
    """Write a pickle as Python 2 did, with byte strings and old names."""
    with path.open("wb") as file:
        _Python2Pickler(file, 2).dump(value)


def prosody_of(speech: Speech) -> Prosody:
    """Compute the prosody of a whole recording."""
    stream = ProsodyStream()
    parts = [*stream.feed(speech.samples), *stream.finish()]
    columns = [(p.speaking, p.loudness, p.strengths, p.pitch) for p in parts]
    return Prosody(0, *map(np.concatenate, zip(*columns, strict=True)))
