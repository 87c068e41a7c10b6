"""Lips without sound under the words of other voices."""

import json
from pathlib import Path

import numpy as np
import torch

from recipes.checkpoint.captured.spliced_pairs import (
    SplicingVoice,
    read_spliced_pairs,
    timed_words,
)
from recipes.checkpoint.corpus.commands import LETTERS, commands

FPS, FRAMES, CLIPS = 25.0, 50, 6  # two seconds a clip
WORDS = (("bin", 0.0, 1.0), ("now", 1.0, 2.0))


def write_lips(folder: Path, person: str) -> None:
    """Clips in which "bin" lasts a second and "now" another one."""
    rng = np.random.default_rng(0)
    np.savez(
        folder / f"{person}.npz",
        names=np.array([f"clip{n}" for n in range(CLIPS)]),
        offset=np.arange(CLIPS + 1) * FRAMES,
        feat=rng.random((CLIPS * FRAMES, 6)).astype(np.float16),
        start_frame=np.zeros(CLIPS, int),
        ok=np.ones(CLIPS, bool),
    )
    times = {
        f"clip{n}": [[int(a * 25_000), int(b * 25_000), w] for w, a, b in WORDS]
        for n in range(CLIPS)
    }
    path = folder / "word_times.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(before | {person: times}))


def voice(value: float) -> SplicingVoice:
    """A voice that says "bin" in half a second and "now" in two, the features of which differ."""
    said = [("bin", 0.0, 0.5), ("now", 0.5, 2.5)]
    features = torch.full((64, 1, 1), value)
    features[round(0.5 * FPS) :] += 0.5
    return SplicingVoice(timed_words({"one": said}), {"one": features})


def test_each_voice_says_its_share_of_the_clips(tmp_path: Path) -> None:
    folder = tmp_path / "grid_lips"
    folder.mkdir()
    for person in ("s1", "s4", "s9"):  # speaker 1 has sound, speaker 4 is held out
        write_lips(folder, person)
    pairs = list(read_spliced_pairs(tmp_path, 4, [voice(0.0), voice(10.0), voice(20.0)], FPS, 0))
    assert {pair.person for pair in pairs} == {"s9"}
    said = [round(float(pair.features[0, 0, 0]), 3) for pair in pairs]
    assert said == [0.0, 0.0, 10.0, 20.0]
    for pair in pairs:
        assert pair.lips.shape == (len(pair.features), 2)
        changes = pair.features[:, 0, 0] - pair.features[0, 0, 0]
        assert changes[:22].max() < 0.1  # "bin" is stretched onto the first second
        assert changes[27:].min() > 0.4
    alone = list(read_spliced_pairs(tmp_path, 4, [voice(0.0)], FPS, 0))
    assert len(alone) == 4


def test_words_that_a_voice_lacks_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "grid_lips"
    folder.mkdir()
    write_lips(folder, "s9")
    silent = SplicingVoice(
        timed_words({"one": [("bin", 0.0, 0.5)]}), {"one": torch.zeros(30, 1, 1)}
    )
    assert not list(read_spliced_pairs(tmp_path, 4, [silent], FPS, 0))


def test_commands_name_every_letter() -> None:
    texts = commands("awb", 50)
    assert texts == commands("awb", 50)
    assert texts != commands("slt", 50)
    assert {text.split()[3] for text in texts} == set(LETTERS)
    assert all(len(text.split()) == 6 and text.endswith(".") for text in texts)
