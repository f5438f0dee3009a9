"""A saved plan: run exactly, or refused with what has changed, or what is wrong with the file."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.plan import identity
from rftspec.plan.identity import cached_commit, folder_hash, pinned
from rftspec.plan.saved import drift, read_saved, save_plan
from tests.plan.making import make_plan
from tests.spec.samples import copy_sample, edit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "here")


@pytest.fixture
def saved(spec: Path, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    save_plan(make_plan(spec), path)
    return path


def refused(path: Path) -> Diagnostic:
    with pytest.raises(DiagnosticError) as caught:
        read_saved(path)
    (one,) = caught.value.diagnostics
    assert one.code == "R411"
    return one


def test_a_saved_plan_comes_back_as_it_was(spec: Path, saved: Path) -> None:
    plan = make_plan(spec)
    assert read_saved(saved) == plan
    assert drift(read_saved(saved)) == []


def test_a_plan_of_a_run_folder_is_read_too(spec: Path, tmp_path: Path) -> None:
    path = tmp_path / "bare.json"
    path.write_text(json.dumps(make_plan(spec).to_json()))
    assert read_saved(path) == make_plan(spec)


def test_layout_of_the_json_is_not_damage(saved: Path, spec: Path) -> None:
    saved.write_text(json.dumps(json.loads(saved.read_text()), indent=4, sort_keys=True))
    assert read_saved(saved).hash == make_plan(spec).hash


@pytest.mark.parametrize(
    ("good", "bad", "told", "line"),
    [
        ('"steps": 4', '"steps": "4"', '`train.steps` must be a whole number; this is "4"', True),
        ('"steps": 4', '"steps": true', "`train.steps` must be a whole number", True),
        ('"steps": 4', '"stepz": 4', "`train.stepz` is not known here: a newer rftspec", True),
        ('"steps": 4', '"steps": 5', "its checksum is another", False),
        ('"device": "auto"', '"device": "tpu"', '`device` is "tpu"; one of: cpu, cuda, auto', True),
        ('"seed": 0', '"seed": null', "`seed` must be a whole number; this is nothing", True),
        ('"seed": 0,', "", "`seed` is missing", False),
        ('"format": "plan/1"', '"format": "plan/2"', "a plan of a newer rftspec", False),
        ('"format": "plan/1"', '"format": "plan/0"', "a plan of an older rftspec", False),
        ('"seed": 0', '"seed" 0', "it is no JSON: expecting ':' delimiter", True),
    ],
)
def test_damage_is_told_at_its_place(
    saved: Path, good: str, bad: str, told: str, line: bool
) -> None:
    edit(saved, good, bad)
    found = refused(saved)
    assert told in found.message
    if line:
        assert found.span is not None
        assert bad[:6] in saved.read_text().splitlines()[found.span.line - 1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is no JSON"),
        ("[1]", "it holds a list"),
        ("{}", "it is no plan"),
        ('{"method": {}, "training_file": "x"}', "rftspec import openai FILE"),
        ('{"rftspec": "report/1"}', "a report of rftspec"),
        ('{"messages": []}', "a data row"),
        ('{"format": "rftspec.plan/1"}', "prints with `--json` (rftspec.plan/1)"),
        ("[" * 100_000, "it is no"),
    ],
)
def test_something_else_is_told_by_what_it_is(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    found = refused(path)
    assert told.split()[0] in found.message
    if not text.startswith("[["):
        assert told in found.message


def test_a_folder_a_missing_file_and_bytes_are_told(tmp_path: Path) -> None:
    assert "it is a folder" in refused(tmp_path).message
    assert "no such file" in refused(tmp_path / "none.json").message
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    assert "it is no text" in refused(tmp_path / "bytes.json").message


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_is_a_traceback_and_none_is_run_as_another_plan(
    saved: Path, spec: Path, data: Any
) -> None:
    text = saved.read_text()
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    put = data.draw(st.text(max_size=5))
    broken = saved.with_name("broken.json")
    broken.write_text(text[:start] + put + text[end:], encoding="utf-8", errors="replace")
    try:
        found = read_saved(broken)
    except DiagnosticError as error:
        codes = {one.code for one in error.diagnostics}
    else:
        codes = {"R411"} if found == read_saved(saved) else {"another plan was read"}
    assert codes == {"R411"}


def _change_rows(spec: Path) -> None:
    edit(spec.parent / "ranking" / "train.jsonl", "sign 0", "sign 900")


def _drop_rows(spec: Path) -> None:
    (spec.parent / "ranking" / "validation.jsonl").unlink()


def _change_outputs(spec: Path) -> None:
    with (spec.parent / "ranking" / "outputs.jsonl").open("a") as file:
        file.write('{"row": 0, "output_text": "more"}\n')


def _change_grader(spec: Path) -> None:
    edit(spec.parent / "ranking" / "concise.py", "<= 3", "<= 4")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_change_rows, "data.train: `"),
        (_drop_rows, "is not there any more"),
        (_change_outputs, "evaluate.references.elsewhere: `"),
        (_change_grader, "graders.concise: `ranking/concise.py` sha256 "),
    ],
)
def test_what_has_changed_since_is_told_by_old_and_new_hash(
    spec: Path, saved: Path, change: Callable[[Path], None], told: str
) -> None:
    change(spec)
    (found,) = drift(read_saved(saved))
    assert told in found
    assert " → " in found or "any more" in found


def test_a_graders_file_that_is_gone_is_no_drift(spec: Path, saved: Path) -> None:
    """The plan holds its source."""
    (spec.parent / "ranking" / "concise.py").unlink()
    assert drift(read_saved(saved)) == []


def _own_model(spec: Path) -> Path:
    """A copy of the built-in model, as a folder of the spec's."""
    from rftspec.resources import resource

    model = spec.parent / "model"
    shutil.copytree(resource("models", "case-reader"), model)
    edit(spec, "base: builtin:case-reader", "base: ./model")
    return model


