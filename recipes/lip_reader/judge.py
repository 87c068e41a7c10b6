"""Accuracy of the words that the lip reader names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.evaluate.lip_reader import FPS, SLOTS, LipReader
from jambatalk.evaluate.mesh_regions import MeshRegions, choose_regions
from jambatalk.evaluate.spoken_words import SpokenWords, mesh_curves, names_words
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import STILL
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.captured.grid_corpus import STYLE, clip_names, fit_grid, read_points
from recipes.checkpoint.captured.held_out import held_out_clips
from recipes.checkpoint.captured.lip_clips import held_out_clip_names
from recipes.checkpoint.captured.spliced_pairs import read_words
from recipes.checkpoint.corpus.phone_times import PAUSES
from recipes.lip_reader.grid_sentences import LEFT, RIGHT, Sentence, image_curves

POINTS = (78, 308, 13, 14)  # of MediaPipe's face mesh: the reader's


@dataclass(frozen=True, eq=False)
class Row:
    """Accuracy of six words on some sentences.

    Attributes:
        title: whose lips.
        right: (n, 6) bool, which words were named.
    """

    title: str
    right: np.ndarray


def captured_rows(
    reader: LipReader, sentences: Sequence[Sentence], people: Sequence[Sentence]
) -> list[Row]:
    """Judge on tracked lips of sentences, and of people, of which nothing was learned."""
    still = [np.zeros_like(one.curves) for one in sentences]
    return [
        _read(reader, "new sentences of people it knows", sentences),
        _read(reader, "people it does not know", people),
        Row(
            "lips held still",
            np.stack(
                [_right(reader, lips, one) for lips, one in zip(still, sentences, strict=True)]
            ),
        ),
        Row("chance", np.tile([1 / len(words) for words in SLOTS.values()], (1, 1))),
    ]


def predicted_rows(reader: LipReader, data: Path) -> list[Row]:
    """Judge the bundled network's lips on held-out recordings, beside the captured ones.

    Captured lips are read as tracked, and as fitted to the blendshapes of the same head.
    """
    talking_head = TalkingHead.from_pretrained()
    rows = []
    for folder, names, style, title in (
        (data / "grid_s1", held_out_clips(data / "grid_s1"), STYLE, "s1"),
        (
            data / "grid_speakers",
            held_out_clip_names(data / "grid_speakers"),
            talking_head.styles[0],
            "s4, s33, s34",
        ),
    ):
        tracked, fitted, predicted = [], [], []
        for words, curves, fit, pred in _clips(talking_head, folder, names, style):
            tracked.append(names_words(reader, curves, FPS, words))
            fitted.append(names_words(reader, fit, FPS, words))
            predicted.append(names_words(reader, pred, talking_head.fps, words))
        rows += [
            Row(f"{title}, tracked", np.stack(tracked)),
            Row(f"{title}, fitted to a head", np.stack(fitted)),
            Row(f"{title}, predicted by the bundled network", np.stack(predicted)),
        ]
    return rows


def table(rows: Sequence[Row]) -> str:
    """Format rows in Markdown, %."""
    lines = [["lips", "sentences", *SLOTS, "all words"], ["---"] * (3 + len(SLOTS))]
    for row in rows:
        share = 100 * row.right.mean(0)
        count = str(len(row.right)) if len(row.right) > 1 else ""
        lines.append([row.title, count, *(f"{x:.0f}" for x in (*share, share.mean()))])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _read(reader: LipReader, title: str, sentences: Sequence[Sentence]) -> Row:
    return Row(title, np.stack([_right(reader, one.curves, one) for one in sentences]))


def _right(reader: LipReader, curves: np.ndarray, sentence: Sentence) -> np.ndarray:
    named = reader.read(curves)
    said = [words[i] for words, i in zip(SLOTS.values(), sentence.words, strict=True)]
    return np.array(named) == said


def _clips(
    talking_head: TalkingHead, folder: Path, names: Sequence[str], style: str
) -> Iterator[tuple[SpokenWords, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each clip's words, and its curves: tracked, fitted, predicted."""
    face = talking_head.heads.load(1)
    spoken, points = read_words(folder), read_points(folder, POINTS, names)
    people: dict[str, list[str]] = {}
    for name in clip_names(folder):
        if name in names:
            people.setdefault(name.split("_")[0] if "_" in name else "", []).append(name)
    regions: MeshRegions | None = None
    for of_one in people.values():  # whose face at rest is measured
        fits = fit_grid(folder, face, of_one)
        for name in of_one:
            words = SpokenWords.of([word for word in spoken[name] if word[0] not in PAUSES])
            fit = Motion(fits[name], FPS, face).vertices()
            speech = Speech.read(folder / "audio" / f"{name}.opus")
            motion = talking_head.animate(speech, style, head=face, nonverbal=STILL)
            regions = regions or choose_regions(fit, face.template, face)
            yield (
                words,
                image_curves(points[name]),
                mesh_curves(fit, regions),
                mesh_curves(motion.vertices(), regions),
            )


assert (POINTS[RIGHT], POINTS[LEFT]) == (78, 308)
