"""What training any network on a data set has in common."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from jambatalk.data.dataset import Recording
from jambatalk.data.registry import open_dataset
from jambatalk.face.face import Face
from jambatalk.face.library import load_head, write_heads
from jambatalk.face.user_face import make_heads, read_mask
from jambatalk.files.origins import WEIGHTS
from jambatalk.motion.motion import Motion
from jambatalk.render.thumbnail import draw_thumbnails
from jambatalk.render.video import draw_video
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.train.config_file import dump_config
from jambatalk.train.task import Losses, TrainingData
from jambatalk.train.training_config import TrainingConfig

CARD = Path(__file__).with_name("run_card.md")
VIDEO_SECONDS = 8.0


class SetTask:
    """Train a network on a data set (a :class:`jambatalk.train.task.Task`).

    Subclasses build `module` and `dataset`, and say what the network predicts.

    Raises:
        DataError: see :func:`open_dataset`. FaceError: mesh or lips do not fit the set.

    Attributes:
        faces: by subject, where vertices are predicted.
        masks: vertex indices by name, there too.
        axes: (3,) metres that a predicted offset of 1 is, along x, y and z.
    """

    module: nn.Module
    dataset: TrainingData
    axes: np.ndarray

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        data = config.data
        self.train_set, self.held_out = (
            open_dataset(data.set, data.folder, split) for split in (data.train, data.val)
        )
        self.faces: dict[str, Face] = {}
        self.masks: dict[str, np.ndarray] = {}

    def make_faces(self, axes: np.ndarray) -> None:
        """Make a face of each template, where there are any.

        Args:
            axes: (3,) metres that one unit of the set's coordinates is; negative to turn it round.
        """
        face, templates = self.config.face, self.train_set.templates
        if face.lips and face.mesh and templates:
            self.masks = read_mask(face.lips)
            heads = make_heads(face.mesh, templates, self.masks, axes)
            self.faces = {head.name: head for head in heads}

    @property
    def model(self) -> Any:
        """The network that is saved."""
        raise NotImplementedError

    def held_out_losses(self, recording: Recording) -> Losses:
        """Compute the losses of a held-out recording."""
        raise NotImplementedError

    def predict(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """Return target and prediction, both (1, t, k)."""
        raise NotImplementedError

    def total_loss(self, losses: Losses) -> Tensor:
        """Return the weighted sum of losses."""
        return self.config.loss.total(losses)

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Return the mean losses of whole held-out recordings; "error" is their weighted sum."""
        self.module.eval()
        means: defaultdict[str, float] = defaultdict(float)
        for recording in self.held_out:
            losses = self.held_out_losses(recording)
            losses["error"] = self.total_loss(losses)
            for name, loss in losses.items():
                means[name] += loss.item() / len(self.held_out)
        return dict(means)

    def save_checkpoint(self, folder: Path, scores: dict[str, float]) -> None:
        """Write network, heads and model card."""
        self.model.save_pretrained(folder)
        if self.faces and not (folder / "heads").exists():
            write_heads(folder / "heads", list(self.faces.values()))
            draw_thumbnails(folder / "heads", self.faces.values())
        (folder / "README.md").write_text(self._card(scores), encoding="utf-8")

    @torch.inference_mode()
    def write_sample_video(self, path: Path) -> None:
        """Write a video of a held-out recording, target beside prediction."""
        self.module.eval()
        recording = self.held_out[0]
        both = [values[0].float().cpu().numpy() for values in self.predict(recording)]
        frames = min(*map(len, both), round(VIDEO_SECONDS * recording.fps))
        motions = [self._motion(values[:frames], recording) for values in both]
        samples = recording.audio[: round(frames / recording.fps * SAMPLE_RATE)]
        draw_video(motions, Speech(samples, recording.name), path, captions=["Captured", "Network"])

    def describe_encoder(self) -> str:
        """Return which speech encoder the network has and whether it was trained, for its card."""
        raise NotImplementedError

    def _card(self, scores: dict[str, float]) -> str:
        network, config, dataset = self.model.config, self.config, self.train_set
        if network.vertices:
            outputs = f"offsets of {network.vertices} vertices in units of {abs(self.axes[0]):g} m"
        else:
            outputs = f"weights of {len(network.blendshapes)} blendshapes"
        return CARD.read_text(encoding="utf-8").format(
            network=_title(config.network.name),
            day=date.today().isoformat(),
            fps=network.fps,
            outputs=outputs,
            dataset=dataset.name,
            recordings=len(self.dataset),
            subjects=len(dataset.subjects),
            styles=", ".join(network.styles),
            start=config.network.start or "random weights",
            encoder=self.describe_encoder(),
            val=config.data.val,
            save=config.save,
            scores="\n".join(f"| {name} | {value:.5g} |" for name, value in scores.items()),
            config=dump_config(config),
        )

    def _motion(self, values: np.ndarray, recording: Recording) -> Motion:
        if recording.weights is not None:
            return Motion(values.clip(0, 1), recording.fps, load_head(1))
        offsets = values.reshape(len(values), -1, 3) * np.float32(self.axes)
        return Motion.of_vertices(offsets, recording.fps, self.faces[recording.subject])


def _title(network: str) -> str:
    """Return the title of what is trained: a network, or CodeTalker's first stage."""
    name, _, stage = network.partition("_")
    return WEIGHTS[name].title + ("'s first stage" if stage == "stage1" else "")
