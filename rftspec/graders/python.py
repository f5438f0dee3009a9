"""`python`: a number from a function of the user's, run restricted and in a worker process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.expr import Origin
from rftspec.graders.building import RANGE_SCHEMA, Builder, Interval, Settings
from rftspec.graders.expression import number_in_range
from rftspec.graders.score import ErrorKind, Item, Sample, Score
from rftspec.sandbox.pool import TIMEOUT_S, Pool, SandboxUnavailable
from rftspec.sandbox.protocol import Outcome, OutcomeKind, Problem, clean

DOC = """\
Calls `def grade(sample, item) -> float` of a Python module, inline (`source`) or in a file
(`file`). The module may have helpers and import re, math, json, string, statistics, collections,
itertools, functools, operator, heapq, bisect, copy, datetime, decimal, fractions, unicodedata,
difflib, ast (literal_eval), rapidfuzz and typing, as far as the sandbox page lists them; it has no
files, network, clock or chance, and starts anew for every call. `sample` has `output_text`,
`output_json` (None where the text does not follow the response format), `output_tools` and
`choices`; `item` is the row.

An exception, a time-out or an exhausted limit is a `python_grader_runtime_error`; a worker process
that could not be started a `python_grader_server_error`; a value that is not a finite number, or
lies outside `range`, an `other_error`. None of them pays.
"""

MAX_TIMEOUT_S = 120
"""What the hosted product gives a grader in all."""

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "source": {
            "type": "string",
            "description": "The module's text; it defines `grade(sample, item)`.",
        },
        "file": {
            "type": "string",
            "description": "In place of `source`: the module's file, relative to the spec.",
        },
        "range": {
            **RANGE_SCHEMA,
            "default": [0, 1],
            "description": "Lowest and highest value; a value outside is an error.",
        },
        "timeout_s": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": MAX_TIMEOUT_S,
            "default": TIMEOUT_S,
            "description": "Seconds of processor time that one call may take.",
        },
        "image_tag": {
            "type": "string",
            "description": "The hosted product's image of packages; it has no effect here.",
        },
    },
    "anyOf": [{"required": ["source"]}, {"required": ["file"]}],
}

DEFAULT_RANGE: Interval = (0.0, 1.0)

_KINDS: Mapping[OutcomeKind, ErrorKind] = {
    "compile_error": "python_grader_runtime_error",
    "runtime_error": "python_grader_runtime_error",
    "timeout": "python_grader_runtime_error",
    "memory_error": "python_grader_runtime_error",
    "worker_killed": "python_grader_runtime_error",
    "server_error": "python_grader_server_error",
    "invalid_score": "other_error",
}


@dataclass(frozen=True, slots=True)
class PythonGrader:
    """A script and the pool that runs it."""

    source: str
    name: str
    """What error places call the script: its file, or `source`."""
    range: Interval
    pool: Pool
    timeout_s: float = TIMEOUT_S

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Score]:
        """The script's value for each sample; the whole batch goes to the pool at once."""
        calls = [(s.to_json(), dict(i)) for s, i in zip(samples, items, strict=True)]
        outcomes = self.pool.grade(self.source, calls, self.timeout_s)
        return [self._score(outcome) for outcome in outcomes]

    def close(self) -> None:
        """The pool belongs to the set of graders."""

    def _score(self, outcome: Outcome) -> Score:
        if outcome.value is not None:
            score = number_in_range(outcome.value, self.range)
            return replace(score, seconds=outcome.seconds)
        place = self.name if outcome.line is None else f"{self.name}:{outcome.line}"
        detail = clean(f"{place}: {outcome.detail}")
        return Score(None, _KINDS.get(outcome.kind, "other_error"), detail, outcome.seconds)


def build(settings: Settings, builder: Builder) -> PythonGrader:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    source, name = settings.get("source"), settings.get("file", "source")
    if not isinstance(source, str):
        message = f"the text of `{name}` was not loaded"
        raise DiagnosticError([builder.problem("E403", message, "file")])
    interval = builder.interval(settings.get("range"), DEFAULT_RANGE)
    timeout_s = float(settings.get("timeout_s", TIMEOUT_S))
    if "image_tag" in settings:
        builder.warnings.add(_no_image(builder))
    if builder.pool is None:
        return PythonGrader(source, name, interval, Pool(), timeout_s)
    try:
        problems = builder.pool.check(source)
    except SandboxUnavailable as error:
        hint = "use a system with these layers, or accept fewer with `--sandbox reduced`"
        raise DiagnosticError([builder.problem("E404", str(error), hint=hint)]) from None
    if problems:
        origin = builder.origins.get(f"{builder.path}.source")
        raise DiagnosticError(_diagnostic(p, source, origin, builder) for p in problems)
    return PythonGrader(source, name, interval, builder.pool, timeout_s)


def _diagnostic(
    problem: Problem, source: str, origin: Origin | None, builder: Builder
) -> Diagnostic:
    """The problem at its line and column of the user's file."""
    lines = source.split("\n")
    offset = sum(len(line) + 1 for line in lines[: problem.line - 1])
    width = len(lines[problem.line - 1]) if problem.line <= len(lines) else 0
    offset += min(problem.column - 1, width)
    if origin is not None:
        here = (offset, offset)
        return builder.problem("E403", problem.message, "source", at=here, hint=problem.hint)
    message = f"line {problem.line}: {problem.message}"
    return builder.problem("E403", message, "source", hint=problem.hint)


def _no_image(builder: Builder) -> Diagnostic:
    message = "`image_tag` has no effect: graders run in the sandbox, with its own modules"
    hint = "`rftspec explain W430` lists them; an import that is not offered is an error of its own"
    return builder.problem("W430", message, "image_tag", hint=hint, severity="warning")
