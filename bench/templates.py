"""Every template of `rftspec init`, run as it is written: does it learn within its ten steps?

    python bench/templates.py                  # all of them, one after the other
    python bench/templates.py --only math      # this one; the results of the others stay

Each is written into an empty folder by `rftspec init` and run by `rftspec run`, seed 0 as in the
spec. The gain is that of the run's own report: validation rows, four answers a row, paired.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rftspec.cli.init import TEMPLATES  # noqa: E402 - needs the path above
from rftspec.record.folder import Record  # noqa: E402

HEAD = (
    "| template | seconds | spread of rewards in step 1 | rollouts, first three steps → last three "
    "| validation, base → tuned | gain, 95 % interval |\n|---|---|---|---|---|---|"
)
RESULTS = ROOT / "bench" / "results" / "templates.json"


def main() -> None:
    """Run what is asked for, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--only", choices=list(TEMPLATES), action="append")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    asked = parser.parse_args()
    lines = []
    print(HEAD)
    for template in asked.only or TEMPLATES:
        lines.append(measure(template, asked.set))
        print(row(lines[-1]), flush=True)
    if not asked.set:
        write(lines)


def write(lines: list[dict[str, Any]]) -> None:
    """Keep the lines in the place of those that the results have of these templates."""
    before = (
        json.loads(RESULTS.read_text(encoding="utf-8"))["templates"] if RESULTS.exists() else []
    )
    found = {line["template"]: line for line in [*before, *lines]}
    content = {
        "command": "python bench/templates.py",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "templates": [found[name] for name in TEMPLATES if name in found],
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def measure(template: str, settings: list[str]) -> dict[str, Any]:
    """Write a template into an empty folder, run it, read its record."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _rftspec(folder, "init", "--template", template, "--quiet")
        changes = [word for one in settings for word in ("--set", one)]
        began = time.monotonic()
        _rftspec(folder, "run", "spec.yaml", "--out", "out", "--display", "none", *changes)
        return {"template": template, "seconds": round(time.monotonic() - began, 1)} | read(
            folder / "out"
        )


def read(run: Path) -> dict[str, Any]:
    """What the table shows, out of a run's record."""
    record = Record.open(run)
    steps = [event["metrics"] for event in record.events("step")]
    rewards = [step["train_reward_mean"] for step in steps]
    summary = next(event for event in record.events("finished"))
    gain = summary["gain"]["reward"]
    return {
        "steps": len(steps),
        "updates": sum(step.get("groups_trained", 0) > 0 for step in steps),
        "reward_std_first": steps[0]["train_reward_std"],
        "rewards": rewards,
        "first": sum(rewards[:3]) / 3,
        "last": sum(rewards[-3:]) / 3,
        "base": summary["models"]["base"]["reward"],
        "tuned": summary["models"]["tuned"]["reward"],
        "gain": {key: gain[key] for key in ("estimate", "low", "high")},
    }


def row(line: dict[str, Any]) -> str:
    """One line of the table."""
    gain = line["gain"]
    return (
        f"| {line['template']} | {line['seconds']:.0f} | {line['reward_std_first']:.2f} "
        f"| {line['first']:.2f} → {line['last']:.2f} | {line['base']:.2f} → {line['tuned']:.2f} "
        f"| {gain['estimate']:+.2f} ({gain['low']:+.2f} to {gain['high']:+.2f}) |"
    )


def _rftspec(folder: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rftspec", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "RFTSPEC_CACHE": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"rftspec {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")


if __name__ == "__main__":
    main()
