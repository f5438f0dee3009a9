"""The lock of a spec: what it holds, and that a locked run refuses every kind of drift."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftspec.cli import exits
from rftspec.cli.main import main
from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.plan.lock import Lock, lock_changes, lock_of, lock_path, read_lock, write_lock
from rftspec.plan.toml import write_toml
from rftspec.run import loop
from rftspec.run.outcome import versions
from tests.cli.scripted import RankingEngine
from tests.plan.making import make_plan
from tests.plan.test_saved import COMMIT, _fake_hub, _own_model
from tests.spec.samples import copy_sample, edit

VERSIONS = {"rftspec": "0.1.0", "torch": "2.9.0", "transformers": "5.0", "peft": "0.18"}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "here")


def _lock(spec: Path, *overrides: str) -> Lock:
    """The spec's lock, written and read back."""
    write_lock(lock_of(make_plan(spec, *overrides), VERSIONS), lock_path(spec), spec.name)
    return read_lock(lock_path(spec), "again")


def _told(lock: Lock, spec: Path, *overrides: str, **more: Any) -> list[str]:
    found = lock_changes(lock, make_plan(spec, *overrides), more.pop("versions", VERSIONS))
    return [change.text() for change in found]


def test_a_lock_holds_and_a_second_one_is_the_same_file(spec: Path) -> None:
    lock = _lock(spec)
    first = lock_path(spec).read_bytes()
    assert _told(lock, spec) == []
    _lock(spec)
    assert lock_path(spec).read_bytes() == first
    assert lock_path(spec).name == "ranking.lock"


def test_a_lock_is_sorted_one_fact_a_line(spec: Path) -> None:
    _lock(spec)
    text = lock_path(spec).read_text()
    assert text.startswith("# Written by `rftspec plan ranking.yaml --lock`; keep it beside")
    names = [line.split(" = ")[0] for line in text.splitlines() if line.startswith("train.")]
    assert "train.steps" in names
    assert names == sorted(names)
    found = tomllib.loads(text)
    assert found["contents"]["base"].startswith("sha256:")
    assert set(found["versions"]) == {
        "rftspec", "grammar", "python", "torch", "transformers", "peft", "bitsandbytes",
    }  # fmt: skip
    assert found["versions"]["bitsandbytes"] == "none"


def _comment(spec: Path) -> None:
    edit(spec, "# A small spec", "# Another comment")


def test_a_comment_is_no_drift_but_another_text(spec: Path) -> None:
    lock = _lock(spec)
    _comment(spec)
    assert _told(lock, spec) == []
    assert _lock(spec).spec_sha256 != lock.spec_sha256


def _edit_spec(good: str, bad: str) -> Callable[[Path], None]:
    return lambda spec: edit(spec, good, bad)


def _edit_file(name: str, good: str, bad: str) -> Callable[[Path], None]:
    return lambda spec: edit(spec.parent / "ranking" / name, good, bad)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_edit_spec("steps: 4", "steps: 5"), "~ train.steps  4 → 5  (ranking.yaml:43)"),
        (_edit_spec("0.9 * rank", "0.8 * rank"), "~ reward  [-0.9-][+0.8+] * rank + "),
        (_edit_spec("second=0.7", "second=0.6"), "~ graders.rank.expression  …"),
        (_edit_spec('"tuned") >= 0', '"tuned") >= 1'), "- require  "),
        (_edit_spec("    range: [0, 1]\n    expression", "    expression"), "- graders.rank.range"),
        (_edit_spec("  max_tokens: 64", "  max_tokens: 65"), "~ response.max_tokens  64 → 65"),
        (_edit_spec("type: string }", "type: [string, 'null'] }"), "~ response.format.json_schema"),
        (_edit_spec("name: ranking\n", "name: ranking\nseed: 3\n"), "~ seed  0 → 3"),
        (_edit_file("train.jsonl", "sign 0", "sign 900"), "~ data.train  24 rows, the file has"),
        (_edit_file("validation.jsonl", "sign 0", "sign 9"), "~ data.validation  6 rows, the file"),
        (_edit_file("test.jsonl", "sign 0", "sign 9"), "~ data.test  6 rows, the file has changed"),
        (_edit_file("outputs.jsonl", "by hand", "by me"), "~ evaluate.references.elsewhere  its"),
        (_edit_file("concise.py", "<= 3", "<= 4"), "~ graders.concise.source  its content has"),
    ],
)  # fmt: skip
def test_every_change_is_drift_and_is_told(
    spec: Path, change: Callable[[Path], None], told: str
) -> None:
    lock = _lock(spec)
    change(spec)
    found = _told(lock, spec)
    assert any(line.startswith(told) for line in found), found


def test_an_override_is_drift(spec: Path) -> None:
    assert _told(_lock(spec), spec, "train.steps=9") == ["~ train.steps  4 → 9  (--set)"]
    assert _told(_lock(spec, "train.steps=9"), spec, "train.steps=9") == []


@pytest.mark.parametrize("name", ["rftspec", "torch", "transformers", "peft", "bitsandbytes"])
def test_another_version_is_drift(spec: Path, name: str) -> None:
    found = _told(_lock(spec), spec, versions={**VERSIONS, name: "99"})
    assert found == [f"~ versions.{name}  {VERSIONS.get(name, 'none')} → 99"]


