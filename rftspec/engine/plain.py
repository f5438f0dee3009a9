"""The path of any architecture: the transformers module with its own cache, padded batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rftspec.engine.adapter import switched_off
from rftspec.engine.learner import Scored
from rftspec.engine.packing import Work, token_facts
from rftspec.engine.sampler import OnGroup, Sampled, Sampling, draw

_ROWS = 128


class PlainSampler:
    """Draws completions in lock-step: a prompt is computed once, ended rows leave at times."""

    def __init__(self, wrapped: Any) -> None:
        self.wrapped = wrapped
        self.device = next(wrapped.parameters()).device

    @torch.no_grad()
    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        noise: NDArray[np.float64],
        how: Sampling,
        on_finished: Callable[[int], None] | None = None,
        on_group: OnGroup | None = None,
    ) -> list[Sampled]:
        """`how.samples` completions of each prompt, in order; noise [prompts × samples, tokens]."""
        at_once = max(1, _ROWS // how.samples)
        out: list[Sampled] = []
        with switched_off(self.wrapped, not how.tuned):
            for start in range(0, len(prompts), at_once):
                part = prompts[start : start + at_once]
                rows = slice(start * how.samples, (start + len(part)) * how.samples)
                out += self._batch(part, torch.from_numpy(noise[rows]).float(), how)
                if on_finished is not None:
                    on_finished(len(part) * how.samples)
                for place in range(start, start + len(part)) if on_group is not None else ():
                    done = out[place * how.samples : (place + 1) * how.samples]
                    on_group(place, done)  # type: ignore[misc]
        return out

    def _batch(
        self, prompts: Sequence[Sequence[int]], noise: torch.Tensor, how: Sampling
    ) -> list[Sampled]:
        noise = noise.clamp_(max=1 - 2**-24).to(self.device)  # fp32 rounding must not reach 1
        jobs = len(prompts) * how.samples
        state = _Running(self.wrapped, prompts, how.samples)
        stop = torch.tensor(how.stop, dtype=torch.long, device=self.device)
        drawn = torch.zeros(jobs, how.max_tokens, dtype=torch.long, device=self.device)
        logprobs = torch.zeros(jobs, how.max_tokens, device=self.device)
        lengths = torch.full((jobs,), how.max_tokens, device=self.device)
        stopped = torch.zeros(jobs, dtype=torch.bool, device=self.device)
        for at in range(how.max_tokens):
            live = state.live
            token, logprob = draw(state.logits, noise[live, at], how.temperature)
            drawn[live, at], logprobs[live, at] = token, logprob
            ended = torch.isin(token, stop)
            lengths[live[ended]] = at + 1
            stopped[live[ended]] = True
            if at + 1 == how.max_tokens or bool(ended.all()):
                break
            state.advance(token, ended)
        return [
            Sampled(drawn[j, :n].cpu().numpy(), logprobs[j, :n].cpu().numpy(), bool(stopped[j]))
            for j, n in enumerate(lengths.tolist())
        ]


class _Running:
    """Rows that are being decoded: their cache, and the logits of their next token."""

    def __init__(self, wrapped: Any, prompts: Sequence[Sequence[int]], samples: int) -> None:
        from transformers import DynamicCache

        self.wrapped = wrapped
        self.cache = DynamicCache(config=wrapped.get_base_model().config)
        tokens, mask = _left_padded(prompts, next(wrapped.parameters()).device)
        positions = (mask.cumsum(1) - 1).clamp_(min=0)
        logits = self._forward(tokens, mask, positions)
        self.cache.batch_repeat_interleave(samples)
        self.logits = logits.repeat_interleave(samples, 0)
        self.mask = mask.repeat_interleave(samples, 0)
        self.position = positions[:, -1].repeat_interleave(samples, 0)
        self.live = torch.arange(self.mask.shape[0], device=mask.device)

    def advance(self, token: torch.Tensor, ended: torch.Tensor) -> None:
        """Take one token per row, leave ended rows out, and compute the next logits."""
        if bool(ended.any()):
            keep = (~ended).nonzero().flatten()
            self.cache.batch_select_indices(keep)
            self.live, token = self.live[keep], token[keep]
            self.mask, self.position = self.mask[keep], self.position[keep]
        self.mask = torch.cat([self.mask, self.mask.new_ones(self.mask.shape[0], 1)], 1)
        self.position = self.position + 1
        self.logits = self._forward(token[:, None], self.mask, self.position[:, None])

    def _forward(
        self, tokens: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor
    ) -> torch.Tensor:
        out = self.wrapped(
            input_ids=tokens, attention_mask=mask, position_ids=positions,
            past_key_values=self.cache, use_cache=True, logits_to_keep=1,
        )  # fmt: skip
        logits: torch.Tensor = out.logits[:, -1].float()
        return logits


class PlainScorer:
    """Log-probabilities through the transformers module on left-padded rows."""

    def __init__(self, wrapped: Any, temperature: float) -> None:
        self.wrapped = wrapped
        self.temperature = temperature
        self.device = next(wrapped.parameters()).device

    def score(self, batch: Sequence[Work], *, tuned: bool, entropy: bool = False) -> Scored:
        """Log-probabilities of every completion token of a micro-batch."""
        pairs = [(w.prompt.tokens, c) for w in batch for c in w.completions]
        widest = max(len(c.tokens) for _, c in pairs)
        prompts, mask = _left_padded([p for p, _ in pairs], self.device)
        answers = torch.zeros(len(pairs), widest, dtype=torch.long, device=self.device)
        real = torch.zeros(len(pairs), widest, dtype=torch.bool, device=self.device)
        for i, (_, completion) in enumerate(pairs):
            n = len(completion.tokens)
            answers[i, :n] = torch.tensor(completion.tokens)
            real[i, :n] = True
        mask = torch.cat([mask, real.long()], 1)
        with switched_off(self.wrapped, not tuned):
            logits = self.wrapped(
                input_ids=torch.cat([prompts, answers], 1),
                attention_mask=mask,
                position_ids=(mask.cumsum(1) - 1).clamp(min=0),
                use_cache=False,
                logits_to_keep=widest + 1,
            ).logits[:, :-1]
        logits = logits[real].float()
        if self.temperature != 1.0:
            logits = logits / self.temperature
        log_p = logits.log_softmax(-1)
        told = log_p if entropy else log_p.detach()
        return Scored(
            logprobs=log_p.gather(1, answers[real][:, None])[:, 0],
            entropies=-(told.exp() * told).sum(-1),
            facts=token_facts(batch, self.device),
        )


def _left_padded(
    rows: Sequence[Sequence[int]], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """(tokens, mask) of rows aligned at their ends; a pad is token 0 and masked."""
    width = max(map(len, rows))
    tokens = torch.tensor([[*[0] * (width - len(r)), *r] for r in rows], device=device)
    mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows], device=device)
    return tokens, mask
