"""A small data folder for the evaluation of a checkpoint, made from bundled voices.

Its "captured" motion is that of a given function, in the form of GRID's landmarks and of
FACEGOOD's rig.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

from jambatalk import Face, Speech
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample
from recipes.checkpoint.captured import landmark_fit as fit
from recipes.checkpoint.captured.facegood import MAPPING
from recipes.checkpoint.captured.grid_corpus import ASPECT, UNIT
from recipes.checkpoint.corpus.phones import Phone

VOICES = Path(__file__).parent.parent / "assets" / "voices"
JFK_TEXT = "and so my fellow americans ask not"
# the start of `jfk.flac`, aligned by pocketsphinx: phone and end in seconds
JFK_PHONES = (
    "SIL 0.29 AE 0.47 N 0.53 D 0.63 S 0.67 OW 0.97 M 1.05 AY 1.24 F 1.36 EH 1.44 L 1.52 OW 1.63 "
    "AX 1.68 M 1.76 EH 1.84 R 1.91 AX 1.98 K 2.07 AX 2.10 N 2.13 Z 2.16 SIL 3.25 AE 3.63 S 3.68 "
    "K 3.85 SIL 3.99 N 4.04 AA 4.27 T 4.30 SIL 5.00"
)
JFK_SECONDS = 5.0
WORDS = [["and", 0.29, 0.63], ["so", 0.63, 0.97], ["my", 0.97, 1.24], ["not", 3.99, 4.3]]

EYES = {33: (-0.5, 0, 0), 263: (0.5, 0, 0), 133: (-0.2, 0, 0.03), 362: (0.2, 0, 0.03)}
EYES_OF_68 = [-50, -40, -30, -20, -30, -40, 20, 30, 40, 50, 40, 30]  # x of points 36 to 47
BONES = {168: (0, 0, 0.1), 6: (0, -0.1, 0.15), 10: (0, 0.8, 0.1), 1: (0, -0.4, 0.3)}
SIDES = {234: (-0.8, -0.3, -0.7), 454: (0.8, -0.3, -0.7)}


def tracked(face: Face, weights: np.ndarray, turn: float = 0.0) -> tuple[np.ndarray, list[int]]:
    """Project landmarks as a tracker would: (t, p, 3) in image widths, with their numbers."""
    right, *_, left = face.template[face.landmarks["eye_corners"]]
    middle, width = (right + left) / 2, np.linalg.norm(left - right)
    points = {
        n: np.tile(np.float32(p), (len(weights), 1)) for n, p in (EYES | BONES | SIDES).items()
    }

    def project(landmark: str) -> np.ndarray:
        return (face.points(weights, landmark) - middle) / width

    corners = project("mouth_corners")
    for landmark, numbers in fit.LINES.items():
        row = np.concatenate([corners[:, :1], project(landmark), corners[:, 1:]], 1)
        for n, point in zip(numbers, np.moveaxis(row, 1, 0), strict=True):
            points[n] = point
    points[152] = project("chin")[:, 0]
    index, landmarks = list(points), np.stack(list(points.values()), 1)
    angle = turn * np.sin(np.arange(len(weights)) / 9)
    cos, sin, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    turned = np.array([[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]])
    return np.einsum("ijt,tpj->tpi", turned, landmarks) * 0.2 + 0.01 * angle[:, None, None], index


def as_stored(landmarks: np.ndarray) -> np.ndarray:
    """Convert landmarks (t, p, 3) in image widths to those of GRID's `motion.npz`."""
    return (landmarks * [1, -1 / ASPECT, -1] * UNIT).round().astype(np.int16)