def test_another_grammar_is_drift(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = _lock(spec)
    (tmp_path / "score.lark").write_text("start: other")
    monkeypatch.setattr("rftspec.plan.lock.resource", lambda *_: tmp_path / "score.lark")
    (told,) = _told(lock, spec)
    assert told.startswith("~ versions.grammar  ")


def test_another_python_is_drift_but_not_its_third_number(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import platform

    lock = _lock(spec)
    now = platform.python_version_tuple()
    monkeypatch.setattr(platform, "python_version_tuple", lambda: (now[0], now[1], "99"))
    assert _told(lock, spec) == []
    monkeypatch.setattr(platform, "python_version_tuple", lambda: (now[0], "99", "0"))
    assert _told(lock, spec) == [f"~ versions.python  {now[0]}.{now[1]} → {now[0]}.99"]


def test_other_weights_in_the_same_folder_are_drift(spec: Path) -> None:
    model = _own_model(spec)
    lock = _lock(spec)
    assert _told(lock, spec) == []
    (model / "generation_config.json").write_text("{}")
    (told,) = _told(lock, spec)
    assert told.startswith("~ contents.base  its content has changed: sha256 ")


def test_a_hub_model_is_locked_by_its_commit_and_a_moved_branch_is_no_drift(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run uses the locked commit, whatever `main` is by then."""
    _fake_hub(tmp_path / "cache", monkeypatch)
    lock = _lock(spec, "model.base=some/model")
    assert lock.commit == COMMIT
    _fake_hub(tmp_path / "cache", monkeypatch, "f" * 40)
    assert _told(lock, spec, "model.base=some/model") == []
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    assert _told(lock, spec, "model.base=some/model") == []


def _one(error: pytest.ExceptionInfo[DiagnosticError]) -> Diagnostic:
    (found,) = error.value.diagnostics
    return found


def test_a_model_that_was_never_fetched_cannot_be_locked(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    with pytest.raises(DiagnosticError) as caught:
        lock_of(make_plan(spec, "model.base=some/model"), VERSIONS)
    assert (_one(caught).code, _one(caught).path) == ("R416", "model.base")
    assert "hf download some/model" in str(_one(caught).hint)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is not a lock"),
        ("lock = 1\n", "it is not a lock"),
        ("lock = 2\nplan = 'x'\n", "a newer rftspec has written it"),
        ("lock = 1\nplan = \n", "it is no TOML"),
        ("<<<<<<< HEAD\nlock = 1\n", "it is no TOML"),
        ("\xff", "it is no TOML"),
    ],
)
def test_a_damaged_lock_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.lock"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DiagnosticError) as caught:
        read_lock(path, "rftspec plan x.yaml --lock")
    assert _one(caught).code == "R415"
    assert told in _one(caught).message


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = (
    TEXTS | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
    | st.lists(TEXTS, max_size=3)
)  # fmt: skip


@given(st.dictionaries(TEXTS, st.dictionaries(TEXTS, VALUES, min_size=1), min_size=1))
def test_what_is_written_as_toml_is_read_back_as_it_was(values: dict[str, Any]) -> None:
    table = {(outer, name): v for outer, inner in values.items() for name, v in inner.items()}
    assert tomllib.loads(write_toml(table)) == values


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, spec: Path) -> Path:
    """The scripted engine, beside the folder of the spec."""
    monkeypatch.setattr(loop, "_open_engine", lambda plan, meter: RankingEngine(plan.seed))
    monkeypatch.chdir(spec.parent.parent)
    return Path(spec.parent.name) / spec.name


def test_the_commands_lock_run_refuse_and_accept(
    scripted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a person goes through it, from another folder than the spec's."""
    run = ["run", str(scripted), "--locked", "--display", "none"]
    assert main(run) == exits.WRONG
    told = capsys.readouterr().err
    assert "error[R419]" in told
    assert f"plan {scripted} --lock" in told
    assert main(["plan", str(scripted), "--lock"]) == exits.FINE
    told = "".join(capsys.readouterr())
    assert "ranking.lock written" in told
    assert "--locked" in told
    assert main(run) == exits.FINE
    edit(scripted, "steps: 4", "steps: 5")
    capsys.readouterr()
    assert main(run) == exits.WRONG
    told = capsys.readouterr().err
    assert "error[R417]" in told
    assert "~ train.steps  4 → 5  (ranking.yaml:43)" in told
    assert f"to accept this: {_shell('plan')}" in told
    assert main(["plan", str(scripted), "--lock"]) == exits.FINE
    assert main(run) == exits.FINE


def _shell(verb: str) -> str:
    from rftspec.cli import console

    return console.command(verb)


def test_a_comment_is_remarked_and_the_run_goes_on(
    scripted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(scripted), "--lock"]) == exits.FINE
    _comment(scripted)
    capsys.readouterr()
    assert main(["run", str(scripted), "--locked"]) == exits.FINE
    assert "another text than when locked" in capsys.readouterr().err


def test_a_locked_run_uses_the_locked_commit(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rftspec.cli.locking import hold_to_lock

    _fake_hub(tmp_path / "cache", monkeypatch)
    edit(spec, "base: builtin:case-reader", "base: some/model")
    write_lock(lock_of(make_plan(spec), versions()), lock_path(spec), spec.name)
    _fake_hub(tmp_path / "cache", monkeypatch, "f" * 40)
    held = hold_to_lock(make_plan(spec), spec)
    assert held.model.revision == COMMIT
    assert held.reasons["model.revision"] == "locked: ranking.lock"


def test_a_saved_plan_needs_no_lock(scripted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(scripted), "--out", "plan.json"]) == exits.FINE
    assert main(["run", "plan.json", "--locked"]) == exits.USAGE
    assert "exact by itself" in capsys.readouterr().err
