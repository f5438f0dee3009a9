"""How fast graders are: Python graders in the sandbox beside plain Python; then expressions.

    python bench/graders.py            print the table and write bench/results/graders.json
    python bench/graders.py --python   the Python graders alone

The grader has 25 lines: it reads a ranked list, cleans the names and gives a score by rank. All
layers of the sandbox are on. Each rate is the best of several rounds; the rate "per CPU second"
counts the processor time that the worker took, which a busy machine does not change. Expressions
are those of bench/score_language.py, which says more about them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rftspec.sandbox.pool import BATCH, Pool

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "graders.json"
ROUNDS, CALLS, MANY = 5, 100 * BATCH, 300_000
TARGETS = {"grades per second and worker": 20_000, "seconds for 300,000 grades": 20}
SOURCE = '''\
import math


def clean(name):
    """A name as it is compared."""
    return name.strip().lower()


def ranked(text):
    """The names of a numbered list, each once."""
    seen, names = set(), []
    for line in text.splitlines():
        number, _, name = line.partition(".")
        if number.strip().isdigit() and clean(name) not in seen:
            seen.add(clean(name))
            names.append(clean(name))
    return names


def grade(sample, item):
    names = ranked(sample["output_text"])
    wanted = clean(item["answer"])
    if wanted not in names:
        return 0.0
    return 1.0 / math.log2(2 + names.index(wanted))
'''
PATTERN = """\
import re

def grade(sample, item):
    found = re.findall(r"(?m)^\\s*(\\d+)\\.\\s+(\\w+)", sample["output_text"])
    names = [name.lower() for _, name in found]
    return 1.0 / (1 + names.index(item["answer"])) if item["answer"] in names else 0.0
"""
SAMPLE = {
    "output_text": "1. Alpha\n2. Beta\n3. Gamma\n4. Delta\n5. Epsilon",
    "output_json": None,
    "output_tools": [],
    "choices": [],
}
ITEM = {"answer": "delta", "note": "x" * 200}
FRESH = "import json, sys; s, i, code = json.load(sys.stdin); exec(code); print(grade(s, i))"


def main() -> int:
    """Measure, print Markdown, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="store_true", help="leave out the expressions")
    alone = parser.parse_args().python
    rows, targets = measure()
    if not alone:
        rows += _expressions()
    print("| what | who | µs each | a second | a CPU second | times plain Python |")
    print("|---|---|---:|---:|---:|---:|")
    for row in rows:
        print(f"| {' | '.join(_cells(row))} |")
    print("\n| target | wanted | measured | met |\n|---|---:|---:|---|")
    for told in targets:
        met = "yes" if told["met"] else "no"
        print(f"| {told['target']} | {told['wanted']:,} | {told['measured']:,} | {met} |")
    _write({"rows": rows, "targets": targets})
    return 0


def measure() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of the table about Python graders, and the promises with what was measured."""
    plain: dict[str, Any] = {}
    exec(SOURCE, plain)  # the peer: the same script, trusted
    grade = plain["grade"]
    assert grade(SAMPLE, ITEM) == 1.0 / 2.321928094887362
    fastest = min(_seconds(lambda: [grade(SAMPLE, ITEM) for _ in range(CALLS)]) for _ in range(5))
    base = fastest / CALLS
    rows = [_row("plain Python, in this process: no sandbox at all", base, base)]
    whole, whole_cpu = _in_pool(SOURCE, CALLS)
    rows.append(_row(f"the sandbox, one worker, batches of {BATCH}", whole, base, whole_cpu))
    single, single_cpu = _in_pool(SOURCE, 500, size=1)
    rows.append(_row("the sandbox, one worker, one at a time", single, base, single_cpu))
    pattern, pattern_cpu = _in_pool(PATTERN, CALLS)
    rows.append(
        _row("a shorter grader with a regular expression, same", pattern, base, pattern_cpu)
    )
    rows.append(_row("a fresh interpreter for every call: no sandbox either", _fresh(), base))
    seconds, told = _many(base)
    rows.append(told)
    measured = [round(1 / whole), round(seconds, 1)]
    targets = [
        {"target": what, "wanted": wanted, "measured": value, "met": met}
        for (what, wanted), value, met in zip(
            TARGETS.items(), measured, [1 / whole >= 20_000, seconds < 20], strict=True
        )
    ]
    return rows, targets


def _row(who: str, seconds: float, base: float, cpu: float | None = None) -> dict[str, Any]:
    return {
        "what": "a Python grader of 25 lines",
        "who": who,
        "microseconds": round(seconds * 1e6, 2),
        "per_second": round(1 / seconds),
        "per_cpu_second": None if not cpu else round(1 / cpu),
        "times_plain_python": round(seconds / base, 1),
    }


def _seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _in_pool(source: str, count: int, size: int | None = None) -> tuple[float, float | None]:
    """Seconds and the worker's processor seconds per call: the best of the rounds."""
    calls = [(SAMPLE, ITEM)] * count
    best: tuple[float, float | None] = (float("inf"), None)
    for _ in range(ROUNDS):
        with Pool() as pool:
            assert pool.grade(source, calls[:BATCH])[0].value is not None
            before, started = _worker_cpu(pool), time.perf_counter()
            for start in range(0, count, size or count):
                pool.grade(source, calls[start : start + (size or count)])
            took, after = time.perf_counter() - started, _worker_cpu(pool)
        cpu = None if before is None or after is None else (after - before) / count
        best = min(best, (took / count, cpu), key=lambda pair: pair[0])
    return best


