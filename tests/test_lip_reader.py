"""The lip reader: captured lips in, words out; the measure and its recipe.

tests/data/grid_lips.npz holds lips of GRID (CC BY 4.0; Cooke et al., JASA 2006), sentences of which
nothing was learned.
"""

from pathlib import Path

import numpy as np
import pytest

from jambatalk.errors import DataError
from jambatalk.evaluate.lip_reader import FPS, SLOTS, lip_curves, load_reader, normalise
from jambatalk.evaluate.mesh_regions import MeshRegions
from jambatalk.evaluate.spoken_words import SpokenWords, mesh_curves, names_words, read_words
from recipes.lip_reader.grid_sentences import Sentence, image_curves, number_words
from recipes.lip_reader.train import train_reader

DATA = Path(__file__).parent / "data" / "grid_lips.npz"
TIMED = [["bin", 0.2, 0.5], ["blue", 0.5, 0.8], ["at", 0.8, 0.9], ["f", 0.9, 1.1]]
TIMED += [["two", 1.1, 1.4], ["now", 1.4, 1.8]]


def captured() -> list[tuple[np.ndarray, tuple[str, ...]]]:
    with np.load(DATA) as file:
        parts = np.split(file["curves"].astype(np.float32), np.cumsum(file["frames"])[:-1])
        return list(zip(parts, map(tuple, file["words"].tolist()), strict=True))


def test_words_are_read_off_captured_lips_far_above_chance():
    assert sum(map(len, SLOTS.values())) == 51
    reader, right = load_reader(), []
    for curves, words in captured():
        right.append(np.array(reader.read(curves)) == words)
        assert reader.read(3 * curves - 1) == reader.read(curves)  # neither size nor place count
    assert len(right) == 16
    assert np.mean(right) > 0.6  # chance is 0.19
    still = [np.array(reader.read(0 * curves)) == words for curves, words in captured()]
    assert np.mean(still) < 0.4


def test_a_mesh_and_a_tracked_person_are_read_alike():
    curves, words = captured()[0]
    heights, width = 0.002 * curves[:, :2], 0.05 + 0.003 * curves[:, 2]
    vertices = np.zeros((len(curves), 4, 3))
    vertices[:, 0, 1], vertices[:, 1, 1] = heights.T
    vertices[:, 2, 0], vertices[:, 3, 0] = -width / 2, width / 2
    up, none = np.array([0.0, 1.0, 0.0]), np.empty(0, int)
    regions = MeshRegions(none, None, np.array([[0, 1]]), up, np.array([2, 3]), {})
    seen = mesh_curves(vertices + 0.3, regions)
    np.testing.assert_allclose(seen, np.column_stack([heights, width]), atol=1e-7)
    np.testing.assert_allclose(normalise(seen), normalise(curves), atol=1e-4)
    # on a picture, whose y points down, with the head turned on its side
    turned = vertices[:, [2, 3, 0, 1]][..., [1, 0]] * 1000
    np.testing.assert_allclose(image_curves(turned), 1000 * seen, atol=1e-4)
    spoken = SpokenWords(words, 0.0, len(curves) / FPS)
    named = np.array(load_reader().read(curves)) == words
    np.testing.assert_array_equal(names_words(load_reader(), seen, FPS, spoken), named)


def test_curves_are_heights_over_the_corners():
    corners = np.array([[[0.0, 1.0], [4.0, 3.0]]])  # their middle is (2, 2)
    up = np.array([0.0, 1.0])
    curves = lip_curves(np.array([[2.0, 3.0]]), np.array([[2.0, 1.5]]), corners, up)
    np.testing.assert_allclose(curves, [[1.0, -0.5, 20**0.5]])
    assert not normalise(np.full((5, 3), 7.0)).any()


def test_only_sentences_of_grid_are_taken(tmp_path: Path):
    file = tmp_path / "one.json"
    file.write_text(str([["sil", 0, 0.2], *TIMED]).replace("'", '"'))
    expected = SpokenWords(("bin", "blue", "at", "f", "two", "now"), 0.2, 1.8)
    assert read_words(file) == expected
    intervals = "".join(f'xmin = {a}\nxmax = {b}\ntext = "{w}"\n' for w, a, b in TIMED)
    grid = tmp_path / "one.TextGrid"
    grid.write_text(f'class = "IntervalTier"\nname = "words"\n{intervals}')
    assert read_words(grid) == expected
    for text, message in (
        ('[["hello", 0, 1]]', "GRID's sentences only, not 'hello'"),
        ('[["bin", 1, 0]]', "ends before it starts"),
        ('[["bin"]]', "one.json"),
        ("{}", "GRID"),
    ):
        file.write_text(text)
        with pytest.raises(DataError, match=message):
            read_words(file)


def test_the_recipe_learns_and_writes_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("recipes.lip_reader.train.BATCH", 8)
    rng, sentences = np.random.default_rng(0), []
    for curves, said in captured()[:8]:
        words = number_words(list(said))
        slots = np.minimum(np.arange(len(curves)) * 6 // len(curves), 5)
        sentences.append(Sentence("s1", "", curves, words, slots, False))
    path = tmp_path / "reader.safetensors"
    reader = train_reader(sentences, 60, int(rng.integers(9)), path)
    assert path.stat().st_size < 1_000_000
    right = [np.array(reader.read(curves)) == said for curves, said in captured()[:8]]
    assert np.mean(right) > 0.5
    assert number_words(["bin"]) is None
