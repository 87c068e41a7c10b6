"""Predictions for a split of a data set: `jambatalk predict`.

Predicted and captured motions are written as one .npz a recording, as
:func:`jambatalk.evaluate.folders.evaluate_folders` reads them: a saved motion contains its frame
rate, the subject's face at rest and the regions of the mesh.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jambatalk.data.dataset import Dataset, Recording
from jambatalk.errors import DataError, abbreviate
from jambatalk.evaluate.mesh_motion import CONDITION
from jambatalk.evaluate.sample_metrics import SEED
from jambatalk.face.face import Face
from jambatalk.face.user_face import guess_unit, is_scaled
from jambatalk.files.plain import read_json
from jambatalk.files.unfinished import sweep, whole_file
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import STILL
from jambatalk.networks.config import NetworkConfig
from jambatalk.networks.layouts import EXPRESSIVE
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead

if TYPE_CHECKING:
    from jambatalk.networks.network import Network

SOUNDS = "wav"  # folder of the recordings, in that of the targets
NEUTRAL = "neutral"  # a style of all training subjects together
SOURCE_FILE = "made_from.json"  # in a folder of motions: the set and network they are from


class SplitPrediction:
    """Writes the predictions of a checkpoint for a split, and its targets.

    Files that exist are kept, so that an interrupted run continues.

    Args:
        unit: metres per unit of the set's vertices, which is then a published network's too; None
            for that of its training set, or else to guess it from the templates' size.

    A set that is scaled along each axis, as FaceXHuBERT's BIWI, is brought back to metres by the
    extents of the subjects' heads, which such a network's checkpoint has.

    Raises:
        DataError: the checkpoint and the set differ in their outputs, or in their scale.
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
        self.scaled = self._is_scaled()
        turned = np.ones(3)
        if isinstance(config, NetworkConfig) and config.vertices:
            turned = np.sign(config.axes)
            if not config.relative:
                unit = unit or abs(config.axes[0])
                model: Any = copy(talking_head.model)  # which has the same weights
                model.config = replace(config, axes=tuple((unit * turned).tolist()))
                self.talking_head = TalkingHead(model, talking_head.heads)
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
            self._captured(recording).save(path)
            written += 1
        return written

    def write_predictions(
        self,
        folder: Path,
        styles: Sequence[str] = (),
        seeds: Sequence[int] = (0,),
        every_style: bool = False,
        progress: Progress = no_progress,
    ) -> int:
        """Write the predictions for every recording, on its subject's face at rest.

        Args:
            styles: predict each recording in all of them, as `NAME_condition_STYLE`. By default it
                is the subject's own style, or the first one where there is none of that name.
            seeds: of a network that draws at random; with several, predict each recording with all
                of them, as `NAME_condition_STYLE_seed_NUMBER`.
            every_style: without `styles`, predict a subject that has no style in every one that the
                network was trained in, and one that has several in all of its own.

        Returns:
            How many were written.

        Raises:
            ModelError: an unknown style.
            DataError: a recording that cannot be used; the folder contains something else.
        """
        model = self.talking_head.model
        for style in styles:
            model.style(style)  # refuses unknown names before any work
        made_by: dict[str, object] = {"network": _fingerprint(model), "styles": list(styles)}
        made_by |= {"seeds": list(seeds), "every_style": every_style}
        _open_folder(folder, self._source() | made_by)
        written = 0
        for number, entry in enumerate(self.dataset.entries):
            progress("Predicting", number / len(self.dataset))
            chosen = list(styles) or self._styles_of(entry.subject, every_style)
            named = bool(styles) or len(chosen) > 1
            paths = {
                (style, seed): folder / f"{entry.name}{condition}.npz"
                for seed in seeds
                for style in chosen
                for condition in [_condition(style, seed, named, len(seeds) > 1)]
            }
            missing = {key: path for key, path in paths.items() if not path.exists()}
            if not missing:
                continue
            recording = self.dataset[number]
            speech = Speech(recording.audio, recording.name)  # as long as the captured motion
            for seed in dict.fromkeys(seed for _, seed in missing):
                of_seed = {style: path for (style, s), path in missing.items() if s == seed}
                face = self._face(recording)
                motions = self.talking_head.compare(
                    speech, list(of_seed), head=face, nonverbal=STILL, seed=seed
                )
                for motion, path in zip(motions, of_seed.values(), strict=True):
                    motion.save(path)
            written += len(missing)
        return written

    def _styles_of(self, subject: str, every_style: bool) -> list[str]:
        known = self.talking_head.styles
        own = [style for style in known if style in (subject, f"{subject}{EXPRESSIVE}")]
        if not every_style:
            return own[:1] or [known[0]]
        return own or [style for style in known if style != NEUTRAL] or list(known)

    def draws_at_random(self) -> bool:
        """Find out whether the network's motion depends on the seed."""
        noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
        first, second = (
            self.talking_head.animate(Speech(noise), nonverbal=STILL, seed=seed).vertices()
            for seed in (0, 1)
        )
        return not np.array_equal(first, second)

    def _source(self) -> dict[str, object]:
        unit = "extents of each head" if self.scaled else self.unit
        return {"set": self.dataset.name, "unit": unit}

    def _is_scaled(self) -> bool:
        """Tell whether the set is scaled along each axis; check that it can be scaled back."""
        if not any(map(is_scaled, self.dataset.templates.values())):
            return False
        config = self.talking_head.model.config
        if not (isinstance(config, NetworkConfig) and config.relative):
            raise DataError(
                f"'{self.dataset.name}' is scaled along each axis of each face, and this "
                "checkpoint's network was trained on faces as they are.",
                "Bench FaceXHuBERT alone on this set, and the others on theirs.",
            )
        missing = sorted(
            {entry.subject for entry in self.dataset.entries} - set(self.talking_head.heads.titles)
        )
        if missing:
            raise DataError(
                f"'{self.dataset.name}' is scaled along each axis, and the checkpoint has no head "
                f"of {abbreviate(missing)}, whose extents bring it back to metres.",
                "Convert the weights with --templates templates_orig.pkl.",
            )
        return True

    def _face(self, recording: Recording) -> Face:
        """Return the head that weights animate, or the subject's own face at rest."""
        if recording.template is None:
            return self.head
        if self.scaled:
            return self.talking_head.heads.load(recording.subject)
        subject, template = recording.subject, recording.template * self.axes
        return replace(self.head, name=subject, title=subject, template=template)

    def _captured(self, recording: Recording) -> Motion:
        face = self._face(recording)
        if recording.weights is not None:
            return Motion(recording.weights, recording.fps, face)
        axes = self.axes
        if self.scaled:
            axes = np.sign(axes) * np.ptp(face.template, axis=0)
        return Motion.of_vertices(recording.offsets(1.0) * axes, recording.fps, face)


