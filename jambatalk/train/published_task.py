"""Training the published networks on a data set, by their own losses and schedules.

As published, a step has one whole recording, and the coordinates are the set's own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jambatalk.data.dataset import Dataset, Recording
from jambatalk.errors import DataError
from jambatalk.model.hub_encoder import load_hub_encoder
from jambatalk.networks.config import NetworkConfig
from jambatalk.networks.selftalk import SelfTalk
from jambatalk.train.long_enough import LongEnough
from jambatalk.train.network import check_outputs
from jambatalk.train.published_module import (
    FirstStageModule,
    PublishedModule,
    SelfTalkModule,
    new_lip_reader,
)
from jambatalk.train.published_network import (
    axes_of,
    build_codes,
    build_published,
    layout_of,
    style_indices,
)
from jambatalk.train.set_task import SetTask
from jambatalk.train.task import Losses, SampleKey
from jambatalk.train.training_config import TrainingConfig

SHORTEST = 0.6  # seconds: SpecAugment masks ten features at a time, of as few as 25 a second
Example = tuple[Tensor, Tensor, Tensor]


class PublishedTask(SetTask):
    """Train one of the networks of :mod:`jambatalk.networks`.

    Raises:
        DataError, FaceError: see :class:`SetTask`; a subject of whom the network knows nothing.
        ModelError: speech encoder, start or first stage are not available, or do not fit the set.
    """

    module: PublishedModule | FirstStageModule

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__(config)
        self.axes = axes_of(layout_of(config.network), self.train_set)
        self.make_faces(self.axes)
        torch.manual_seed(config.seed)
        self.module = self._build()
        check_outputs(self.model.config, self.train_set)
        self.dataset = WholeRecordings(self.train_set, self.model.config)

    @property
    def model(self) -> Any:
        """The network that is saved."""
        return self.module.model

    def held_out_losses(self, recording: Recording) -> Losses:
        """Compute the losses of a held-out recording, of an unseen subject in all styles: means.

        What a diffusion draws is the same each time.
        """
        torch.manual_seed(self.config.seed)
        example = [part[None] for part in tensors(recording)]
        styles = style_indices(self.model.config, recording)
        all_losses = [self.module(*example, torch.tensor([style])) for style in styles]
        return {
            name: torch.stack([losses[name] for losses in all_losses]).mean()
            for name in all_losses[0]
        }

    def predict(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """Return target and prediction, both offsets or weights (1, t, k)."""
        samples, target, template = (part[None] for part in tensors(recording))
        style = torch.tensor(style_indices(self.model.config, recording)[:1])
        pred = self.module.predict(samples, target, template, style)
        return (target - template[:, None] if self.model.config.vertices else target), pred

    def describe_encoder(self) -> str:
        """Return where it came from; CodeTalker's first stage has none."""
        if isinstance(self.module, FirstStageModule):
            return "none"
        return f"{self.config.network.speech_encoder or 'of the start'}, trained"

    def _build(self) -> PublishedModule | FirstStageModule:
        choice = self.config.network
        if choice.name == "codetalker_stage1":
            return FirstStageModule(build_codes(choice, self.train_set))
        network = build_published(choice, self.train_set)
        if isinstance(network, SelfTalk):
            text_encoder: Any = load_hub_encoder("wav2vec2", choice.text_encoder, "ForCTC")
            reader = new_lip_reader(torch.from_numpy(self.masks["lips"]), text_encoder)
            return SelfTalkModule(network, reader, text_encoder)
        return PublishedModule(network)


class WholeRecordings(LongEnough):
    """Whole recordings, each once an epoch (a :class:`jambatalk.train.task.TrainingData`).

    Raises:
        DataError: no recording is long enough, or the network has no style of a subject.
    """

    def __init__(self, recordings: Dataset, config: NetworkConfig) -> None:
        least = SHORTEST * recordings.fps
        super().__init__(recordings, least, f"{SHORTEST:g} s", "Give longer ones.")
        self.config = config
        strange = sorted(set(recordings.subjects) - set(config.styles))
        if strange and len(config.styles) > 1:
            raise DataError(
                f"The network has no style of '{strange[0]}'.", "Start from none, or leave it out."
            )

    def __getitem__(self, key: SampleKey) -> tuple[Tensor, ...]:
        """Return samples (n,), motion (t, k), template (3 V,) and the index of a style."""
        recording = self.recordings[key[0]]
        (style,) = style_indices(self.config, recording)
        return *tensors(recording), torch.tensor(style)


def tensors(recording: Recording) -> Example:
    """Return samples (n,), motion (t, k) and template (3 V,), empty where there is none."""
    samples = torch.from_numpy(recording.audio)
    if recording.vertices is None or recording.template is None:
        return samples, torch.from_numpy(recording.weights), torch.empty(0)
    target = torch.tensor(recording.vertices).flatten(1)
    return samples, target, torch.from_numpy(recording.template).flatten()
