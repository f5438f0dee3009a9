"""`plan --against`: what differs from an earlier plan, in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftspec.cli.main import main
from rftspec.plan.difference import Change, plan_changes, word_changes, word_text
from rftspec.plan.row_changes import row_changes
from tests.plan.making import make_plan
from tests.spec.samples import copy_sample, edit

Edit = Callable[[Path], None]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "here")


def changed(spec: Path, good: str, bad: str) -> list[Change]:
    """What one edit of the spec changes."""
    before = make_plan(spec)
    edit(spec, good, bad)
    return plan_changes(before, make_plan(spec))


def lines(found: list[Change]) -> list[str]:
    return [change.text() for change in found]


def test_equal_plans_have_no_difference(spec: Path) -> None:
    assert plan_changes(make_plan(spec), make_plan(spec)) == []


def test_comments_layout_and_where_files_lie_are_no_difference(spec: Path, tmp_path: Path) -> None:
    before = make_plan(spec)
    other = copy_sample(tmp_path / "there")
    edit(other, "# A small spec", "# Another comment")
    edit(other, "name: ranking", "name: other")
    assert plan_changes(before, make_plan(other)) == []


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("  steps: 4", "  steps: 5", "~ train.steps  4 → 5  (ranking.yaml:43)"),
        (
            "  steps: 4",
            "  steps: 4\n  learning_rate: 1e-05",
            "~ train.learning_rate  0.00033 → 1e-05  (ranking.yaml:44)",
        ),
        (
            "reward: 0.9 * rank + 0.1 * concise",
            "reward: 0.8 * rank + 0.1 * concise",
            "~ reward  [-0.9-][+0.8+] * rank + 0.1 * concise  (ranking.yaml:40)",
        ),
        (
            "    listed: (len(sample.output_json.genes) ?? 0) / (1 + item.weight)\n",
            "",
            "- evaluate.metrics.listed  (len(sample.output_json.genes) ?? 0) / (1 + item.weight)",
        ),
        (
            "  metrics:\n",
            "  metrics:\n    twice: 2 * rank\n",
            "+ evaluate.metrics.twice  2 * rank  (ranking.yaml:51)",
        ),
        (
            "graders:\n",
            "graders:\n  extra:\n    type: expression\n    expression: '1'\n    range: [0, 1]\n",
            "+ graders.extra  expression  (ranking.yaml:30)",
        ),
        (
            "first=1.0, second=0.7",
            "first=1.0, second=0.5",
            "~ graders.rank.expression  …nes), first=1.0, second=[-0.7-][+0.5+]) ?? 0",
        ),
        ("  test: ranking/test.jsonl\n", "", "- data.test  6 rows"),
        (
            "    elsewhere:\n      outputs: ranking/outputs.jsonl\n",
            '    vote8:\n      vote: { "on": sample.output_text }\n',
            "- evaluate.references.elsewhere  outputs",
        ),
        (
            '  - metric("top@1", "tuned") >= 0',
            '  - metric("top@1", "tuned") >= 0.5',
            '+ require  metric("top@1", "tuned") >= 0.5  (ranking.yaml:58)',
        ),
        (
            "reasoning: { type: string }",
            "reasoning: { type: string, maxLength: 9 }",
            "+ response.format.json_schema.schema.properties.reasoning.maxLength  9  "
            "(ranking.yaml:24)",
        ),
        ("  max_tokens: 64", "  max_tokens: 32", "~ response.max_tokens  64 → 32"),
        (
            "  base: builtin:case-reader",
            "  base: builtin:case-reader\n  lora: { rank: 8 }",
            "~ model.lora.rank  16 → 8",
        ),
        (
            "\nreward:",
            "\non_error: { stop_above: 0.5 }\nreward:",
            "~ on_error.stop_above  0.05 → 0.5",
        ),
    ],
)  # fmt: skip
def test_one_edit_is_told_on_a_line_with_its_place(
    spec: Path, good: str, bad: str, told: str
) -> None:
    found = lines(changed(spec, good, bad))
    assert any(line.startswith(told) for line in found), found


def test_the_place_of_an_override_is_the_option(spec: Path) -> None:
    found = plan_changes(make_plan(spec), make_plan(spec, "graders.rank.range=[0, 2]", seed=3))
    assert "~ graders.rank.range  [0, 1] → [0, 2]  (--set)" in lines(found)
    assert "~ seed  0 → 3  (--seed)" in lines(found)


def test_a_graders_program_is_told_line_by_line(spec: Path) -> None:
    before = make_plan(spec)
    edit(spec.parent / "ranking" / "concise.py", "<= 3", "<= 4")
    (found,) = plan_changes(before, make_plan(spec))
    assert found.text() == "~ graders.concise.source  +1 −1 lines  (ranking.yaml:37)"
    assert [note[0] for note in found.notes] == ["-", "+"]


def test_another_model_of_the_same_name_is_told(spec: Path, tmp_path: Path) -> None:
    before = make_plan(spec)
    after = make_plan(spec)
    other = {"base": "sha256:" + "0" * 64}
    assert plan_changes(before, _with(after, None)) == [], "where nobody looked nothing is said"
    (found,) = plan_changes(before, _with(after, other))
    assert found.text().startswith("~ contents.base  its content has changed: sha256 ")


def _with(plan: object, contents: dict[str, str] | None) -> object:
    import dataclasses

    return dataclasses.replace(plan, contents=contents)  # type: ignore[type-var]


def _add_and_drop(train: Path) -> None:
    rows = train.read_text().splitlines(keepends=True)
    new = [rows[0].replace("sign 0", f"sign {n}") for n in (901, 902, 903)]
    train.write_text("".join(rows[2:] + new))


def test_rows_that_are_new_and_gone_are_counted(spec: Path, tmp_path: Path) -> None:
    before = make_plan(spec)
    old = tmp_path / "old.jsonl"
    train = spec.parent / "ranking" / "train.jsonl"
    old.write_bytes(train.read_bytes())
    _add_and_drop(train)
    after = make_plan(spec, "data.disjoint=[]")
    assert row_changes(before.data.train, after.data.train) is None, "the old rows are gone"
    kept = [json.loads(line) for line in old.read_text().splitlines()]
    assert row_changes(before.data.train, after.data.train, kept) == (3, 2)
    assert row_changes(before.data.train, after.data.train, kept[1:]) is None, "not all of them"
    found = plan_changes(before, after, lambda split: (3, 2) if split == "train" else None)
    told = next(change for change in found if change.name == "data.train")
    assert told.told.startswith("24 rows → 25 rows, the file has changed: sha256 ")
    assert told.notes == ("3 rows new, 2 gone",)


def test_a_split_by_another_seed_is_told_as_other_rows_of_the_same_file(spec: Path) -> None:
    edit(spec, "  validation: ranking/validation.jsonl\n", "  validation: { split: 6 }\n")
    edit(spec, "  test: ranking/test.jsonl\n", "")
    found = plan_changes(make_plan(spec), make_plan(spec, seed=1))
    told = next(change for change in found if change.name == "data.validation")
    assert told.told == "6 rows, others of the same file"


@given(st.text("ab 01.+", max_size=30), st.text("ab 01.+", max_size=30))
def test_words_that_are_kept_and_gone_make_the_old_text_and_kept_and_new_the_new(
    old: str, new: str
) -> None:
    words = word_changes(old, new)
    assert "".join(text for kind, text in words if kind != "+") == old
    assert "".join(text for kind, text in words if kind != "-") == new


def test_long_kept_stretches_are_cut() -> None:
    told = word_text(word_changes("a " * 100 + "1", "a " * 100 + "2"))
    assert told.endswith("[-1-][+2+]")
    assert len(told) < 60


def test_the_command_says_the_same_plan_or_the_differences(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From another folder, in words and as JSON, exit code 0 either way."""
    monkeypatch.chdir(spec.parent.parent)
    name = f"{spec.parent.name}/ranking.yaml"
    assert main(["plan", name, "--out", "old.json"]) == 0
    capsys.readouterr()
    assert main(["plan", name, "--against", "old.json"]) == 0
    assert capsys.readouterr().out.rstrip().endswith(": the same plan")
    words = ["plan", name, "--against", "old.json", "--set", "train.steps=9"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "1 difference\n" in told
    assert "~ train.steps  4 → 9  (--set)" in told
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["same"]) == ("rftspec.plan-changes/1", False)
    (change,) = found["changes"]
    assert (change["kind"], change["name"], change["old"], change["new"]) == (
        "changed", "train.steps", 4, 9,
    )  # fmt: skip


def test_something_that_is_no_plan_is_told(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(spec.parent)
    assert main(["plan", "ranking.yaml", "--against", "ranking"]) == 1
    assert "error[R404]" in capsys.readouterr().err
    assert main(["plan", "ranking.yaml", "--against", "ranking/train.jsonl"]) == 1
    assert "error[R411]" in capsys.readouterr().err
    assert main(["plan", "ranking.yaml", "--against", "nowhere"]) == 2