def _condition(style: str, seed: int, name_style: bool, name_seed: bool) -> str:
    """Return what a file's name says of style and seed."""
    if name_seed:
        return f"{CONDITION}{style}{SEED}{seed}"
    return f"{CONDITION}{style}" if name_style else ""


def _outputs(vertices: int, blendshapes: Sequence[str]) -> str:
    return f"{vertices} vertices" if vertices else f"weights of {len(blendshapes)} blendshapes"


def _open_folder(folder: Path, source: dict[str, object]) -> None:
    """Create a folder for motions, or check that an existing one has the same source."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / SOURCE_FILE
    sweep(folder)
    if not any(folder.iterdir()):
        with whole_file(file, DataError) as unfinished:
            unfinished.write_text(json.dumps(source, indent=2) + "\n")
    elif not file.exists() or read_json(file) != source:
        raise DataError(
            f"{folder} contains motions of another set, network, style or unit, or other files.",
            "Choose another folder, or remove it.",
        )


def _fingerprint(model: JambaTalk | Network) -> str:
    """Hash configuration and weights, since a folder must not mix the motions of two networks."""
    digest = hashlib.sha256(json.dumps(model.config.to_dict()).encode())
    for weight in model.state_dict().values():
        digest.update(weight.contiguous().cpu().numpy())
    return digest.hexdigest()
