"""Spoilt files: whatever stands in a job, an import ends in words, and every key is told."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftspec.diagnostics import DiagnosticError
from rftspec.spec.document import walk
from rftspec.spec.importing.imported import Imported, Wishes
from rftspec.spec.importing.reading import read_file
from rftspec.spec.yaml_reader import parse_text
from tests.spec.importing import TOOLS, entries

INPUTS = [
    (entry.get("tool", "openai"), entry["input"] if "input" in entry else yaml.safe_load(text))
    for entry in entries()
    if "input" in entry or "tool" in entry or entry["name"] == "Countdown's job file"
    for text in [entry.get("text", "")]
]
JUNK = st.sampled_from(
    [
        *(None, True, False, 0, -1, 3, 0.5, 1e300, "", "auto", "x", " ", "{{ item.", "a\nb: c"),
        *("é\u202e", "sk-secret-123", [], {}, [None], [[1]], {"a": None}, {"type": "multi"}),
        *(["x", {}], {"role": 3}),
    ]
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else (enumerate(value) if isinstance(value, list) else ())
    )
    for key, child in items:
        yield from _places(child, (*path, key))


def _spoil(value: Any, path: tuple[Any, ...], junk: Any, *, delete: bool) -> Any:
    if not path:
        return junk
    spoilt = copy.deepcopy(value)
    inner = spoilt
    for key in path[:-1]:
        inner = inner[key]
    if delete:
        del inner[path[-1]]
    else:
        inner[path[-1]] = junk
    return spoilt


def _import(tool: str, value: Any, folder: Path) -> tuple[Path, Imported | None]:
    path = folder / "job.json"
    path.write_text(json.dumps(value), "utf-8")
    try:
        return path, TOOLS[tool](Wishes(path))
    except DiagnosticError as error:
        found = error.diagnostics
    assert any(one.severity == "error" for one in found)
    return path, None


@given(data=st.data())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_spoilt_file_ends_in_words_and_every_key_is_told(
    data: st.DataObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the sandbox is a process that takes long to start, and is tested elsewhere
    monkeypatch.setattr("rftspec.spec.importing.graders._problems_of", lambda source: ())
    tool, value = data.draw(st.sampled_from(INPUTS))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from([p for p in _places(value) if p] or [()]))
        value = _spoil(value, place, data.draw(JUNK), delete=data.draw(st.booleans()))
    path, made = _import(tool, value, tmp_path)
    if made is None:
        return
    document = parse_text(made.text, Path("spec.yaml"), "spec.yaml")
    assert not document.collector.has_errors
    told = {tuple(one.source.split(".")) if one.source else () for one in made.entries}
    root = read_file(path).root
    assert root is not None
    for place, node in walk(root):
        is_leaf = node.kind == "scalar" or not node.value
        covered = any(place[: len(known)] == known for known in told)
        assert covered or not is_leaf, place


HOSTED = Path(__file__).resolve().parents[1] / "cases" / "hosted_graders.yaml"


@pytest.mark.parametrize(
    "entry", yaml.safe_load(HOSTED.read_text("utf-8")), ids=lambda entry: entry["name"]
)
def test_hosted_grader_is_imported_or_told_why_not(
    entry: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of hosted graders: what builds there comes through whole here."""
    monkeypatch.setattr("rftspec.spec.importing.graders._problems_of", lambda source: ())
    _, made = _import("openai", {"grader": entry["grader"]}, tmp_path)
    assert made is not None
    repaired = any(one.code == "W706" for one in made.diagnostics)
    sandboxed = entry.get("refused") == "E403"
    nested = "multi inside multi" in entry["name"]
    floorless = "+ log(a) +" in str(entry["grader"])
    if "refused" not in entry and not nested and not floorless:
        assert made.is_whole
    elif (
        not floorless
        and not nested
        and not repaired
        and not sandboxed
        and entry["refused"] != "E421"
    ):
        assert not made.is_whole
