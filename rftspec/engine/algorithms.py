"""The algorithms: each a row of (advantage, aggregation), with its paper; numpy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Advantage = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From one group's rewards to its advantages; both [G]."""

Aggregation = Literal["token", "constant", "sequence"]
"""How a batch's token terms become one loss: divided by the batch's completion tokens, by its
completions × `max_tokens`, or by its completions (a sum over each)."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One named point in the space of policy-gradient algorithms."""

    name: str
    advantage: Advantage
    aggregation: Aggregation
    paper: str


def group_std(rewards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give (r − mean) / (std + 1e-4), the sample standard deviation of the group."""
    if rewards.size < 2:
        return np.zeros_like(rewards)
    return np.asarray((rewards - rewards.mean()) / (rewards.std(ddof=1) + 1e-4))


def centred(rewards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give r − mean of the group."""
    return np.asarray(rewards - rewards.mean())


def leave_one_out(rewards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give r − mean of the group's other rewards."""
    n = rewards.size
    if n < 2:
        return np.zeros_like(rewards)
    return np.asarray(rewards - (rewards.sum() - rewards) / (n - 1))


ALGORITHMS: Mapping[str, Algorithm] = {
    row.name: row
    for row in (
        Algorithm("grpo", group_std, "token", "arXiv:2402.03300; token mean as in 2503.14476"),
        Algorithm("dr_grpo", centred, "constant", "arXiv:2503.20783"),
        Algorithm("rloo", leave_one_out, "sequence", "arXiv:2402.14740"),
    )
}
"""Adding an algorithm is adding a row. On-policy with one update per batch the probability ratio
is 1, so that no row needs a clip."""


def advantages(algorithm: Algorithm, rewards: Sequence[float]) -> NDArray[np.float64]:
    """A group's advantages; exactly zero where all rewards are equal."""
    values = np.asarray(rewards, dtype=np.float64)
    if values.size == 0 or np.all(values == values[0]):
        return np.zeros_like(values)
    return algorithm.advantage(values)


def divisor(algorithm: Algorithm, *, tokens: int, completions: int, max_tokens: int) -> float:
    """What a batch's sum of token terms is divided by: global counts, whatever the micro-batch."""
    by = {"token": tokens, "constant": completions * max_tokens, "sequence": completions}
    return float(max(1, by[algorithm.aggregation]))
