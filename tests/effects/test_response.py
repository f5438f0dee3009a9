"""Every field under `response` changes the answers or how they are read."""

from __future__ import annotations

import pytest

from tests.effects.table import Effect
from tests.effects.world import World, check

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "number"}},
    "required": ["n"],
    "additionalProperties": False,
}
WIDER = {**SCHEMA, "properties": {"n": {"type": "number"}, "m": {"type": "number"}}}
NESTED = {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}}
FLAT = {"type": "json_schema", "name": "s", "schema": SCHEMA}
READS = {
    "graders": {"read": {"type": "expression", "expression": "if has(sample.output_json) then 1 "
                         "else 0", "range": [0, 1]}},
    "train.steps": 1,
}  # fmt: skip
JSON_ANSWERS = ('{"n": 1}', '{"n": 1, "m": 2}', "[]", "no")

TABLE = (
    Effect(
        "response.format.type",
        ({"type": "text"}, FLAT),
        ("scores",),
        base={**READS, "response.format": {"type": "json_object"}},
        at="response.format",
        answers=JSON_ANSWERS,
    ),
    Effect(
        "response.format.json_schema.schema",
        (WIDER,),
        ("scores",),
        base={**READS, "response.format": NESTED},
        answers=JSON_ANSWERS,
    ),
    Effect(
        "response.format.schema",
        (WIDER,),
        ("scores",),
        base={**READS, "response.format": FLAT},
        answers=JSON_ANSWERS,
    ),
    Effect("response.max_tokens", (5, 7), ("adapter", "base_answers")),
    Effect("response.temperature", (0.7, 1.5), ("adapter", "base_answers")),
)


@pytest.mark.parametrize("effect", TABLE, ids=str)
def test_changing_a_field_changes_the_answers_or_their_reading(
    world: World, effect: Effect
) -> None:
    check(world, effect)
