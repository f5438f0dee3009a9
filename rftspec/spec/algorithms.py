"""The table of algorithms: each a row of (advantage, ratio, clip, aggregation, KL) with its paper.

Plain data: the spec offers the names, the plan fills in what a row says, the engine computes it
(`engine.algorithms` the advantages, `engine.objective` the rest). Adding an algorithm is adding a
row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Baseline = Literal["group", "others", "batch"]
"""What a reward is compared with: the mean of its group, of the group's other completions, or of
the batch's tokens."""

Scale = Literal["group", "batch", "none"]
"""What the difference is divided by: the standard deviation in the group, in the batch, nothing."""

Ratio = Literal["token", "sequence", "geometric"]
"""π_θ / π_old of each token, of the whole completion, or the geometric mean of its tokens'."""

Clip = Literal["surrogate", "weight"]
"""min(ratio·A, clip(ratio)·A), which stops the gradient outside the bounds (PPO), or
clip(ratio)·A·log π with the ratio as a constant weight, which bounds it."""

Aggregation = Literal["token", "constant", "mean", "sum"]
"""How token terms become one loss. Divided by the batch's completion tokens; by completions ×
`response.max_tokens`; averaged in each completion and then over completions; or summed in each
completion and averaged over completions."""

KlPlace = Literal["loss", "reward"]
"""Where `train.kl` enters: a term of the loss, or a cost of the completion's reward."""

Overlong = Literal["keep", "mask", "punish"]
"""What becomes of completions that reach `response.max_tokens`."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One named point in the space of policy-gradient algorithms."""

    name: str
    baseline: Baseline
    scale: Scale
    ratio: Ratio
    clip: Clip
    low: float | None
    """A ratio below 1 − low is clipped; None does not clip."""
    high: float | None
    """A ratio above 1 + high is clipped; None does not clip."""
    aggregation: Aggregation
    kl: KlPlace
    title: str
    arxiv: str
    note: str = ""
    """Where the row is not the paper's formula to the letter."""
    overlong: Overlong = "keep"
    refill: float = 0.0


_ROWS = (
    Algorithm(
        "grpo", "group", "group", "token", "surrogate", 0.2, 0.2, "token", "loss",
        "DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models",
        "2402.03300",
        "token mean over the batch as in DAPO, so that long answers do not count less per token",
    ),
    Algorithm(
        "dapo", "group", "group", "token", "surrogate", 0.2, 0.28, "token", "loss",
        "DAPO: An Open-Source LLM Reinforcement Learning System at Scale",
        "2503.14476",
        "overlong answers punished softly; groups without signal refilled",
        overlong="punish",
        refill=1.0,
    ),
    Algorithm(
        "dr_grpo", "group", "none", "token", "surrogate", 0.2, 0.2, "constant", "loss",
        "Understanding R1-Zero-Like Training: A Critical Perspective",
        "2503.20783",
    ),
    Algorithm(
        "gspo", "group", "group", "geometric", "surrogate", 3e-4, 4e-4, "mean", "loss",
        "Group Sequence Policy Optimization",
        "2507.18071",
    ),
    Algorithm(
        "cispo", "group", "group", "token", "weight", None, 4.0, "token", "loss",
        "MiniMax-M1: Scaling Test-Time Compute Efficiently with Lightning Attention",
        "2506.13585",
        "the upper bound 5 is that of ScaleRL (2510.13786); the paper gives none",
    ),
    Algorithm(
        "rloo", "others", "none", "sequence", "weight", None, None, "sum", "reward",
        "Back to Basics: Revisiting REINFORCE Style Optimization for Learning from Human Feedback "
        "in LLMs",
        "2402.14740",
    ),
    Algorithm(
        "reinforce++", "batch", "batch", "token", "surrogate", 0.2, 0.2, "mean", "reward",
        "REINFORCE++: Stabilizing Critic-Free Policy Optimization with Global Normalization",
        "2501.03262",
    ),
)  # fmt: skip

ALGORITHMS: Mapping[str, Algorithm] = {row.name: row for row in _ROWS}
"""By name, in the order that they are offered."""
