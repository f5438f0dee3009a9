"""Continuous batching over the lean decoder: prompts once per group, rows leave as they end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from rftspec.engine.keyvalues import KeyValues
from rftspec.engine.lean import Decoder, Layer, rotate

_CPU_ROWS = 256
_CUDA_ROWS = 512
_PREFILL_TOKENS = 8192


@dataclass(frozen=True, slots=True)
class Sampled:
    """The tokens of one completion and their log-probabilities, as they were drawn."""

    tokens: NDArray[np.int64]
    logprobs: NDArray[np.float32]
    stopped: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw: everything but the prompts."""

    samples: int
    temperature: float
    max_tokens: int
    stop: tuple[int, ...]
    tuned: bool


OnGroup = Callable[[int, list[Sampled]], None]
"""Takes the place of a prompt and its completions."""


class LeanSampler:
    """Draws completions from a decoder; the schedule depends on the prompts and results only."""

    def __init__(self, decoder: Decoder, *, kv_budget_bytes: int) -> None:
        self.decoder = decoder
        self._budget = kv_budget_bytes

    @torch.no_grad()
    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        noise: NDArray[np.float64],
        how: Sampling,
        on_finished: Callable[[int], None] | None = None,
        on_group: OnGroup | None = None,
    ) -> list[Sampled]:
        """`how.samples` completions of each prompt, in order; noise [prompts × samples, tokens].

        `on_finished` is told how many completions ended, after each decoding step that ended any;
        `on_group` gets a prompt's completions when the last of them has ended.
        """
        self.decoder.freeze_for_sampling(how.tuned)
        rows = self._rows(prompts, how)
        return _Session(self.decoder, prompts, noise, how, rows).run(on_finished, on_group)

    def _rows(self, prompts: Sequence[Sequence[int]], how: Sampling) -> int:
        """Rows decoded at once: as many as the buffers' budget holds, whole groups."""
        per_row = how.max_tokens + max(map(len, prompts)) * 2 / how.samples
        fit = int(self._budget / (per_row * self.decoder.kv_bytes_per_token))
        limit = _CPU_ROWS if self.decoder.device.type == "cpu" else _CUDA_ROWS
        groups = max(1, min(fit, limit, len(prompts) * how.samples) // how.samples)
        return groups * how.samples


class _Session:
    """One call of `sample`: waiting prompts, running rows, finished completions."""

    def __init__(
        self,
        decoder: Decoder,
        prompts: Sequence[Sequence[int]],
        noise: NDArray[np.float64],
        how: Sampling,
        rows: int,
    ) -> None:
        self.decoder, self.prompts, self.how, self.rows = decoder, prompts, how, rows
        device = decoder.device
        longest = max(map(len, prompts))
        groups = rows // how.samples
        self.lane_limit = min(len(prompts), 2 * groups)
        self.kv = KeyValues(
            decoder,
            rows=rows,
            lanes=self.lane_limit,
            group=how.samples,
            prompt=max(1, longest - 1),
            own=how.max_tokens,
        )
        jobs = len(prompts) * how.samples
        self.noise = torch.from_numpy(noise).to(device, torch.float32)
        self.noise.clamp_(max=1 - 2**-24)  # rounding to fp32 must not reach 1
        self.tokens = torch.zeros(jobs, how.max_tokens, dtype=torch.long, device=device)
        self.logprobs = torch.zeros(jobs, how.max_tokens, device=device)
        self.lengths = torch.zeros(jobs, dtype=torch.long, device=device)
        self.stopped = torch.zeros(jobs, dtype=torch.bool, device=device)
        self.job_R = torch.zeros(rows, dtype=torch.long, device=device)
        self.last_R = torch.zeros_like(self.job_R)
        self.position_R = torch.zeros_like(self.job_R)
        self.stop = torch.tensor(how.stop, dtype=torch.long, device=device)
        self.cos, self.sin = decoder.rotations(longest + how.max_tokens)
        self.waiting = 0

    def run(
        self, on_finished: Callable[[int], None] | None, on_group: OnGroup | None
    ) -> list[Sampled]:
        """Decode until every prompt has its completions."""
        running = [self.how.samples] * len(self.prompts)
        while self.waiting < len(self.prompts) or self.kv.rows:
            self._admit()
            ended = self._step()
            if ended and on_finished is not None:
                on_finished(len(ended))
            for job in ended if on_group is not None else ():
                prompt = job // self.how.samples
                running[prompt] -= 1
                if not running[prompt] and on_group is not None:
                    on_group(prompt, self._sampled(prompt, prompt + 1))
        return self._sampled(0, len(self.prompts))

    def _sampled(self, start: int, stop: int) -> list[Sampled]:
        """The completions of prompts that have ended."""
        jobs = slice(start * self.how.samples, stop * self.how.samples)
        tokens, logprobs = self.tokens[jobs].cpu().numpy(), self.logprobs[jobs].cpu().numpy()
        lengths, stopped = self.lengths[jobs].tolist(), self.stopped[jobs].tolist()
        return [
            Sampled(tokens[j, :n].copy(), logprobs[j, :n].copy(), s)
            for j, (n, s) in enumerate(zip(lengths, stopped, strict=True))
        ]

    def _admit(self) -> None:
        """Fill free rows with waiting prompts, several at a time so that prefill is batched."""
        group = self.how.samples
        room = (self.rows - self.kv.rows) // group
        room = min(room, self.lane_limit - self.kv.lanes, len(self.prompts) - self.waiting)
        enough = min(max(1, self.rows // group // 8), len(self.prompts) - self.waiting)
        if room < max(1, enough) and self.kv.rows:
            return
        while room > 0:
            chunk = self._chunk(room)
            self._prefill(chunk)
            room -= len(chunk)

    def _chunk(self, room: int) -> range:
        """The next waiting prompts, at most `room`, within the prefill's token budget."""
        stop, widest = self.waiting, 0
        while stop < self.waiting + room:
            widest = max(widest, len(self.prompts[stop]))
            if stop > self.waiting and widest * (stop + 1 - self.waiting) > _PREFILL_TOKENS:
                break
            stop += 1
        return range(self.waiting, stop)

    def _prefill(self, chunk: range) -> None:
        """Keys and values of all but the last token of each prompt; the last one is decoded."""
        device, group = self.decoder.device, self.how.samples
        parts = [self.prompts[i] for i in chunk]
        lengths = torch.tensor([len(p) - 1 for p in parts], device=device)
        first = self.kv.rows
        lanes = self.kv.admit(lengths)
        width = int(lengths.max())
        if width:
            padded = torch.tensor(
                [[*p[:-1], *[0] * (width + 1 - len(p))] for p in parts], device=device
            )
            self._prefill_layers(padded, lanes)
        rows = slice(first, self.kv.rows)
        start = chunk.start * group
        self.job_R[rows] = torch.arange(start, start + len(chunk) * group, device=device)
        last = torch.tensor([p[-1] for p in parts], device=device)
        self.last_R[rows] = last.repeat_interleave(group)
        self.position_R[rows] = lengths.repeat_interleave(group)
        self.waiting = chunk.stop

    def _prefill_layers(self, tokens: torch.Tensor, lanes: slice) -> None:
        d = self.decoder
        n, width = tokens.shape
        cos, sin = self.cos[:width, None], self.sin[:width, None]
        x = d.embedding[tokens].view(n * width, -1)
        for index, layer in enumerate(d.layers):
            q, k, v = _heads(d, layer, d.rms(x, layer.norm_in), (n, width), cos, sin)
            self.kv.prompt_k[index, lanes, :, :width] = k.transpose(1, 2)
            self.kv.prompt_v[index, lanes, :, :width] = v.transpose(1, 2)
            if index + 1 == len(d.layers):
                return  # what follows the last keys and values is of no use
            attended = F.scaled_dot_product_attention(
                q.transpose(1, 2),
                _repeated(k.transpose(1, 2), d.heads),
                _repeated(v.transpose(1, 2), d.heads),
                is_causal=True,
                scale=d.scale,
            )
            x = x + layer.out.infer(attended.transpose(1, 2).reshape(n * width, -1))
            x = x + _mlp(d, layer, x)

    def _step(self) -> list[int]:
        """One token for every running row; gives the completions that ended."""
        rows = slice(0, self.kv.rows)
        logits = self._forward(rows)
        jobs, at = self.job_R[rows].clone(), self.kv.own_R[rows].clone()
        token, logprob = draw(logits, self.noise[jobs, at], self.how.temperature)
        self.kv.end_step()
        self.tokens[jobs, at] = token
        self.logprobs[jobs, at] = logprob
        self.last_R[rows] = token
        self.position_R[rows] += 1
        stopped = torch.isin(token, self.stop)
        ended = stopped | (at + 1 >= self.how.max_tokens)
        done = jobs[ended]
        if len(done):
            self.lengths[done] = at[ended] + 1
            self.stopped[done] = stopped[ended]
            holes, movers = self.kv.drop(ended)
            for index in (self.job_R, self.last_R, self.position_R):
                index[holes] = index[movers]
        found: list[int] = done.tolist()
        return found

    def _forward(self, rows: slice) -> torch.Tensor:
        """Logits of the next token of every running row; [rows, vocabulary]."""
        d = self.decoder
        self.kv.begin_step()
        position = self.position_R[rows]
        cos, sin = self.cos[position, None], self.sin[position, None]
        x = d.embedding[self.last_R[rows]]
        for index, layer in enumerate(d.layers):
            q, k, v = _heads(d, layer, d.rms(x, layer.norm_in), (x.shape[0],), cos, sin)
            x = x + layer.out.infer(self.kv.attend(index, q, k, v))
            x = x + _mlp(d, layer, x)
        return F.linear(d.rms(x, d.norm), d.head).float()


def draw(
    logits: torch.Tensor, noise: torch.Tensor, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """One token per row by inverse CDF, with its log-probability at this temperature.

    At temperature 0 it is the most likely token, and the log-probability that of temperature 1.
    `logits` [rows, vocabulary] are overwritten.
    """
    greedy = temperature <= 0.0
    if not greedy and temperature != 1.0:
        logits.div_(temperature)
    logits.sub_(logits.amax(-1, keepdim=True))
    weights = logits.exp()
    if greedy:
        token = logits.argmax(-1, keepdim=True)
        total = weights.sum(-1, keepdim=True)
    else:
        below = weights.cumsum(-1)
        total = below[:, -1:].contiguous()
        token = torch.searchsorted(below, noise[:, None] * total, right=True)
        token.clamp_(max=logits.shape[-1] - 1)
    logprob = logits.gather(-1, token) - total.log()
    return token[:, 0], logprob[:, 0]


def _heads(
    d: Decoder,
    layer: Layer,
    x: torch.Tensor,
    shape: tuple[int, ...],
    cos: torch.Tensor,
    sin: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rotated queries and keys, and values, of x [rows, hidden]; each [*shape, heads, dim]."""
    qkv = layer.qkv.infer(x).view(*shape, d.heads + 2 * d.kv_heads, d.head_dim)
    q, k, v = qkv.split_with_sizes([d.heads, d.kv_heads, d.kv_heads], -2)
    if layer.norm_q is not None and layer.norm_k is not None:
        return rotate(d.rms(q, layer.norm_q), cos, sin), rotate(d.rms(k, layer.norm_k), cos, sin), v
    turned = rotate(qkv[..., : d.heads + d.kv_heads, :], cos, sin)
    q, k = turned.split_with_sizes([d.heads, d.kv_heads], -2)
    return q, k, v


def _mlp(d: Decoder, layer: Layer, x: torch.Tensor) -> torch.Tensor:
    gate, up = layer.gate_up.infer(d.rms(x, layer.norm_mlp)).chunk(2, dim=-1)
    return layer.down.infer(F.silu(gate).mul_(up))


def _repeated(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Keys or values [n, kv_heads, tokens, dim] for every query head."""
    times = heads // x.shape[1]
    return x if times == 1 else x.repeat_interleave(times, dim=1)
