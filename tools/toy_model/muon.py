"""Muon in single precision: momentum whose matrices are made nearly orthogonal before each step.

Keller Jordan, "Muon: an optimizer for hidden layers in neural networks" (2024); the step's size is
that of `torch.optim.Muon`. PyTorch's own computes in bfloat16, which most CPUs have to emulate:
there it takes more than twice as long as the model's forward and backward passes together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration: they raise small singular values fastest."""
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; matrices of one shape are computed together."""

    def __init__(self, matrices: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    by_shape[matrix.shape].append(matrix)
            for (height, width), alike in by_shape.items():
                moved = torch.stack([self._momentum(each, group["momentum"]) for each in alike])
                scale = group["lr"] * max(1.0, height / width) ** 0.5
                for matrix, direction in zip(alike, orthogonal(moved), strict=True):
                    matrix.add_(direction, alpha=-scale)

    def _momentum(self, matrix: Tensor, keep: float) -> Tensor:
        state = self.state[matrix]
        gradient = matrix.grad if matrix.grad is not None else torch.zeros_like(matrix)
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(matrix)
        state["momentum"].lerp_(gradient, 1 - keep)
        return gradient.lerp(state["momentum"], keep)


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices [n, height, width] with their singular values brought near 1 (Newton–Schulz)."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
