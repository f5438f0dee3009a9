"""How long the command line takes to answer from a cold start: medians of ten processes.

    python bench/front.py            print the table and write bench/results/front.json
    python bench/front.py --check    and fail (exit code 1) where a budget is exceeded
    python bench/front.py --trl ENV/bin/trl    and beside it TRL's own command line

Each measurement is a new process of this environment's Python, run one after the other. Files and
byte code are cached, as they are for a person who types the second command: two runs before the
ten are not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "front.json"
RUNS, UNCOUNTED = 10, 2
SPEC = "specs/rare_disease.yaml"
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    "python -c pass": (["-c", "pass"], None),
    "rftspec --help": (["-m", "rftspec", "--help"], 0.20),
    f"rftspec validate {SPEC}": (["-m", "rftspec", "validate", SPEC], 0.35),
    f"rftspec plan {SPEC}": (["-m", "rftspec", "plan", SPEC], 1.00),
    "rftspec explain train.steps": (["-m", "rftspec", "explain", "train.steps"], None),
}
"""What is measured, and the budget in seconds where there is one."""


def main() -> int:
    """Measure, print, write; 1 when `--check` finds a budget exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument(
        "--trl", metavar="PROGRAM", help="TRL's `trl`, in an environment of its own"
    )
    wish = parser.parse_args()
    check = wish.check
    commands = {
        name: ([sys.executable, *words], budget) for name, (words, budget) in COMMANDS.items()
    }
    for words in (["--help"], ["grpo", "--help"]) if wish.trl else ():
        commands[f"trl {' '.join(words)}"] = ([wish.trl, *words], None)
    with tempfile.TemporaryDirectory() as byte_code:
        measured = {name: seconds(words, byte_code) for name, (words, _) in commands.items()}
    print("| command | median of 10 | fastest | slowest | budget |")
    print("|---|---|---|---|---|")
    late = []
    for name, times in measured.items():
        budget, median = commands[name][1], statistics.median(times)
        told = "" if budget is None else f"{budget:.2f} s"
        print(f"| `{name}` | {median:.3f} s | {min(times):.3f} s | {max(times):.3f} s | {told} |")
        if budget is not None and median > budget:
            late.append(name)
    write(measured)
    for name in late:
        print(f"over budget: {name}", file=sys.stderr)
    return 1 if check and late else 0


def seconds(arguments: list[str], byte_code: str) -> list[float]:
    """Wall-clock seconds of each run."""
    # Compiled modules go to a folder of their own, whatever this shell says about writing them.
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONPYCACHEPREFIX": byte_code}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    times = []
    for _ in range(UNCOUNTED + RUNS):
        started = time.perf_counter()
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, env=environment)
        times.append(time.perf_counter() - started)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr.decode()}")
    return times[UNCOUNTED:]


def write(measured: dict[str, list[float]]) -> None:
    """Keep the numbers beside what they were measured on."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "command": "python bench/front.py",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "seconds": {name: [round(one, 4) for one in times] for name, times in measured.items()},
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
