"""The demo's claims, measured: seconds, top@1 of base and tuned over seeds, and the controls.

    .venv/bin/python bench/demo.py --seeds 3

Runs `rftspec run specs/rare_disease.yaml` once per seed, once with its training answers
shuffled and once on 36 training rows, one after the other; prints the table, writes
bench/results/demo.json and the README's results. Runs that are already in --folder are read, not
repeated, unless --again is given.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rftspec.record.folder import Record
    from rftspec.stats.intervals import Interval

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import habits  # noqa: E402 - needs the path above
import table  # noqa: E402

SPEC = ROOT / "specs" / "rare_disease.yaml"
MODEL = ROOT / "models" / "case-reader"
FEW = 36


def main() -> None:
    """Run what is asked for, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "bench-demo")
    parser.add_argument("--again", action="store_true", help="run even what is already there")
    parser.add_argument("--only", choices=["seeds", "controls"], help="one half of the table")
    asked = parser.parse_args()
    if asked.again and asked.folder.exists():
        shutil.rmtree(asked.folder)
    asked.folder.mkdir(parents=True, exist_ok=True)
    few = few_rows(asked.folder)
    jobs: dict[str, list[str]] = {}
    if asked.only != "controls":
        jobs |= {f"seed {seed}": ["--seed", str(seed)] for seed in range(asked.seeds)}
    if asked.only != "seeds":
        jobs["shuffled answers"] = ["--control", "shuffled-answers"]
        jobs[f"{FEW} training rows"] = ["--set", f"data.train={few}"]
    lines = [measure(name, asked.folder, options) for name, options in jobs.items()]
    told = table.text(lines, f"python bench/demo.py --seeds {asked.seeds}")
    result = {"lines": lines}
    print(told)
    if asked.only is None:
        out = ROOT / "bench" / "results" / "demo.json"
        out.parent.mkdir(exist_ok=True)
        out.write_text(json.dumps(result, indent=1) + "\n")
        table.between_marks(ROOT / "README.md", told)


def few_rows(folder: Path) -> Path:
    """A file with 36 training rows, drawn once and for all."""
    rows = (ROOT / "specs/data/rare_disease/train.jsonl").read_text().splitlines()
    path = folder / f"train-{FEW}.jsonl"
    path.write_text("\n".join(random.Random(0).sample(rows, FEW)) + "\n")
    return path.resolve()


def measure(name: str, folder: Path, options: list[str], spec: Path = SPEC) -> dict[str, Any]:
    """One line of the table: run the job if it is not there, then read its record."""
    out = folder / name.replace(" ", "-")
    seconds_file = folder / f"{out.name}.seconds"
    if not seconds_file.exists():
        shutil.rmtree(out, ignore_errors=True)
        command = [sys.executable, "-m", "rftspec", "run", str(spec), "--out", str(out)]
        began = time.monotonic()
        done = subprocess.run(
            [*command, "--display", "plain", *options],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=False,
        )
        # 4: the gate in the spec; the control and the small run may fail it
        if done.returncode not in (0, 4):
            raise SystemExit(f"{name}: rftspec run ended with {done.returncode}")
        seconds_file.write_text(f"{time.monotonic() - began:.1f}")
    return {"name": name, "seconds": float(seconds_file.read_text()), **read(out)}


def read(run: Path) -> dict[str, Any]:
    """What the record of a run says, for the table."""
    from rftspec.record.folder import Record
    from rftspec.report.evidence import read_evidence
    from rftspec.report.numbers import count
    from rftspec.report.subjects import choose_subjects

    record = Record.open(run)
    evidence = read_evidence(record)
    subjects = choose_subjects(evidence)
    numbers = count(evidence, subjects)
    answers = {column.key: column.answers for column in subjects.columns}
    pairs = {
        model: [
            (answer.text, answer.metric("top@1") == 1.0)
            for found in answers[model].values()
            for answer in found
        ]
        for model in ("base", "tuned")
    }
    explained = habits.explain(MODEL / "tokenizer.json", pairs["base"], pairs["tuned"])
    lengths = {
        model: statistics.median(
            answer.metric("genes_listed") or 0 for found in rows.values() for answer in found
        )
        for model, rows in answers.items()
    }
    rewards = [
        {key: event.get(key) for key in ("model", "split", "step", "metrics")}
        for event in evidence.evaluations
    ]
    return {
        "metrics": {line.name: asdict(line) for line in numbers.lines},
        "split_of_gain": asdict(numbers.gain_split) if numbers.gain_split else None,
        "list_length_median": lengths,
        "explained": [asdict(e) for e in explained],
        "signs": {
            model: {
                "mean": statistics.mean(habits.signs_named(text) for text, _ in found),
                "right": habits.right_by_signs(found),
            }
            for model, found in pairs.items()
        },
        "gap": asdict(gap(record)),
        "evaluations": rewards,
    }


def gap(record: Record) -> Interval:
    """The tuned model's mean reward on training rows minus that on validation rows.

    The checkpoint is the chosen one, the rows are those that the run measured it on.
    """
    from rftspec.stats.intervals import unpaired_difference

    genes = {(row["split"], row["row"]): row["item"]["gene"] for row in record.rows()}
    best = next(e["step"] for e in record.events() if e["event"] == "best")
    sides: list[Any] = []
    for split, model in (("train", "tuned"), ("validation", f"step-{best}")):
        lines = [s for s in record.samples(kind="evaluation", split=split) if s["model"] == model]
        sides += [[s["reward"] for s in lines], [genes[split, s["row"]] for s in lines]]
    return unpaired_difference(*sides)


if __name__ == "__main__":
    main()
