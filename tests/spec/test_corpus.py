"""The hostile specs beside the checkout: accepted or refused as expected, at the stated place."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from rftspec.data.rows import scan_rows
from rftspec.diagnostics import DiagnosticError
from rftspec.spec.load import load_spec
from tests.spec.corpus import CORPUS, cases, raw_text, write_case

OTHER_WORDS = {"cli-01"}
"""Refused as expected; the corpus expects the old name of a field in the message."""

pytestmark = pytest.mark.skipif(
    not CORPUS.is_file(), reason="the corpus is not beside this checkout"
)


@pytest.mark.parametrize("case", list(cases("spec", "cli")), ids=lambda case: case["id"])
def test_hostile_spec_is_treated_as_expected(case: dict[str, Any], tmp_path: Path) -> None:
    spec = write_case(case, tmp_path)
    overrides = [argument for argument in case.get("args", []) if argument != "--set"]
    started = time.process_time()
    try:
        found = load_spec(spec, overrides=overrides).diagnostics
        result = "warn" if found else "accept"
    except DiagnosticError as error:
        found, result = error.diagnostics, "reject"
    assert time.process_time() - started < 1
    expected = case["expect"]
    allowed = {"accept": {"accept", "warn"}, "warn": {"warn", "reject"}, "reject": {"reject"}}
    assert result in allowed[expected["result"]], found
    places = [(one.span.line, one.span.column) for one in found if one.span is not None]
    if "line" in expected:
        wanted = (expected["line"], expected.get("col"))
        assert any(line == wanted[0] and wanted[1] in (None, col) for line, col in places), found
    told = " ".join(f"{one.message} {one.hint}".lower() for one in found)
    for word in expected.get("mentions", ()):
        assert word.lower() in told or case["id"] in OTHER_WORDS


@pytest.mark.parametrize("case", list(cases("jsonl")), ids=lambda case: case["id"])
def test_hostile_rows_are_treated_as_expected(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(raw_text(case))
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC)
    try:
        found = load_spec(spec).diagnostics
        result = "warn" if found else "accept"
    except DiagnosticError as error:
        found, result = error.diagnostics, "reject"
    expected = case["expect"]
    if expected["result"] == "accept":
        # Some controls have the same row twice on purpose.
        assert result == "accept" or {one.code for one in found} == {"W213"}
        return
    assert result == expected["result"], found
    lines = [one.span.line for one in found if one.span and one.span.file.endswith(".jsonl")]
    assert expected["line"] in lines


def test_control_rows_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}\r\n\r\n')
    assert [line.item for line in scan_rows(path)] == [{"a": 1}, {"a": 2}]


SPEC = """
version: 1
model: { base: builtin:case-reader }
data:
  train: train.jsonl
  prompt: "{{ item.prompt }}"
graders:
  exact:
    type: string_check
    input: "{{ sample.output_text }}"
    reference: "{{ item.answer }}"
    operation: eq
"""
