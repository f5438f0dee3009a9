"""Every hostile script of the corpus ends as expected, and the pool works on after it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from rftspec.sandbox.pool import Pool
from rftspec.sandbox.protocol import Outcome

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "hostile_graders.jsonl"
PWNED = Path("/tmp/rftspec_pwned")
SAMPLE = {"output_text": "1. a\n2. b", "ranked": ["a", "b"]}
ITEM = {"answer": "b"}
# soft limit, the grace of the kernel's timer, and what starting a worker on a busy machine costs
WALL_S = 15.0
BENIGN = "def grade(sample, item):\n    return 0.75"

# `re` is refused as long as there is no RE2 behind it: a script that uses it does not compile.
NEEDS_RE = re.compile(r"^import .*\bre\b.*$", re.MULTILINE)


def cases() -> list[Any]:
    if not CORPUS.is_file():
        return []
    with CORPUS.open(encoding="utf-8") as lines:
        loaded = [json.loads(line) for line in lines]
    return [pytest.param(case, id=case["id"]) for case in loaded]


def test_corpus_is_there() -> None:
    if not CORPUS.is_file():
        pytest.skip(f"the corpus of hostile graders is not at {CORPUS}")
    assert len(cases()) > 200


@pytest.mark.parametrize("case", cases())
def test_hostile_script_ends_as_expected(case: dict[str, Any], pool: Pool) -> None:
    calls = case.get("calls") or [[case.get("sample", SAMPLE), case.get("item", ITEM)]]
    started = time.monotonic()
    code = case["code"] if "re." in case["code"] else NEEDS_RE.sub("import math", case["code"])
    outcomes = pool.grade(code, [(sample, item) for sample, item in calls])
    assert time.monotonic() - started < WALL_S
    assert len(outcomes) == len(calls)
    if NEEDS_RE.search(code):
        assert {outcome.kind for outcome in outcomes} == {"compile_error"}
    else:
        check_expectation(case, outcomes)
    assert not PWNED.exists()
    assert pool.grade(BENIGN, [(SAMPLE, ITEM)]) == [Outcome("score", 0.75)]


def check_expectation(case: dict[str, Any], outcomes: list[Outcome]) -> None:
    accepted = {case["expect"], *case.get("accept", [])}
    if "scores" in case:
        assert [outcome.value for outcome in outcomes] == case["scores"]
        return
    (outcome,) = outcomes
    assert outcome.kind in accepted
    if outcome.kind == "score" and "score" in case:
        assert outcome.value == pytest.approx(case["score"])
    if outcome.kind != "score":
        assert outcome.value is None
        assert outcome.detail
        assert len(outcome.detail) <= 200
        assert outcome.detail.isprintable()
