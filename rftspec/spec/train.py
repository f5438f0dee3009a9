"""The `train:` section of a spec: how rewards become updates."""

# ruff: noqa: RUF009 - `setting` makes a dataclasses.field

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rftspec.spec import fragments
from rftspec.spec.algorithms import ALGORITHMS, Overlong, Scale
from rftspec.spec.fields import setting

Estimator = Literal["k1", "k2", "k3"]
Schedule = Literal["constant", "linear", "cosine"]
Optimizer = Literal["adamw", "adamw_8bit"]
Correction = Literal["truncate", "mask", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Bounds of the probability ratio between the trained and the sampling policy."""

    low: float | None = setting(
        "A ratio below 1 − low is clipped (ε low).",
        default=None,
        reason="the algorithm's own",
        example=0.2,
        exclusive_minimum=0,
        maximum=1,
    )
    high: float | None = setting(
        "A ratio above 1 + high is clipped (ε high).",
        default=None,
        reason="the algorithm's own",
        example=0.28,
        exclusive_minimum=0,
        maximum=1000,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kl:
    """The divergence from the base model: its weight and how it is estimated."""

    coef: float = setting(
        "Weight of the divergence (β).",
        example=0.001,
        minimum=0,
        maximum=10,
    )
    estimator: Estimator | None = setting(
        "Estimate of each token's divergence: k1 (log-ratio), k2 (half its square) or k3 "
        "(exp(−d) + d − 1); http://joschu.net/blog/kl-approx.html.",
        default=None,
        reason="k3 in the loss; k1 where the algorithm takes it off the reward",
        example="k3",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DownWeight:
    """Groups that nearly all pass, or nearly all fail, count less."""

    weight: float = setting(
        "What such a group's advantages are multiplied by.",
        default=0.5,
        reason="half: they are kept, and they do not lead",
        minimum=0,
        exclusive_maximum=1,
    )
    easy: float = setting(
        "Share of passing completions from which on a group is easy.",
        default=0.9,
        reason="prompts solved nine times in ten teach little more (ScaleRL)",
        exclusive_minimum=0,
        maximum=1,
    )
    hard: float = setting(
        "Share of passing completions up to which a group is hard.",
        default=0.0,
        reason="only where none passes: a rare success is the signal that a hard row has",
        minimum=0,
        exclusive_maximum=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """Stop when the validation reward no longer rises."""

    patience: int = setting(
        "Evaluations without a new best after which training ends.",
        example=3,
        minimum=1,
        maximum=1000,
    )
    min_delta: float = setting(
        "What an evaluation must be better by to count as a new best.",
        default=0.0,
        reason="any rise counts",
        minimum=0,
        maximum=1e9,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """The optimisation."""

    algorithm: str = setting(
        "How rewards become updates.",
        default="grpo",
        reason="group-relative advantages need no value model (DeepSeekMath)",
        enum=list(ALGORITHMS),
    )
    steps: int | None = setting(
        "Optimiser steps.",
        default=None,
        reason="three epochs, at least 60 and at most 300 steps",
        example=60,
        minimum=1,
        maximum=100_000,
    )
    epochs: float | None = setting(
        "Passes over the training rows, instead of `steps`.",
        default=None,
        example=3,
        exclusive_minimum=0,
        maximum=1000,
    )
    prompts_per_step: int | None = setting(
        "Rows drawn for one step.",
        default=None,
        reason="16; 8 or fewer where there are fewer than 64 rows",
        example=16,
        minimum=1,
        maximum=4096,
    )
    samples_per_prompt: int | None = setting(
        "Completions sampled for each prompt: the group that advantages are relative to.",
        default=None,
        reason="8; 16 where there are fewer than 64 rows",
        example=8,
        minimum=2,
        maximum=1024,
    )
    updates_per_batch: int = setting(
        "Optimiser updates from one step's completions, each on its share of the groups. Beyond "
        "the first the policy is no longer the one that sampled: the ratio of both is clipped.",
        default=1,
        reason="on-policy: no ratio, nothing to clip",
        minimum=1,
        maximum=64,
    )
    learning_rate: float | Literal["auto"] = setting(
        "AdamW's step size, or `auto`: from the model's size and the batch.",
        default="auto",
        reason="5e-5 at 1.5 B parameters, falling with the model's size",
        replace=fragments.LEARNING_RATE,
    )
    schedule: Schedule = setting(
        "How the learning rate goes on after the warm-up: `constant`, or down to zero at the last "
        "step, `linear` or along a `cosine`.",
        default="constant",
        reason="a run may be stopped or prolonged at any step (LoRA Without Regret)",
    )
    warmup_steps: int | None = setting(
        "Steps over which the learning rate rises from zero.",
        default=None,
        reason="5, or a tenth of the steps where that is less",
        example=5,
        minimum=0,
        maximum=100_000,
    )
    optimizer: Optimizer = setting(
        "`adamw`, or `adamw_8bit`: its moments in 8 bits, by bitsandbytes.",
        default="adamw",
        reason="an adapter's moments are small: 8 bits save little and round",
    )
    max_grad_norm: float = setting(
        "The gradient is scaled down to this norm.",
        default=1.0,
        reason="the common value",
        exclusive_minimum=0,
        maximum=1000,
    )
    clip: float | Clip | None = setting(
        "Bounds of the probability ratio: one number for both sides, or "
        "`{ low: 0.2, high: 0.28 }`. It is 1 unless `updates_per_batch` is above 1.",
        default=None,
        reason="the algorithm's own",
        example=0.2,
        exclusive_minimum=0,
        maximum=1,
    )
    kl: float | Kl = setting(
        "Weight of the divergence from the base model (the adapter switched off), or "
        "`{ coef: 0.001, estimator: k3 }`.",
        default=0.0,
        reason="off: it is watched and reported, not paid for (DAPO, Tinker)",
        minimum=0,
        maximum=10,
    )
    entropy_bonus: float = setting(
        "Weight of the entropy of completion tokens, which the loss then rewards.",
        default=0.0,
        reason="off: sampling at temperature 1 explores enough, and a bonus is easily too large",
        minimum=0,
        maximum=1,
    )
    scale_rewards: Scale | None = setting(
        "What advantages are divided by: the standard deviation of rewards in the `group`, in the "
        "`batch`, or `none`.",
        default=None,
        reason="the algorithm's own",
        example="batch",
    )
    overlong: Overlong | None = setting(
        "Completions near or at `response.max_tokens`: `keep` them as they are, `mask` those that "
        "were cut off out of the loss, or `punish` length: the reward falls by up to 1 over the "
        "last `overlong_buffer` tokens (DAPO).",
        default=None,
        reason="`punish` for dapo, else `keep`: the graders see a truncated answer as it is",
        example="mask",
    )
    overlong_buffer: int | None = setting(
        "Tokens before `response.max_tokens` over which `overlong: punish` rises.",
        default=None,
        reason="a fifth of `response.max_tokens` (DAPO)",
        example=100,
        minimum=1,
        maximum=131_072,
    )
    length_penalty: float = setting(
        "Taken off the training reward of a completion of `response.max_tokens`; of a shorter one "
        "in proportion.",
        default=0.0,
        reason="off: a wish for short answers belongs into a grader, where it is seen",
        minimum=0,
        maximum=1e6,
    )
    refill: float | None = setting(
        "Groups whose completions all earn the same are replaced by those of other rows, at most "
        "this many times `prompts_per_step` in a step (dynamic sampling).",
        default=None,
        reason="1 for dapo, else 0: such groups are left out of the update",
        example=1,
        minimum=0,
        maximum=16,
    )
    down_weight: float | DownWeight | None = setting(
        "Weight of groups that nearly all pass or all fail: a number below 1, or "
        "`{ weight: 0.5, easy: 0.9, hard: 0 }`. What passes says `evaluate.metrics`' first bool.",
        default=None,
        reason="off: every group counts the same",
        example=0.5,
        minimum=0,
        exclusive_maximum=1,
    )
    correction: Correction = setting(
        "Where sampler and learner disagree by more than the engine's bound: weight the token by "
        "their ratio, `truncate`d at 2, `mask` completions whose ratio is beyond 2 or 1/2, or "
        "`none`.",
        default="truncate",
        reason="no effect while both agree; unbiased up to the cut where they do not",
    )
    early_stopping: int | EarlyStopping | None = setting(
        "Evaluations without a new best validation reward after which training ends, or "
        "`{ patience: 3, min_delta: 0.01 }`.",
        default=None,
        reason="off: all steps are done",
        example=3,
        minimum=1,
        maximum=1000,
    )
    keep_best: bool = setting(
        "Publish the checkpoint with the highest validation reward; else the last one.",
        default=True,
        reason="the last steps may be worse, and validation rows can tell",
    )
