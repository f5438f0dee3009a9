"""Every field under `train` changes the adapter or the record."""

from __future__ import annotations

import pytest

from tests.effects.table import DROP, Effect
from tests.effects.world import World, check

TWICE = {"train.updates_per_batch": 2, "train.learning_rate": 0.05}
"""The second update is off-policy: there are ratios to be clipped."""
CURVE = {"train.steps": 4, "train.learning_rate": 1e-6}
"""A run whose validation reward stays where it is, for all that training does."""
BESIDE = ("base_answers",)
RISING = {"seed": 2, "train.steps": 4, "train.learning_rate": 0.05}
"""A run whose second evaluation is better than its first."""
MIXED = {
    "response.max_tokens": 40,
    "graders.length.expression": "min(1, len(sample.output_text) / 1000)",
}
"""Some completions end, others are cut off."""
FLAT = {"graders.length.expression": "if len(sample.output_text) > 9 then 1 else 0"}
"""Some groups earn the same throughout."""
SOME = {"evaluate.metrics": {"long": "len(sample.output_text) > 9"}}
"""In one group of the first step a quarter passes, in the other none."""

KNOBS = (
    Effect(
        "train.algorithm",
        ("dapo", "dr_grpo", "gspo", "cispo", "rloo", "reinforce++"),
        ("adapter",),
        base={**TWICE, "train.algorithm": "grpo"},
        same=BESIDE,
    ),
    Effect("train.updates_per_batch", (2,), ("adapter", "learning"), same=BESIDE),
    Effect("train.clip", (0.001, {"low": 0.5, "high": 0.001}), ("adapter",), base=TWICE),
    Effect("train.clip.low", (0.001,), ("adapter",), base={**TWICE, "train.clip": {"low": 0.9}}),
    Effect("train.clip.high", (0.001,), ("adapter",), base={**TWICE, "train.clip": {"high": 9}}),
    Effect(
        "train.kl.coef", (0.5,), ("adapter", "learning"), base={"train.kl": {"coef": 0.1}},
        same=BESIDE,
    ),
    Effect(
        "train.kl.estimator",
        ("k1", "k2"),
        ("adapter", "learning"),
        base={"train.kl": {"coef": 0.5, "estimator": "k3"}},
        same=BESIDE,
    ),
    Effect("train.entropy_bonus", (0.1,), ("adapter", "learning"), same=BESIDE),
    Effect(
        "train.scale_rewards",
        ("batch", "none"),
        ("adapter", "learning"),
        base={"train.scale_rewards": "group"},
        same=BESIDE,
    ),
    Effect("train.schedule", ("linear", "cosine"), ("adapter", "learning"),
           base={"train.steps": 3}, same=BESIDE),
    Effect("train.optimizer", ("adamw_8bit",), ("adapter",), same=BESIDE),
    Effect(
        "train.overlong",
        ("mask", "punish"),
        ("adapter", "learning"),
        base={"train.overlong": "keep", **MIXED},
        same=BESIDE,
    ),
    Effect(
        "train.overlong_buffer",
        (30,),
        ("adapter", "learning"),
        base={"train.overlong": "punish", "train.overlong_buffer": 2, **MIXED},
        same=BESIDE,
    ),
    Effect("train.length_penalty", (1.0,), ("adapter", "learning"), base=MIXED, same=BESIDE),
    Effect("train.refill", (1,), ("answers", "learning"), base=FLAT, same=BESIDE),
    Effect("train.down_weight", (0.5, {"weight": 0.25}), ("adapter",), base=SOME, same=BESIDE),
    Effect(
        "train.down_weight.weight", (0.25,), ("adapter",),
        base={**SOME, "train.down_weight": {"weight": 0.5}}, same=BESIDE,
    ),
    Effect(
        "train.down_weight.easy", (0.01,), ("adapter",),
        base={**SOME, "train.down_weight": {"easy": 1.0}}, same=BESIDE,
    ),
    Effect(
        "train.down_weight.hard", (0.9,), ("adapter",),
        base={**SOME, "train.down_weight": {"hard": 0}}, same=BESIDE,
    ),
    Effect("train.early_stopping", (1, 2), ("steps", "adapter"), base=CURVE, same=BESIDE),
    Effect(
        "train.early_stopping.patience", (2,), ("steps",),
        base={**CURVE, "train.early_stopping": {"patience": 1}}, same=BESIDE,
    ),
    Effect(
        "train.early_stopping.min_delta", (1000,), ("steps",),
        base={**RISING, "train.early_stopping": {"patience": 1}}, same=BESIDE,
    ),
    Effect("train.keep_best", (False,), ("published", "summary"), base=CURVE, same=("adapter",)),
)  # fmt: skip

TABLE = (
    Effect("train.steps", (1,), ("adapter", "steps"), same=("base_answers",)),
    Effect(
        "train.epochs",
        (2,),
        ("adapter", "steps"),
        base={"train.steps": DROP, "train.epochs": 1},
        same=("base_answers",),
    ),
    Effect("train.prompts_per_step", (1, 3), ("adapter", "answers")),
    Effect("train.samples_per_prompt", (2, 3), ("adapter", "answers")),
    Effect("train.learning_rate", ("auto", 0.02), ("adapter", "learning")),
    Effect("train.warmup_steps", (2,), ("adapter", "learning")),
    Effect("train.kl", (0.5,), ("adapter", "learning"), same=("base_answers",)),
    Effect("train.max_grad_norm", (0.001,), ("adapter",), same=("base_answers",)),
    *KNOBS,
)


@pytest.mark.parametrize("effect", TABLE, ids=str)
def test_changing_a_field_changes_the_adapter_or_the_record(world: World, effect: Effect) -> None:
    check(world, effect)
