"""Hostile scripts and what becomes of them; run as a program, as any user: `corpus.py FILE…`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from rftspec.sandbox.pool import Pool
from rftspec.sandbox.protocol import Outcome

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "hostile_graders.jsonl"
OURS = Path(__file__).parent / "hostile.jsonl"
PWNED = Path("/tmp/rftspec_pwned")
SAMPLE = {"output_text": "1. a\n2. b", "ranked": ["a", "b"]}
ITEM = {"answer": "b"}
TIMEOUT_S = 0.5
# soft limit, the grace of the kernel's timer, and what starting a worker on a busy machine costs
WALL_S = 15.0
BENIGN = "def grade(sample, item):\n    return 0.75"

Case = dict[str, Any]


def load(path: Path) -> list[Case]:
    """The cases of a corpus, none where it is not there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def broken(case: Case, pool: Pool) -> list[str]:
    """Everything that a case did and should not have."""
    calls = case.get("calls") or [[case.get("sample", SAMPLE), case.get("item", ITEM)]]
    started = time.monotonic()
    outcomes = pool.grade(case["code"], [(sample, item) for sample, item in calls])
    took = time.monotonic() - started
    after = pool.grade(BENIGN, [(SAMPLE, ITEM)])
    checks = {
        f"took {took:.1f} s": took > WALL_S,
        f"{len(outcomes)} outcomes of {len(calls)} calls": len(outcomes) != len(calls),
        f"{PWNED} appeared": PWNED.exists(),
        f"the next call ended as {after}": after != [Outcome("score", 0.75)],
    }
    return [what for what, found in checks.items() if found] + _unexpected(case, outcomes)


def _unexpected(case: Case, outcomes: list[Outcome]) -> list[str]:
    values = [outcome.value for outcome in outcomes]
    if "scores" in case:
        return [] if values == case["scores"] else [f"scores {outcomes}"]
    out = []
    for outcome in outcomes:
        if outcome.kind not in {case["expect"], *case.get("accept", [])}:
            out.append(f"ended as {outcome}")
        elif outcome.kind == "score":
            wanted = case.get("score")
            if wanted is not None and abs((outcome.value or 0.0) - wanted) > 1e-9:
                out.append(f"scored {outcome.value}, not {wanted}")
        elif outcome.value is not None or not _readable(outcome.detail):
            out.append(f"its failure is told as {outcome}")
    return out


def _readable(detail: str | None) -> bool:
    return bool(detail) and detail is not None and len(detail) <= 200 and detail.isprintable()


def main(paths: list[str]) -> None:
    """Run whole corpora in one pool, and tell what broke as JSON."""
    found: dict[str, list[str]] = {}
    count = 0
    with Pool(timeout_s=TIMEOUT_S) as pool:
        notes = {layer.name: layer.note for layer in pool.layers()}
        for path in paths:
            for case in load(Path(path)):
                count += 1
                if what := broken(case, pool):
                    found[case["id"]] = what
    print(json.dumps({"cases": count, "broken": found, "user": notes["unprivileged user"]}))


if __name__ == "__main__":
    main(sys.argv[1:])
