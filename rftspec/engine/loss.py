"""Log-probabilities and entropies of targets, a stretch of rows at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812 - the field's name for it

CHUNK_ELEMENTS = 1 << 22
"""Logits held at once while computing: rows × vocabulary."""

KEPT_ELEMENTS = 1 << 25
"""Probabilities kept for the backward pass; beyond it they are computed a second time."""


class _TokenLogprobs(torch.autograd.Function):
    """log p(target | hidden) in chunks; never holds logits of more rows than it must."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        head: torch.Tensor,
        targets: torch.Tensor,
        temperature: float,
        keep: bool,
        entropy: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        rows, vocabulary = hidden.shape[0], head.shape[0]
        keep = keep and rows * vocabulary <= KEPT_ELEMENTS
        logprobs = torch.empty(rows, dtype=torch.float32, device=hidden.device)
        entropies = torch.empty_like(logprobs)
        kept = []
        for part in _chunks(rows, vocabulary):
            p, logprobs[part], entropies[part] = _probabilities(
                hidden[part], head, targets[part], temperature
            )
            if keep:
                kept.append(p)
        ctx.save_for_backward(hidden, head, targets, *kept)
        ctx.temperature, ctx.entropy = temperature, entropy
        if not entropy:
            ctx.mark_non_differentiable(entropies)
        return logprobs, entropies

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        grad, grad_entropy = grads
        hidden, head, targets, *kept = ctx.saved_tensors
        grad_hidden = torch.empty_like(hidden)
        for i, part in enumerate(_chunks(hidden.shape[0], head.shape[0])):
            p = kept[i] if kept else _probabilities(
                hidden[part], head, targets[part], ctx.temperature
            )[0]  # fmt: skip
            # d log p[target] / d logits = onehot(target) - p
            scale = grad[part, None] / ctx.temperature
            extra = None
            if ctx.entropy:
                extra = _entropy_gradient(p, grad_entropy[part, None] / ctx.temperature)
            grad_logits = p.mul_(-scale)
            grad_logits.scatter_add_(1, targets[part, None], scale)
            if extra is not None:
                grad_logits.add_(extra)
            torch.mm(grad_logits.to(head.dtype), head, out=grad_hidden[part])
        return grad_hidden, None, None, None, None, None


def _entropy_gradient(p: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Scaled d entropy / d logits = −p·(log p + entropy); [rows, vocabulary]."""
    weighted = torch.xlogy(p, p)
    entropy = -weighted.sum(-1, keepdim=True)
    return weighted.add_(p * entropy).mul_(-scale)


def token_logprobs(
    hidden: torch.Tensor,
    head: torch.Tensor,
    targets: torch.Tensor,
    temperature: float,
    *,
    entropy: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(log p of each target, entropy of each distribution), both [rows] fp32.

    `hidden` [rows, width] is differentiated, `head` [vocabulary, width] is not; the entropy only
    with `entropy`.
    """
    keep = torch.is_grad_enabled() and hidden.requires_grad
    apply: Any = _TokenLogprobs.apply
    out = apply(hidden, head, targets, temperature, keep, entropy)
    return out[0], out[1]


def _chunks(rows: int, vocabulary: int) -> list[slice]:
    size = max(1, CHUNK_ELEMENTS // vocabulary)
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]


def _probabilities(
    hidden: torch.Tensor, head: torch.Tensor, targets: torch.Tensor, temperature: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    logits = F.linear(hidden, head).float()
    if temperature != 1.0:
        logits.div_(temperature)
    logits.sub_(logits.amax(-1, keepdim=True))
    at_target = logits.gather(1, targets[:, None])[:, 0]
    p = logits.exp()
    total = p.sum(-1)
    log_total = total.log()
    # entropy = log Z - sum p·logit, both relative to the row's largest logit
    expected = torch.linalg.vecdot(p, logits) / total
    p.div_(total[:, None])
    return p, at_target - log_total, log_total - expected
