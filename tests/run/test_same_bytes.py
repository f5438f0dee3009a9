"""The real engine, at the demo's own size: the same plan gives the same bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rftspec.resources import resource

SHORT = ["train.steps=4", "evaluate.every=4", "evaluate.samples=1"]


def test_two_processes_write_the_same_events_and_samples(tmp_path: Path) -> None:
    """Toy shapes run on one thread; sums in the order of threads would show at this size only."""
    spec = resource("specs", "rare_disease.yaml")
    for name in ("a", "b"):
        command = [sys.executable, "-m", "rftspec", "run", str(spec), "--out", name]
        command += ["--display", "none"]
        for change in SHORT:
            command += ["--set", change]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 4), done.stderr  # 4: too short a run for the spec's gate
    for stream in ("events.jsonl", "samples.jsonl", "rows.jsonl"):
        first, second = (tmp_path / name / stream for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes(), stream
