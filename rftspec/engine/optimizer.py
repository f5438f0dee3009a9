"""AdamW over one flat vector: the adapter's gradient, its moments and its norm.

Of our own because one vector is clipped, saved and compared in one piece, and is what
data-parallel workers will add up.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


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
        device = self.parameters[0].device
        self.mean = torch.zeros(count, dtype=torch.float32, device=device)
        self.square = torch.zeros_like(self.mean)

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
        first, second = self.betas
        self.mean.lerp_(gradient, 1 - first)
        self.square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        bias = 1 - first**self.updates
        spread = (self.square / (1 - second**self.updates)).sqrt_().add_(self.epsilon)
        change = (self.mean / spread).mul_(-rate / bias)
        start = 0
        for parameter in self.parameters:
            part = change[start : start + parameter.numel()]
            parameter.add_(part.view_as(parameter))
            start += parameter.numel()
        return norm
