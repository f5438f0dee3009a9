"""Our own hostile specs and rows: accepted or refused as they should be, where, and in time."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.spec.load import load_spec
from tests.spec.hostile import CASES, GOOD, ROW, Case

OTHER_ROW = '{"question": "other", "answer": "b"}\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the cases name, pipes and loops among it."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "fifo")
    return folder


def said(folder: Path, case: Case) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Errors and warnings about a case."""
    for name, content in {"train.jsonl": ROW + OTHER_ROW, **case.files}.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(raw)
    spec = folder / "spec.yaml"
    raw = case.spec if isinstance(case.spec, bytes) else case.spec.encode("utf-8", "surrogatepass")
    spec.write_bytes(raw)
    try:
        found = list(load_spec(spec, sandbox=None).diagnostics)
    except DiagnosticError as error:
        found = list(error.diagnostics)
    return (
        [one for one in found if one.severity == "error"],
        [one for one in found if one.severity != "error"],
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hostile_input_is_met_with_its_code_at_its_place(folder: Path, case: Case) -> None:
    started = time.process_time()
    errors, warnings = said(folder, case)
    assert time.process_time() - started < 1
    if case.code is None:
        assert not errors
        return
    places = [(d.code, d.span.line, d.span.column) for d in errors if d.span is not None]
    assert (case.code, case.line, case.column) in places, places[:5]
    if len(errors) < 50:  # the large ones repeat one mistake
        assert {d.code for d in errors} <= {case.code, *FOLLOWS.get(case.code, ())}
    for one in (*errors, *warnings):
        assert one.hint is None or len(one.hint) < 2000


FOLLOWS = {"E008": ("E101",), "E007": ("E101",), "E005": ("E006",)}
"""Codes that may stand beside another: cases whose mistake is several."""


def test_a_compressed_bomb_is_refused_before_it_unpacks(folder: Path) -> None:
    bomb = gzip.compress(b'{"question": "' + b"a" * 100_000_000)
    spec = GOOD.replace("train.jsonl", "t.jsonl.gz")
    started = time.process_time()
    errors, _ = said(folder, Case("bomb", spec, "E203", files={"t.jsonl.gz": bomb}))
    assert time.process_time() - started < 1
    assert [d.code for d in errors] == ["E203"]


def test_a_damaged_archive_is_one_error(folder: Path) -> None:
    spec = GOOD.replace("train.jsonl", "t.jsonl.gz")
    whole = gzip.compress(ROW.encode())
    for damaged in (whole[:-5], ROW.encode(), whole[:12] + b"xx" + whole[14:]):
        errors, _ = said(folder, Case("damaged", spec, "E221", files={"t.jsonl.gz": damaged}))
        assert [d.code for d in errors] == ["E221"]
