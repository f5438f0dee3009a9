"""Groups as micro-batches: each prompt once, no padding in the matrix products."""

# ruff: noqa: N815 - names of tensors carry their dimensions

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from rftspec.engine.types import Completion, Prompt

_MASKED = -1e30


def _one(length: int) -> float:
    del length
    return 1.0


@dataclass(frozen=True, slots=True)
class Work:
    """Completions of one prompt with the advantage of each: a group, or a part of one."""

    prompt: Prompt
    completions: tuple[Completion, ...]
    advantages: tuple[NDArray[np.float64], ...]
    """[T] of each completion."""
    weight: Callable[[int], float] = _one
    """The weight of a token in a completion of that many tokens."""

    @property
    def has_signal(self) -> bool:
        """True unless every advantage is exactly zero."""
        return any(bool(np.any(a != 0.0)) for a in self.advantages)

    @property
    def tokens(self) -> int:
        """Rows that it takes: the prompt once, and every completion token."""
        return len(self.prompt.tokens) - 1 + sum(len(c.tokens) for c in self.completions)


def micro_batches(work: Sequence[Work], budget: int) -> list[list[Work]]:
    """Pack work into batches of at most `budget` tokens, the largest first.

    Sorted by size, so that the batch that needs most memory is the first; a group larger than
    the budget is split by completions (its prompt is then computed more than once).
    """
    pieces = [piece for w in work for piece in _split(w, budget)]
    order = sorted(range(len(pieces)), key=lambda i: (-pieces[i].tokens, i))
    batches: list[list[Work]] = []
    room = 0
    for i in order:
        piece = pieces[i]
        if piece.tokens > room or not batches:
            batches.append([])
            room = budget
        batches[-1].append(piece)
        room -= piece.tokens
    return batches


def _split(work: Work, budget: int) -> list[Work]:
    if work.tokens <= budget or len(work.completions) == 1:
        return [work]
    half = len(work.completions) // 2
    parts = [slice(0, half), slice(half, None)]
    return [
        piece
        for p in parts
        for piece in _split(
            replace(work, completions=work.completions[p], advantages=work.advantages[p]), budget
        )
    ]


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What is known of a micro-batch's completion tokens before the model is asked; all [C]."""

    sampled: torch.Tensor
    """Log-probabilities as they were recorded while sampling."""
    advantages: torch.Tensor
    weights: torch.Tensor
    """Each token's weight in the loss, before the division by the batch's counts."""
    completion: torch.Tensor
    """Which completion a token belongs to, counted from 0."""


def token_facts(batch: Sequence[Work], device: torch.device) -> TokenFacts:
    """The facts of all tokens, group by group and completion by completion."""
    done = [c for w in batch for c in w.completions]
    lengths = np.array([len(c.tokens) for c in done])
    weights = np.array([w.weight(len(c.tokens)) for w in batch for c in w.completions])

    def at(array: NDArray[np.generic], dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device, dtype)

    return TokenFacts(
        sampled=at(np.concatenate([c.logprobs for c in done])),
        advantages=at(np.concatenate([a for w in batch for a in w.advantages])),
        weights=at(np.repeat(weights, lengths)),
        completion=at(np.repeat(np.arange(lengths.size), lengths), torch.long),
    )


@dataclass(frozen=True, slots=True)
class Packed:
    """A micro-batch as tensors. Rows are all prompts' tokens, then all completions' inputs.

    A prompt's last token is the first input of each of its completions, so that every completion
    row predicts exactly one target. N prompts, B completions, S prompt rows, C completion rows.
    """

    tokens_T: torch.Tensor
    positions_T: torch.Tensor
    prompt_rows: int
    prompt_width: int
    pad_prompts: torch.Tensor
    """[N × width] row of each padded place."""
    unpad_prompts: torch.Tensor
    """[S] padded place of each row."""
    completion_width: int
    pad_completions: torch.Tensor
    unpad_completions: torch.Tensor
    prompt_of_B: torch.Tensor
    mask: torch.Tensor
    """[B, 1, completion width, prompt width + completion width], added to scores."""
    targets_C: torch.Tensor


def pack(batch: Sequence[Work], device: torch.device) -> Packed:
    """A micro-batch's tensors."""
    heads = [np.asarray(w.prompt.tokens[:-1], dtype=np.int64) for w in batch]
    tails, starts, prompt_of = [], [], []
    for n, w in enumerate(batch):
        for completion in w.completions:
            tails.append(np.asarray([w.prompt.tokens[-1], *completion.tokens], dtype=np.int64))
            starts.append(len(w.prompt.tokens) - 1)
            prompt_of.append(n)
    head_lengths = np.array([h.size for h in heads])
    tail_lengths = np.array([t.size - 1 for t in tails])
    pad_p, unpad_p = _padding(head_lengths)
    pad_c, unpad_c = _padding(tail_lengths)
    positions = [np.arange(h.size) for h in heads]
    positions += [np.arange(s, s + t.size - 1) for s, t in zip(starts, tails, strict=True)]
    mask = _mask(head_lengths[np.array(prompt_of)], tail_lengths)

    def at(array: NDArray[np.generic], dtype: torch.dtype = torch.long) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device, dtype)

    return Packed(
        tokens_T=at(np.concatenate([*heads, *(t[:-1] for t in tails)])),
        positions_T=at(np.concatenate(positions)),
        prompt_rows=int(head_lengths.sum()),
        prompt_width=int(head_lengths.max()),
        pad_prompts=at(pad_p),
        unpad_prompts=at(unpad_p),
        completion_width=int(tail_lengths.max()),
        pad_completions=at(pad_c),
        unpad_completions=at(unpad_c),
        prompt_of_B=at(np.array(prompt_of)),
        mask=at(mask, torch.float32)[:, None],
        targets_C=at(np.concatenate([t[1:] for t in tails])),
    )


def _padding(lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(row of each padded place, padded place of each row); a pad repeats the first row."""
    width = int(lengths.max())
    reach = np.arange(width)[None] < lengths[:, None]
    unpad = np.flatnonzero(reach)
    pad = np.zeros(lengths.size * width, dtype=np.int64)
    pad[unpad] = np.arange(unpad.size)
    return pad, unpad


def _mask(prompts: NDArray[np.int64], tails: NDArray[np.int64]) -> NDArray[np.float32]:
    """What each completion row may not attend to, [B, width, prompt + width]."""
    wide_p, wide = int(prompts.max()), int(tails.max())
    seen_prompt = np.arange(wide_p)[None, None] < prompts[:, None, None]
    causal = np.tril(np.ones((wide, wide), dtype=bool))[None]
    shape = (tails.size, wide)
    seen = np.concatenate(
        [np.broadcast_to(seen_prompt, (*shape, wide_p)), np.broadcast_to(causal, (*shape, wide))],
        axis=2,
    )
    return np.where(seen, np.float32(0), np.float32(_MASKED))
