"""FaceDiffuser: diffusion of the motion, given HuBERT's features of the speech.

It predicts the clean motion x_0 from a noised one, the step and the speech. Speech is encoded
once; the published code encodes it again at every step.

    n samples    t frames    F tokens' channels    S subjects    k outputs (3 V, or weights)

arXiv 2309.11306.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.networks.config import DiffuserConfig
from jambatalk.networks.network import Network, count_gru_layers
from jambatalk.networks.noise_schedule import NoiseSchedule, spread
from jambatalk.networks.positions import sines
from jambatalk.networks.speech_features import (
    FROZEN,
    convolved,
    normalised,
    paired,
    stretched,
    transformed,
)
from jambatalk.speech import SAMPLE_RATE


class Diffuser(Network):
    """What the three networks have in common: speech, sampling, the loss.

    Attributes:
        sampling_steps, skipped_steps: see :class:`DiffuserConfig`.
    """

    config: DiffuserConfig
    shortest = 2
    frozen = FROZEN

    def __init__(self, config: DiffuserConfig) -> None:
        super().__init__(config)
        self.schedule = NoiseSchedule(config.steps)
        self.sampling_steps, self.skipped_steps = config.sampling_steps, config.skipped_steps

    def extract_features(self, samples: Tensor, frames: int | None = None) -> Tensor:
        """Compute pairs of features (1, t, 2 c), one frame less than the speech lasts."""
        frames = frames or int(len(samples) / SAMPLE_RATE * self.config.fps) - 1
        samples = normalised(samples, self.epsilon)
        features = transformed(self.audio_encoder, convolved(self.audio_encoder, samples))
        if self.config.fps == 30:
            features = stretched(features.transpose(1, 2), 2 * frames).transpose(1, 2)
        return paired(features)[:, :frames]

    def denoise(
        self, x: Tensor, step: int, features: Tensor, style: Tensor, template: Tensor
    ) -> Tensor:
        """Predict the clean motion (1, t, k), template and all, from a noised one."""
        raise NotImplementedError

    def decode(self, features: Tensor, style: Tensor, template: Tensor, seed: int = 0) -> Tensor:
        """Sample offsets from the template, or weights, (1, t, k)."""
        x = self.sample(features, style, template, self.noise(features.shape[1], seed))
        return x - template[:, None] if self.config.vertices else x

    def noise(self, frames: int, seed: int) -> Iterator[Tensor]:
        """Draw noise (1, t, k) without end, on the CPU: the same on every device."""
        generator = torch.Generator().manual_seed(seed)
        while True:
            x = torch.randn(1, frames, self.config.outputs, generator=generator)
            yield x.to(self.device)

    def sample(
        self, features: Tensor, style: Tensor, template: Tensor, noise: Iterator[Tensor]
    ) -> Tensor:
        """Sample a motion (1, t, k), template and all."""

        def clean(x: Tensor, step: int) -> Tensor:
            return self.denoise(x, step, features, style, template)

        return [clean_x for _, clean_x in self.walk(clean, noise)][-1]

    def walk(
        self, clean: Callable[[Tensor, int], Tensor], noise: Iterator[Tensor]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Sample step by step, in the motion itself or in a linear map of it.

        Args:
            clean: predicts the clean motion from a noised one at a step.
            noise: what is drawn, the start first.

        Yields:
            After every step the less noised motion, and the clean one as predicted.
        """
        last = self.config.steps - 1 - self.skipped_steps
        x = next(noise)
        if self.skipped_steps:
            x = self.schedule.scale_noise(last, x)
        if self.sampling_steps is None:
            for step in range(last, -1, -1):
                x_0 = clean(x, step)
                x = self.schedule.remove_noise(x, x_0, step, next(noise))
                yield x, x_0
            return
        steps: Sequence[int] = spread(last + 1, self.sampling_steps)
        for step, earlier in zip(steps, [*steps[1:], None], strict=True):
            x_0 = clean(x, step)
            x = x_0 if earlier is None else self.schedule.jump(x, x_0, step, earlier)
            yield x, x_0

    def loss(
        self,
        samples: Tensor,
        template: Tensor,
        target: Tensor,
        style: Tensor,
        step: int,
        noise: Tensor,
    ) -> Tensor:
        """Compute the Huber loss of the predicted clean motion.

        Args:
            samples: (n,) at 16 kHz.
            template: (1, 3 V), and target (1, t, k), in the units of the training set.
            style: (1, S).
            step: of the diffusion, uniform over all while training.
            noise: normal, (1, t, k).
        """
        noised = self.schedule.add_noise(target, step, noise)
        features = self.extract_features(samples, target.shape[1])
        x_0 = self.denoise(noised[:, : features.shape[1]], step, features, style, template)
        return F.huber_loss(x_0, target[:, : x_0.shape[1]])

    def losses(
        self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor
    ) -> dict[str, Tensor]:
        """Compute the loss at a step drawn at random, with noise drawn at random."""
        step = int(torch.randint(self.config.steps, ()))
        noise = torch.randn(target.shape).to(target)  # on the CPU: the same on every device
        loss = self.loss(samples, template, target, style, step, noise)
        return {"vertices" if self.config.vertices else "weights": loss}

    def step_vector(self, step: int) -> Tensor:
        """Return the step (steps,) as one-hot."""
        return F.one_hot(torch.tensor(step, device=self.device), self.config.steps).float()


