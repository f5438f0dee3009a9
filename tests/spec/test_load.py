"""Loading a spec: overrides, cross-checks that no single code shows, imports and defaults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.spec.load import load_spec
from tests.spec.samples import SAMPLES, copy_sample, edit, load_edited, problems

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "peft", "bitsandbytes", "jsonschema", "numpy", "jinja2", "scipy")


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("train.steps=7", ("train", "steps"), 7),
        ("train.learning_rate=1e-4", ("train", "learning_rate"), 1e-4),
        ("train.learning_rate=auto", ("train", "learning_rate"), "auto"),
        ("model.base=no", ("model", "base"), "no"),
        ("model.lora.rank=4", ("model", "lora", "rank"), 4),
        ("data.disjoint=[item.gene, item.id]", ("data", "disjoint"), ("item.gene", "item.id")),
        ("name=010", ("name",), "010"),
        ("reward=rank", ("reward",), "rank"),
    ],
)
def test_override_is_typed_by_the_field_that_it_sets(
    override: str, path: tuple[str, ...], value: object, tmp_path: Path
) -> None:
    spec = copy_sample(tmp_path)
    loaded = load_spec(spec, overrides=[override, "meta.note=x"])
    found: object = loaded.spec
    for name in path:
        found = getattr(found, name)
    assert found == value


def test_override_reaches_names_with_dots_and_entries_of_lists(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    overrides = ['evaluate.metrics."a.b"=rank', 'require.0=metric("a.b", "tuned") >= 0']
    loaded = load_spec(spec, overrides=overrides)
    assert loaded.spec.evaluate.metrics["a.b"] == "rank"
    assert loaded.spec.require == ('metric("a.b", "tuned") >= 0',)


@pytest.mark.parametrize(
    ("override", "code"),
    [
        ("train.steps=abc", "E104"),
        ("train.steps=0", "E105"),
        ("train.stepz=4", "E101"),
        ("__class__.x=1", "E101"),
        ("train..steps=4", "E112"),
        ("train.steps", "E112"),
        ("=4", "E112"),
        ('train={"steps": 4}', "E112"),
        ("train.steps=010", "E012"),
        ("reward=rnak", "E311"),
    ],
)
def test_wrong_override_is_told_as_in_a_file_with_its_own_place(
    override: str, code: str, tmp_path: Path
) -> None:
    found = problems(copy_sample(tmp_path), [override])
    assert code in {one.code for one in found}
    mine = next(one for one in found if one.code == code)
    assert mine.span is not None
    assert mine.span.file == "--set 1"


def test_validation_rows_may_be_taken_from_the_training_file(tmp_path: Path) -> None:
    loaded = load_edited(
        tmp_path,
        "  validation: ranking/validation.jsonl\n",
        "  validation: { split: 6, by: item.gene }\n",
    )
    assert ("data", "validation") not in loaded.files


def test_rows_without_messages_use_the_prompt_template(tmp_path: Path) -> None:
    spec = tmp_path / "s.yaml"
    (tmp_path / "rows.jsonl").write_text('{"question": "2+2", "answer": 4}\n')
    spec.write_text(
        "version: 1\nmodel: {base: builtin:case-reader}\n"
        'data: {train: rows.jsonl, prompt: "What is {{ item.question }}?"}\n'
        "graders:\n  right: {type: expression, range: [0, 1], expression: 'if item.answer == 4 "
        "then 1 else 0'}\n"
    )
    assert load_spec(spec).reward == "right"
    edit(spec, "item.question", "item.query")
    assert {one.code for one in problems(spec)} == {"E206"}


def test_malformed_prompt_template_is_told_at_its_place(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(spec, "  disjoint:", '  prompt: "{{ item.x | upper }}"\n  disjoint:')
    (found,) = problems(spec)
    assert found.code == "E401"
    assert found.span is not None
    assert (found.span.line, found.span.file) == (14, str(spec))


def test_slow_schema_keywords_are_checked_by_jsonschema(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(spec, "        type: object\n", "        type: object\n        minProperties: many\n")
    assert {one.code for one in problems(spec)} == {"E114"}


def test_members_of_a_multi_grader_are_checked_like_others(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(
        spec,
        "  concise:\n    type: python\n    file: ranking/concise.py\n    range: [0, 1]\n",
        "  concise:\n    type: multi\n    calculate_output: short\n    graders:\n      short:\n"
        "        type: python\n        file: ranking/concise.py\n        range: [0, 1]\n",
    )
    assert problems(spec) == ()
    edit(spec, "calculate_output: short", "calculate_output: shrt")
    edit(spec, "file: ranking/concise.py", "fil: ranking/concise.py")
    assert {one.code for one in problems(spec)} >= {"E101"}


def test_problems_in_a_grader_file_point_into_that_file(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(tmp_path / "ranking" / "concise.py", "    if answer is None:", "    if answer is None")
    (found,) = problems(spec)
    assert found.code == "E403"
    assert found.span is not None
    assert found.span.file.endswith("concise.py")
    assert found.span.line == 6


def test_many_bad_rows_are_a_few_messages_and_a_count(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    path = tmp_path / "ranking" / "train.jsonl"
    path.write_text("\n".join(["{}"] * 50) + "\n")
    found = [one for one in problems(spec) if one.code == "E206"]
    assert len(found) == 6
    assert found[-1].message.startswith("45 more lines")


def test_spec_is_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError):
        load_edited(tmp_path, "  steps: 4\n", "  steps: x\n")


def test_loading_a_spec_imports_nothing_heavy() -> None:
    code = (
        "import sys, pathlib; from rftspec.spec.load import load_spec;"
        "from rftspec.plan.compile import compile_plan;"
        f"compile_plan(load_spec(pathlib.Path({str(SAMPLES / 'ranking.yaml')!r})));"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
