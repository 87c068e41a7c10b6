"""Files that may not be redistributed: where users get them, and on what terms."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

AUTHORS = "github.com/FarzanehJafari1987/JambaTalk"


class PublishedWeights(NamedTuple):
    """Weights that their authors link from their repository."""

    title: str
    paper: str  # on arXiv
    repository: str
    licence: str  # of the repository; none says anything of its weights apart
    files: str

    @property
    def origin(self) -> str:
        """Where they come from, one sentence."""
        return f"The authors link {self.files} from {self.repository}; {self.licence}."


NON_COMMERCIAL = "CC BY-NC 4.0"
WEIGHTS = {
    "jambatalk": PublishedWeights(
        "JambaTalk", "2408.01627", AUTHORS, NON_COMMERCIAL, "vocaset.pth and biwi.pth"
    ),
    "faceformer": PublishedWeights(
        "FaceFormer",
        "2112.05329",
        "github.com/EvelynFan/FaceFormer",
        "MIT",
        "vocaset.pth and biwi.pth",
    ),
    "codetalker": PublishedWeights(
        "CodeTalker",
        "2301.02379",
        "github.com/Doubiiu/CodeTalker",
        "MIT",
        "vocaset_stage1.pth.tar, vocaset_stage2.pth.tar and biwi's two, of which both are needed,",
    ),
    "selftalk": PublishedWeights(
        "SelfTalk",
        "2306.10799",
        "github.com/psyai-net/SelfTalk_release",
        NON_COMMERCIAL,
        "vocaset.pth and BIWI.pth",
    ),
    "facexhubert": PublishedWeights(
        "FaceXHuBERT",
        "2303.05416",
        "github.com/galib360/FaceXHuBERT",
        NON_COMMERCIAL,
        "FaceXHuBERT.pth",
    ),
    "facediffuser": PublishedWeights(
        "FaceDiffuser",
        "2309.11306",
        "github.com/uuembodiedsocialai/FaceDiffuser",
        NON_COMMERCIAL,
        "pretrained_vocaset.pth, pretrained_BIWI.pth and others",
    ),
}
PUBLISHED_WEIGHTS = WEIGHTS["jambatalk"].origin
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
PEERS_BIWI_LIPS = (
    "BIWI_lip.pkl lies in BIWI/ of github.com/psyai-net/SelfTalk_release; CC BY-NC 4.0."
)
PEERS_BIWI = (
    "BIWI.ply and templates.pkl lie in BIWI/ of github.com/EvelynFan/FaceFormer; the corpus itself "
    "is for research."
)
FACEXHUBERT_BIWI = (
    "templates_orig.pkl (not templates_scaled.pkl) comes with github.com/galib360/FaceXHuBERT, "
    "CC BY-NC 4.0; a mesh in the same coordinates is one of the corpus itself."
)
MULTIFACE = (
    "Multiface's meshes come from github.com/facebookresearch/multiface, under the licence there."
)
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
