"""Every algorithm's loss and gradient against a reference from its paper, and by mutation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rftspec.engine.learner import Learner, Scored
from rftspec.engine.packing import Work, token_facts
from rftspec.engine.shaping import overlong_punishment, shaped
from rftspec.engine.types import Completion, Group, Prompt
from rftspec.plan.model import TrainPlan
from rftspec.resources import resource
from rftspec.spec.algorithms import ALGORITHMS
from tests.engine.reference import REFERENCES, Batch

MAX_TOKENS = 9
GROUPS, SIZE = 4, 4
NAMES = list(ALGORITHMS)


def plan(algorithm: str, **changes: Any) -> TrainPlan:
    return TrainPlan(
        algorithm, 10, GROUPS, SIZE, 1e-3, 0, changes.pop("kl", 0.0), 1.0, 1, **changes
    )


class Table:
    """A model that is nothing but a table of log-probabilities: one parameter for each token."""

    def __init__(self, seed: int, *, stale: float) -> None:
        chance = np.random.default_rng(seed)
        self.groups: list[Group] = []
        self.place: dict[int, int] = {}
        now: list[np.ndarray] = []
        for g in range(GROUPS):
            done, rewards = [], chance.choice([0.0, 0.25, 0.5, 1.0], SIZE)
            if g == 1:
                rewards[:] = 0.5
            for _ in range(SIZE):
                length = int(chance.integers(1, MAX_TOKENS + 1))
                policy = -chance.exponential(1.5, length).astype(np.float32)
                old = policy + stale * chance.normal(size=length).astype(np.float32)
                reason = "length" if length == MAX_TOKENS else "stop"
                completion = Completion(tuple(range(length)), "", reason, old.astype(np.float32))
                self.place[id(completion)] = len(now)
                now.append(policy)
                done.append(completion)
            self.groups.append(Group(Prompt((1, 2, 3), ("t", 0, g)), done, rewards.tolist()))
        self.base = [p + 0.3 * chance.normal(size=p.size).astype(np.float32) for p in now]
        self.ends = np.cumsum([0, *(p.size for p in now)])
        self.theta = torch.nn.Parameter(torch.from_numpy(np.concatenate(now)))

    def score(self, batch: Sequence[Work], *, tuned: bool, entropy: bool = False) -> Scored:
        places = [self.place[id(c)] for w in batch for c in w.completions]
        rows = [self.theta[self.ends[i] : self.ends[i + 1]] for i in places]
        if not tuned:
            rows = [torch.from_numpy(self.base[i]) for i in places]
        logprobs = torch.cat(rows)
        return Scored(logprobs, -logprobs, token_facts(batch, torch.device("cpu")))

    def padded(self, groups: Sequence[Group], beta: float) -> Batch:
        """The same as padded tensors, in float64."""
        done = [(c, g, r) for g, group in enumerate(groups)
                for c, r in zip(group.completions, group.rewards, strict=True)]  # fmt: skip
        shape = (len(done), MAX_TOKENS)
        tensors = [torch.zeros(shape, dtype=torch.float64) for _ in range(4)]
        logp, old, ref, mask = tensors
        for row, (c, _, _) in enumerate(done):
            n, i = len(c.tokens), self.place[id(c)]
            logp[row, :n] = self.theta[self.ends[i] : self.ends[i + 1]].double()
            old[row, :n] = torch.from_numpy(c.logprobs).double()
            ref[row, :n] = torch.from_numpy(self.base[i]).double()
            mask[row, :n] = 1
        rewards = torch.tensor([r for _, _, r in done], dtype=torch.float64)
        return Batch(logp, old, ref, mask, rewards, torch.tensor([g for _, g, _ in done]),
                     MAX_TOKENS, beta)  # fmt: skip


def ours(table: Table, train: TrainPlan, *, budget: int, row: Any = None) -> tuple[Any, Any]:
    """(loss, gradients of each update) of a step; the table itself does not move."""
    learner = Learner(table, [table.theta], train, max_tokens=MAX_TOKENS, token_budget=budget)
    learner.row = row or learner.row
    gradients = []

    def keep(rate: float, *, max_norm: float) -> float:
        del rate, max_norm
        gradients.append(table.theta.grad.clone())
        learner.optimizer.clear()
        return 0.0

    learner.optimizer.step = keep  # type: ignore[method-assign]
    return learner.step(table.groups, 1), gradients


def theirs(table: Table, train: TrainPlan) -> tuple[list[float], list[torch.Tensor]]:
    """The reference's losses and gradients, each update on its share of the groups."""
    advantage, loss = REFERENCES[train.algorithm]
    whole = table.padded(table.groups, train.kl)
    with torch.no_grad():
        advantages = advantage(whole)
    losses, gradients = [], []
    for part in torch.arange(GROUPS).chunk(train.updates_per_batch):
        rows = torch.isin(whole.group, part)
        fields = ("logp", "old", "ref", "mask", "rewards", "group")
        batch = replace(whole, **{f: getattr(whole, f)[rows] for f in fields})
        value = loss(batch, advantages[rows])
        (gradient,) = torch.autograd.grad(value, table.theta, retain_graph=True)
        losses.append(float(value.detach()))
        gradients.append(gradient)
    return losses, gradients


