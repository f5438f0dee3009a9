"""What a run needs at most, before it runs: completions, tokens, memory by part, time.

Estimates, to be shown as such. Everything here follows from the plan and the model's shape by
arithmetic that a person can redo; nothing is measured, and every completion is taken to be as long
as it may be. Memory is the peak of the training step with one micro-batch of
`MICRO_TOKENS` tokens, gradient checkpointing off; the engine halves its micro-batch when it must.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rftspec.plan.machine import ModelShape, cores, shape_of
from rftspec.plan.model import EvaluatePlan, Plan, SplitPlan
from rftspec.spec.paths import model_folder

CHARACTERS_PER_TOKEN = 4.0
"""Of English text with a common tokenizer."""
MICRO_TOKENS = 4096
NF4_BYTES = 0.53
"""4 bits a weight, and a scale for each block of 64 that is itself quantised (QLoRA)."""
CPU_FLOPS_PER_CORE = 4e10
GPU_FLOPS = 5e13
"""Sustained, not peak: sampling one token at a time is far from a card's peak."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is sampled and learnt from."""

    rollouts: int
    """Completions for training."""
    evaluations: int
    """Completions for base, between, end and votes."""
    tokens: int
    """Most tokens that can be sampled: every completion at its limit."""
    prompt_tokens: int
    """Tokens of all prompts that are read, by characters over four."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the memory."""

    name: str
    bytes: int
    how: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """Counts, memory by part, and seconds; `seconds` and `memory` are None without a shape."""

    counts: Counts
    adapter_weights: int | None
    memory: tuple[Part, ...] | None
    seconds: float | None

    @property
    def bytes(self) -> int | None:
        """All parts together."""
        return None if self.memory is None else sum(part.bytes for part in self.memory)


def estimate_for(plan: Plan, *, gpu: bool = False) -> Estimate:
    """Estimate a plan on this machine; prompts are taken to be as long as the file's lines."""
    folder = model_folder(plan.model.base, Path("/"))
    train, validation = plan.data.train, plan.data.validation
    rows = train.rows
    if validation is not None and validation.path == train.path:
        rows += validation.rows
    try:
        characters = Path(train.path).stat().st_size / max(1, rows)
    except OSError:
        characters = 0.0
    shape = shape_of(plan.model.base, folder)
    return estimate(plan, shape, mean_prompt_characters=characters, cores=cores(), gpu=gpu)


def estimate(
    plan: Plan, shape: ModelShape | None, *, mean_prompt_characters: float, cores: int, gpu: bool
) -> Estimate:
    """Estimate a plan. `mean_prompt_characters` comes from the walk over the rows."""
    counts = count(plan, mean_prompt_characters)
    if shape is None:
        return Estimate(counts, None, None, None)
    weights = plan.model.lora_rank * shape.linear_inputs
    memory = _memory(plan, shape, weights)
    flops = 2 * shape.parameters * (counts.tokens + counts.prompt_tokens)
    # Learning reads each rollout forward and backward: three times the forward pass.
    learnt = counts.rollouts * plan.response.max_tokens
    flops += 6 * shape.parameters * learnt
    rate = GPU_FLOPS if gpu else CPU_FLOPS_PER_CORE * cores
    return Estimate(counts, weights, memory, flops / rate)


def count(plan: Plan, mean_prompt_characters: float) -> Counts:
    """Completions and tokens of a plan."""
    train = plan.train
    groups = train.steps * train.prompts_per_step
    rollouts = groups * train.samples_per_prompt
    evaluations, prompts = _evaluations(plan)
    prompt_tokens = (groups + prompts) * mean_prompt_characters / CHARACTERS_PER_TOKEN
    return Counts(
        rollouts=rollouts,
        evaluations=evaluations,
        tokens=(rollouts + evaluations) * plan.response.max_tokens,
        prompt_tokens=round(prompt_tokens),
    )


def _evaluations(plan: Plan) -> tuple[int, int]:
    """Completions of all evaluations, and the prompts that are read for them."""
    evaluate: EvaluatePlan = plan.evaluate
    validation, test = _rows(plan.data.validation), _rows(plan.data.test)
    full = validation + test
    between = max(0, (plan.train.steps - 1) // evaluate.every)
    completions = 2 * full * evaluate.samples + between * validation * evaluate.samples_between
    headline = test or validation
    completions += sum(reference.samples * headline for reference in evaluate.references)
    prompts = 2 * full + between * validation
    prompts += sum(headline for reference in evaluate.references if reference.samples)
    return completions, prompts


def _rows(split: SplitPlan | None) -> int:
    return 0 if split is None else split.rows


def _memory(plan: Plan, shape: ModelShape, weights: int) -> tuple[Part, ...]:
    width = shape.hidden
    embeddings = shape.vocabulary * width
    linear = max(0, shape.parameters - embeddings)
    nf4 = plan.model.quantization == "nf4"
    base = round(linear * NF4_BYTES) + 2 * embeddings if nf4 else 2 * shape.parameters
    group = plan.train.prompts_per_step * plan.train.samples_per_prompt
    cache = 2 * 2 * shape.layers * shape.key_values * group * plan.response.max_tokens
    # Per token and layer about 16 widths of 2 bytes are kept for the backward pass.
    activations = 32 * MICRO_TOKENS * width * shape.layers
    logits = 4 * 2 * 1024 * shape.vocabulary
    return (
        Part("base", base, "NF4, embeddings in 16 bits" if nf4 else "16 bits a weight"),
        Part("adapter", 4 * weights, f"{weights:,} weights in 32 bits"),
        Part("optimizer", 12 * weights, "gradient and AdamW's two moments in 32 bits"),
        Part("kv cache", cache, f"{group} completions of {plan.response.max_tokens} tokens"),
        Part("activations", activations, f"a micro-batch of {MICRO_TOKENS} tokens"),
        Part("logits", logits, "1,024 tokens at a time, values and gradient"),
    )