def _worker_cpu(pool: Pool) -> float | None:
    """Processor seconds of the only worker so far; None where the system does not tell."""
    worker = pool._slots.get()
    pool._slots.put(worker)
    assert worker is not None
    try:
        nanoseconds = Path(f"/proc/{worker._popen.pid}/schedstat").read_text().split()[0]
    except OSError:
        return None
    return int(nanoseconds) / 1e9


def _fresh() -> float:
    """Seconds of one call in an interpreter that is started for it."""
    given = json.dumps([SAMPLE, ITEM, SOURCE])
    command = [sys.executable, "-I", "-c", FRESH]

    def run() -> None:
        subprocess.run(command, input=given, text=True, check=True, capture_output=True)

    return min(_seconds(run) for _ in range(10))


def _many(base: float) -> tuple[float, dict[str, Any]]:
    """300,000 calls through two workers, and how memory grew meanwhile."""
    calls = [(SAMPLE, ITEM)] * 3_000
    cpu = _children_cpu()
    with Pool(2) as pool:
        pool.grade(SOURCE, calls)
        before, started = _peak_mb(), time.perf_counter()
        for _ in range(MANY // len(calls)):
            assert len(pool.grade(SOURCE, calls)) == len(calls)
        seconds = time.perf_counter() - started
    grown = _peak_mb() - before
    who = f"{MANY:,} grades through two workers: {seconds:.1f} s, peak memory + {grown:.1f} MB"
    row = _row(who, seconds / MANY, base, (_children_cpu() - cpu) / MANY)
    return seconds, row | {"seconds": round(seconds, 2), "peak_memory_grew_mb": round(grown, 1)}


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_mb() -> float:
    """The most memory that this process ever held."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _expressions() -> list[dict[str, Any]]:
    """The rows of bench/score_language.py, in the columns of this table."""
    sys.path.insert(0, str(ROOT))
    from bench import score_language

    rows = score_language.measure()
    plain = {r["expression"]: r["microseconds"] for r in rows if r["who"] == "plain Python"}
    return [
        {
            "what": row["expression"],
            "who": row["who"],
            "microseconds": row["microseconds"],
            "per_second": row["evaluations_per_second"],
            "per_cpu_second": None,
            "times_plain_python": round(row["microseconds"] / plain[row["expression"]], 2),
        }
        for row in rows
    ]


def _cells(row: dict[str, Any]) -> list[str]:
    cpu = "" if row["per_cpu_second"] is None else f"{row['per_cpu_second']:,}"
    times = f"{row['times_plain_python']:,} ×"
    return [
        row["what"],
        row["who"],
        f"{row['microseconds']:,}",
        f"{row['per_second']:,}",
        cpu,
        times,
    ]


def _write(measured: dict[str, Any]) -> None:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "command": "python bench/graders.py",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        **measured,
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
