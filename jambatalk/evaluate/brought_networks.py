"""Measures by networks that a user brings: LSE-D and LSE-C (SyncNet), PLRS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import DataError
from jambatalk.evaluate.mesh_motion import MeshMotion
from jambatalk.motion.resample import resample

if TYPE_CHECKING:
    from jambatalk.evaluate.plrs import LipReadability
    from jambatalk.evaluate.syncnet import SyncNet


@dataclass(frozen=True)
class BroughtNetworks:
    """The networks that are there; their measures are in :meth:`scores`."""

    syncnet: SyncNet | None = None
    readability: LipReadability | None = None

    @classmethod
    def load(cls, syncnet: Path | None, plrs: Sequence[Path] | None) -> BroughtNetworks:
        """Read the user's files.

        Args:
            syncnet: see :meth:`jambatalk.evaluate.syncnet.SyncNet.load`.
            plrs: encoders of speech and of meshes, see :meth:`jambatalk.evaluate.plrs
                .LipReadability.load`.

        Raises:
            ModelError: files that cannot be used. NotInstalledError: onnxruntime is not installed.
        """
        network = readability = None
        if syncnet is not None:
            from jambatalk.evaluate.syncnet import SyncNet  # torch takes seconds

            network = SyncNet.load(syncnet)
        if plrs is not None:
            from jambatalk.evaluate.plrs import LipReadability

            readability = LipReadability.load(*plrs)
        return cls(network, readability)

    def scores(
        self, motion: MeshMotion, template: np.ndarray | None, samples: np.ndarray | None
    ) -> dict[str, float]:
        """Score a motion against its sound: key of a metric → value.

        Args:
            template: (V, 3) metres, the face at rest, which PLRS needs.
            samples: (n,) at 16 kHz.

        Raises:
            DataError: sound, face at rest or triangles are missing. RenderError: no OpenGL.
        """
        found: dict[str, float] = {}
        if self.syncnet is None and self.readability is None:
            return found
        if samples is None:
            raise DataError("LSE-D, LSE-C and PLRS compare lips with sound.", "Give --audio.")
        if self.syncnet is not None:
            from jambatalk.evaluate.syncnet import score_motion

            sync = score_motion(self.syncnet, motion, samples)
            found |= {"lse_d": sync.distance, "lse_c": sync.confidence}
            found["sync_offset"] = sync.offset * 1e3
        if self.readability is not None:
            if template is None:
                raise DataError("PLRS needs the face at rest.", "Give --template.")
            offsets = resample(motion.vertices - template, motion.fps, self.readability.fps)
            found["plrs"] = self.readability.score(offsets, samples)
        return found
