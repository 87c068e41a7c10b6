"""What a checkpoint makes of a split of a training set: the work of `jambatalk predict`.

Motions are written as :func:`jambatalk.evaluate.folders.evaluate_folders` reads them, one .npz a
recording, captured and predicted ones alike: a saved motion brings its frame rate, the subject's
face at rest and the regions of the mesh with it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from jambatalk.data.dataset import Dataset, Recording
from jambatalk.errors import DataError
from jambatalk.evaluate.mesh_motion import CONDITION
from jambatalk.face.face import Face
from jambatalk.face.user_face import guess_unit
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import STILL
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead

SOUNDS = "wav"  # the folder of recordings in that of the captured motions
NOTE = "made_from.json"  # in a folder of motions


class Study:
    """A checkpoint and a split of a training set. What was written before is left as it is.

    Args:
        unit: metres that one unit of the set's vertices is; None to tell it by the templates' size.

    Raises:
        DataError: the checkpoint does not predict what the set holds.
    """

    def __init__(
        self, talking_head: TalkingHead, dataset: Dataset, unit: float | None = None
    ) -> None:
        self.talking_head, self.dataset = talking_head, dataset
        config = talking_head.model.config
        predicts = _what(config.vertices, config.blendshapes)
        holds = _what(dataset.vertex_count, dataset.blendshapes)
        if predicts != holds:
            raise DataError(
                f"The checkpoint predicts {predicts}, and '{dataset.name}' holds {holds}.",
                "Give a checkpoint that was trained on such a set.",
            )
        self.head = talking_head.heads.load(1)
        if unit is None and dataset.templates:
            unit = guess_unit(next(iter(dataset.templates.values())))
        self.unit = unit or 1.0

    def write_truth(self, folder: Path, progress: Progress = no_progress) -> int:
        """Writes the captured motions, and their sounds into `wav/` beside them.

        Returns:
            How many were written.

        Raises:
            DataError: a recording that cannot be used; the folder holds something else.
        """
        import soundfile

        _begin(folder, self._set())
        (folder / SOUNDS).mkdir(exist_ok=True)
        written = 0
        for number, entry in enumerate(self.dataset.entries):
            progress("Truth", number / len(self.dataset))
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
        self, folder: Path, styles: Sequence[str] = (), progress: Progress = no_progress
    ) -> int:
        """Writes what the network makes of every recording, on its subject's face at rest.

        Args:
            styles: each recording is predicted in all of them, as `NAME_condition_STYLE`; none for
                the subject's own style, or the neutral one where there is none of that name.

        Returns:
            How many were written.

        Raises:
            ModelError: an unknown style.
            DataError: a recording that cannot be used; the folder holds something else.
        """
        model, known = self.talking_head.model, self.talking_head.styles
        for style in styles:
            model.style(style)  # before any work: is there one of that name?
        network = _fingerprint(model)
        _begin(folder, self._set() | {"network": network, "styles": list(styles)})
        written = 0
        for number, entry in enumerate(self.dataset.entries):
            progress("Predicting", number / len(self.dataset))
            own = entry.subject if entry.subject in known else known[0]
            files = {style: f"{entry.name}{CONDITION}{style}.npz" for style in styles}
            files = files or {own: f"{entry.name}.npz"}
            files = {s: folder / file for s, file in files.items() if not (folder / file).exists()}
            if not files:
                continue
            recording = self.dataset[number]
            speech = Speech(recording.audio, recording.name)  # as long as the captured motion
            motions = self.talking_head.compare(speech, list(files), nonverbal=STILL)
            for motion, path in zip(motions, files.values(), strict=True):
                _save(motion.on(self._face(recording)), path)
            written += len(files)
        return written

    def _set(self) -> dict:
        return {"set": self.dataset.name, "unit": self.unit}

    def _face(self, recording: Recording) -> Face:
        """The head that wears weights, or the subject's own face at rest."""
        if recording.template is None:
            return self.head
        subject, template = recording.subject, recording.template * np.float32(self.unit)
        return replace(self.head, name=subject, title=subject, template=template)

    def _captured(self, recording: Recording) -> Motion:
        face = self._face(recording)
        if recording.weights is not None:
            return Motion(recording.weights, recording.fps, face)
        offsets = (recording.vertices - recording.template) * np.float32(self.unit)
        return Motion.of_vertices(offsets, recording.fps, face)


def _what(vertices: int, blendshapes: Sequence[str]) -> str:
    return f"{vertices} vertices" if vertices else f"weights of {len(blendshapes)} blendshapes"


def _begin(folder: Path, made_from: dict) -> None:
    """Makes a folder for motions, or goes on with one that was begun in the same way."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / NOTE
    if not any(folder.iterdir()):
        note.write_text(json.dumps(made_from, indent=2) + "\n")
    elif not note.exists() or json.loads(note.read_text()) != made_from:
        raise DataError(
            f"{folder} holds something else already, of another set, network, style or unit.",
            "Choose another folder, or remove it.",
        )


def _save(motion: Motion, path: Path) -> None:
    part = path.with_name(f"{path.name}.part")
    motion.save(part)
    os.replace(part, path)  # whenever it is stopped, what is there is whole


def _fingerprint(model: JambaTalk) -> str:
    """Of configuration and weights: a folder must not mix the motions of two networks."""
    digest = hashlib.sha256(json.dumps(model.config.to_dict()).encode())
    for weight in model.state_dict().values():
        digest.update(weight.contiguous().cpu().numpy())
    return digest.hexdigest()
