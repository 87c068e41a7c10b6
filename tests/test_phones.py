"""Recognised phones, and lip contact that closes the lips."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from jambatalk import TalkingHead
from jambatalk.cli import main
from jambatalk.errors import ExportError, ModelError
from jambatalk.export.phones import export_phones
from jambatalk.face.library import load_head
from jambatalk.face.lips import aperture
from jambatalk.files.bundled import VOICES
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.decoder import ArticulationHeads
from jambatalk.model.phones import CHANGE, TimedPhone, likeliest_path, timed_phones

JFK = VOICES / "jfk.flac"
CONSONANTS = "N D S M F L M R K N Z"  # and so my fellow Americans


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained()


def heads_that_say(contact: float, column: int) -> tuple[ArticulationHeads, torch.Tensor]:
    """Articulation heads of the bundled face whose contact logit of one kind is constant."""
    face = load_head(1)
    config = JambaTalkConfig(blendshapes=face.blendshapes, phones=("A", "B"))
    heads = ArticulationHeads(config)
    with torch.no_grad():
        heads.contact_map.weight.zero_()
        heads.contact_map.bias.copy_(torch.full((2,), -20.0))
        heads.contact_map.bias[column] = contact
    unit = aperture(face, np.eye(len(face.blendshapes), dtype=np.float32))
    heads.aperture.copy_(torch.from_numpy(unit))
    return heads, torch.randn(1, 5, config.width)


@pytest.mark.parametrize(
    ("logit", "column", "low", "high"),
    [(9.0, 0, 0.0, 0.2), (9.0, 1, 2.1, 2.3), (-9.0, 0, 8.0, 20.0)],
    ids=["bilabial", "labiodental", "none"],
)
def test_lips_close_where_contact_is_detected(
    logit: float, column: int, low: float, high: float
) -> None:
    face = load_head(1)
    heads, states = heads_that_say(logit, column)
    motion = torch.zeros(1, 5, len(face.blendshapes))
    motion[..., face.blendshapes.index("jawOpen")] = 0.3
    closed = heads.close_lips(motion, states)[0].detach().numpy()
    millimetres = aperture(face, closed) * 1e3
    assert (millimetres >= low - 0.01).all()
    assert (millimetres <= high).all()


def test_likeliest_path_ignores_single_frames() -> None:
    logits = np.zeros((9, 3))
    logits[:4, 0] = logits[4:, 1] = 2 * CHANGE
    logits[2] = (0.0, 0.0, 1.0)  # a frame that prefers another phone, a little
    assert likeliest_path(logits).tolist() == [0] * 4 + [1] * 5
    assert likeliest_path(logits[:0]).tolist() == []


def test_phones_are_contiguous_and_timed() -> None:
    logits = np.zeros((6, 2))
    logits[:2, 0] = logits[2:, 1] = 50.0
    assert timed_phones(logits, ("A", "B"), fps=2.0) == [
        TimedPhone("A", 0.0, 1.0),
        TimedPhone("B", 1.0, 3.0),
    ]


def test_phones_of_real_speech_are_what_is_said(talking_head: TalkingHead) -> None:
    phones = talking_head.phones(JFK)
    assert phones[0].start == 0.0
    assert phones[-1].end == pytest.approx(11.0, abs=0.05)
    assert all(a.end == b.start for a, b in pairwise(phones))
    said = [phone.name for phone in phones if phone.end < 2.3]
    consonants = [name for name in said if name in "DFKLMNPRSZ"]
    assert edit_distance(consonants, CONSONANTS.split()) <= 4


def edit_distance(a: list[str], b: list[str]) -> int:
    """Levenshtein's distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def test_phones_command_writes_a_textgrid(tmp_path: Path) -> None:
    path = tmp_path / "jfk.TextGrid"
    assert main(["phones", str(JFK), "-o", str(path), "--device", "cpu"]) == 0
    text = path.read_text()
    count = int(re.search(r"intervals: size = (\d+)", text).group(1))
    starts = [float(x) for x in re.findall(r"^            xmin = (.*)$", text, re.MULTILINE)]
    ends = [float(x) for x in re.findall(r"^            xmax = (.*)$", text, re.MULTILINE)]
    assert len(starts) == len(ends) == count > 20
    assert starts[1:] == ends[:-1]
    assert "SIL" not in text


def test_phones_are_written_as_json(tmp_path: Path) -> None:
    path = export_phones([TimedPhone("M", 0.0, 0.1)], tmp_path / "a.json")
    assert json.loads(path.read_text()) == [{"phone": "M", "start": 0.0, "end": 0.1}]


def test_another_name_is_refused_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["phones", str(JFK), "-o", str(tmp_path / "a.wav")]) == 1
    assert ".TextGrid" in capsys.readouterr().err
    with pytest.raises(ExportError, match="no phones"):
        export_phones([], tmp_path / "a.json")


def test_phones_need_mouth_close() -> None:
    face = load_head(1)
    config = JambaTalkConfig(blendshapes=face.blendshapes)
    with pytest.raises(ModelError, match="mouthClose"):
        replace(config, blendshapes=("jawOpen",), phones=("A",))
