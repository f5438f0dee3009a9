"""What a smoke run makes up, so that its update is gone through whatever the rewards are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rftspec.engine.types import Group

_SAME = 1e-9


def differing(groups: Sequence[Group]) -> list[Group]:
    """The groups as they are; where none has any signal, with rewards 0, 1, 0, 1, … in each.

    Four rows often earn all the same, and an update of nothing would leave the most costly part of
    a run untried.
    """
    if any(max(group.rewards) - min(group.rewards) > _SAME for group in groups):
        return list(groups)
    return [
        replace(group, rewards=[float(n % 2) for n in range(len(group.rewards))])
        for group in groups
    ]
