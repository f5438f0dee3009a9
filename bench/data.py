"""How fast `rftspec validate` reads a million rows, and how much memory it takes.

    python bench/data.py               a million rows; also writes bench/results/data.json
    python bench/data.py --rows 50000  fewer, for a first look; writes nothing
    python bench/data.py --check       and fail (exit code 1) where the budget is exceeded

The rows, about 0.7 kB each, are made in a temporary folder: a system message, eighty random words,
an answer, a number; a thousand validation and a thousand test rows beside them, so that splits are
held apart and near-duplicates are looked for. Each measurement is a process of its own, and the
plain `json.loads` of every line, in the same run, is what the others are held against.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "data.json"
SECONDS, MEGABYTES = 40.0, 300.0
"""The budget of `rftspec validate` for a million rows."""
HELD_OUT = 1_000
PLAIN = "import json, sys\nfor line in open(sys.argv[1], 'rb'): json.loads(line)"
READ = (
    "import sys\nfrom pathlib import Path\nfrom rftspec.data.rows import read_rows\n"
    "for row in read_rows(Path(sys.argv[1])): pass"
)
SPEC = """\
version: 1
model: { base: builtin:case-reader }
data:
  train: train.jsonl
  validation: validation.jsonl
  test: test.jsonl
  disjoint: [item.gene]
graders:
  exact:
    type: string_check
    operation: eq
    input: "{{ sample.output_text }}"
    reference: "{{ item.gene }}"
"""


def main() -> int:
    """Make the rows, measure, print, write; 1 when `--check` finds the budget exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--check", action="store_true")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        make(folder, wish.rows)
        train, size = str(folder / "train.jsonl"), (folder / "train.jsonl").stat().st_size
        spec = str(folder / "spec.yaml")
        measured = {
            "json.loads of every line": measure(["-c", PLAIN, train]),
            "read_rows: strict rows": measure(["-c", READ, train]),
            "rftspec validate: every check": measure(["-m", "rftspec", "validate", spec]),
        }
    print(f"{wish.rows:,} rows of {size / wish.rows:.0f} bytes")
    print("| what | wall | CPU | rows/s | peak memory | against json.loads |")
    print("|---|---|---|---|---|---|")
    plain = measured["json.loads of every line"]["cpu"]
    for name, one in measured.items():
        print(
            f"| {name} | {one['wall']:.1f} s | {one['cpu']:.1f} s | {wish.rows / one['wall']:,.0f} "
            f"| {one['megabytes']:.0f} MB | {one['cpu'] / plain:.1f} × its CPU |"
        )
    if wish.rows == 1_000_000:
        write(measured, size)
    last = measured["rftspec validate: every check"]
    late = last["wall"] > SECONDS * wish.rows / 1e6 or last["megabytes"] > MEGABYTES
    return 1 if wish.check and late else 0


def make(folder: Path, rows: int) -> None:
    """Write the spec and its three files."""
    dice = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(dice.choices(letters, k=dice.randint(3, 9))) for _ in range(5000)]
    (folder / "spec.yaml").write_text(SPEC, "utf-8")
    for split, count in (("train", rows), ("validation", HELD_OUT), ("test", HELD_OUT)):
        with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(lines(split, count, words, dice))


def lines(split: str, count: int, words: list[str], dice: random.Random) -> Iterator[str]:
    """The rows of one split."""
    for number in range(count):
        item = {
            "id": f"{split}-{number}",
            "messages": [
                {"role": "system", "content": "Name the gene."},
                {"role": "user", "content": " ".join(dice.choices(words, k=80))},
            ],
            "gene": f"{split.upper()}{number % 50_000}",
            "weight": round(dice.random(), 3),
        }
        yield json.dumps(item) + "\n"


def measure(arguments: list[str]) -> dict[str, float]:
    """Seconds of wall clock and CPU, and peak memory, of one process and those it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    # Peak memory is the kernel's for one process: a small one in between waits for the real one.
    watch = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        "sys.exit(done.returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{arguments[:3]} failed:\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "megabytes": int(done.stdout.split()[-1]) / 1024}


def write(measured: dict[str, dict[str, float]], size: int) -> None:
    """Keep the numbers beside what they were measured on."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "command": "python bench/data.py",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "file": {"rows": 1_000_000, "bytes": size, "held_out": 2 * HELD_OUT},
        "budget": {"wall": SECONDS, "megabytes": MEGABYTES},
        "measured": {
            name: {key: round(value, 2) for key, value in one.items()}
            for name, one in measured.items()
        },
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
