"""The pairs that a participant sees, in an order and on sides of the participant's own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random

from jambatalk.app.study.videos import OTHER, Videos

SIDES = ("left", "right")


@dataclass(frozen=True)
class Trial:
    """Two videos of one sentence.

    Attributes:
        sentence: its name.
        systems: what is on the left and on the right.
        files: the videos.
        fits: of an attention check, the side on which the lips are the sentence's; None of others.
    """

    sentence: str
    systems: tuple[str, str]
    files: tuple[Path, Path]
    fits: str | None = None


def plan_trials(videos: Videos, most: int, seed: int, participant: str) -> list[Trial]:
    """Return a participant's trials, the same for the same seed and participant.

    Each pair of systems comes equally often, as far as `most` pairs and the sentences allow.
    Attention checks come in between, none of them first.
    """
    random = Random(f"{seed} {participant}")
    pairs = list(combinations(videos.systems, 2))
    random.shuffle(pairs)
    orders = [random.sample(videos.sentences, len(videos.sentences)) for _ in pairs]
    turns = [
        (pair, order[turn])
        for turn in range(len(videos.sentences))
        for pair, order in zip(pairs, orders, strict=True)
    ][:most]
    random.shuffle(turns)
    trials = []
    for pair, sentence in turns:
        left, right = random.sample(pair, 2)
        files = videos.files[left, sentence], videos.files[right, sentence]
        trials.append(Trial(sentence, (left, right), files))
    for sentence, (system, wrong) in videos.checks.items():
        fits = random.choice(SIDES)
        systems, files = (system, system + OTHER), (videos.files[system, sentence], wrong)
        if fits == "right":
            systems, files = systems[::-1], files[::-1]
        trials.insert(random.randint(1, len(trials)), Trial(sentence, systems, files, fits))
    return trials
