"""Lengths: every row counted, the longest named, and nothing that does not fit passes."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.plan import lengths as module
from rftspec.plan.compile import compile_plan
from rftspec.plan.lengths import Ruler, Spread, measure_lengths
from rftspec.plan.model import Plan
from rftspec.plan.survey import survey
from rftspec.spec.load import load_spec
from tests.spec.samples import copy_sample, edit
from tests.toy import make_toy_tokenizer

LONG = "sign 0, " * 400


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RFTSPEC_CACHE", str(tmp_path / "cache"))
    return copy_sample(tmp_path / "here")


def _plan(spec: Path, *overrides: str) -> Plan:
    return compile_plan(load_spec(spec, overrides=overrides))


def _measured(plan: Plan, context: int | None = 4096, gold: tuple[str, ...] = ()) -> Any:
    return measure_lengths(plan, survey(plan), Ruler(plan), gold, context)


def test_spread_is_of_all_counts_and_names_the_longest() -> None:
    spread = Spread.of([*range(1, 100), 500], lambda n: f"row {n}")
    assert (spread.rows, spread.median, spread.p95, spread.longest) == (100, 50, 95, 500)
    assert spread.at == "row 99"
    assert Spread.of([7], str).p95 == 7


def test_lengths_are_those_of_the_models_own_tokenizer(spec: Path) -> None:
    from transformers import AutoTokenizer

    from rftspec.resources import resource

    plan = _plan(spec)
    lengths, problems = _measured(plan)
    tokenizer = AutoTokenizer.from_pretrained(resource("models", "case-reader"))
    path = Path(plan.data.train.path)
    counts = [
        len(tokenizer.apply_chat_template(
            json.loads(line)["messages"], add_generation_prompt=True, return_dict=False
        ))
        for line in path.read_text().splitlines()
    ]  # fmt: skip
    found = lengths.prompts["train"]
    assert (found.rows, found.longest, found.mean) == (
        24, max(counts), sum(counts) / len(counts),
    )  # fmt: skip
    assert set(lengths.prompts) == {"train", "validation", "test"}
    assert lengths.exact
    assert lengths.whole
    assert not problems


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_prompt_that_does_not_fit_is_an_error_at_its_line(split: str, spec: Path) -> None:
    path = spec.parent / "ranking" / f"{split}.jsonl"
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace('"content": "', f'"content": "{LONG}')
    path.write_text("\n".join(lines) + "\n")
    lengths, problems = _measured(_plan(spec), context=600)
    assert [one.code for one in problems] == ["M210"]
    assert problems[0].severity == "error"
    assert (problems[0].span.file, problems[0].span.line) == (str(path), 3)
    assert f"{lengths.prompts[split].longest:,} tokens" in problems[0].message
    assert lengths.prompts[split].at == f"{path}:3"


def test_many_prompts_that_do_not_fit_are_counted(spec: Path) -> None:
    _, problems = _measured(_plan(spec), context=70)
    by_file: dict[str, list[str]] = {}
    for one in problems:
        by_file.setdefault(one.span.file, []).append(one.message)
    assert len(by_file) == 3
    train = next(messages for file, messages in by_file.items() if "train" in file)
    assert len(train) == 6
    assert train[-1].startswith("19 more prompts")


def test_compressed_files_are_measured_by_what_is_in_them(spec: Path) -> None:
    plain, _ = _measured(_plan(spec))
    path = spec.parent / "ranking" / "train.jsonl"
    (spec.parent / "ranking" / "train.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    edit(spec, "train: ranking/train.jsonl", "train: ranking/train.jsonl.gz")
    packed, _ = _measured(_plan(spec))
    assert packed.prompts["train"].mean == plain.prompts["train"].mean


def test_without_a_tokenizer_lengths_are_estimated_and_say_so(spec: Path) -> None:
    lengths, problems = _measured(_plan(spec, "model.base=some/absent-1B"), context=10)
    assert not lengths.exact
    assert "some/absent-1B is not on this machine" in lengths.by
    assert "estimated" in lengths.by
    assert lengths.prompts["train"].mean > 5
    assert not problems  # an estimate refuses nothing


def test_of_very_many_rows_an_even_sample_is_counted_and_says_so(spec: Path) -> None:
    plan = _plan(spec)
    found = survey(plan, most=6)
    assert [row.index for row in found.train.rows] == [0, 4, 8, 12, 16, 20]
    assert (found.train.total, found.train.whole) == (24, False)
    lengths, _ = measure_lengths(plan, found, Ruler(plan), (), 4096)
    assert lengths.prompts["train"].rows == 6
    assert not lengths.whole


def test_survey_of_few_rows_still_knows_every_form(spec: Path) -> None:
    from rftspec.expr import merge_value_types

    path = spec.parent / "ranking" / "train.jsonl"
    lines = path.read_text().splitlines()
    lines[5] = lines[5].replace('"weight": ', '"rare": null, "weight": ')
    path.write_text("\n".join(lines) + "\n")
    plan = _plan(spec)
    few, all_rows = survey(plan, most=2), survey(plan)
    assert merge_value_types(few.forms) == merge_value_types(
        row.item for split in all_rows.splits.values() for row in split.rows
    )


def test_carved_splits_share_one_reading_and_no_row(spec: Path) -> None:
    edit(
        spec, "  validation: ranking/validation.jsonl", "  validation: { split: 7, by: item.gene }"
    )
    found = survey(_plan(spec))
    train = {row.index for row in found.train.rows}
    validation = {row.index for row in found.splits["validation"].rows}
    assert (len(train), len(validation), train & validation) == (18, 6, set())


def test_changed_file_is_refused(spec: Path) -> None:
    plan = _plan(spec)
    edit(Path(plan.data.train.path), "sign 0", "sign 9")
    with pytest.raises(DiagnosticError) as caught:
        survey(plan)
    assert caught.value.diagnostics[0].code == "R407"


def test_row_that_the_template_refuses_is_named(spec: Path, tmp_path: Path) -> None:
    make_toy_tokenizer(tmp_path / "here" / "model")
    template = tmp_path / "here" / "model" / "chat_template.jinja"
    template.write_text(
        "{% if '3' in messages[0].content %}{{ raise_exception('no 3') }}{% endif %}"
    )
    (tmp_path / "here" / "model" / "config.json").write_text("{}")
    plan = _plan(spec, "model.base=./model")
    with pytest.raises(DiagnosticError) as caught:
        _measured(plan)
    found = caught.value.diagnostics[0]
    assert found.code == "M214"
    assert found.span is not None
    assert found.span.line == 4
    assert "no 3" in found.message


def test_counts_are_kept_and_never_of_other_data(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = _plan(spec)
    first, _ = _measured(plan, gold=('{"genes": ["TRN0"]}',))
    with monkeypatch.context() as here:
        here.setattr(module.ChatTokenizer, "count", lambda *_: pytest.fail("counted again"))
        again, _ = _measured(plan, gold=('{"genes": ["TRN0"]}',))
    assert again == first
    edit(Path(plan.data.train.path), "sign 0", "sign zero and one and two")
    other, _ = _measured(_plan(spec))
    assert other.prompts["train"].mean > first.prompts["train"].mean


def test_damaged_counts_are_counted_again(spec: Path, tmp_path: Path) -> None:
    plan = _plan(spec)
    first, _ = _measured(plan)
    for path in (tmp_path / "cache" / "lengths").iterdir():
        kept = json.loads(path.read_text())
        path.write_text(json.dumps({**kept, "counts": [*kept["counts"][:-1], "x"]}))
    assert _measured(plan)[0] == first


def test_gold_answers_are_counted_with_their_end(spec: Path) -> None:
    plan = _plan(spec)
    ruler = Ruler(plan)
    assert ruler.tokenizer is not None
    lengths, _ = _measured(plan, gold=("TRN0", '{"genes": ["TRN0"]}'))
    assert lengths.gold is not None
    assert lengths.gold.longest == ruler.tokenizer.count(['{"genes": ["TRN0"]}'])[0] + 1


def test_prompt_templates_are_counted_as_they_are_rendered(spec: Path) -> None:
    plan = _plan(spec)
    longer = replace(plan, data=replace(plan.data, prompt="Tell me of {{ item.gene }}. " * 30))
    assert _measured(longer)[0].mean > _measured(plan)[0].mean