def difference(ours: Sequence[torch.Tensor], theirs: Sequence[torch.Tensor]) -> float:
    assert len(ours) == len(theirs)
    return max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("budget", [10_000, 25])
@pytest.mark.parametrize("kl", [0.0, 0.1])
@pytest.mark.parametrize("name", NAMES)
def test_on_policy_the_gradient_is_that_of_the_paper(name: str, kl: float, budget: int) -> None:
    table, train = Table(1, stale=0.0), plan(name, kl=kl)
    _, gradients = ours(table, train, budget=budget)
    _, expected = theirs(table, train)
    assert float(expected[0].abs().max()) > 1e-3
    assert difference(gradients, expected) < 1e-6


@pytest.mark.parametrize("budget", [10_000, 25])
@pytest.mark.parametrize("kl", [0.0, 0.1])
@pytest.mark.parametrize("name", NAMES)
def test_off_policy_loss_and_gradients_are_those_of_the_paper(
    name: str, kl: float, budget: int
) -> None:
    table, train = Table(2, stale=0.3), plan(name, kl=kl, updates_per_batch=2)
    metrics, gradients = ours(table, train, budget=budget)
    losses, expected = theirs(table, train)
    assert metrics["updates"] == 2
    assert metrics["loss"] == pytest.approx(np.mean(losses), abs=1e-6)
    assert difference(gradients, expected) < 1e-6


MUTATIONS: dict[str, list[dict[str, Any]]] = {
    "grpo": [{"scale": "none"}, {"baseline": "others"}, {"aggregation": "mean"}, {"high": 0.1}],
    "dapo": [{"high": 0.05}, {"low": 0.28}, {"aggregation": "mean"}, {"scale": "batch"}],
    "dr_grpo": [{"aggregation": "token"}, {"scale": "group"}, {"ratio": "sequence"}],
    "gspo": [{"ratio": "token"}, {"ratio": "sequence"}, {"aggregation": "token"}, {"low": 0.2}],
    "cispo": [{"clip": "surrogate"}, {"high": 0.2}, {"ratio": "geometric"}],
    "rloo": [{"baseline": "group"}, {"ratio": "token"}, {"kl": "loss"}, {"aggregation": "mean"}],
    "reinforce++": [{"baseline": "group"}, {"scale": "none"}, {"kl": "loss"}, {"low": 0.05}],
}


def test_every_algorithm_has_mutations() -> None:
    assert MUTATIONS.keys() == ALGORITHMS.keys() == REFERENCES.keys()


