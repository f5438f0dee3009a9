"""Fuzz the scoring language: parser, checker, evaluators, trace and formatter, for some minutes.

    python bench/fuzz_language.py [MINUTES [SEED]]    10 minutes unless told; stops at a crash

Texts are of three kinds: right expressions that were grown at random; the cases of
tests/cases/score_language.yaml with pieces cut out, doubled, swapped or put in; and random
characters, mostly the language's own. Every text must end as an expression or as diagnostics with
places in it. An expression must then give one value, or one error with a place, in both evaluators
and in the trace, and the formatter must keep its meaning and have nothing to do the second time.
Nothing may take a second. A crash is shown with its text and its seed.
"""

from __future__ import annotations

import math
import random
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import EvalError, Expression, compile_expression, syntax
from rftspec.expr.errors import ParseFailure
from rftspec.expr.format import format_expression
from rftspec.expr.parse import parse
from rftspec.expr.trace import render_trace
from tests.expr.generate import NAMES as RANDOM_NAMES
from tests.expr.generate import grow
from tests.expr.table import read_table

SLOW = 1.0
TYPES, VALUES, CASES = read_table()
TEXTS = [case["e"] for _, case in CASES]
WORDS = ("??", "==", "let ", " in ", "if ", " then ", " else ", "not ", " and ", "1e", "item", 'r"')
PIECES = [*"()[],.+-*/%^?<>=!\"'#\\ \n\tr", *WORDS, "9" * 400, "\ud800", "\0", "é", "− "]
OWN = "ab1.()[]+-*/^?<=,'\"r# \nletinif\\"
NUMBERS = (0.0, 1.0, -1.0, 0.5, -2.5, 1e300, -1e-300, 3.0)
SHORT = ("", "a", "b", "a,b", " 1 ", "é", "1.5", '{"k": [1]}')


def mutated(rng: random.Random) -> str:
    """A case of the table, damaged in up to six places."""
    text = rng.choice(TEXTS)
    for _ in range(rng.randint(1, 6)):
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.randint(0, 8))
        put = rng.choice(
            ["", text[start:end] * 2, rng.choice(PIECES), rng.choice(TEXTS), text[start:end][::-1]]
        )
        text = text[:start] + put + text[end:]
    return text


def characters(rng: random.Random) -> str:
    """Random characters, mostly those that the language has a use for."""
    size = rng.randint(0, 80)
    if rng.random() < 0.2:
        return "".join(chr(rng.randrange(0x11000)) for _ in range(size))
    return "".join(rng.choice(OWN) for _ in range(size))


def environment(rng: random.Random) -> dict[str, Any]:
    """Values for grown expressions."""
    json = rng.choice([True, 1, "a", [1, "b"], {"k": 2}, {"k": None}, [[1.5], []]])
    item = {
        "s": rng.choice(SHORT),
        "xs": rng.choices(NUMBERS, k=rng.randint(0, 4)),
        "ss": rng.choices(SHORT, k=rng.randint(0, 4)),
        "n": rng.choice([None, *NUMBERS]),
        "j": json,
    }
    a, b = rng.uniform(-4, 4), rng.random()
    return {"a": a, "b": b, "p": rng.random() < 0.5, "item": item}


def try_text(text: str, names: Any, env: Any) -> str:
    """One text through everything; says how it ended, raises where a promise is broken."""
    told = None
    try:
        tree = parse(text)
    except ParseFailure as failure:
        tree, told = None, failure.problem
    assert told is None or 0 <= told.start <= told.end <= len(text)
    try:
        expression = compile_expression(text, names, result="any")
    except DiagnosticError as error:
        for found in error.diagnostics:
            assert found.code[0] == "E"
            assert found.span is not None
            assert found.span.line <= text.count("\n") + 1
        expression = None
    if tree is not None:
        formatted = format_expression(text)
        assert format_expression(formatted) == formatted
        assert syntax.same(parse(formatted), tree)
    if expression is None:
        return "refused" if tree is not None else "no expression"
    return _run(expression, env)


def _run(expression: Expression, env: Any) -> str:
    outcomes = [_outcome(run, env) for run in (expression.evaluate, expression.evaluate_by_walking)]
    assert outcomes[0] == outcomes[1], outcomes
    trace = expression.trace(env)
    assert render_trace(trace)
    assert (trace.state == "error") == (outcomes[0][0] == "error")
    if outcomes[0][0] == "error":
        assert 0 <= outcomes[0][2] <= outcomes[0][3] <= len(expression.text)
    elif isinstance(outcomes[0][1], float):
        assert math.isfinite(outcomes[0][1])
    return str(outcomes[0][0])


def _outcome(run: Any, env: Any) -> tuple[Any, ...]:
    try:
        return ("value", run(env))
    except EvalError as error:
        return ("error", error.message, error.start, error.end)


def fuzz(minutes: float, start: int) -> dict[str, int]:
    """Try texts until the time is over; how many ended how."""
    ends: dict[str, int] = {}
    until, number = time.monotonic() + minutes * 60, start
    while time.monotonic() < until:
        number += 1
        rng = random.Random(number)
        kind = rng.random()
        is_right = kind < 0.3
        text = grow(rng.choice) if is_right else (mutated if kind < 0.85 else characters)(rng)
        names, env = (RANDOM_NAMES, environment(rng)) if is_right else (TYPES, VALUES)
        began = time.perf_counter()
        try:
            end = try_text(text, names, env)
            took = time.perf_counter() - began
            assert took < SLOW, f"it took {took:.1f} s"
        except BaseException:
            print(f"crashed at seed {number - 1}: {text!r}", file=sys.stderr)
            raise
        ends[end] = ends.get(end, 0) + 1
    return ends


def main() -> int:
    """Fuzz for the minutes of the command line and print the count."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    start = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 10**9
    ends = fuzz(minutes, start)
    told = ", ".join(f"{count:,} {end}" for end, count in sorted(ends.items()))
    total = sum(ends.values())
    print(f"{total:,} texts in {minutes:g} minutes from seed {start}, no crash: {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
