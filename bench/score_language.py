"""How fast expressions are: the scoring language, its peers, and plain Python, in one run.

    python bench/score_language.py     print the table and write bench/results/score_language.json

All say the same, as far as each language can, on the same values. Peers get their text parsed
beforehand and the same functions, written in plain Python. "Plain Python" is the function that a
person would write: it reads the same values and calls the same functions, with no checks at all.
Each figure is the best of several rounds, in which all contestants take turns, so that a slow
moment of the machine meets them all. simpleeval, asteval and cel-python are left out where they
are not installed.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rftspec.expr import compile_expression
from rftspec.expr.types import NUMBER, STRING, ListOf, OptionalOf, RecordOf, Type

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "score_language.json"
ROUNDS, SECONDS = 11, 0.03
TARGETS = {"evaluations per second": 400_000, "times simpleeval": 8, "of plain Python": 0.35}

GENES = [f"GENE{place}" for place in range(10)]
FLAT: dict[str, Type] = {"gene": STRING, "genes": ListOf(STRING), "fmt": NUMBER, "brief": NUMBER}
FLAT_VALUES: dict[str, Any] = {"gene": "GENE3", "genes": GENES, "fmt": 0.5, "brief": 0.25}
DEEP: dict[str, Type] = {
    "item": RecordOf({"gene": STRING}),
    "sample": RecordOf({"output_json": OptionalOf(RecordOf({"genes": ListOf(STRING)}))}),
    "concise": NUMBER,
}
DEEP_VALUES: dict[str, Any] = {
    "item": {"gene": "GENE3"},
    "sample": {"output_json": {"genes": GENES}},
    "concise": 0.5,
}
Env = Mapping[str, Any]
Contestant = Callable[[], float]


def rank_of(x: str, xs: list[str]) -> float:
    """The rank from 1, and 0 where there is none."""
    try:
        return xs.index(x) + 1.0
    except ValueError:
        return 0.0


def rank_decay(rank: float, first: float, second: float) -> float:
    """A worth that falls by one ratio per rank."""
    return float(first * math.pow(second / first, rank - 1))


def dup_count(xs: list[str]) -> float:
    """How many elements repeat an earlier one."""
    return float(len(xs) - len(set(xs)))


FUNCTIONS: dict[str, Callable[..., float]] = {
    "rank_of": rank_of,
    "rank_decay": rank_decay,
    "dup_count": dup_count,
}


def page(env: Env) -> float:
    """The reference page's kind of expression: `let`, `if`, three calls, arithmetic."""
    rank = rank_of(env["gene"], env["genes"])
    if rank == 0:
        return 0.0
    worth = rank_decay(rank, 1.0, 0.75)
    return 0.75 * worth + 0.25 * float(env["fmt"]) - 0.05 * dup_count(env["genes"])


def page_functions(env: Env) -> float:
    """Of that, the three functions alone."""
    rank_decay(4.0, 1.0, 0.75)
    return rank_of(env["gene"], env["genes"]) + dup_count(env["genes"])


def formula(env: Env) -> float:
    """Arithmetic only, as in the hosted product's formulas."""
    fmt, brief = env["fmt"], env["brief"]
    return float(0.6 * fmt + 0.3 * brief - 0.1 * (1 - fmt) * (1 - brief) + 0.05)


def shipped(env: Env) -> float:
    """The shipped spec's reward, its grader's expression in it."""
    answer = env["sample"]["output_json"]
    rank = 0.0 if answer is None else rank_of(env["item"]["gene"], answer["genes"])
    worth = rank_decay(rank, 1.0, 0.7) if rank else 0.0
    return 0.95 * worth + 0.05 * float(env["concise"])


_FORMULA = "0.6 * fmt + 0.3 * brief - 0.1 * (1 - fmt) * (1 - brief) + 0.05"
CASES: dict[str, dict[str, Any]] = {
    "let, if, three calls": {
        "ours": "let pos = rank_of(gene, genes) ?? 0 in if pos == 0 then 0 else "
        "0.75 * rank_decay(pos, first=1.0, second=0.75) + 0.25 * fmt - 0.05 * dup_count(genes)",
        "python": page,
        "peers": "0 if rank_of(gene, genes) == 0 else 0.75 * rank_decay(rank_of(gene, genes), "
        "1.0, 0.75) + 0.25 * fmt - 0.05 * dup_count(genes)",
        "cel": "rank_of(gene, genes) == 0.0 ? 0.0 : 0.75 * rank_decay(rank_of(gene, genes), 1.0, "
        "0.75) + 0.25 * fmt - 0.05 * dup_count(genes)",
        "names": FLAT,
        "values": FLAT_VALUES,
    },
    "arithmetic only": {
        "ours": _FORMULA,
        "python": formula,
        "peers": _FORMULA,
        "cel": _FORMULA.replace("(1 ", "(1.0 "),
        "names": FLAT,
        "values": FLAT_VALUES,
    },
    "the shipped reward": {
        "ours": "0.95 * (rank_decay(rank_of(item.gene, sample.output_json.genes), first=1.0, "
        "second=0.7) ?? 0) + 0.05 * concise",
        "python": shipped,
        "names": DEEP,
        "values": DEEP_VALUES,
    },
}
"""Each says the same in all languages; a language that is not named cannot say it as such."""


