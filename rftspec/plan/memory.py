"""How much memory a run needs at its peak, by part, from the model's shape.

Arithmetic that a person can redo; docs/plan.md has each formula with its source. Sampling and
learning take turns, so that only the larger of the two counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rftspec.plan.device import Device
from rftspec.plan.machine import ModelShape
from rftspec.plan.model import Plan

LEAN = frozenset({"", "llama", "qwen2", "qwen3", "mistral"})
"""Families that the engine's own decoder covers; "" is a model whose config is not known yet."""
NF4_BYTES = 0.53
"""4 bits a weight, and a scale for each block of 64 that is itself quantised (QLoRA)."""
CPU_ROWS, CUDA_ROWS, PLAIN_ROWS = 256, 512, 128
"""Completions that are decoded at once, at most."""
CPU_TOKENS, CUDA_TOKENS, PLAIN_TOKENS = 2048, 16384, 4096
"""Tokens of a micro-batch."""
CPU_CACHE = 1 << 30
CUDA_CACHE_SHARE = 0.4
COPY_SHARE = 0.4
"""Of the card's free memory: a 16-bit copy of an NF4 base is held if it takes less."""
KEPT_LOGITS, CHUNK_LOGITS = 1 << 25, 1 << 22
"""Probabilities that are kept for the backward pass, and logits that are made at once."""
CPU_RUNTIME, CUDA_RUNTIME = 560 << 20, 600 << 20
"""Python, torch and the libraries; on a card its context and the libraries' workspaces."""

