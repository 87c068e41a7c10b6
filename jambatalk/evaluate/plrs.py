"""PLRS: how well the lips of a mesh fit what is said, by two encoders that a user brings.

Chae-Yeon et al., "Perceptually Accurate 3D Talking Head Generation", CVPR 2025, train an encoder of
speech and one of meshes into one space; the perceptual lip readability score is the mean cosine of
what both say of the same time. Their encoders are brought as ONNX, which holds no code.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jambatalk.errors import ModelError, NotInstalledError
from jambatalk.files.regular import LARGEST, check_file, damaged
from jambatalk.speech import SAMPLE_RATE

KIND = "an encoder (.onnx)"
CURE = (
    "Export the encoder of speech, (1, samples) to (1, d), and that of meshes, "
    "(1, frames, vertices, 3) to (1, d), with these sizes fixed."
)


@dataclass(frozen=True)
class LipReadability:
    """The two encoders.

    Attributes:
        speech: of (1, n) samples at 16 kHz: (1, d).
        mesh: of (1, frames, V, 3) in metres, less the face at rest: (1, d).
        frames: of a window of the mesh; as long as n samples.
        samples: n.
    """

    speech: Callable[[np.ndarray], np.ndarray]
    mesh: Callable[[np.ndarray], np.ndarray]
    frames: int
    samples: int

    @classmethod
    def load(cls, speech: Path, mesh: Path) -> LipReadability:
        """Read two ONNX files.

        Raises:
            ModelError: they cannot be read, or take something else. NotInstalledError: onnxruntime
            is not installed.
        """
        sound, (_, samples) = _load(speech, 2)
        motion, (_, frames, _, _) = _load(mesh, 4)
        return cls(sound, motion, frames, samples)

    def score(self, offsets: np.ndarray, samples: np.ndarray) -> float:
        """Compute PLRS, -1 to 1: mean over windows, one after the other, of the cosine.

        Args:
            offsets: (T, V, 3), vertices less the face at rest, at the rate at which `frames` are as
                long as `samples`.
            samples: (n,) speech at 16 kHz.

        Returns:
            NaN for recordings shorter than a window.
        """
        count = min(len(offsets) // self.frames, len(samples) // self.samples)
        heard, seen = [], []
        for i in range(count):
            heard.append(self.speech(samples[None, i * self.samples : (i + 1) * self.samples])[0])
            seen.append(self.mesh(offsets[None, i * self.frames : (i + 1) * self.frames])[0])
        return mean_cosine(np.array(heard), np.array(seen)) if count else float("nan")

    @property
    def fps(self) -> float:
        """Frames a second of the mesh."""
        return self.frames / self.samples * SAMPLE_RATE


def mean_cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the mean over n of the cosine of vectors (n, d), 0 for one without length."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(1) / np.maximum(lengths, 1e-12)).mean())


def _load(path: Path, axes: int) -> tuple[Callable[[np.ndarray], np.ndarray], list[int]]:
    """Read an encoder, and the fixed sizes of what it takes."""
    check_file(path, ModelError, KIND, CURE, LARGEST)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it would report to its makers from here on
    try:
        import onnxruntime
    except ImportError as error:
        raise NotInstalledError(
            "onnxruntime is not installed.", "pip install onnxruntime"
        ) from error
    try:
        session: Any = onnxruntime.InferenceSession(
            path.read_bytes(), providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own, of several types
        raise damaged(path, error, ModelError, KIND, CURE) from error
    inputs = session.get_inputs()
    shape = list(inputs[0].shape)
    if len(inputs) != 1 or len(shape) != axes or not all(isinstance(n, int) for n in shape):
        raise ModelError(f"'{path}' takes {shape}.", CURE)
    name = inputs[0].name
    return lambda x: session.run(None, {name: np.ascontiguousarray(x, np.float32)})[0], shape