def measure() -> list[dict[str, Any]]:
    """Microseconds and evaluations per second of every contestant, with ratios to ours."""
    rows = []
    for name, case in CASES.items():
        contestants = _contestants(case)
        wanted = contestants["plain Python"]()
        for who, run in contestants.items():
            if who != "plain Python: its functions alone":
                assert math.isclose(run(), wanted, rel_tol=1e-12), (name, who)
        rows += _rows(name, _best(contestants))
    return rows


def _rows(name: str, best: Mapping[str, float]) -> list[dict[str, Any]]:
    ours = best["scoring language"]
    return [
        {
            "expression": name,
            "who": who,
            "microseconds": round(seconds * 1e6, 3),
            "evaluations_per_second": round(1 / seconds),
            "ours_is_faster_by": round(seconds / ours, 3),
        }
        for who, seconds in best.items()
    ]


def _best(contestants: Mapping[str, Contestant]) -> dict[str, float]:
    """Seconds per evaluation: the best of the rounds, in which all take turns."""
    counts = {who: _count(run) for who, run in contestants.items()}
    best = dict.fromkeys(contestants, math.inf)
    for _ in range(ROUNDS):
        for who, run in contestants.items():
            best[who] = min(best[who], _time(run, counts[who]))
    return best


def _count(run: Contestant) -> int:
    count = 1
    while _time(run, count) * count < SECONDS:
        count *= 2
    return count


def _time(run: Contestant, count: int) -> float:
    rounds = [None] * count
    started = time.perf_counter()
    for _ in rounds:
        run()
    return (time.perf_counter() - started) / count


def _contestants(case: Mapping[str, Any]) -> dict[str, Contestant]:
    values, python = case["values"], case["python"]
    expression = compile_expression(case["ours"], case["names"])
    evaluate, walk = expression.evaluate, expression.evaluate_by_walking
    found: dict[str, Contestant] = {
        "scoring language": lambda: evaluate(values),
        "its reference semantics (tree walk)": lambda: walk(values),
        "plain Python": lambda: python(values),
    }
    if python is page:
        found["plain Python: its functions alone"] = lambda: page_functions(values)
    makers = {"simpleeval": _simpleeval, "asteval": _asteval}
    for who, make in makers.items():
        if "peers" in case and (run := _if_installed(make, case["peers"], values)):
            found[who] = run
    if "cel" in case and (run := _if_installed(_cel, case["cel"], values)):
        found["cel-python"] = run
    return found


def _if_installed(
    make: Callable[[str, Env], Contestant], text: str, values: Env
) -> Contestant | None:
    try:
        return make(text, values)
    except ImportError:
        return None


def _simpleeval(text: str, values: Env) -> Contestant:
    import simpleeval

    evaluator = simpleeval.SimpleEval(functions=FUNCTIONS, names=dict(values))
    parsed = evaluator.parse(text)
    return lambda: float(evaluator.eval(text, previously_parsed=parsed))


def _asteval(text: str, values: Env) -> Contestant:
    import asteval

    interpreter = asteval.Interpreter(use_numpy=False)
    interpreter.symtable.update(FUNCTIONS)
    interpreter.symtable.update(values)
    parsed = interpreter.parse(text)
    return lambda: float(interpreter.run(parsed))


def _cel(text: str, values: Env) -> Contestant:
    import celpy
    from celpy import celtypes

    def typed(function: Callable[..., float]) -> Callable[..., Any]:
        return lambda *given: celtypes.DoubleType(function(*given))

    functions = {name: typed(function) for name, function in FUNCTIONS.items()}
    environment = celpy.Environment()
    program = environment.program(environment.compile(text), functions=functions)
    given = {name: celpy.json_to_cel(value) for name, value in values.items()}
    return lambda: float(program.evaluate(given))


def targets(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The three promises about the first expression, each with what was measured."""
    first = {row["who"]: row for row in rows if row["expression"] == rows[0]["expression"]}
    found = {
        "evaluations per second": first["scoring language"]["evaluations_per_second"],
        "times simpleeval": first.get("simpleeval", {}).get("ours_is_faster_by"),
        "of plain Python": first["plain Python"]["ours_is_faster_by"],
    }
    return [
        {
            "target": what,
            "at_least": TARGETS[what],
            "measured": value,
            "met": value >= TARGETS[what],
        }
        for what, value in found.items()
        if value is not None
    ]


def main() -> int:
    """Measure, print Markdown, write the results."""
    rows = measure()
    print("| expression | who | µs | evaluations/s | ours is faster by |")
    print("|---|---|---:|---:|---:|")
    for row in rows:
        rate, ratio = row["evaluations_per_second"], row["ours_is_faster_by"]
        cells = f"{row['expression']} | {row['who']} | {row['microseconds']:.2f} | {rate:,}"
        print(f"| {cells} | {ratio:.2f} × |")
    print("\n| target | at least | measured | met |\n|---|---:|---:|---|")
    for row in targets(rows):
        met = "yes" if row["met"] else "no"
        print(f"| {row['target']} | {row['at_least']:,} | {row['measured']:,} | {met} |")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "command": "python bench/score_language.py",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "expressions": {name: case["ours"] for name, case in CASES.items()},
        "rows": rows,
        "targets": targets(rows),
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
