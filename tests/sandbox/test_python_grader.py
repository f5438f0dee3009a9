"""The `python` grader on the sandbox: its settings, its error kinds, and the time of a score."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.expr.types import JSON
from rftspec.graders import python
from rftspec.graders.building import Builder
from rftspec.graders.python import PythonGrader
from rftspec.graders.score import INFRASTRUCTURE, Sample, Score
from rftspec.sandbox.pool import TIMEOUT_S, Pool


def built(pool: Pool, source: str, **settings: Any) -> tuple[PythonGrader, Builder]:
    builder = Builder(JSON, JSON, pool, path="graders.mine")
    return python.build({"source": source, **settings}, builder), builder


def score(grader: PythonGrader) -> Score:
    (found,) = grader.grade([Sample("text")], [{"answer": "text"}])
    return found


def test_score_carries_its_seconds_and_failures_do_too(pool: Pool) -> None:
    fine, _ = built(pool, "def grade(sample, item):\n    return 0.5")
    assert score(fine) == Score(0.5)
    bad, _ = built(pool, "def grade(sample, item):\n    return 1 / 0")
    far, _ = built(pool, "def grade(sample, item):\n    return 5")
    assert score(bad).error == "python_grader_runtime_error"
    assert score(far).error == "other_error"
    for grader in (fine, bad, far):
        took = score(grader).seconds
        assert took is not None
        assert 0 < took < 10


def test_time_limit_of_the_grader_holds_in_a_pool_that_others_share(pool: Pool) -> None:
    busy = "def grade(sample, item):\n    while True: pass"
    short, _ = built(pool, busy, timeout_s=0.2)
    longer, _ = built(pool, busy, timeout_s=0.4)
    assert "over its 0.2 s" in str(score(short).detail)
    assert "over its 0.4 s" in str(score(longer).detail)
    unsaid, _ = built(pool, busy)
    assert unsaid.timeout_s == TIMEOUT_S == 2.0


def test_image_tag_is_taken_with_a_warning_that_it_does_nothing(pool: Pool) -> None:
    source = "def grade(sample, item):\n    return 0.5"
    grader, builder = built(pool, source, image_tag="2025-05-08")
    assert score(grader).value == 0.5
    (warning,) = builder.warnings
    assert (warning.code, warning.severity) == ("W430", "warning")
    assert warning.path == "graders.mine.image_tag"


def test_module_that_is_not_offered_is_told_with_a_rewrite_and_with_what_is(pool: Pool) -> None:
    source = "import numpy as np\ndef grade(sample, item):\n    return float(np.mean([1]))"
    with pytest.raises(DiagnosticError) as raised:
        built(pool, source)
    (found,) = raised.value.diagnostics
    assert found.code == "E403"
    assert "np.mean -> statistics.fmean" in found.message
    assert found.hint is not None
    assert "offered are ast, bisect" in found.hint


def test_worker_that_cannot_be_started_is_a_server_error_that_never_pays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Pool() as fresh:
        source = "def grade(sample, item):\n    return 1.0"
        grader = PythonGrader(source, "source", (0.0, 1.0), fresh)
        assert score(grader).value == 1.0
        fresh.close()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Pool() as broken:
        grader = PythonGrader(source, "source", (0.0, 1.0), broken)
        found = score(grader)
    assert found.value is None
    assert found.error == "python_grader_server_error"
    assert found.error not in INFRASTRUCTURE, "the sample gets the floor; it is not dropped"
