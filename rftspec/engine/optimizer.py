"""AdamW over one flat vector: the adapter's gradient, its moments and its norm.

Of our own because one vector is clipped, saved and compared in one piece, and is what
data-parallel workers will add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from rftspec.engine.problems import problem
from rftspec.plan.model import TrainPlan

_BLOCK = 256
"""Moments that share a scale in 8 bits: bitsandbytes' own block."""


def learning_rate(plan: TrainPlan, step: int) -> float:
    """Linear warm-up, then the schedule; steps count from 1, and after the last one it is zero."""
    warm = plan.warmup_steps
    if step <= warm:
        return plan.learning_rate * (step / warm)
    if plan.schedule == "constant":
        return plan.learning_rate
    done = (step - warm - 1) / max(1, plan.steps - warm)
    left = 1.0 - done if plan.schedule == "linear" else (1.0 + math.cos(math.pi * done)) / 2
    return plan.learning_rate * left


def make_optimizer(plan: TrainPlan, parameters: Sequence[nn.Parameter]) -> AdamW:
    """The plan's optimiser over an adapter's parameters."""
    return (AdamW8bit if plan.optimizer == "adamw_8bit" else AdamW)(parameters)


class AdamW:
    """Adam (arXiv:1412.6980) in fp32 without weight decay, with gradients clipped by their norm.

    A test holds its updates equal to those of `torch.optim.AdamW`.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        *,
        betas: tuple[float, float] = (0.9, 0.99),
        epsilon: float = 1e-8,
    ) -> None:
        self.parameters = list(parameters)
        self.betas, self.epsilon = betas, epsilon
        self.updates = 0
        count = sum(p.numel() for p in self.parameters)
        self._prepare(count, self.parameters[0].device)

    def _prepare(self, count: int, device: torch.device) -> None:
        """Moments of `count` numbers, all zero."""
        self.mean = torch.zeros(count, dtype=torch.float32, device=device)
        self.square = torch.zeros_like(self.mean)

    def moments(self) -> Mapping[str, torch.Tensor]:
        """The state by name, as a checkpoint keeps it and puts it back."""
        return {"mean": self.mean, "square": self.square}

    def clear(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def gradient(self) -> torch.Tensor:
        """All gradients as one vector; zero where a parameter has none."""
        return torch.cat(
            [
                torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten()
                for p in self.parameters
            ]
        )

    @torch.no_grad()
    def step(self, rate: float, *, max_norm: float) -> float:
        """Clip and update; gives the norm before clipping.

        A gradient that is not finite updates nothing, and its norm says so.
        """
        gradient = self.gradient()
        self.clear()
        norm = float(gradient.norm())
        if norm != norm or norm == float("inf"):
            return norm
        if norm > max_norm:
            gradient.mul_(max_norm / (norm + 1e-6))
        self.updates += 1
        change = self._change(gradient, rate)
        start = 0
        for parameter in self.parameters:
            part = change[start : start + parameter.numel()]
            parameter.add_(part.view_as(parameter))
            start += parameter.numel()
        return norm

    def _change(self, gradient: torch.Tensor, rate: float) -> torch.Tensor:
        """What is added to the parameters; the moments take the gradient in."""
        first, second = self.betas
        self.mean.lerp_(gradient, 1 - first)
        self.square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        bias = 1 - first**self.updates
        spread = (self.square / (1 - second**self.updates)).sqrt_().add_(self.epsilon)
        return (self.mean / spread).mul_(-rate / bias)


class AdamW8bit(AdamW):
    """AdamW whose moments are held in 8 bits, a block of 256 to a scale (arXiv:2110.02861).

    The arithmetic is bitsandbytes'; it runs on CPU and on CUDA.
    """

    def _prepare(self, count: int, device: torch.device) -> None:
        try:
            from bitsandbytes import functional
        except Exception as error:
            raise problem("M211", f"bitsandbytes cannot be imported ({error})") from error
        self._functional: Any = functional
        blocks = -(-count // _BLOCK)
        self.mean = torch.zeros(count, dtype=torch.uint8, device=device)
        self.square = torch.zeros_like(self.mean)
        self.mean_scale = torch.zeros(blocks, dtype=torch.float32, device=device)
        self.square_scale = torch.zeros_like(self.mean_scale)
        self._signed = functional.create_dynamic_map(signed=True).to(device)
        self._unsigned = functional.create_dynamic_map(signed=False).to(device)

    def moments(self) -> Mapping[str, torch.Tensor]:
        """The state by name, as a checkpoint keeps it and puts it back."""
        scales = {"mean_scale": self.mean_scale, "square_scale": self.square_scale}
        return {**super().moments(), **scales}

    def _change(self, gradient: torch.Tensor, rate: float) -> torch.Tensor:
        change = torch.zeros_like(gradient)
        self._functional.optimizer_update_8bit_blockwise(
            "adam", gradient, change, self.mean, self.square, self.betas[0], self.betas[1], 0.0,
            0.0, self.epsilon, self.updates, rate, self._signed, self._unsigned, self.mean_scale,
            self.square_scale, weight_decay=0.0, gnorm_scale=1.0, skip_zeros=False,
        )  # fmt: skip
        return change
