"""Predictions for a split of a data set: `jambatalk predict`.

Predicted and captured motions are written as one .npz a recording, as
:func:`jambatalk.evaluate.folders.evaluate_folders` reads them: a saved motion contains its frame
rate, the subject's face at rest and the regions of the mesh.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.data.dataset import Dataset, Recording
from jambatalk.errors import DataError
from jambatalk.evaluate.mesh_motion import CONDITION
from jambatalk.face.face import Face
from jambatalk.face.user_face import guess_unit
from jambatalk.files.plain import read_json
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import STILL
from jambatalk.networks.config import NetworkConfig
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead

if TYPE_CHECKING:
    from jambatalk.model.jambatalk import JambaTalk
    from jambatalk.networks.network import Network

SOUNDS = "wav"  # folder of the recordings, in that of the targets
SOURCE_FILE = "made_from.json"  # in a folder of motions: the set and network they are from


class SplitPrediction:
    """Writes the predictions of a checkpoint for a split, and its targets.

    Files that exist are kept, so that an interrupted run continues.

    Args:
        unit: metres per unit of the set's vertices; None for that of a published network's
            training set, or else to guess it from the templates' size.

    Raises:
        DataError: the checkpoint and the set differ in their outputs.
    """

    def __init__(
        self, talking_head: TalkingHead, dataset: Dataset, unit: float | None = None
    ) -> None:
        self.talking_head, self.dataset = talking_head, dataset
        config = talking_head.model.config
        captured = set(dataset.blendshapes)
        if config.vertices != dataset.vertex_count or not captured.issuperset(config.blendshapes):
            raise DataError(
                f"The checkpoint predicts {_outputs(config.vertices, config.blendshapes)}, and "
                f"'{dataset.name}' contains {_outputs(dataset.vertex_count, dataset.blendshapes)}.",
                "Give a checkpoint that was trained on such a set.",
            )
        self.head = talking_head.heads.load(1)
        turned = np.ones(3)
        if isinstance(config, NetworkConfig) and config.vertices:
            turned = np.sign(config.axes)
            unit = unit if unit or config.relative else abs(config.axes[0])
        if unit is None and dataset.templates:
            unit = guess_unit(next(iter(dataset.templates.values())))
        self.unit = unit or 1.0
        self.axes = (self.unit * turned).astype(np.float32)  # metres, (3,)

    def write_targets(self, folder: Path, progress: Progress = no_progress) -> int:
        """Write the captured motions, and their sounds into its `wav/`.

        Returns:
            How many were written.

        Raises:
            DataError: a recording that cannot be used; the folder contains something else.
        """
        import soundfile

        _open_folder(folder, self._source())
        (folder / SOUNDS).mkdir(exist_ok=True)
        written = 0
        for number, entry in enumerate(self.dataset.entries):
            progress("Targets", number / len(self.dataset))
            path = folder / f"{entry.name}.npz"
            if path.exists():
                continue
            recording = self.dataset[number]
            sound = folder / SOUNDS / f"{entry.name}.wav"
            soundfile.write(sound, recording.audio, SAMPLE_RATE)
            _save(self._captured(recording), path)
            written += 1
        return written

    def write_predictions(
        self,
        folder: Path,
        styles: Sequence[str] = (),
        progress: Progress = no_progress,
        seed: int = 0,
    ) -> int:
        """Write the predictions for every recording, on its subject's face at rest.

        Args:
            styles: predict each recording in all of them, as `NAME_condition_STYLE`. By default it
                is the subject's own style, or the first one where there is none of that name.
            seed: of a network that draws at random.

        Returns:
            How many were written.

        Raises:
            ModelError: an unknown style.
            DataError: a recording that cannot be used; the folder contains something else.
        """
        model, known = self.talking_head.model, self.talking_head.styles
        for style in styles:
            model.style(style)  # refuses unknown names before any work
        made_by = {"network": _fingerprint(model), "styles": list(styles), "seed": seed}
        _open_folder(folder, self._source() | made_by)
        written = 0
        for number, entry in enumerate(self.dataset.entries):
            progress("Predicting", number / len(self.dataset))
            own = entry.subject if entry.subject in known else known[0]
            names = {style: f"{entry.name}{CONDITION}{style}.npz" for style in styles}
            names = names or {own: f"{entry.name}.npz"}
            paths = {style: folder / name for style, name in names.items()}
            missing = {style: path for style, path in paths.items() if not path.exists()}
            if not missing:
                continue
            recording = self.dataset[number]
            speech = Speech(recording.audio, recording.name)  # as long as the captured motion
            motions = self.talking_head.compare(
                speech, list(missing), head=self._face(recording), nonverbal=STILL, seed=seed
            )
            for motion, path in zip(motions, missing.values(), strict=True):
                _save(motion, path)
            written += len(missing)
        return written

    def _source(self) -> dict[str, object]:
        return {"set": self.dataset.name, "unit": self.unit}

    def _face(self, recording: Recording) -> Face:
        """Return the head that weights animate, or the subject's own face at rest."""
        if recording.template is None:
            return self.head
        subject, template = recording.subject, recording.template * self.axes
        return replace(self.head, name=subject, title=subject, template=template)

    def _captured(self, recording: Recording) -> Motion:
        face = self._face(recording)
        if recording.weights is not None:
            return Motion(recording.weights, recording.fps, face)
        return Motion.of_vertices(recording.offsets(1.0) * self.axes, recording.fps, face)


def _outputs(vertices: int, blendshapes: Sequence[str]) -> str:
    return f"{vertices} vertices" if vertices else f"weights of {len(blendshapes)} blendshapes"


def _open_folder(folder: Path, source: dict[str, object]) -> None:
    """Create a folder for motions, or check that an existing one has the same source."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / SOURCE_FILE
    if not any(folder.iterdir()):
        file.write_text(json.dumps(source, indent=2) + "\n")
    elif not file.exists() or read_json(file) != source:
        raise DataError(
            f"{folder} contains motions of another set, network, style or unit, or other files.",
            "Choose another folder, or remove it.",
        )


def _save(motion: Motion, path: Path) -> None:
    part = path.with_name(f"{path.name}.part")
    motion.save(part)
    os.replace(part, path)  # an interrupted run leaves no partial file


def _fingerprint(model: JambaTalk | Network) -> str:
    """Hash configuration and weights, since a folder must not mix the motions of two networks."""
    digest = hashlib.sha256(json.dumps(model.config.to_dict()).encode())
    for weight in model.state_dict().values():
        digest.update(weight.contiguous().cpu().numpy())
    return digest.hexdigest()