When = Literal["always", "sampling", "learning"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the memory."""

    name: str
    bytes: int
    how: str
    when: When = "always"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"name": self.name, "bytes": self.bytes, "how": self.how, "when": self.when}


@dataclass(frozen=True, slots=True)
class Prompts:
    """What the memory needs to know of the prompts, in tokens."""

    mean: float
    longest: int


def peak(parts: tuple[Part, ...]) -> int:
    """The most that is needed at one time."""
    sums = dict.fromkeys(("always", "sampling", "learning"), 0)
    for part in parts:
        sums[part.when] += part.bytes
    return sums["always"] + max(sums["sampling"], sums["learning"])


def is_lean(plan: Plan, shape: ModelShape, device: Device) -> bool:
    """Whether the engine's own decoder is taken, and not transformers' module."""
    if shape.family not in LEAN:
        return False
    return device.kind == "cpu" or plan.model.quantization == "none" or _copy_fits(shape, device)


def memory_parts(
    plan: Plan, shape: ModelShape, device: Device, prompts: Prompts
) -> tuple[Part, ...]:
    """Every part of a run's memory."""
    weights = plan.model.lora_rank * shape.linear_inputs
    runtime = CPU_RUNTIME if device.kind == "cpu" else CUDA_RUNTIME
    return (
        Part("runtime", runtime, "Python, torch and the libraries"),
        _base(plan, shape, device),
        Part("adapter", 4 * weights, f"{weights:,} weights × 4 bytes"),
        _optimizer(plan, weights),
        _cache(plan, shape, device, prompts),
        _sampling_logits(plan, shape, device),
        _activations(plan, shape, device, prompts),
        _learning_logits(plan, shape, device),
    )


def _optimizer(plan: Plan, weights: int) -> Part:
    if plan.train.optimizer == "adamw_8bit":
        return Part("optimizer", 6 * weights, "gradient × 4 bytes, two 8-bit moments")
    return Part("optimizer", 12 * weights, "gradient and AdamW's two moments, × 12 bytes")


def _width(device: Device) -> int:
    """Bytes of a number that is computed with: fp32 on a CPU, bfloat16 on a card."""
    return 4 if device.kind == "cpu" else 2


def _linear(shape: ModelShape) -> int:
    return max(0, shape.parameters - shape.vocabulary * shape.hidden)


def _copy_fits(shape: ModelShape, device: Device) -> bool:
    return device.free is None or 2 * _linear(shape) < COPY_SHARE * device.free


def _base(plan: Plan, shape: ModelShape, device: Device) -> Part:
    size = _width(device)
    if plan.model.quantization == "none":
        told = f"{shape.parameters / 1e6:,.1f} M weights × {size} bytes"
        return Part("base", size * shape.parameters, told)
    if device.kind == "cuda" and not _copy_fits(shape, device):
        embeddings = shape.parameters - _linear(shape)
        told = f"NF4, {NF4_BYTES} bytes a weight; embeddings × {size} bytes"
        return Part("base", round(NF4_BYTES * _linear(shape)) + size * embeddings, told)
    told = f"{shape.parameters / 1e6:,.1f} M weights, the NF4 values held in {8 * size} bits"
    return Part("base", size * shape.parameters, told)


def rows_at_once(plan: Plan, shape: ModelShape, device: Device, prompts: Prompts) -> int:
    """Completions that are decoded at the same time in a training step, whole groups."""
    samples = plan.train.samples_per_prompt
    wanted = plan.train.prompts_per_step * samples
    if not is_lean(plan, shape, device):
        return min(wanted, max(1, PLAIN_ROWS // samples) * samples)
    budget = CPU_CACHE if device.kind == "cpu" else CUDA_CACHE_SHARE * (device.free or 1 << 34)
    a_row = plan.response.max_tokens + 2 * prompts.longest / samples
    fit = int(budget / (a_row * _cache_bytes(shape, device)))
    limit = CPU_ROWS if device.kind == "cpu" else CUDA_ROWS
    return max(1, min(fit, limit, wanted) // samples) * samples


def _cache_bytes(shape: ModelShape, device: Device) -> int:
    """Keys and values of one token in all layers."""
    return 2 * shape.layers * shape.key_values * _width(device)


def _cache(plan: Plan, shape: ModelShape, device: Device, prompts: Prompts) -> Part:
    samples = plan.train.samples_per_prompt
    rows = rows_at_once(plan, shape, device, prompts)
    lanes = min(plan.train.prompts_per_step, 2 * (rows // samples))
    a_token = _cache_bytes(shape, device)
    if not is_lean(plan, shape, device):
        lanes = rows  # each completion has its own copy of the prompt
    found = a_token * (rows * plan.response.max_tokens + lanes * prompts.longest)
    told = (
        f"{rows} answers × {plan.response.max_tokens} tokens, {lanes} prompts × {prompts.longest}"
    )
    return Part("kv cache", found, f"({told}) × {a_token:,} bytes", "sampling")


def _sampling_logits(plan: Plan, shape: ModelShape, device: Device) -> Part:
    rows = rows_at_once(plan, shape, device, Prompts(0, 0))
    told = f"{rows} rows × {shape.vocabulary:,} × 12 bytes"
    return Part("sampling logits", 12 * rows * shape.vocabulary, told, "sampling")


def micro_tokens(plan: Plan, shape: ModelShape, device: Device, prompts: Prompts) -> int:
    """Tokens of the largest micro-batch, every answer as long as it may be."""
    budget = PLAIN_TOKENS
    if is_lean(plan, shape, device):
        budget = CPU_TOKENS if device.kind == "cpu" else CUDA_TOKENS
    answers = plan.train.samples_per_prompt * plan.response.max_tokens
    step = plan.train.prompts_per_step * (prompts.longest + answers)
    alone = prompts.longest + plan.response.max_tokens  # a row is never divided
    return max(min(budget, step), alone)


def _activations(plan: Plan, shape: ModelShape, device: Device, prompts: Prompts) -> Part:
    """What the backward pass needs: no gradient checkpointing.

    A token keeps, in each layer, 4 hidden states, 4 of the queries' width and 3 of the
    feed-forward's; a completion keeps the keys and values of its prompt and its own, repeated to
    the queries' width.
    """
    tokens = micro_tokens(plan, shape, device, prompts)
    query, inner = shape.query or shape.hidden, shape.inner or 4 * shape.hidden
    kept = 4 * shape.hidden + 4 * query + 3 * inner
    group = prompts.longest / plan.train.samples_per_prompt + plan.response.max_tokens
    answers = max(1, round(tokens / group))
    attended = answers * (prompts.longest + plan.response.max_tokens)
    found = shape.layers * _width(device) * (tokens * kept + 2 * attended * query)
    told = f"a micro-batch of {tokens:,} tokens × {shape.layers} layers × {kept:,} numbers"
    return Part("activations", found, f"{told}, and attention", "learning")


def _learning_logits(plan: Plan, shape: ModelShape, device: Device) -> Part:
    tokens = micro_tokens(plan, shape, device, Prompts(0, 0))
    whole = tokens * shape.vocabulary
    if not is_lean(plan, shape, device):
        told = f"{tokens:,} tokens × {shape.vocabulary:,} × 14 bytes"
        return Part("learning logits", 14 * whole, told, "learning")
    found = 4 * min(whole, KEPT_LOGITS) + 12 * min(whole, CHUNK_LOGITS)
    return Part("learning logits", found, "in chunks, never all at once", "learning")