def cut_voice(voice: str, path: Path, seconds: float, *options: str) -> None:
    """Write the start of a bundled voice, mono at 16 kHz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [get_ffmpeg_exe(), "-v", "error", "-t", str(seconds), "-i", str(VOICES / voice)]
    subprocess.run([*command, "-ac", "1", "-ar", "16000", *options, str(path)], check=True)


def jfk_phones() -> list[Phone]:
    """The phones of `JFK_TEXT` with their times."""
    names, ends = JFK_PHONES.split()[::2], [float(end) for end in JFK_PHONES.split()[1::2]]
    starts = [0.0, *ends[:-1]]
    return [Phone(*timed) for timed in zip(names, starts, ends, strict=True)]


def write_data(folder: Path, face: Face, animate: Callable[[Speech, str], Motion]) -> Path:
    """Write `grid_s1/`, `grid_speakers/`, `grid_lips/`, `address/`, `facegood/` and `speech/`.

    Args:
        animate: makes the captured motion of speech in a style.
    """
    write_grid(folder / "grid_s1", face, animate, ["one"])
    write_grid(folder / "grid_speakers", face, animate, ["s2_one", "s4_one"])
    lips = _write_address(folder / "address", face, animate)
    _write_silent_lips(folder / "grid_lips", lips)
    _write_facegood(folder / "facegood", face, animate)
    speech = folder / "speech"
    cut_voice("jfk.flac", speech / "librivox_phones" / "jfk.wav", JFK_SECONDS)
    words = [
        {"t": p.name, "b": p.start, "d": p.end - p.start, "w": [_sphinx(p)]} for p in jfk_phones()
    ]
    text = json.dumps({"t": JFK_TEXT, "w": words})
    (speech / "librivox_phones" / "jfk.phone.json").write_text(text)
    # 37 is a held-out speaker of the corpus; babble needs six voices
    for number, voice in enumerate(("pico_en.wav", "pico_es.wav")):
        cut_voice(voice, speech / "librispeech" / f"37-{number}.flac", 3)
    for voice in ("de", "en", "fr", "it"):
        cut_voice(f"pico_{voice}.wav", speech / "multilingual" / f"pico_{voice}.wav", 3)
    _write_reader(speech / "speechocean762")
    (speech / "multilingual" / "pico_transcripts.tsv").write_text("")  # their starts have no text
    return folder


def _write_reader(folder: Path) -> None:
    """Write a child of a speaker that the corpus holds out."""
    cut_voice("jfk.flac", folder / "child.opus", JFK_SECONDS, "-c:a", "libopus")
    head, row = "file speaker age gender text", ["child.opus", "0104", "6", "m", JFK_TEXT]
    lines = ["\t".join(cells) for cells in (head.split(), row)]
    (folder / "transcripts.tsv").write_text("\n".join(lines) + "\n")


def write_grid(
    folder: Path, face: Face, animate: Callable[[Speech, str], Motion], names: list[str]
) -> None:
    """Write clips that are all the same."""
    for name in names:
        path = folder / "audio" / f"{name}.opus"
        cut_voice("jfk.flac", path, JFK_SECONDS, "-c:a", "libopus")
    motion = animate(Speech.read(path), "english-man")
    weights = resample(motion.weights, motion.fps, 25.0)
    landmarks, index = tracked(face, weights)
    right, *_, left = face.template[face.landmarks["eye_corners"]]
    captured, eyes = Motion(weights, 25.0, face), np.linalg.norm(left - right)
    lips = np.stack([captured.lip_aperture(), captured.lip_width()], 1) / eyes
    np.savez(
        folder / "motion.npz",
        clip=names,
        frames=[len(weights)] * len(names),
        fps=25.0,
        landmarks=np.concatenate([as_stored(landmarks)] * len(names)),
        landmark_index=index,
        lips=np.concatenate([lips.astype(np.float32)] * len(names)),
        lips_names=["lip_open", "lip_width"],
        tracked=np.ones(len(weights) * len(names), bool),
    )
    phones = [[p.name, p.start, p.end - p.start] for p in jfk_phones()]
    alignment = {"words": WORDS, "phones": [["and", 0.0, 5.0, phones]]}
    (folder / "alignments.json").write_text(json.dumps(dict.fromkeys(names, alignment)))


def _write_address(
    folder: Path, face: Face, animate: Callable[[Speech, str], Motion]
) -> np.ndarray:
    """Write the fluent speech and return its lips (t, 2) at 25 frames a second."""
    path = folder / "address.flac"
    cut_voice("pico_en.wav", path, JFK_SECONDS)
    motion = animate(Speech.read(path), "neutral").resampled(25.0)
    right, *_, left = face.template[face.landmarks["eye_corners"]]
    lips = np.stack([motion.lip_aperture(), motion.lip_width()], 1) / np.linalg.norm(left - right)
    points = np.zeros((len(lips), 68, 2), np.float32)
    points[:, 36:48, 0] = EYES_OF_68  # corners 100 apart, middles 70
    np.savez(
        folder / "motion.npz",
        landmarks=points,
        lips=lips * 100 / 70,
        fps=25.0,
        first_frame_s=0.0,
    )
    return lips


def _write_silent_lips(folder: Path, lips: np.ndarray) -> None:
    """Write lips of s10 without sound, one clip that says `WORDS`."""
    folder.mkdir(parents=True)
    features = np.zeros((len(lips), 6), np.float16)
    features[:, 2:4] = lips
    np.savez(
        folder / "s10.npz",
        names=["clip"],
        offset=[0, len(lips)],
        feat=features,
        start_frame=[0],
        ok=[True],
    )
    words = [[round(start * 25_000), round(end * 25_000), word] for word, start, end in WORDS]
    (folder / "word_times.json").write_text(json.dumps({"s10": {"clip": words}}))


def _write_facegood(folder: Path, face: Face, animate: Callable[[Speech, str], Motion]) -> None:
    path = folder / "1114_3_15.flac"
    cut_voice("jfk.flac", path, JFK_SECONDS)
    motion = animate(Speech.read(path), "mandarin-woman")
    channels = sorted({c for mapped in MAPPING.values() for c in mapped})
    rig = np.zeros((len(motion), len(channels)), np.float32)
    rig[:, channels.index("mouth_stretch_c")] = motion.blendshape("jawOpen")
    np.savez(path.with_suffix(".npz"), weights=rig, names=channels, fps=motion.fps)


def _sphinx(phone: Phone) -> dict[str, object]:
    return {"t": phone.name, "b": phone.start, "d": phone.end - phone.start}
