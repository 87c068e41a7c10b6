"""How much noise a motion has at each step of a diffusion, and how a step takes it away.

With ᾱ_t the share of the signal's variance after step t, x_t = sqrt(ᾱ_t) x_0 + sqrt(1 - ᾱ_t) ε.
arXiv 2006.11239, the cosine schedule of 2102.09672, and DDIM, 2010.02502.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

MAX_BETA = 0.999


class NoiseSchedule:
    """Coefficients of all steps, computed in float64 and rounded to float32 before use.

    Every step is a linear combination, so it may be taken in any linear map of the motion.

    Args:
        steps: of the diffusion.
    """

    def __init__(self, steps: int) -> None:
        def signal(u: float) -> float:
            return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

        betas = [
            min(1.0 - signal((i + 1) / steps) / signal(i / steps), MAX_BETA) for i in range(steps)
        ]
        self.betas = torch.tensor(betas, dtype=torch.float64, device="cpu")
        self.signal = (1.0 - self.betas).cumprod(0)  # ᾱ
        before = torch.cat([self.signal.new_ones(1), self.signal[:-1]])
        self.clean_share = self.betas * before.sqrt() / (1.0 - self.signal)
        self.noised_share = (1.0 - before) * (1.0 - self.betas).sqrt() / (1.0 - self.signal)
        self.variance = self.betas * (1.0 - before) / (1.0 - self.signal)

    def add_noise(self, clean: Tensor, step: int, noise: Tensor) -> Tensor:
        """Return a motion noised as much as at a step."""
        return _rounded(self.signal[step].sqrt()) * clean + self.scale_noise(step, noise)

    def scale_noise(self, step: int, noise: Tensor) -> Tensor:
        """Return noise as strong as at a step: a motion of zeros, noised."""
        return _rounded((1.0 - self.signal[step]).sqrt()) * noise

    def remove_noise(self, noised: Tensor, clean: Tensor, step: int, noise: Tensor) -> Tensor:
        """Return a sample of the motion one step earlier.

        Args:
            noised: at this step.
            clean: as the network predicts it.
            noise: drawn anew; none is added at step 0.
        """
        mean = _rounded(self.clean_share[step]) * clean + _rounded(self.noised_share[step]) * noised
        return mean if step == 0 else mean + _rounded(self.variance[step].sqrt()) * noise

    def jump(self, noised: Tensor, clean: Tensor, step: int, earlier: int) -> Tensor:
        """Return the motion at an earlier step without drawing anything (DDIM, η = 0)."""
        signal = self.signal[step]
        noise = (noised - _rounded(signal.sqrt()) * clean) / _rounded((1.0 - signal).sqrt())
        return self.add_noise(clean, earlier, noise)


def spread(steps: int, count: int) -> Sequence[int]:
    """Return so many steps of a diffusion, evenly spread, the last one first and 0 last."""
    return sorted({round(i * (steps - 1) / max(1, count - 1)) for i in range(count)}, reverse=True)


def _rounded(coefficient: Tensor) -> float:
    return float(coefficient.float())