class FaceDiffuser(Diffuser):
    """The network of VOCASET, BIWI and Multiface: vertices, in the style of a subject."""

    def __init__(self, config: DiffuserConfig) -> None:
        super().__init__(config)
        width, hidden = config.width, self.audio_encoder.config.hidden_size
        self.cond_projection = nn.Linear(2 * hidden, width)
        self.input_projection: Any = nn.Sequential(
            nn.Linear(config.outputs, 2 * width),
            nn.Conv1d(1, 1, 9, padding="same"),  # along the channels of a frame
            nn.ReLU(),
            nn.MaxPool1d(2),
        )
        self.time_mlp = nn.Sequential(nn.Linear(config.steps, width), nn.Mish())
        self.norm_cond = nn.LayerNorm(3 * width)
        self.gru = nn.GRU(3 * width, width, config.layers, batch_first=True)
        self.final_layer = nn.Linear(width, config.outputs)
        self.obj_vector = nn.Linear(len(config.styles), width, bias=False)

    @classmethod
    def sizes(cls, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Read the widths off the authors' weights."""
        outputs, width = weights["final_layer.weight"].shape
        return {
            "width": width,
            "token_width": width,
            "vertices": outputs // 3,
            "layers": count_gru_layers(weights),
            "steps": weights["time_mlp.0.weight"].shape[1],
        }

    def denoise(
        self, x: Tensor, step: int, features: Tensor, style: Tensor, template: Tensor
    ) -> Tensor:
        """Predict the clean motion (1, t, 3 V) from a noised one."""
        mapped = self.input_projection[0](x)
        hidden = self.hidden(mapped, step, self.cond_projection(features), self.obj_vector(style))
        return self.final_layer(hidden) + template[:, None]

    def hidden(self, mapped: Tensor, step: int, speech: Tensor, style: Tensor) -> Tensor:
        """Compute what `final_layer` maps to vertices, (1, t, F).

        Args:
            mapped: the noised motion after the first linear map, (1, t, 2 F).
            speech: (1, t, F).
            style: (1, F).
        """
        tokens = self.input_projection[1:](mapped[0][:, None]).transpose(0, 1)  # (1, t, F)
        time = self.time_mlp(self.step_vector(step)).expand_as(tokens)
        joined = torch.cat([speech, tokens, time], -1)
        return self.gru(self.norm_cond(joined))[0] * style[:, None]

    def decode(self, features: Tensor, style: Tensor, template: Tensor, seed: int = 0) -> Tensor:
        """Sample offsets (1, t, 3 V) from the template."""
        noise = self.mapped_noise(features.shape[1], seed)
        return self.final_layer(self.sample_hidden(features, style, template, noise))

    def sample_hidden(
        self, features: Tensor, style: Tensor, template: Tensor, noise: Iterator[Tensor]
    ) -> Tensor:
        """Sample what `final_layer` maps to vertices, (1, t, F), without computing any on the way.

        The network sees the noised motion only through its first linear map, every step is a
        linear combination, and the clean motion is a linear map of the hidden one. So all steps
        are taken in 2 F channels instead of 3 V coordinates.

        Args:
            noise: mapped, without bias, (1, t, 2 F).
        """
        first, last = self.input_projection[0], self.final_layer
        weight = (first.weight.double() @ last.weight.double()).float()  # (2 F, F)
        rest = (last.bias + template).double() @ first.weight.double().T  # (1, 2 F)
        bias, speech = rest.float()[0], self.cond_projection(features)
        subject, hidden = self.obj_vector(style), features

        def clean(x: Tensor, step: int) -> Tensor:
            nonlocal hidden
            hidden = self.hidden(x + first.bias, step, speech, subject)
            return F.linear(hidden, weight, bias)

        for _ in self.walk(clean, noise):
            pass
        return hidden

    def mapped_noise(self, frames: int, seed: int) -> Iterator[Tensor]:
        """Draw noise (1, t, 2 F) distributed as W ε, ε normal in 3 V coordinates: N(0, W Wᵀ).

        It is not the published code's stream of numbers; that is :meth:`noise`, mapped.
        """
        weight = self.input_projection[0].weight.double()
        values, vectors = torch.linalg.eigh(weight @ weight.T)
        root = (vectors * values.clamp(min=0.0).sqrt()).float()  # root rootᵀ = W Wᵀ
        generator = torch.Generator().manual_seed(seed)
        while True:
            x = torch.randn(1, frames, len(root), generator=generator)
            yield x.to(root) @ root.T


class FaceDiffuserBeat(Diffuser):
    """The network of BEAT: weights of ARKit's blendshapes, without style or template."""

    def __init__(self, config: DiffuserConfig) -> None:
        super().__init__(config)
        hidden = 2 * self.audio_encoder.config.hidden_size
        joined = hidden + config.outputs + config.token_width
        self.time_mlp = nn.Sequential(nn.Linear(config.steps, config.token_width), nn.Mish())
        self.norm_cond = nn.LayerNorm(joined)
        self.gru = nn.GRU(joined, config.width, config.layers, batch_first=True)
        self.final_layer = nn.Linear(config.width, config.outputs)

    @classmethod
    def sizes(cls, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Read the widths off the authors' weights."""
        token_width, steps = weights["time_mlp.0.weight"].shape
        return {
            "width": weights["final_layer.weight"].shape[1],
            "token_width": token_width,
            "layers": count_gru_layers(weights),
            "steps": steps,
        }

    def denoise(
        self, x: Tensor, step: int, features: Tensor, style: Tensor, template: Tensor
    ) -> Tensor:
        """Predict the clean weights (1, t, k) from noised ones."""
        time = self.time_mlp(self.step_vector(step)).expand(*x.shape[:2], -1)
        joined = torch.cat([features, x, time], -1)
        return self.final_layer(self.gru(self.norm_cond(joined))[0])

    def table(self) -> Tensor:
        """Return a row without columns: there is one style."""
        return torch.zeros(1, 0, device=self.device)


class FaceDiffuserRig(Diffuser):
    """The network of UUDaMM: controls of a rig, without style or template.

    They are scaled to the range of the training set, whose scaler the authors keep in a file of
    its own; it must be inverted to use them.
    """

    def __init__(self, config: DiffuserConfig) -> None:
        super().__init__(config)
        width = config.width
        joined = 2 * self.audio_encoder.config.hidden_size + width + config.outputs
        self.embed_timestep: Any = nn.Module()
        self.embed_timestep.time_embed = nn.Sequential(
            nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.rnn = nn.GRU(joined, width, config.layers, batch_first=True)
        self.out = nn.Linear(width, config.outputs)

    @classmethod
    def sizes(cls, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Read the widths off the authors' weights; they do not tell the number of steps."""
        width = weights["out.weight"].shape[1]
        layers = count_gru_layers(weights, "rnn")
        controls = tuple(f"control_{number}" for number in range(len(weights["out.bias"])))
        return {"width": width, "token_width": width, "layers": layers, "blendshapes": controls}

    def denoise(
        self, x: Tensor, step: int, features: Tensor, style: Tensor, template: Tensor
    ) -> Tensor:
        """Predict the clean controls (1, t, k) from noised ones."""
        time = self.embed_timestep.time_embed(self.positions(step + 1)[-1])
        joined = torch.cat([features, time.expand(*x.shape[:2], -1), x], -1)
        return self.out(self.rnn(joined)[0])

    def positions(self, count: int) -> Tensor:
        """Return sines and cosines (count, F) of steps, in alternate channels."""
        return sines(torch.arange(count, device=self.device), self.config.width)

    def constants(self) -> dict[str, Tensor]:
        """Return the published table of positions, which is there twice."""
        table = sines(torch.arange(5000), self.config.width)[:, None]
        names = ("sequence_pos_encoder.pe", "embed_timestep.sequence_pos_encoder.pe")
        return dict.fromkeys(names, table)

    def table(self) -> Tensor:
        """Return a row without columns: there is one style."""
        return torch.zeros(1, 0, device=self.device)
