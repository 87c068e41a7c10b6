"""BIWI: fourteen subjects, English sentences, tracked faces at 25 frames a second.

Fanelli, Gall, Romsdorfer, Weise and Van Gool, "A 3-D Audio-Visual Corpus of Affective
Communication", IEEE Transactions on Multimedia 2010; from ETH Zürich on request, for research only.
Read in the layout of the field's repositories (vertex_folder.py), `SUBJECT_eNN` for the emotional
sentences they use: with all 23,370 vertices (FaceFormer, CodeTalker, SelfTalk) or with the 3,895
that JambaTalk's published network predicts.
"""

from __future__ import annotations

from pathlib import Path

from jambatalk.data.dataset import Dataset, check_folder
from jambatalk.data.dataset_settings import DatasetSettings
from jambatalk.data.splits import BIWI, check_vertices, select_split
from jambatalk.data.vertex_folder import vertex_entries
from jambatalk.face.mesh import read_templates
from jambatalk.files.origins import BIWI as ORIGIN
from jambatalk.files.origins import BIWI_FILES

VERTICES = (3895, 23370)
FPS = 25.0


def open_biwi(folder: Path, split: str) -> Dataset:
    """Open BIWI.

    Args:
        split: "train" (6 subjects, sentences 1 to 32), "val" (the same, 33 to 36), "test-a" (the
            same, 37 to 40), "test-b" (8 others, 37 to 40), or "all"; "both-train", "both-val" and
            "both-test" (all 14, 1 to 36, 37 to 38, 39 to 40) take `SUBJECT_NN`, which are spoken
            neutrally, too.

    Raises:
        DataError: see :class:`Dataset`; or a subject that is missing.
    """
    folder = check_folder(folder, ORIGIN)
    templates, settings = read_templates(folder, BIWI_FILES), DatasetSettings.read(folder)
    check_vertices(templates, VERTICES, "BIWI", folder)
    listed = select_split(vertex_entries(folder), BIWI, split, str(folder))
    entries = settings.without_left_out(listed)
    return Dataset(f"biwi/{split}", entries, settings.fps or FPS, templates)