@pytest.mark.parametrize(
    ("name", "mutation"), [(name, m) for name, found in MUTATIONS.items() for m in found], ids=str
)
def test_a_changed_row_is_seen(name: str, mutation: dict[str, Any]) -> None:
    # a ratio of up to e^2 reaches cispo's high bound
    table, train = Table(2, stale=0.8), plan(name, kl=0.1, updates_per_batch=2)
    _, expected = theirs(table, train)
    _, right = ours(table, train, budget=10_000)
    assert difference(right, expected) < 5e-6
    _, wrong = ours(table, train, budget=10_000, row=replace(ALGORITHMS[name], **mutation))
    assert difference(wrong, expected) > 1e-4


def test_clip_shares_count_the_tokens_that_a_bound_stopped() -> None:
    table = Table(2, stale=0.3)
    metrics, _ = ours(table, plan("grpo", updates_per_batch=2), budget=10_000)
    with torch.no_grad():
        whole = table.padded(table.groups, 0.0)
        advantages = REFERENCES["grpo"][0](whole)
    trained = (whole.mask * (whole.group != 1)[:, None]).bool()  # the second group is flat
    low = (whole.ratio < 0.8) & (advantages < 0) & trained
    high = (whole.ratio > 1.2) & (advantages > 0) & trained
    assert metrics["clip_low_share"] == pytest.approx(float(low.sum() / trained.sum()))
    assert metrics["clip_high_share"] == pytest.approx(float(high.sum() / trained.sum()))
    assert metrics["clip_share"] == metrics["clip_low_share"] + metrics["clip_high_share"] > 0.05
    assert metrics["ratio_max"] == pytest.approx(float(whole.ratio[trained].max()), rel=1e-5)


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
def test_scale_rewards_overrides_the_row(scale: str) -> None:
    table = Table(3, stale=0.0)
    learner = Learner(table, [table.theta], plan("grpo", scale_rewards=scale),
                      max_tokens=MAX_TOKENS, token_budget=1000)  # fmt: skip
    rewards = np.array([g.rewards for g in table.groups])
    centred = rewards - rewards.mean(1, keepdims=True)
    by = {
        "group": rewards.std(1, ddof=1, keepdims=True) + 1e-4,
        "batch": centred.std() + 1e-4,
        "none": 1.0,
    }
    expected = centred / by[scale]
    got = np.array([[a[0] for a in w.advantages] for w in learner.work(table.groups)])
    np.testing.assert_allclose(got, expected, atol=1e-12)


@pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
def test_the_divergence_enters_by_its_estimator(estimator: str) -> None:
    table = Table(4, stale=0.0)
    _, plain = ours(table, plan("grpo"), budget=10_000)
    metrics, gradients = ours(table, plan("grpo", kl=0.5, kl_estimator=estimator), budget=10_000)
    theta = table.theta.detach().double().requires_grad_()
    d = torch.from_numpy(np.concatenate(table.base)).double() - theta
    term = {"k1": -d, "k2": d**2 / 2, "k3": d.exp() - d - 1}[estimator].mean()
    (expected,) = torch.autograd.grad(0.5 * term, theta)
    assert metrics["kl"] == pytest.approx(float(term.detach()), abs=1e-6)
    assert difference([gradients[0] - plain[0]], [expected]) < 1e-6


def test_the_entropy_bonus_pulls_towards_entropy() -> None:
    table = Table(5, stale=0.0)
    _, plain = ours(table, plan("grpo"), budget=10_000)
    _, gradients = ours(table, plan("grpo", entropy_bonus=0.2), budget=10_000)
    # the table's entropy of a token is minus its log-probability
    expected = torch.full_like(plain[0], 0.2 / table.theta.numel())
    assert difference([gradients[0] - plain[0]], [expected]) < 1e-6


