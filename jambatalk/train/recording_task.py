"""Training JambaTalk on the recordings of a data set, vertices or weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from jambatalk.data.dataset import Recording
from jambatalk.face.library import load_head
from jambatalk.face.user_face import guess_unit
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.losses import MotionLoss, VertexLoss
from jambatalk.train.network import build_network
from jambatalk.train.random_crops import RandomCrops, RecordingTensors
from jambatalk.train.set_task import SetTask
from jambatalk.train.task import Losses
from jambatalk.train.training_config import TrainingConfig
from jambatalk.train.training_module import TrainingModule


class RecordingTask(SetTask):
    """Train JambaTalk.

    Raises:
        DataError, FaceError: see :class:`SetTask`. ModelError: see :func:`build_network`.
    """

    module: TrainingModule

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__(config)
        train, unit, lips = self.train_set, 1.0, None
        if train.templates:
            unit = guess_unit(next(iter(train.templates.values())))
            self.make_faces(np.full(3, unit))
            lips = self.masks["lips"].tolist() if config.loss.reads_lips else None
        torch.manual_seed(config.seed)
        network = build_network(config.network, train, unit, lips)
        loss = MotionLoss(load_head(1)) if train.blendshapes else VertexLoss()
        self.module = TrainingModule(network, loss)
        if isinstance(loss, MotionLoss) and config.network.start is None:
            # every output moves the face equally far
            self.model.decoder.get_buffer("output_units").copy_(loss.units(config.loss))
        self.axes = np.full(3, self.model.config.unit)
        self.convert = RecordingTensors(self.model.config, unit)
        self.dataset = RandomCrops(train, self.convert, config.data.crop)

    @property
    def model(self) -> JambaTalk:
        """The network that is saved, without its lip reader."""
        return self.module.model

    def held_out_losses(self, recording: Recording) -> Losses:
        """Compute the losses of a held-out recording, without the lip reader's."""
        target, pred = self.predict(recording)
        return self.module.compare(pred, target)

    def predict(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """Return target and prediction, both (1, t, k)."""
        samples, target = self.convert.tensors(recording)
        style = torch.tensor([self.convert.style(recording)])
        return target[None], self.module.predict(samples[None], len(target), style)

    def describe_encoder(self) -> str:
        """Return its source or kind, and whether it was trained."""
        encoder = self.model.config.encoder
        return f"{encoder.source or encoder.kind}, {'frozen' if encoder.frozen else 'trained'}"
