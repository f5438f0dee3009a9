"""Every entry of the table of imports: imported, its spec validated, and planned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rftspec.plan.compile import compile_plan
from rftspec.spec.document import walk
from rftspec.spec.importing.reading import read_file
from tests.spec.importing import attempt, entries, load, value_at, write_source

ENTRIES = pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["name"])
WRITTEN = [entry for entry in entries() if entry["expect"]["import"] != "none"]


def test_table_has_the_shapes_of_every_product() -> None:
    assert len(entries()) >= 40
    assert len({entry["name"] for entry in entries()}) == len(entries())
    assert {entry["group"] for entry in entries()} >= {"jobs", "the cookbook", "Azure", "graders"}


@ENTRIES
def test_entry_becomes_what_the_table_says(entry: Mapping[str, Any], tmp_path: Path) -> None:
    expect = entry["expect"]
    tried = attempt(entry, tmp_path)
    assert sorted({one.code for one in tried.diagnostics}) == sorted(expect["codes"])
    errors = any(one.severity == "error" for one in tried.diagnostics)
    outcome = "none" if tried.made is None else "part" if errors else "whole"
    assert outcome == expect["import"]
    told = "\n".join(f"{one.message} {one.hint}" for one in tried.diagnostics)
    if tried.made is not None:
        told += "".join(f"\n{one.note}" for one in tried.made.entries)
        told += " ".join(tried.made.text.replace("#", " ").split())
        values = yaml.safe_load(tried.made.text)
        for path, value in expect.get("spec", {}).items():
            found = value_at(values, path)
            # the test's reader takes 1e-06 for text, as YAML 1.1 does
            assert found == value or float(found) == value, path
    assert [note for note in expect.get("notes", ()) if note not in told] == []


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry["name"])
def test_spec_of_an_entry_validates_and_plans(entry: Mapping[str, Any], tmp_path: Path) -> None:
    tried = attempt(entry, tmp_path)
    loaded, found = load(entry, tried)
    wanted = entry["expect"]["validates"]
    codes = sorted({one.code for one in found if one.severity == "error"})
    assert codes == ([] if wanted is True else sorted(wanted))
    assert (loaded is not None) == (wanted is True)
    if loaded is not None:
        plan = compile_plan(loaded)
        assert plan.train.steps >= 1
        assert plan.reward == loaded.reward


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry["name"])
def test_every_key_of_a_file_is_accounted_for(entry: Mapping[str, Any], tmp_path: Path) -> None:
    tried = attempt(entry, tmp_path)
    assert tried.made is not None
    told = {tuple(one.source.split(".")) if one.source else () for one in tried.made.entries}
    root = read_file(write_source(entry, tmp_path)).root
    assert root is not None
    for path, node in walk(root):
        is_leaf = node.kind == "scalar" or not node.value
        covered = any(path[: len(known)] == known for known in told)
        assert covered or not is_leaf, ".".join(path)


@pytest.mark.parametrize(
    "entry", [e for e in entries() if "secrets" in e], ids=lambda entry: entry["name"]
)
def test_no_secret_is_echoed(entry: Mapping[str, Any], tmp_path: Path) -> None:
    tried = attempt(entry, tmp_path)
    assert tried.made is not None
    said = [str(one.to_json()) for one in (*tried.diagnostics, *tried.made.entries)]
    everything = "\n".join([*said, tried.made.text, *tried.made.files.values()])
    assert [secret for secret in entry["secrets"] if secret in everything] == []