def test_a_masked_completion_is_in_the_baseline_and_not_in_the_loss() -> None:
    table = Table(6, stale=0.0)
    cut = [len(c.tokens) == MAX_TOKENS for g in table.groups for c in g.completions]
    assert any(cut)
    _, gradients = ours(table, plan("grpo", overlong="mask"), budget=10_000)
    whole = table.padded(table.groups, 0.0)
    advantage, loss = REFERENCES["grpo"]
    rows = ~torch.tensor(cut)
    fields = ("logp", "old", "ref", "mask", "rewards", "group")
    with torch.no_grad():
        kept = advantage(whole)[rows]
    value = loss(replace(whole, **{f: getattr(whole, f)[rows] for f in fields}), kept)
    (expected,) = torch.autograd.grad(value, table.theta)
    assert difference(gradients, [expected]) < 1e-6


def test_overlong_punishment_is_daposs_line() -> None:
    lengths = np.array([1, 80, 81, 90, 99, 100])
    got = overlong_punishment(lengths, 100, 20)
    np.testing.assert_allclose(got, [0, 0, -0.05, -0.5, -0.95, -1.0])


def test_a_length_penalty_is_in_proportion_to_the_tokens() -> None:
    done = [Completion(tuple(range(n)), "", "stop", np.zeros(n, np.float32)) for n in (0, 5, 10)]
    got = shaped(plan("grpo", length_penalty=0.4), [1.0, 1.0, 0.5], done, 10)
    np.testing.assert_allclose(got, [1.0, 0.8, 0.1])


def test_a_groups_weight_scales_its_gradient() -> None:
    table = Table(7, stale=0.0)
    _, plain = ours(table, plan("grpo"), budget=10_000)
    table.groups[0] = replace(table.groups[0], weight=0.25)
    _, light = ours(table, plan("grpo"), budget=10_000)
    first = sum(len(c.tokens) for c in table.groups[0].completions)
    assert difference([light[0][:first]], [plain[0][:first] * 0.25]) < 1e-7
    assert torch.equal(light[0][first:], plain[0][first:])


@pytest.mark.parametrize("how", ["truncate", "mask", "none"])
@pytest.mark.parametrize("budget", [10_000, 25])
def test_a_sampler_that_differs_is_corrected_and_counted(how: str, budget: int) -> None:
    table = Table(8, stale=0.4)
    metrics, gradients = ours(table, plan("grpo", correction=how), budget=budget)
    assert metrics["mismatch_beyond_bound_share"] > 0.9
    whole = table.padded(table.groups, 0.0)
    ratio = whole.ratio.detach()
    total = ((whole.logp - whole.old) * whole.mask).sum(1, keepdim=True).detach().exp()
    weight = {
        "truncate": ratio.clip(max=2.0),
        "mask": ((total <= 2) & (total >= 0.5)).double().expand_as(ratio),
        "none": torch.ones_like(ratio),
    }[how]
    if how != "none":
        assert float((weight != 1).sum()) > 3
    advantages = REFERENCES["grpo"][0](whole)
    loss = -(weight * advantages * whole.logp * whole.mask).sum() / whole.mask.sum()
    (expected,) = torch.autograd.grad(loss, table.theta)
    assert difference(gradients, [expected]) < 1e-6


def test_an_exact_sampler_is_not_corrected() -> None:
    found = [ours(Table(9, stale=1e-6), plan("grpo", correction=how), budget=10_000)
             for how in ("truncate", "mask", "none")]  # fmt: skip
    assert all(metrics["mismatch_beyond_bound_share"] == 0 for metrics, _ in found)
    assert all(torch.equal(g[0], found[0][1][0]) for _, g in found)


def test_the_table_in_the_docs_is_the_table_of_the_code() -> None:
    text = Path(resource("docs", "engine.md")).read_text("utf-8")
    for row in ALGORITHMS.values():
        line = re.search(rf"^\| `{re.escape(row.name)}` \|.*$", text, re.MULTILINE)
        assert line is not None, row.name
        assert row.arxiv in line[0]
        cells = [cell.strip() for cell in line[0].split("|")]
        assert {row.aggregation, row.ratio, row.kl} <= set(cells)
        for bound in (row.low, row.high):
            assert bound is None or f"{bound:g}" in line[0]
