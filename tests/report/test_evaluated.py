"""The numbers of an evaluation: those of its answers, the truth about what is missing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from openai.types.evals.runs import OutputItemListResponse

from rftspec.record.evaluations import EvalHead, EvalRecord, EvalWriter, Subject
from rftspec.report.evaluated import read_evaluation
from rftspec.report.items import output_items, write_items
from tests.report.synthetic import Story, _Maker, make_plan

SUBJECT = Subject("model", "other", "some/model", "commit:0")


class Folder:
    """An evaluation made up from the answers of a made-up run."""

    def __init__(self, folder, **changes):
        import random

        story = Story(**{"samples": 4, **changes})
        self.maker = _Maker(story, random.Random(story.seed))
        for row in range(story.rows):
            self.maker.row("test", row)
        self.maker.evaluate("other", "test", 0, 0.4, story.samples)
        self.lines = self.maker.samples
        plan = make_plan(story, folder)
        self.head = EvalHead(plan, SUBJECT, "test", story.samples, False, "k" * 16, 1_700_000_000)
        self.folder = folder / "eval"

    def write(self, lines=None, *, finish=True, rows=None):
        lines = self.lines if lines is None else lines
        with EvalWriter.open(self.folder, self.head) as writer:
            writer.rows(self.maker.rows if rows is None else rows)
            writer.samples(lines)
            if finish:
                writer.finish(rows=self.maker.story.rows, missing=0)
        return EvalRecord.open(self.folder)


@pytest.fixture
def made(tmp_path):
    return Folder(tmp_path)


def line(found, name):
    return next(one for one in found.lines if one.name == name)


def test_means_are_those_of_the_answers(made):
    found = read_evaluation(made.write())
    rewards = [s["reward"] for s in made.lines]
    assert line(found, "reward").interval.estimate == pytest.approx(sum(rewards) / len(rewards))
    ranks = [s["scores"]["rank"]["value"] for s in made.lines]
    assert line(found, "graders/rank").interval.estimate == pytest.approx(sum(ranks) / len(ranks))
    assert (found.rows, found.wanted, found.samples, found.clusters) == (40, 40, 160, 34)
    assert found.state == "finished"


def test_pass_at_all_answers_is_the_share_of_rows_that_any_answer_passes(made):
    found = read_evaluation(made.write())
    rows = {}
    for sample in made.lines:
        rows.setdefault(sample["row"], []).append(sample["metrics"]["top@1"])
    assert list(found.pass_at_k) == [2, 4]
    assert found.pass_at_k[4].estimate == pytest.approx(sum(map(any, rows.values())) / len(rows))
    assert found.pass_at_k[2].estimate < found.pass_at_k[4].estimate


def test_slices_hold_every_row_once_and_their_own_numbers(made):
    for row in made.maker.rows:
        row["item"]["onset"] = "child" if row["row"] < 10 else "adult"
    found = read_evaluation(made.write(), ["item.onset"])
    assert [(one.value, one.rows) for one in found.slices] == [("adult", 30), ("child", 10)]
    child = [s["reward"] for s in made.lines if s["row"] < 10]
    told = next(one for one in found.slices[1].lines if one.name == "reward")
    assert told.interval.estimate == pytest.approx(sum(child) / len(child))


def test_numbers_are_sliced_into_quarters_and_rare_values_put_together(made):
    for row in made.maker.rows:
        row["item"] |= {"age": row["row"] * 1.5, "name": f"n{row['row']}"}
    found = read_evaluation(made.write(), ["age", "name"])
    ages = [one for one in found.slices if one.field == "age"]
    assert [one.rows for one in ages] == [10, 10, 10, 10]
    assert ages[0].value == "0 to 14.625"
    names = [one for one in found.slices if one.field == "name"]
    assert (len(names), names[-1].value, names[-1].rows) == (12, "(other values)", 29)


def test_what_is_missing_damaged_or_dropped_is_told(made):
    record = made.write([{**s, "dropped": True} if s["row"] == 3 else s for s in made.lines[:100]])
    path = record.folder / "samples.jsonl"
    path.write_bytes(path.read_bytes() + b'{"row": 1, \n"torn')
    found = read_evaluation(EvalRecord.open(record.folder))
    assert (found.rows, found.wanted, found.dropped, found.damaged) == (24, 40, 4, 2)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_unfinished_evaluation_tells_what_there_is(made, count):
    found = read_evaluation(made.write(made.lines[:count], finish=False))
    assert (found.state, found.samples, found.wanted) == ("unfinished", count, 40)
    if count:
        assert not line(found, "reward").interval.known
    json.dumps(found.to_json(), allow_nan=False)


def test_errors_everywhere_are_counted_with_their_kind(tmp_path):
    made = Folder(tmp_path)
    error = {"kind": "python_grader_runtime_error", "grader": "concise", "detail": "line 3"}
    failed = {"value": None, "error": error["kind"], "detail": "line 3"}
    lines = [
        {**s, "error": error, "reward": 0.0, "scores": {**s["scores"], "concise": failed}}
        for s in made.lines
    ]
    found = read_evaluation(made.write(lines))
    assert found.failures[0].count == 160
    assert "graders/concise" not in {one.name for one in found.lines}
    assert line(found, "reward").interval.estimate == 0.0


def test_items_are_read_by_the_hosted_products_own_client(made):
    for item in output_items(made.write()):
        read = OutputItemListResponse.model_validate(item)
        assert read.sample.output[0].role == "assistant"
        assert read.status in ("pass", "fail")


def test_items_say_what_was_graded(made):
    made.head = replace(
        made.head,
        plan=replace(
            made.head.plan,
            graders={
                **made.head.plan.graders,
                "rank": {"type": "expression", "pass_threshold": 0.7},
            },
        ),
    )
    record = made.write()
    path = record.folder / "items.jsonl"
    assert write_items(record, path) == 160
    items = [json.loads(text) for text in path.read_text().splitlines()]
    assert [(i["datasource_item_id"]) for i in items] == sorted(s["row"] for s in made.lines)
    for item, sample in zip(items, made.lines, strict=True):
        results = {one["name"]: one for one in item["results"]}
        assert item["status"] == ("pass" if sample["metrics"]["top@1"] else "fail")
        assert results["rank"]["score"] == sample["scores"]["rank"]["value"]
        assert results["rank"]["passed"] == (sample["scores"]["rank"]["value"] >= 0.7)
        assert item["sample"]["output"][0]["content"] == sample["output_text"]
        assert item["datasource_item"]["gene"]


def test_hostile_texts_stand_in_items_as_they_are(made):
    text = "\ud800 </script>\u202e\x1b[31m" + "x" * 100_000
    lines = [{**made.lines[0], "output_text": text}]
    record = made.write(lines)
    path = record.folder / "items.jsonl"
    write_items(record, path)
    (item,) = [json.loads(one) for one in path.read_text("utf-8").splitlines()]
    assert item["sample"]["output"][0]["content"].endswith("x" * 1000)
