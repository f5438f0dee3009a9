"""Every field under `data` changes which rows are asked and how, or what is told about them."""

from __future__ import annotations

import pytest

from tests.effects.table import DROP, Effect
from tests.effects.world import World, check

TABLE = (
    Effect("data.train", ("more.jsonl",), ("adapter", "rows")),
    Effect("data.validation", (DROP, "test.jsonl"), ("rows", "means")),
    Effect(
        "data.validation.split",
        (1,),
        ("adapter", "rows", "evaluations"),
        base={"data.validation": {"split": 2}},
    ),
    Effect(
        "data.validation.by",
        ("item.kind",),
        ("rows", "adapter"),
        base={"data.validation": {"split": 2}, "data.train": "more.jsonl"},
    ),
    Effect("data.test", ("test.jsonl",), ("evaluations", "rows"), same=("adapter",)),
    Effect(
        "data.disjoint",
        (["item.kind"],),
        ("summary",),
        base={"data.test": "more.jsonl", "evaluate.samples": 4},
        same=("adapter", "answers"),
    ),
    Effect(
        "data.prompt",
        ("Q: {{ item.question }}", [{"role": "user", "content": "{{ item.kind }}"}]),
        ("adapter", "rows", "base_answers"),
    ),
)


@pytest.mark.parametrize("effect", TABLE, ids=str)
def test_changing_a_field_changes_the_rows_or_what_is_told(world: World, effect: Effect) -> None:
    check(world, effect)
