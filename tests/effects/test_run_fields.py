"""Every field at the top of a spec, and under `on_error`, changes the run or its record."""

from __future__ import annotations

import pytest
import torch

from rftspec.engine.load import choose_device
from tests.effects.table import Effect
from tests.effects.world import World, check

TWO = {
    "graders": {
        "length": {"type": "expression", "expression": "len(sample.output_text) / 100"},
        "odd": {"type": "expression", "expression": "len(sample.output_text) % 2"},
    },
    "reward": "length",
}
FAILS = {
    "graders": {"half": {"type": "expression", "expression": "1 / (len(sample.output_text) - 2)",
                         "range": [-1, 1]}},
    "train.steps": 1,
}  # fmt: skip
ONE_FAILS = ("one", "of", "three", "four")

TABLE = (
    Effect("name", ("another",), ("start",), same=("adapter", "answers")),
    Effect("seed", (2,), ("adapter", "base_answers")),
    Effect("device", ("cuda",), ("end",)),
    Effect("reward", ("odd", "length + odd"), ("adapter", "scores"), base=TWO),
    Effect(
        "on_error.stop_above",
        (0.3,),
        ("end", "steps"),
        base=FAILS,
        answers=ONE_FAILS,
    ),
    Effect(
        "require",
        (["metric('reward', 'tuned') >= 0"], ["metric('reward', 'tuned') > 2"]),
        ("gates",),
        same=("adapter", "means"),
    ),
    Effect("track", (["tensorboard"],), ("files",), same=("adapter", "means")),
)


@pytest.mark.parametrize("effect", TABLE, ids=str)
def test_changing_a_field_changes_the_run(world: World, effect: Effect) -> None:
    if effect.field == "device" and torch.cuda.is_available():
        pytest.skip("on a machine with a GPU, tests/gpu runs it")
    check(world, effect)


@pytest.mark.parametrize("there", [True, False])
def test_auto_is_the_gpu_if_there_is_one(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    assert choose_device("auto").type == ("cuda" if there else "cpu")
    assert choose_device("cpu").type == "cpu"
