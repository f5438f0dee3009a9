"""Large files are looked at by several processes: they find what one finds, and lose nothing."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rftspec.data.jsonl import raw_rows
from rftspec.diagnostics import DiagnosticError
from rftspec.spec import check_data, row_pool
from rftspec.spec.load import load_spec
from rftspec.spec.row_marks import Marking
from rftspec.spec.row_pool import RowPool

SPEC = """\
version: 1
model: { base: builtin:case-reader }
data: { train: train.jsonl, validation: validation.jsonl, disjoint: [item.a] }
graders:
  exact:
    type: string_check
    operation: eq
    input: "{{ sample.output_text }}"
    reference: "{{ item.a }}"
"""
ODD = [
    b"", b"not json", b'{"a": 1, "a": 2}', b'{"messages": [], "a": "x"}', b"[1]", b'{"a": NaN}',
    b'{"messages": [{"role": "user", "content": "no answer"}]}', b"\xff\xfe", b'{"a": "\\ud800"}',
    b'{"messages": [{"role": "user", "content": " "}], "a": "blank"}',
    b'{"messages": [{"role": "user", "content": "names leak9 itself"}], "a": "leak9"}',
    b'{"messages": [{"role": "user", "content": "held"}], "a": "held-3"}',
    b'{"messages": [{"role": "user", "content": "a number"}], "a": 7, "extra": {"deep": [1, "x"]}}',
]  # fmt: skip


def _row(random: Random, answer: str) -> dict[str, Any]:
    words = " ".join(
        random.choice(["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]) for _ in range(30)
    )
    return {"messages": [{"role": "user", "content": words}], "a": answer}


def _write(folder: Path, odd: list[bytes]) -> None:
    random = Random(1)
    held = [_row(random, f"held-{number}") for number in range(20)]
    rows = [json.dumps(_row(random, f"train-{number % 200}")).encode() for number in range(400)]
    near = {**held[4], "a": "near"}
    rows += [json.dumps(near).encode(), rows[7], rows[8]]
    for line in odd:
        rows.insert(random.randrange(1, len(rows)), line)
    (folder / "spec.yaml").write_text(SPEC)
    (folder / "train.jsonl").write_bytes(b"\n".join(rows) + b"\n")
    lines = "".join(json.dumps(row) + "\n" for row in held)
    (folder / "validation.jsonl").write_text(lines)


def _outcome(folder: Path) -> tuple[object, list[object]]:
    try:
        loaded = load_spec(folder / "spec.yaml")
    except DiagnosticError as error:
        return None, [str(each) for each in error.diagnostics]
    facts = loaded.splits["train"]
    told = (facts.rows, facts.sha256, facts.characters, facts.longest, facts.first, facts.fields)
    return told, [str(each) for each in loaded.diagnostics]


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(row_pool, "BLOCK_ROWS", 50)
    monkeypatch.setattr(row_pool, "cores", lambda: 2)
    return monkeypatch


@pytest.mark.parametrize("odd", [[], ODD, ODD * 8], ids=["clean", "odd", "many"])
def test_several_processes_tell_what_one_tells(
    odd: list[bytes], tmp_path: Path, pooled: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, odd)
    alone = _outcome(tmp_path)
    started = []
    start = row_pool._start
    pooled.setattr(row_pool, "_start", lambda: started.append(1) or start())
    pooled.setattr(check_data, "POOL_BYTES", 0)
    assert _outcome(tmp_path) == alone
    assert started
    assert alone[1]


def test_a_process_that_is_killed_loses_no_row(tmp_path: Path, pooled: pytest.MonkeyPatch) -> None:
    _write(tmp_path, [])
    path = tmp_path / "train.jsonl"
    settings = {"marking": Marking(None, [("a",)], ()), "held_out": [], "whole": False}
    with path.open("rb") as stream, RowPool(settings, 2) as pool:
        seen = []
        for number, raw, marks in pool.look(raw_rows(stream, path)):
            seen.append((number, raw, marks is not None))
            if number == 60:
                for worker in pool._workers:
                    os.kill(worker.pid, signal.SIGKILL)
    assert [raw for _, raw, _ in seen] == path.read_bytes().splitlines()
    assert any(known for _, _, known in seen[:60])
    assert not any(known for _, _, known in seen[-100:])
