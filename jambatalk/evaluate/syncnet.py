"""LSE-D and LSE-C: how well SyncNet finds lips and sound to agree, with weights that a user brings.

Chung and Zisserman, "Out of time: automated lip sync in the wild", ACCV workshops 2016: two
convolutional networks map 0.2 s of sound and of pictures of the face to vectors that lie close
together where they belong together. Prajwal et al., "A lip sync expert is all you need", ACM MM
2020, made measures of it. The modules are named as in the published weights, syncnet_v2.model.

b windows    d width of the vectors    n windows of a recording
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from jambatalk.errors import DataError, ModelError
from jambatalk.evaluate.mesh_motion import MeshMotion
from jambatalk.evaluate.mfcc import mfcc
from jambatalk.files.pth import read_pth
from jambatalk.files.tensors import read_tensors
from jambatalk.model.checkpoint import check_weights
from jambatalk.motion.resample import resample
from jambatalk.render.frames import draw_frames
from jambatalk.render.view import View

FPS = 25.0
FRAMES, SOUNDS = 5, 20  # of a window: pictures, and cepstra, of which 4 belong to a picture
SIZE = 224  # pixels
OFFSETS = 15  # frames by which the sound is shifted, in both directions
BATCH = 16  # windows at once
CURE = "Give SyncNet's published weights, syncnet_v2.model, or the same as .safetensors."

# kernel and padding of each convolution, then the pooling's kernel, stride and padding, if any
_Layer = tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, ...], ...] | None]
SOUND_LAYERS: tuple[_Layer, ...] = (
    ((3, 3), (1, 1), ((1, 1), (1, 1), (0, 0))),
    ((3, 3), (1, 1), ((3, 3), (1, 2), (0, 0))),
    ((3, 3), (1, 1), None),
    ((3, 3), (1, 1), None),
    ((3, 3), (1, 1), ((3, 3), (2, 2), (0, 0))),
    ((5, 4), (0, 0), None),
)
FACE_LAYERS: tuple[_Layer, ...] = (
    ((5, 7, 7), (0, 0, 0), ((1, 3, 3), (1, 2, 2), (0, 0, 0))),
    ((1, 5, 5), (0, 1, 1), ((1, 3, 3), (1, 2, 2), (0, 1, 1))),
    ((1, 3, 3), (0, 1, 1), None),
    ((1, 3, 3), (0, 1, 1), None),
    ((1, 3, 3), (0, 1, 1), ((1, 3, 3), (1, 2, 2), (0, 0, 0))),
    ((1, 6, 6), (0, 0, 0), None),
)
STRIDED = 2  # convolutions of the face's network that halve the picture
SOUND_WIDTHS = (64, 192, 384, 256, 256, 512)
FACE_WIDTHS = (96, 256, 256, 256, 256, 512)
VECTOR = 1024


class SyncScores(NamedTuple):
    """What SyncNet says of a recording.

    Attributes:
        distance: LSE-D, of the best offset.
        confidence: LSE-C, the median over the offsets less that.
        offset: seconds by which the sound has to be delayed to fit best; positive for late lips.
    """

    distance: float
    confidence: float
    offset: float


class SyncNet(nn.Module):
    """SyncNet; widths other than the published ones are for tests."""

    def __init__(
        self,
        sound_widths: Sequence[int] = SOUND_WIDTHS,
        face_widths: Sequence[int] = FACE_WIDTHS,
        vector: int = VECTOR,
    ) -> None:
        super().__init__()
        self.netcnnaud = _convolutions(SOUND_LAYERS, sound_widths, 1, 0)
        self.netfcaud = _vectors(sound_widths[-1], vector)
        self.netcnnlip = _convolutions(FACE_LAYERS, face_widths, 3, STRIDED)
        self.netfclip = _vectors(face_widths[-1], vector)

    @classmethod
    def load(cls, path: Path) -> SyncNet:
        """Read a user's weights; nothing in the file is executed.

        Args:
            path: a state dict saved by PyTorch, or .safetensors.

        Raises:
            ModelError: it cannot be read, or these are not SyncNet's weights.
        """
        if path.suffix == ".safetensors":
            weights, _ = read_tensors(path, cure=CURE)
        else:
            weights = read_pth(path, CURE)
        try:
            sound_widths, face_widths = (
                [len(weights[f"{part}.{number}.weight"]) for number in _places(layers)]
                for part, layers in (("netcnnaud", SOUND_LAYERS), ("netcnnlip", FACE_LAYERS))
            )
            vector = len(weights["netfclip.3.bias"])
        except (KeyError, TypeError) as error:
            raise ModelError(f"'{path}' lacks {error}, a weight of SyncNet.", CURE) from error
        with torch.device("meta"):
            network = cls(sound_widths, face_widths, vector)
        check_weights(network, weights, path)
        network.load_state_dict(weights, assign=True)
        return network.eval().requires_grad_(False)

    @torch.inference_mode()
    def of_sound(self, windows: Tensor) -> Tensor:
        """Map cepstra (b, 1, 13, 20) to vectors (b, d)."""
        return self.netfcaud(self.netcnnaud(windows).flatten(1))

    @torch.inference_mode()
    def of_face(self, windows: Tensor) -> Tensor:
        """Map pictures (b, 3, 5, 224, 224), blue, green, red from 0 to 255, to vectors (b, d)."""
        return self.netfclip(self.netcnnlip(windows).flatten(1))

    def score(self, pictures: Iterable[np.ndarray], samples: np.ndarray) -> SyncScores:
        """Score pictures of a face against its sound.

        Args:
            pictures: (224, 224, 3) uint8 RGB, 25 a second, of a face that is looked at.
            samples: (n,) speech at 16 kHz.
        """
        cepstra = torch.tensor(mfcc(samples))
        faces, sounds, seen = [], [], list[Tensor]()
        window: list[np.ndarray] = []
        for number, picture in enumerate(pictures):
            window = [*window[1 - FRAMES :], picture[..., ::-1]]
            first = (number + 1 - FRAMES) * SOUNDS // FRAMES
            if len(window) < FRAMES or first + SOUNDS > cepstra.shape[1]:
                continue
            seen.append(torch.tensor(np.stack(window)).movedim(-1, 0))
            sounds.append(cepstra[None, :, first : first + SOUNDS])
            if len(seen) == BATCH:
                faces.append(self.of_face(torch.stack(seen).float()))
                seen = []
        if seen:
            faces.append(self.of_face(torch.stack(seen).float()))
        if not faces:
            return SyncScores(float("nan"), float("nan"), float("nan"))
        return sync_scores(torch.cat(faces).numpy(), self.of_sound(torch.stack(sounds)).numpy())


def sync_scores(faces: np.ndarray, sounds: np.ndarray) -> SyncScores:
    """Compute LSE-D and LSE-C of the vectors (n, d) of pictures and of sound.

    The distance at an offset o is the mean over t of |face_t - sound_(t + o)|, where sounds beyond
    the ends are 0. LSE-D is the least over the offsets of up to 15 frames, LSE-C their median less
    that.
    """
    padded = np.pad(sounds, ((OFFSETS, OFFSETS), (0, 0)))
    distances = np.array(
        [
            np.linalg.norm(faces - padded[shift : shift + len(faces)], axis=1).mean()
            for shift in range(2 * OFFSETS + 1)
        ]
    )
    best = int(distances.argmin())
    least = float(distances[best])
    return SyncScores(least, float(np.median(distances)) - least, (OFFSETS - best) / FPS)


def score_motion(network: SyncNet, motion: MeshMotion, samples: np.ndarray) -> SyncScores:
    """Draw a saved motion as SyncNet looks at people, and score it against its sound.

    The head fills 0.6 of the picture's height, and is drawn at 25 frames a second.

    Raises:
        DataError: the motion has no triangles to draw. RenderError: no offscreen OpenGL.
    """
    if motion.face is None:
        raise DataError(
            f"'{motion.name}' contains no triangles, which SyncNet needs to see it.",
            "Give motions that 'jambatalk predict' wrote, or leave --syncnet out.",
        )
    frames = resample(motion.vertices, motion.fps, FPS)
    with closing(draw_frames(motion.face, frames, View(size=SIZE))) as pictures:
        return network.score(pictures, samples)


def _places(layers: Sequence[_Layer]) -> list[int]:
    """Return the places of the convolutions among the modules."""
    places, place = [], 0
    for _, _, pooling in layers:
        places.append(place)
        place += 3 + (pooling is not None)
    return places


def _convolutions(
    layers: Sequence[_Layer], widths: Sequence[int], enter: int, strided: int
) -> nn.Sequential:
    """Build convolutions in 2 dimensions, or in 3 for pictures over time."""
    convolution: Any
    norm: Any
    pool: Any
    if len(layers[0][0]) == 2:
        convolution, norm, pool = nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d
    else:
        convolution, norm, pool = nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d
    modules: list[nn.Module] = []
    for number, ((kernel, padding, pooling), width) in enumerate(zip(layers, widths, strict=True)):
        stride = (1, 2, 2) if number < strided else (1,) * len(kernel)
        modules += [convolution(enter, width, kernel, stride, padding), norm(width), nn.ReLU()]
        if pooling is not None:
            modules.append(pool(*pooling))
        enter = width
    return nn.Sequential(*modules)


def _vectors(width: int, vector: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, vector)
    )
