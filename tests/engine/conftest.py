"""Toy models and plans for the engine's tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rftspec.engine.local import LocalEngine
from rftspec.plan.model import (
    DataPlan,
    EvaluatePlan,
    ModelPlan,
    Plan,
    ResponsePlan,
    SplitPlan,
    TrainPlan,
)
from tests.toy import make_toy_model

MESSAGES = [
    [{"role": "user", "content": "which gene is the cause? seizures, ataxia"}],
    [{"role": "user", "content": "muscle weakness and seizures: list the genes, likely first"}],
    [{"role": "user", "content": "ataxia"}],
]


def make_plan(base: Path | str, **changes: Any) -> Plan:
    """A plan over a toy model; `changes` are fields of its model, response and train parts."""
    model = ModelPlan(
        base=str(base), revision=None, quantization="nf4", lora_rank=4, lora_alpha=8.0,
        lora_targets=("all-linear",),
    )  # fmt: skip
    response = ResponsePlan(format=None, max_tokens=16, temperature=1.0)
    train = TrainPlan(
        algorithm="grpo", steps=4, prompts_per_step=3, samples_per_prompt=4, learning_rate=1e-3,
        warmup_steps=0, kl=0.0, max_grad_norm=1.0, checkpoint_every=1,
    )  # fmt: skip
    parts = {"model": model, "response": response, "train": train}
    for name, part in parts.items():
        own = {k: v for k, v in changes.items() if k in part.__dataclass_fields__}
        parts[name] = replace(part, **own)
    return Plan(
        name="toy", seed=changes.get("seed", 0), spec_path="", spec_text="", device="cpu",
        data=DataPlan(
            train=SplitPlan(path="", rows=3, sha256=""), validation=None, test=None, disjoint=(),
            prompt=None, control=None,
        ),
        graders={}, reward="", reward_range=(0.0, 1.0), stop_above=0.1,
        evaluate=EvaluatePlan(
            every=1, samples=1, samples_between=1, metrics={}, references=(), pass_metric="reward"
        ),
        require=(), track=(), reasons={}, **parts,
    )  # fmt: skip


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folders of toy models by family and changes, each made once."""
    made: dict[str, Path] = {}

    def folder(family: str = "llama", **changes: Any) -> Path:
        key = f"{family}{sorted(changes.items())}"
        if key not in made:
            made[key] = make_toy_model(tmp_path_factory.mktemp(family), family, **changes)
        return made[key]

    return folder


@pytest.fixture
def engine(toy: Callable[..., Path]) -> LocalEngine:
    """A fresh engine over the toy Llama in NF4."""
    return LocalEngine.open(make_plan(toy()))
