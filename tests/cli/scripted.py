"""A stand-in for a model on tests/samples/ranking.yaml: names the right gene as often as its skill.

For trying the command line from the outside: `python -m tests.cli.scripted run SPEC …` is `rftspec`
with this engine in the place of the real one. RFTSPEC_TEST_STOP=N interrupts at the N-th sampling,
RFTSPEC_TEST_BREAK=N raises there what no one expects.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
from typing import Any

import numpy as np

from rftspec.engine.types import Completion, Prompt
from tests.run.fake_engine import FakeEngine

PREFIX = {"train": "TRN", "validation": "VAL", "test": "TST"}


class RankingEngine(FakeEngine):
    """Ranks two genes, the right one first or second."""

    def sample(self, prompts: Any, **settings: Any) -> Any:
        """As its parent, unless the environment wants something to go wrong."""
        groups = super().sample(prompts, **settings)
        if self.calls > 2 * int(os.environ.get("RFTSPEC_TEST_STOP", "1000")):
            os.kill(os.getpid(), signal.SIGINT)
        if self.calls > 2 * int(os.environ.get("RFTSPEC_TEST_BREAK", "1000")):
            raise RuntimeError("the scripted engine \x1b[31mbroke")
        return groups

    def _complete(self, prompt: Prompt, index: int, skill: float) -> Completion:
        chance = random.Random(f"{self.seed}|{prompt.key}|{index}")
        place = re.search(r"sign (\d+)", bytes(prompt.tokens).decode())
        number = place.group(1) if place else "0"
        right = PREFIX[prompt.key[0].split("/")[0]] + number
        genes = [right, "OTHER"] if chance.random() < skill else ["OTHER", right]
        text = json.dumps({"reasoning": "as told", "genes": genes})
        tokens = tuple(text.encode()[:64])
        return Completion(tokens, text, "stop", np.zeros(len(tokens), dtype=np.float32))


def install() -> None:
    """Put the engine in the place of the real one."""
    from rftspec.run import loop

    loop._open_engine = lambda plan, meter: RankingEngine(plan.seed)  # type: ignore[attr-defined]


if __name__ == "__main__":
    from rftspec.cli.main import main

    install()
    raise SystemExit(main())
