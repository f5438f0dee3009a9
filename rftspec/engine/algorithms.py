"""From rewards to advantages and to the weights of a loss, by an algorithm's row; numpy only."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rftspec.plan.model import TrainPlan
from rftspec.spec.algorithms import ALGORITHMS, Algorithm

Array = NDArray[np.float64]

GROUP_EPSILON = 1e-4
"""Added to a standard deviation of rewards before dividing by it, as in TRL."""
BATCH_EPSILON = 1e-8
"""The same where rewards are normalised over a batch's tokens, as in REINFORCE++."""


def row_of(plan: TrainPlan) -> Algorithm:
    """The algorithm's row with the plan's own bounds and scale; KeyError if there is none."""
    row = ALGORITHMS[plan.algorithm]
    return dataclasses.replace(
        row,
        scale=plan.scale_rewards or row.scale,
        low=row.low if plan.clip_low is None else plan.clip_low,
        high=row.high if plan.clip_high is None else plan.clip_high,
    )


@dataclass(frozen=True, slots=True)
class GroupRewards:
    """What advantages are made of: a group's rewards, and what each token costs."""

    rewards: Array
    """[G]"""
    lengths: Sequence[int]
    """Tokens of each completion."""
    costs: Sequence[Array] | None = None
    """[T] of each completion: the weighted divergence, where the row takes it off the reward."""


def advantages(row: Algorithm, groups: Sequence[GroupRewards]) -> list[list[Array]]:
    """The advantage of every token [T] of every completion of every group.

    Exactly zero for a group that is compared with itself and earned the same throughout.
    """
    if row.baseline == "batch":
        return _against_batch(row, groups)
    centred = [_centred(row, _paid(group)) for group in groups]
    if row.scale == "group":
        centred = [_over_group(c, _paid(g)) for c, g in zip(centred, groups, strict=True)]
    elif row.scale == "batch" and centred:
        spread = float(np.concatenate(centred).std()) + GROUP_EPSILON
        centred = [values / spread for values in centred]
    return [
        [np.full(n, a) for n, a in zip(group.lengths, values, strict=True)]
        for group, values in zip(groups, centred, strict=True)
    ]


def _paid(group: GroupRewards) -> Array:
    """Rewards less the costs of their tokens; [G]."""
    if group.costs is None:
        return group.rewards
    return np.asarray(group.rewards - np.array([cost.sum() for cost in group.costs]))


def _centred(row: Algorithm, rewards: Array) -> Array:
    """Rewards less their baseline; zero where all are equal."""
    n = rewards.size
    if n < 2 or np.all(rewards == rewards[0]):
        return np.zeros_like(rewards)
    if row.baseline == "others":
        return np.asarray(rewards - (rewards.sum() - rewards) / (n - 1))
    return np.asarray(rewards - rewards.mean())


def _over_group(centred: Array, rewards: Array) -> Array:
    """Divided by the group's sample standard deviation; [G]."""
    if not centred.any():
        return centred
    return np.asarray(centred / (rewards.std(ddof=1) + GROUP_EPSILON))


def _against_batch(row: Algorithm, groups: Sequence[GroupRewards]) -> list[list[Array]]:
    """Each token's reward to go, less the mean over the batch's tokens, over their deviation.

    A token pays for the divergence from itself on, so that its return is the reward less the costs
    of itself and of what follows.
    """
    returns = [
        [
            np.full(n, reward)
            if group.costs is None
            else reward - np.cumsum(group.costs[i][::-1])[::-1]
            for i, (n, reward) in enumerate(zip(group.lengths, group.rewards, strict=True))
        ]
        for group in groups
    ]
    every = [tokens for group in returns for tokens in group]
    if not every:
        return []
    flat = np.concatenate(every)
    if np.all(flat == flat[0]):
        return [[np.zeros_like(tokens) for tokens in group] for group in returns]
    spread = flat.std() + BATCH_EPSILON if row.scale == "batch" else 1.0
    return [[(tokens - flat.mean()) / spread for tokens in group] for group in returns]


def divisor(row: Algorithm, *, tokens: int, completions: int, max_tokens: int) -> float:
    """What a batch's sum of token terms is divided by: global counts, whatever the micro-batch."""
    by = {
        "token": tokens,
        "constant": completions * max_tokens,
        "mean": completions,
        "sum": completions,
    }
    return float(max(1, by[row.aggregation]))


def token_weight(row: Algorithm, length: int) -> float:
    """The weight of each token of a completion of this length, before the division."""
    return 1.0 / max(1, length) if row.aggregation == "mean" else 1.0