def test_a_model_whose_weights_changed_is_drift(spec: Path, tmp_path: Path) -> None:
    model = _own_model(spec)
    path = tmp_path / "plan.json"
    save_plan(make_plan(spec), path)
    assert drift(read_saved(path)) == []
    (model / "README.md").write_text("other words")
    assert drift(read_saved(path)) == [], "no weights are read from there"
    with (model / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    (found,) = drift(read_saved(path))
    assert f"model `{model}`: sha256:" in found
    shutil.rmtree(model)
    assert "is not there any more" in drift(read_saved(path))[0]


def test_the_hash_of_a_folder_is_over_names_and_contents(tmp_path: Path) -> None:
    for name in ("a.json", "b.safetensors"):
        (tmp_path / name).write_text("x")
    first = folder_hash(tmp_path)
    (tmp_path / "b.safetensors").rename(tmp_path / "c.safetensors")
    assert folder_hash(tmp_path) != first
    (tmp_path / "c.safetensors").rename(tmp_path / "b.safetensors")
    assert folder_hash(tmp_path) == first
    (tmp_path / "notes.md").write_text("y")
    assert folder_hash(tmp_path) == first


def _fake_hub(cache: Path, monkeypatch: pytest.MonkeyPatch, commit: str = COMMIT) -> None:
    refs = cache / "models--some--model" / "refs"
    refs.mkdir(parents=True, exist_ok=True)
    (refs / "main").write_text(commit)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))


def test_a_hub_model_is_saved_by_the_commit_that_is_in_the_cache(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it runs exactly that, though `main` has moved since."""
    cache = tmp_path / "cache"
    _fake_hub(cache, monkeypatch)
    assert cached_commit("some/model", None) == COMMIT
    assert cached_commit("some/model", "v2") is None
    assert cached_commit("some/model", "f" * 40) == "f" * 40
    plan = make_plan(spec, "model.base=some/model")
    assert plan.contents == {"base": f"commit:{COMMIT}"}
    path = tmp_path / "plan.json"
    save_plan(pinned(plan), path)
    assert read_saved(path).model.revision == COMMIT
    _fake_hub(cache, monkeypatch, "f" * 40)
    assert drift(read_saved(path)) == []
    assert drift(plan) != [], "a plan that only says `main` is another one now"


def test_a_hub_model_that_was_never_fetched_is_not_made_up(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    plan = make_plan(spec, "model.base=some/model")
    assert plan.contents == {}
    assert pinned(plan) == plan


def test_local_judges_and_embedders_are_looked_at_too(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE", "builtin:case-reader")
    graders = {
        "judge": {"type": "score_model", "local": True, "model": "${env:JUDGE}"},
        "all": {
            "type": "multi",
            "graders": {
                "alike": {
                    "type": "text_similarity",
                    "evaluation_metric": "cosine",
                    "model": "builtin:case-reader",
                },
                "far": {"type": "label_model", "model": "gpt-x"},
            },
        },
    }
    plan = dataclasses.replace(make_plan(spec), graders=graders)
    found = identity.identify(plan)
    assert sorted(found) == ["base", "graders.all.graders.alike", "graders.judge"]
    assert len(set(found.values())) == 1
