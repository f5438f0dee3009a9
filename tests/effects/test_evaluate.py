"""Every field under `evaluate` changes what is measured, and none changes what is learnt."""

from __future__ import annotations

import json

import pytest

from rftspec.record.folder import Record
from rftspec.report.build import find, report_json, summary
from tests.effects.table import Effect
from tests.effects.world import BASE, World, changed, check

VOTE = {"evaluate.references": {"many": {"vote": {"samples": 3, "on": "sample.output_text"}}}}
OTHER = {"evaluate.references": {"other": {"outputs": "outputs.jsonl"}}}

TABLE = (
    Effect("evaluate.every", (2,), ("evaluations", "files"), same=("adapter",)),
    Effect("evaluate.samples", (2,), ("evaluations", "answers"), same=("adapter",)),
    Effect("evaluate.samples_between", (2,), ("evaluations",), same=("adapter",)),
    Effect(
        "evaluate.metrics.*",
        ("len(sample.output_text) > 7", "len(sample.output_text)"),
        ("metrics", "means"),
        at="evaluate.metrics.long",
        same=("adapter", "answers"),
    ),
    Effect(
        "evaluate.references.*.outputs",
        ("outputs2.jsonl",),
        ("answers", "means"),
        base=OTHER,
        at="evaluate.references.other.outputs",
        same=("adapter",),
    ),
    Effect(
        "evaluate.references.*.vote.samples",
        (4,),
        ("answers",),
        base=VOTE,
        at="evaluate.references.many.vote.samples",
        same=("adapter",),
    ),
    Effect(
        "evaluate.references.*.vote.on",
        ("len(sample.output_text)",),
        ("means",),
        base=VOTE,
        at="evaluate.references.many.vote.on",
        answers=("four", "to", "by", "at"),
        same=("base_answers",),
    ),
)


@pytest.mark.parametrize("effect", TABLE, ids=str)
def test_changing_a_field_changes_what_is_measured(world: World, effect: Effect) -> None:
    check(world, effect)


def test_the_note_of_a_reference_stands_in_the_report(world: World) -> None:
    noted = changed(BASE, {**OTHER, "evaluate.references.other.note": "made with an older model"})
    for spec, there in ((noted, True), (changed(BASE, OTHER), False)):
        found = find(Record.open(world.run(spec)["folder"]))
        for told in (summary(found), json.dumps(report_json(found))):
            assert ("made with an older model" in told) == there
