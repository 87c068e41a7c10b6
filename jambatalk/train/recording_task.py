"""Training on the recordings of a data set, vertices or weights."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from jambatalk.data.dataset import Recording
from jambatalk.data.registry import open_dataset
from jambatalk.face.face import Face
from jambatalk.face.library import load_head, write_heads
from jambatalk.face.user_face import guess_unit, make_heads, read_mask
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.motion import Motion
from jambatalk.render.thumbnail import draw_thumbnails
from jambatalk.render.video import draw_video
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.train.config_file import dump_config
from jambatalk.train.losses import MotionLoss, VertexLoss
from jambatalk.train.network import build_network
from jambatalk.train.random_crops import RandomCrops, RecordingTensors
from jambatalk.train.task import Losses
from jambatalk.train.training_config import TrainingConfig
from jambatalk.train.training_module import TrainingModule

CARD = Path(__file__).with_name("run_card.md")
VIDEO_SECONDS = 8.0


class RecordingTask:
    """Train a network on a data set (a :class:`jambatalk.train.task.Task`).

    Raises:
        DataError: see :func:`open_dataset`. FaceError: mesh or lips do not fit the set.
        ModelError: see :func:`build_network`.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        data = config.data
        train, self.held_out = (
            open_dataset(data.set, data.folder, split) for split in (data.train, data.val)
        )
        self.faces: dict[str, Face] = {}  # by subject, where vertices are predicted
        unit, lips = 1.0, None
        if config.face.lips and config.face.mesh and train.templates:
            masks = read_mask(config.face.lips)
            unit = guess_unit(next(iter(train.templates.values())))
            heads = make_heads(config.face.mesh, train.templates, masks, unit)
            self.faces = {face.name: face for face in heads}
            lips = masks["lips"].tolist() if config.loss.reads_lips else None
        torch.manual_seed(config.seed)
        network = build_network(config.network, train, unit, lips)
        loss = MotionLoss(load_head(1)) if train.blendshapes else VertexLoss()
        self.module = TrainingModule(network, loss)
        if isinstance(loss, MotionLoss) and config.network.start is None:
            # every output moves the face equally far
            self.model.decoder.get_buffer("output_units").copy_(loss.units(config.loss))
        self.convert = RecordingTensors(self.model.config, unit)
        self.dataset = RandomCrops(train, self.convert, data.crop)

    @property
    def model(self) -> JambaTalk:
        """The network that is saved, without its lip reader."""
        return self.module.model

    def total_loss(self, losses: Losses) -> Tensor:
        """Return the weighted sum of losses."""
        return self.config.loss.total(losses)

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Return the mean losses of whole held-out recordings; "error" is their weighted sum."""
        self.module.eval()
        means: defaultdict[str, float] = defaultdict(float)
        for recording in self.held_out:
            target, pred = self._predict(recording)
            losses = self.module.compare(pred, target)
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
        both = [values[0].float().cpu().numpy() for values in self._predict(recording)]
        frames = min(*map(len, both), round(VIDEO_SECONDS * recording.fps))
        motions = [self._motion(values[:frames], recording) for values in both]
        samples = recording.audio[: round(frames / recording.fps * SAMPLE_RATE)]
        draw_video(motions, Speech(samples, recording.name), path, captions=["Captured", "Network"])

    def _card(self, scores: dict[str, float]) -> str:
        network, config, dataset = self.model.config, self.config, self.dataset.recordings
        if network.vertices:
            outputs = f"offsets of {network.vertices} vertices in units of {network.unit:g} m"
        else:
            outputs = f"weights of {len(network.blendshapes)} blendshapes"
        return CARD.read_text(encoding="utf-8").format(
            day=date.today().isoformat(),
            fps=network.fps,
            outputs=outputs,
            dataset=dataset.name,
            recordings=len(dataset),
            subjects=len(dataset.subjects),
            styles=", ".join(network.styles),
            start=config.network.start or "random weights",
            encoder=network.encoder.source or network.encoder.kind,
            frozen="frozen" if network.encoder.frozen else "trained",
            val=config.data.val,
            save=config.save,
            scores="\n".join(f"| {name} | {value:.5g} |" for name, value in scores.items()),
            config=dump_config(config),
        )

    def _predict(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """Return target and prediction, both (1, t, k)."""
        samples, target = self.convert.tensors(recording)
        style = torch.tensor([self.convert.style(recording)])
        return target[None], self.module.predict(samples[None], len(target), style)

    def _motion(self, values: np.ndarray, recording: Recording) -> Motion:
        if recording.weights is not None:
            return Motion(values.clip(0, 1), recording.fps, load_head(1))
        offsets = values.reshape(len(values), -1, 3) * np.float32(self.model.config.unit)
        return Motion.of_vertices(offsets, recording.fps, self.faces[recording.subject])
