"""Values of the environment and of the command line: where they are read, and never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.spec.load import Loaded, load_spec
from rftspec.spec.overrides import AsJson

SPEC = Path(__file__).resolve().parent.parent / "samples" / "ranking.yaml"


def load(folder: Path, old: str, new: str, *overrides: str) -> Loaded:
    text = SPEC.read_text().replace("ranking/", f"{SPEC.parent}/ranking/")
    assert old in text
    spec = folder / "spec.yaml"
    spec.write_text(text.replace(old, new))
    return load_spec(spec, overrides=overrides)


BASE = "base: builtin:case-reader"


def test_a_variable_is_read_and_a_default_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_MODEL", "org/model")
    assert load(tmp_path, BASE, "base: ${env:MY_MODEL}").spec.model.base == "org/model"
    monkeypatch.delenv("MY_MODEL")
    found = load(tmp_path, BASE, "base: ${env:MY_MODEL:-builtin:case-reader}")
    assert found.spec.model.base == "builtin:case-reader"
    assert load(tmp_path, BASE, "base: $${env:MY_MODEL}").spec.model.base == "${env:MY_MODEL}"


def test_a_path_may_hold_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWS", str(SPEC.parent / "ranking"))
    old = f"train: {SPEC.parent}/ranking/train.jsonl"
    assert load(tmp_path, old, "train: ${env:ROWS}/train.jsonl").splits["train"].rows > 0


def codes(error: DiagnosticError) -> list[tuple[str, str | None]]:
    return [(one.code, one.path) for one in error.diagnostics]


def test_a_variable_that_is_not_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError) as caught:
        load(tmp_path, BASE, "base: ${env:RFTSPEC_NO_SUCH}")
    assert codes(caught.value) == [("E117", "model.base")]


@pytest.mark.parametrize("old", ["prompts_per_step: 4", "reward: 0.9 * rank + 0.1 * concise"])
def test_what_decides_the_run_is_not_read_from_the_environment(
    tmp_path: Path, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "8")
    field = old.partition(":")[0]
    with pytest.raises(DiagnosticError) as caught:
        load(tmp_path, old, f"{field}: ${{env:X}}")
    assert "E118" in {code for code, _ in codes(caught.value)}


def test_a_value_is_never_repeated_in_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIDDEN", "s3cr3t-folder/none.jsonl")
    old = f"train: {SPEC.parent}/ranking/train.jsonl"
    with pytest.raises(DiagnosticError) as caught:
        load(tmp_path, old, "train: ${env:HIDDEN}")
    told = " ".join(f"{d.message} {d.hint} {d.snippet}" for d in caught.value.diagnostics)
    assert "s3cr3t" not in told
    assert "${env:HIDDEN}" in told


def test_text_that_only_looks_like_a_reference_is_left_alone(tmp_path: Path) -> None:
    old = "expression: |\n"
    new = "expression: | # home is ${env:HOME}\n"
    assert load(tmp_path, old, new).spec.name == "ranking"


def test_json_overrides_set_lists_and_whole_mappings(tmp_path: Path) -> None:
    found = load(
        tmp_path, BASE, BASE,
        AsJson('model.lora={"rank": 4, "alpha": 8}'), AsJson('name="7"'), AsJson("require=[]"),
    )  # fmt: skip
    assert (found.spec.model.lora.rank, found.spec.name, found.spec.require) == (4, "7", ())


@pytest.mark.parametrize(
    ("override", "code"),
    [("train.steps={", "E112"), ('train.steps="x"', "E103"), ('train={"stebs": 1}', "E102")],
)
def test_json_overrides_are_checked_as_what_stands_in_the_file(
    tmp_path: Path, override: str, code: str
) -> None:
    with pytest.raises(DiagnosticError) as caught:
        load(tmp_path, BASE, BASE, AsJson(override))
    found = caught.value.diagnostics[0]
    assert found.code.startswith("E1"), (found, code)
    assert found.span is not None
    assert found.span.file.startswith("--set-json")
