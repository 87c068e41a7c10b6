"""Files that may not be redistributed: where users get them, and on what terms."""

from __future__ import annotations

from pathlib import Path

AUTHORS = "github.com/FarzanehJafari1987/JambaTalk"
PUBLISHED_WEIGHTS = f"The authors link vocaset.pth and biwi.pth from {AUTHORS}; CC BY-NC 4.0."
VOCASET = (
    "VOCASET's training data, templates.pkl among them, come from voca.is.tue.mpg.de, after "
    "registration, for research only."
)
FLAME_MASKS = (
    "FLAME_masks.pkl is among the downloads of flame.is.tue.mpg.de, after registration and under "
    "the licence there; FLAME's is for research."
)
FLAME_MESH = (
    "FLAME_sample.ply lies in template/ of github.com/TimoBolkart/voca, for non-commercial "
    "research."
)
BIWI = (
    "The Biwi 3D Audiovisual Corpus and its meshes come from "
    "data.vision.ee.ethz.ch/cvl/datasets/b3dac2.en.html, on request and under the licence there."
)
BIWI_FILES = f"BIWI_lip.pkl and templates.pkl lie in BIWI/ of {AUTHORS}; CC BY-NC 4.0."
TEMPLATES = (
    "VOCASET's templates.pkl comes from voca.is.tue.mpg.de, after registering and under the "
    f"licence there. BIWI's: {BIWI_FILES}"
)
REGIONS = (
    "lve.txt and fdd.txt lie in BIWI/regions/ of github.com/Doubiiu/CodeTalker, under the licence "
    "there."
)

FILES = {
    "vocaset.pth": PUBLISHED_WEIGHTS,
    "biwi.pth": PUBLISHED_WEIGHTS,
    "data_verts.npy": VOCASET,
    "raw_audio_fixed.pkl": VOCASET,
    "subj_seq_to_idx.pkl": VOCASET,
    "FLAME_masks.pkl": FLAME_MASKS,
    "FLAME_sample.ply": FLAME_MESH,
    "BIWI_lip.pkl": BIWI_FILES,
    "templates.pkl": TEMPLATES,
    "lve.txt": REGIONS,
    "fdd.txt": REGIONS,
}


def origin(path: Path) -> str:
    """Return where a missing file comes from, if its name is known."""
    return FILES.get(path.name, "Check the name and the folder.")
