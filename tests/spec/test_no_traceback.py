"""Whatever stands in a spec or in its rows, loading ends in a Spec or in diagnostics."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftspec.diagnostics import DiagnosticError
from rftspec.plan.compile import compile_plan
from rftspec.plan.model import Plan
from rftspec.spec.load import load_spec
from tests.spec.samples import SAMPLES, copy_sample

SAMPLE: dict[str, Any] = yaml.safe_load((SAMPLES / "ranking.yaml").read_text())
SAMPLE["graders"]["says"] = {
    "type": "multi",
    "calculate_output": "a",
    "graders": {
        "a": {
            "type": "string_check",
            "input": "{{ sample.output_text }}",
            "reference": "{{ item.gene }}",
            "operation": "like",
        }
    },
}
SAMPLE["data"]["validation"] = {"split": 4, "by": "item.gene"}
SAMPLE["evaluate"]["references"]["vote"] = {"vote": {"samples": 3, "on": "sample.output_text"}}
WORDS = [
    "", "auto", "item.gene", "{{ item.gene }}", "{{ x }", "rank +", "ranking", "../x", "no", "x",
    "builtin:case-reader", "Qwen/Qwen3-8B", "expression", "python", "multi", "item.list[0] ?? 1",
    "\u0430", "a" * 300, "rank", "metric(1)", "ranking/train.jsonl", "$x", "~/x", "https://x/y",
]  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5000) | st.floats(-1, 9) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "schema", "properties", "a", "enum"]), inner)
    ),
    max_leaves=6,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _paths(inner, (*path, index))
    return found


def _spoil(value: Any, data: st.DataObject, times: int) -> Any:
    spoiled = copy.deepcopy(value)
    for _ in range(times):
        path = data.draw(st.sampled_from(_paths(spoiled) or [()]))
        if not path:
            return data.draw(VALUES)
        parent = spoiled
        for key in path[:-1]:
            parent = parent[key]
        if data.draw(st.booleans()):
            parent[path[-1]] = data.draw(VALUES)
        else:
            del parent[path[-1]]
    return spoiled


def _load(spec: Path) -> None:
    try:
        plan = compile_plan(load_spec(spec, sandbox=None))
    except DiagnosticError as error:
        found = error.diagnostics
    else:
        assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
        return
    assert found
    for one in found:
        assert one.span is not None or one.code == "E506"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoiled")
    copy_sample(folder)
    return folder


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_spoiled_spec_makes_loading_fail(folder: Path, data: st.DataObject) -> None:
    spec = folder / "ranking.yaml"
    spec.write_text(json.dumps(_spoil(SAMPLE, data, data.draw(st.integers(1, 4)))))
    _load(spec)


ROW = json.loads((SAMPLES / "ranking" / "train.jsonl").read_text().splitlines()[0])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_spoiled_rows_make_loading_fail(folder: Path, data: st.DataObject) -> None:
    spec = folder / "rows.yaml"
    spec.write_text((SAMPLES / "ranking.yaml").read_text().replace("/train.jsonl", "/bad.jsonl"))
    rows = [_spoil(ROW, data, data.draw(st.integers(0, 2))) for _ in range(4)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if data.draw(st.booleans()):
        cut = data.draw(st.integers(0, len(text)))
        text = text[:cut] + data.draw(st.text(max_size=3)) + text[cut:]
    (folder / "ranking" / "bad.jsonl").write_bytes(text.encode("utf-8", "surrogatepass"))
    _load(spec)
