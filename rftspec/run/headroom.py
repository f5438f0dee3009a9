"""Before the first step: does the base model leave anything to learn?"""

from __future__ import annotations

from collections.abc import Mapping

from rftspec.plan.gates import extreme
from rftspec.plan.model import Plan
from rftspec.record.events import Event, warning
from rftspec.run.history import History

CODES: Mapping[str, str] = {
    "H0": "Before the first step the base model earned the least, or the most, with every answer, "
    "or nearly the most: there is hardly anything to climb. The run goes on, for a rare good "
    "answer may still be found; H1 tells when ten steps had no signal. All at the least: easier "
    "rows, a larger model, partial credit, or a broken grader (`rftspec grade SPEC --probe`). All "
    "at the most: harder rows, or a stricter grader.",
}
"""The health rule that looks before training, with its page for `rftspec explain`."""


def before_training(history: History, plan: Plan) -> Event | None:
    """A warning where the base model's reward is at an extreme; None where training can begin.

    The training rows tell, where they were measured, for those are what is learned from.
    """
    if "H0" in history.warned:
        return None
    for split in ("train", "validation", "test"):
        found = history.evaluation("base", split)
        reward = None if found is None else found.metrics.get("reward")
        if reward is None:
            continue
        told = extreme(reward, *plan.reward_range, f"the base model on the {_rows(split)} rows")
        return None if told is None else warning("H0", f"{told}: see `explain H0`", 0)
    return None


def _rows(split: str) -> str:
    return "training" if split == "train" else split
