"""Pairs of features and lips for people whose lips were tracked without their sound.

The words of each clip and their times are known. Each word takes the features of the same word in
a recording of another voice, preferably between the same neighbours, stretched linearly onto the
word's time; what follows a word continues the same recording.

Folder `grid_lips`: `PERSON.npz` with `names` (C,), `offset` (C + 1,), `feat` (N, 6) (columns 2, 3:
gap and width of the inner lips), `start_frame` (C,) and `ok` (C,); `word_times.json`, {person:
{clip: [[start, end, word], ...]}} in 1/25,000 s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recipes.checkpoint.captured.lip_clips import LipClip
from recipes.checkpoint.captured.lip_range import LipRange
from recipes.checkpoint.captured.people import HELD_OUT
from recipes.checkpoint.corpus.phone_times import PAUSES

VIDEO_FPS = 25.0
TICKS = 25_000  # a second, of `word_times.json`
CLIP_SECONDS = 3.0
ENOUGH = 3  # words between the same neighbours, to prefer them
MIN_FRAMES = 30  # of a clip
CLIPS = 120  # of each person
JOIN = 6  # frames from one clip to the next


@dataclass(frozen=True)
class Word:
    """A word in a recording: seconds from its start, and its neighbours, "" for none."""

    text: str
    recording: str
    start: float
    end: float
    before: str
    after: str


@dataclass(frozen=True, eq=False)
class SplicingVoice:
    """Words of one voice.

    Attributes:
        words: text → where it is said.
        features: recording → (t, m, c).
    """

    words: Mapping[str, Sequence[Word]]
    features: Mapping[str, Tensor]


def timed_words(clips: Mapping[str, Sequence[tuple[str, float, float]]]) -> dict[str, list[Word]]:
    """Index the words of recordings: text → where it is said."""
    found: dict[str, list[Word]] = {}
    for recording, words in clips.items():
        words = [word for word in words if word[0] not in PAUSES]
        texts = ["", *(word[0] for word in words), ""]
        for i, (text, start, end) in enumerate(words):
            word = Word(text, recording, start, end, texts[i], texts[i + 2])
            found.setdefault(text, []).append(word)
    return found


def read_words(folder: Path) -> dict[str, list[tuple[str, float, float]]]:
    """Read the words of `grid_s1` or `grid_speakers`: clip → (word, start, end) in seconds."""
    clips = json.loads((folder / "alignments.json").read_text())
    return {name: [tuple(word) for word in clip["words"]] for name, clip in clips.items()}


def read_spliced_pairs(
    data: Path, count: int, voices: Sequence[SplicingVoice], fps: float, seed: int
) -> Iterator[LipClip]:
    """Pair `count` clips of each person of `grid_lips` with sound.

    Left out are speaker 1, whose sound there is, and the people held out. Without that folder there
    are none.

    Args:
        voices: the first says half of the clips, the others share the rest.
    """
    folder = data / "grid_lips"
    people = [path.stem for path in sorted(folder.glob("*.npz"))]
    people = [person for person in people if person not in ("s1", *HELD_OUT)]
    half = count // 2 if len(voices) > 1 else 0
    shares = [count - half, *(max(1, round(half / (len(voices) - 1))) for _ in voices[1:])]
    for number, (voice, share) in enumerate(zip(voices, shares, strict=True)):
        if people:
            yield from spliced_pairs(folder, people, share, voice, fps, seed + number)


def spliced_pairs(
    folder: Path, people: Sequence[str], count: int, voice: SplicingVoice, fps: float, seed: int
) -> Iterator[LipClip]:
    """Pair clips without sound with features of a voice, `count` clips of each person."""
    rng = np.random.default_rng(seed)
    times = json.loads((folder / "word_times.json").read_text())
    for person in people:
        with np.load(folder / f"{person}.npz", allow_pickle=False) as file:
            names, offset, start = file["names"], file["offset"], file["start_frame"]
            lips, usable = file["feat"][:, 2:4].astype(np.float32), np.flatnonzero(file["ok"])
        rows = np.concatenate([np.arange(offset[i], offset[i + 1]) for i in usable])
        lips = LipRange.of(lips[rows]).standardise(lips)
        for i in rng.permutation(usable)[:count]:
            curves = lips[offset[i] : offset[i + 1]]
            spoken = [
                (word, begin / TICKS, end / TICKS)
                for begin, end, word in times[person][str(names[i])]
                if word not in PAUSES
            ]
            if len(curves) < MIN_FRAMES or np.isnan(curves).any():
                continue
            if not all(word in voice.words for word, *_ in spoken):
                continue
            # the middle of the first video frame, and all frames of the motion from there on
            first = start[i] / VIDEO_FPS + 0.02
            at = first + np.arange(int(len(curves) / VIDEO_FPS * fps)) / fps
            frames = (at - first) * VIDEO_FPS
            target = np.stack([np.interp(frames, np.arange(len(curves)), c) for c in curves.T], 1)
            spliced = _splice(at, spoken, voice, fps, rng)
            yield LipClip(f"{person}/{names[i]}", person, spliced, target.astype(np.float32))


def _splice(
    at: np.ndarray,
    spoken: Sequence[tuple[str, float, float]],
    voice: SplicingVoice,
    fps: float,
    rng: np.random.Generator,
) -> Tensor:
    """Return features (t, m, c) of spoken words at times (t,)."""
    parts = []
    texts = ["", *(word for word, *_ in spoken), ""]
    for i, (text, begin, end) in enumerate(spoken):
        same = voice.words[text]
        near = [w for w in same if (w.before, w.after) == (texts[i], texts[i + 2])]
        if len(near) < ENOUGH:
            near = [w for w in same if w.before == texts[i] or w.after == texts[i + 2]]
        found = near if len(near) >= ENOUGH else same
        word = found[int(rng.integers(len(found)))]
        until = spoken[i + 1][1] if i + 1 < len(spoken) else np.inf
        t = at[(at >= (begin if i else -np.inf)) & (at < until)]
        stretch = (word.end - word.start) / (end - begin)
        source = np.where(t < end, word.start + (t - begin) * stretch, word.end + t - end)
        parts.append(_features_at(voice.features[word.recording], source, fps))
    return torch.cat(parts)


def _features_at(features: Tensor, seconds: np.ndarray, fps: float) -> Tensor:
    """Interpolate features (t, m, c) at times in seconds, held at both ends."""
    last = len(features) - 1
    position = torch.from_numpy(seconds * fps).clamp(0, last).float()
    before = position.long().clamp(max=max(last - 1, 0))
    share = (position - before)[:, None, None]
    a, b = features[before].float(), features[(before + 1).clamp(max=last)].float()
    return torch.lerp(a, b, share).to(features.dtype)


def join_clips(clips: Sequence[LipClip], frames: int) -> Iterator[LipClip]:
    """Join clips of one person until they are at least `frames` long; the last may be shorter.

    Between two clips, lips and features move linearly within `JOIN` frames.
    """
    found: list[LipClip] = []
    for clip in clips:
        if found and clip.person != found[0].person:
            yield _joined(found)
            found = []
        found.append(clip)
        if sum(len(one.lips) for one in found) >= frames:
            yield _joined(found)
            found = []
    if found:
        yield _joined(found)


def _joined(clips: Sequence[LipClip]) -> LipClip:
    features, lips = [clips[0].features], [clips[0].lips]
    for clip in clips[1:]:
        share = torch.linspace(0, 1, JOIN + 2)[1:-1]
        between = share[:, None, None]
        bridge = torch.lerp(features[-1][-1:].float(), clip.features[:1].float(), between)
        features += [bridge.to(clip.features.dtype), clip.features]
        way = share[:, None].numpy()
        lips += [lips[-1][-1:] * (1 - way) + clip.lips[:1] * way, clip.lips]
    first = clips[0]
    return LipClip(first.name, first.person, torch.cat(features), np.concatenate(lips))
