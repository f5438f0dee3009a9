"""The version of a spec, and names that other tools have for our fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from rftspec.diagnostics import Diagnostic
from rftspec.spec.migrate import NAMES, key_meant
from rftspec.spec.schema import resolved, spec_schema
from tests.spec.samples import copy_sample, edit, problems


def only(folder: Path, good: str, bad: str) -> Diagnostic:
    spec = copy_sample(folder)
    edit(spec, good, bad)
    found = problems(spec)
    assert len(found) == 1, [one.message for one in found]
    return found[0]


def test_a_missing_version_is_told_with_the_line_to_add(tmp_path: Path) -> None:
    found = only(tmp_path, "version: 1\n", "")
    assert (found.code, found.path, found.hint) == ("E102", "version", "add `version: 1`")


def test_a_newer_version_is_told_alone_and_to_upgrade(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(spec, "version: 1\n", "version: 2\n")
    edit(spec, "train:\n", "learning: of a form that is yet to come\ntrain:\n")
    edit(spec, "reward: 0.9", "reward: 0.9 ^^")
    (found,) = problems(spec)
    assert (found.code, found.path) == ("E109", "version")
    assert "version 2, made for a newer rftspec" in found.message
    assert found.hint == "upgrade: pip install -U rftspec"
    assert found.span is not None
    assert found.span.line == 4


def test_a_newer_version_from_the_command_line_is_told_too(tmp_path: Path) -> None:
    (found,) = problems(copy_sample(tmp_path), ["version=7"])
    assert (found.code, found.span is not None and found.span.file) == ("E109", "--set 1")


@pytest.mark.parametrize(
    ("written", "code", "hint"),
    [
        ('"1"', "E104", "remove the quotes"),
        ("1.0", "E104", "write `version: 1`"),
        ("'2'", "E104", "write `version: 1`"),
        ("latest", "E104", "write `version: 1`"),
        ("true", "E104", "write `version: 1`"),
        ("", "E104", "write `version: 1`"),
        ("[1]", "E104", "write `version: 1`"),
        ("0", "E109", "write `version: 1`"),
        ("-1", "E109", "write `version: 1`"),
    ],
)
def test_whatever_stands_there_the_hint_is_what_to_write(
    tmp_path: Path, written: str, code: str, hint: str
) -> None:
    found = only(tmp_path, "version: 1\n", f"version: {written}\n")
    assert (found.code, found.hint) == (code, hint)


@pytest.mark.parametrize("name", NAMES, ids=lambda one: f"{one.whose}-{one.name}")
def test_every_name_from_elsewhere_leads_to_a_field_and_is_none_of_ours(name: object) -> None:
    one = next(known for known in NAMES if known is name)
    schema = spec_schema()
    for part in one.field.split("."):
        assert one.name not in schema["properties"], one
        schema = resolved(schema["properties"][part])
    section = tuple(one.field.split(".")[:-1])
    known = _properties(section)
    assert f"`{one.field.rpartition('.')[2]}` here" in str(key_meant(one.name, section, known))


def _properties(section: tuple[str, ...]) -> list[str]:
    schema = spec_schema()
    for part in section:
        schema = resolved(schema["properties"][part])
    return list(schema["properties"])


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("samples_per_prompt: 4", "num_generations: 4", "`num_generations` (TRL) is called "
         "`samples_per_prompt` here."),
        ("samples_per_prompt: 4", "max_completion_length: 64", "(TRL) is called "
         "`response.max_tokens` here."),
        ("  steps: 4", "  n_epochs: 4", "(OpenAI) is called `epochs` here."),
        ("  base: builtin", "  base_model: builtin", "(Axolotl) is called `base` here."),
        ("samples_per_prompt: 4", "group_sise: 4", "`group_size` (Tinker) is called "
         "`samples_per_prompt` here."),
        ("train:\n", "train_batch_size: 8\ntrain:\n", "(verl) is called "
         "`train.prompts_per_step` here."),
    ],
)  # fmt: skip
def test_a_key_of_another_tool_is_met_with_ours(
    tmp_path: Path, good: str, bad: str, told: str
) -> None:
    found = only(tmp_path, good, bad)
    assert found.code == "E101"
    assert told in str(found.hint)


def test_a_misspelt_name_of_ours_comes_before_what_others_call_it() -> None:
    assert key_meant("stepz", ("train",), ["steps", "epochs"]) == "did you mean `steps`?"
    assert key_meant("quux", ("train",), ["steps", "epochs"]) is None
