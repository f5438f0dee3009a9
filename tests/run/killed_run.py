"""A run in a process of its own, which the tests kill: `python -m tests.run.killed_run …`."""

import sys
import time
from pathlib import Path

from tests.run.fake_engine import FakeEngine
from tests.run.runs import fake_grading, small_plan


def main() -> int:
    data, folder, kill_at, resume, slow = sys.argv[1:6]
    from rftspec.run import loop

    loop.open_grading = fake_grading
    engine = FakeEngine(3, kill_at=int(kill_at) or None, hard=True)
    if slow == "slow":
        engine.on_call = lambda name: (print(name, flush=True), time.sleep(0.05))
    plan = small_plan(Path(data))
    outcome = loop.run_plan(plan, Path(folder), engine=engine, resume=resume == "resume")
    print(outcome.message)
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(main())
