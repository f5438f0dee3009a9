"""Learning: algorithms, micro-batches, loss, optimiser state, resume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rftspec.diagnostics import DiagnosticError
from rftspec.engine import adapter
from rftspec.engine import loss as loss_module
from rftspec.engine.algorithms import GroupRewards, advantages, divisor
from rftspec.engine.local import LocalEngine
from rftspec.engine.loss import token_logprobs
from rftspec.engine.optimizer import AdamW, AdamW8bit, learning_rate
from rftspec.engine.packing import Work, micro_batches
from rftspec.engine.types import ENGINE_METRICS, Completion, Group, Prompt
from rftspec.record.metrics import declared
from rftspec.spec.algorithms import ALGORITHMS
from tests.engine.conftest import MESSAGES, make_plan

Toy = Callable[..., Path]


def groups_of(engine: LocalEngine, step: int) -> list[Group]:
    """A step's rollouts; the reward is the share of even tokens, so that there is a signal."""
    prompts = [Prompt(engine.encode(m), ("train", step, i)) for i, m in enumerate(MESSAGES)]
    found = engine.sample(prompts, samples=4, temperature=1.0, max_tokens=12, policy="tuned")
    return [
        Group(p, c, [float(np.mean([t % 2 == 0 for t in x.tokens])) for x in c])
        for p, c in zip(prompts, found, strict=True)
    ]


def adapter_bytes(engine: LocalEngine) -> dict[str, bytes]:
    return {n: p.detach().numpy().tobytes() for n, p in adapter.parameters(engine.wrapped)}


@pytest.mark.parametrize(
    ("name", "rewards", "expected"),
    [
        ("grpo", [0.0, 1.0], [-0.5 / (0.5**0.5 + 1e-4), 0.5 / (0.5**0.5 + 1e-4)]),
        ("dr_grpo", [0.0, 1.0, 0.5, 0.5], [-0.5, 0.5, 0.0, 0.0]),
        ("rloo", [0.0, 0.0, 1.0], [-0.5, -0.5, 1.0]),
        *[(name, [0.3] * 5, [0.0] * 5) for name in ALGORITHMS],
        *[(name, [1.0], [0.0]) for name in ALGORITHMS],
    ],
)
def test_advantages_are_those_of_the_paper(
    name: str, rewards: list[float], expected: list[float]
) -> None:
    group = GroupRewards(np.array(rewards), [1] * len(rewards))
    (found,) = advantages(ALGORITHMS[name], [group])
    np.testing.assert_allclose([a[0] for a in found], expected, atol=1e-12)


def test_losses_are_divided_by_global_counts() -> None:
    counts = {"tokens": 700, "completions": 16, "max_tokens": 96}
    got = {name: divisor(row, **counts) for name, row in ALGORITHMS.items()}
    tokens = dict.fromkeys(("grpo", "dapo", "cispo"), 700)
    assert got == {**tokens, "dr_grpo": 16 * 96, "gspo": 16, "rloo": 16, "reinforce++": 16}


def test_an_unknown_algorithm_is_a_diagnostic(toy: Toy) -> None:
    with pytest.raises(DiagnosticError, match="M215"):
        LocalEngine.open(make_plan(toy(), algorithm="gppo"))


def work(prompt: int, *lengths: int) -> Work:
    completions = tuple(
        Completion(tuple(range(n)), "", "stop", np.zeros(n, np.float32)) for n in lengths
    )
    advantages = tuple(np.ones(n) for n in lengths)
    return Work(Prompt(tuple(range(prompt)), ("t", 0, 0)), completions, advantages)


def test_micro_batches_hold_every_completion_once_largest_first() -> None:
    items = [work(10, 5, 5), work(4, 30, 20, 25, 40), work(50, 7), work(3, 1, 1)]
    batches = micro_batches(items, budget=70)
    sizes = [sum(w.tokens for w in batch) for batch in batches]
    assert max(sizes) <= 70
    assert batches[0][0].tokens == max(w.tokens for b in batches for w in b)
    got = sorted(len(c.tokens) for b in batches for w in b for c in w.completions)
    assert got == sorted(len(c.tokens) for w in items for c in w.completions)


def test_a_completion_longer_than_the_budget_is_its_own_batch() -> None:
    batches = micro_batches([work(10, 100, 100)], budget=20)
    assert [[len(w.completions) for w in b] for b in batches] == [[1], [1]]


@pytest.mark.parametrize("kept", [1 << 25, 0])
@pytest.mark.parametrize("bonus", [0.0, 1.0])
def test_chunked_logprobs_equal_log_softmax_in_value_and_gradient(
    monkeypatch: pytest.MonkeyPatch, kept: int, bonus: float
) -> None:
    monkeypatch.setattr(loss_module, "CHUNK_ELEMENTS", 150)
    monkeypatch.setattr(loss_module, "KEPT_ELEMENTS", kept)
    torch.manual_seed(0)
    head, targets = torch.randn(37, 8), torch.randint(37, (11,))
    hidden = torch.randn(11, 8, requires_grad=True)
    weights, others = torch.randn(11), torch.randn(11) * bonus
    got, entropy = token_logprobs(hidden, head, targets, 0.7, entropy=bonus > 0)
    assert entropy.requires_grad == (bonus > 0)
    (got * weights + entropy * others).sum().backward()
    grad, hidden.grad = hidden.grad, None
    log_p = (hidden @ head.t() / 0.7).log_softmax(-1)
    expected = log_p.gather(1, targets[:, None])[:, 0]
    spread = -(log_p.exp() * log_p).sum(-1)
    (expected * weights + spread * others).sum().backward()
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(entropy, spread)
    torch.testing.assert_close(grad, hidden.grad)


@pytest.mark.parametrize("kl", [0.0, 0.1])
@pytest.mark.parametrize("updates", [1, 2])
def test_learn_gives_the_declared_metrics(toy: Toy, kl: float, updates: int) -> None:
    engine = LocalEngine.open(make_plan(toy(), kl=kl, updates_per_batch=updates))
    metrics = engine.learn(groups_of(engine, 1), step=1)
    off_policy = {"clip_share", "clip_low_share", "clip_high_share", "ratio_max", "updates"}
    missing = ({"kl"} if not kl else set()) | (off_policy if updates == 1 else set())
    assert set(metrics) == set(ENGINE_METRICS) - missing
    for name in metrics:
        declared(name)


def test_the_rewarded_completions_become_likelier(toy: Toy) -> None:
    engine = LocalEngine.open(make_plan(toy(), learning_rate=3e-3))
    groups = groups_of(engine, 1)
    work = engine.learner.work(groups)

    def pull() -> float:
        """Mean log-probability of tokens, weighted by their advantages."""
        with torch.no_grad():
            scored = engine.learner.scorer.score(work, tuned=True)
        return float((scored.facts.advantages * scored.logprobs).mean())

    before = pull()
    for step in range(1, 6):
        engine.learn(groups, step=step)
    assert pull() > before + 0.1


def test_groups_without_signal_change_nothing_and_are_counted(engine: LocalEngine) -> None:
    groups = groups_of(engine, 1)
    flat = [Group(g.prompt, g.completions, [0.5] * 4) for g in groups]
    start = adapter_bytes(engine)
    metrics = engine.learn(flat, step=1)
    assert metrics["groups_no_signal_share"] == 1.0
    assert metrics["micro_batches"] == 0.0
    assert metrics["logprob_mismatch_max"] <= 1e-5
    assert adapter_bytes(engine) == start


def test_the_learning_rate_warms_up_and_then_stays(toy: Toy) -> None:
    learner = LocalEngine.open(make_plan(toy(), warmup_steps=4, learning_rate=0.8)).learner
    assert [learner.learning_rate(s) for s in (1, 2, 4, 5, 50)] == [0.2, 0.4, 0.8, 0.8, 0.8]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.4, 0.8, 0.8, 0.8, 0.8, 0.8]),
        ("linear", [0.4, 0.8, 0.8, 0.6, 0.4, 0.2]),
        ("cosine", [0.4, 0.8, 0.8, 0.4 * (1 + 0.5**0.5), 0.4, 0.4 * (1 - 0.5**0.5)]),
    ],
)
def test_the_schedule_begins_after_the_warm_up_and_ends_at_zero_after_the_last_step(
    toy: Toy, schedule: str, expected: list[float]
) -> None:
    plan = make_plan(toy(), warmup_steps=2, learning_rate=0.8, steps=6, schedule=schedule).train
    assert [learning_rate(plan, s) for s in range(1, 7)] == pytest.approx(expected)
    assert learning_rate(plan, 7) == pytest.approx(0.8 if schedule == "constant" else 0.0)


def test_eight_bit_updates_are_close_to_those_of_32_bits() -> None:
    torch.manual_seed(0)
    exact = [torch.nn.Parameter(torch.randn(50, 40)), torch.nn.Parameter(torch.randn(3000))]
    rough = [torch.nn.Parameter(p.detach().clone()) for p in exact]
    start = torch.cat([p.detach().flatten() for p in exact])
    first, second = AdamW(exact), AdamW8bit(rough)
    for _ in range(6):
        for mine, other in zip(exact, rough, strict=True):
            mine.grad = torch.randn(mine.shape)
            other.grad = mine.grad.clone()
        assert first.step(0.01, max_norm=5.0) == second.step(0.01, max_norm=5.0)
    a, b = (torch.cat([p.detach().flatten() for p in ps]) - start for ps in (exact, rough))
    assert float(torch.nn.functional.cosine_similarity(a, b, dim=0)) > 0.99
    assert not torch.equal(a, b)
    assert {t.dtype for n, t in second.moments().items() if "scale" not in n} == {torch.uint8}


def test_updates_are_those_of_torchs_adamw() -> None:
    torch.manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(3, 4)), torch.nn.Parameter(torch.randn(5))]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    optimizer = AdamW(ours)
    peer = torch.optim.AdamW(theirs, betas=(0.9, 0.99), weight_decay=0.0)
    for step in range(1, 8):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn(mine.shape) * step
            other.grad = mine.grad.clone()
        expected = float(torch.nn.utils.clip_grad_norm_(theirs, 5.0))
        for group in peer.param_groups:
            group["lr"] = 0.01 * step
        peer.step()
        assert optimizer.step(0.01 * step, max_norm=5.0) == pytest.approx(expected)
        for mine, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-6)


def test_an_update_that_is_not_finite_is_left_out(engine: LocalEngine) -> None:
    groups = groups_of(engine, 1)
    broken = [Group(g.prompt, g.completions, [float("nan"), 0.0, 1.0, 0.0]) for g in groups]
    start = adapter_bytes(engine)
    assert not np.isfinite(engine.learn(broken, step=1)["grad_norm"])
    assert adapter_bytes(engine) == start


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"optimizer": "adamw_8bit"},
        {"updates_per_batch": 3, "algorithm": "dapo", "schedule": "cosine"},
        {"algorithm": "reinforce++", "kl": 0.1, "entropy_bonus": 0.01},
        {"lora_variant": "dora"},
    ],
    ids=str,
)
def test_a_resumed_run_ends_with_the_same_bytes(
    toy: Toy, tmp_path: Path, knobs: dict[str, Any]
) -> None:
    whole = LocalEngine.open(make_plan(toy(), **knobs))
    for step in (1, 2, 3, 4):
        if step == 3:
            whole.save_state(tmp_path / "state")
        whole.learn(groups_of(whole, step), step=step)
    resumed = LocalEngine.open(make_plan(toy(), **knobs))
    resumed.load_state(tmp_path / "state")
    for step in (3, 4):
        resumed.learn(groups_of(resumed, step), step=step)
    assert adapter_bytes(resumed) == adapter_bytes(whole)
    whole.save_state(tmp_path / "a")
    resumed.save_state(tmp_path / "b")
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_a_saved_adapter_comes_back_and_the_optimiser_is_left_alone(
    engine: LocalEngine, tmp_path: Path
) -> None:
    engine.learn(groups_of(engine, 1), step=1)
    saved = adapter_bytes(engine)
    engine.save_adapter(tmp_path / "adapter")
    engine.learn(groups_of(engine, 2), step=2)
    moments = engine.learner.optimizer.mean.clone()
    engine.load_adapter(tmp_path / "adapter")
    assert adapter_bytes(engine) == saved
    assert torch.equal(engine.learner.optimizer.mean, moments)
    assert sorted(p.name for p in (tmp_path / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


@pytest.mark.parametrize("damage", ["missing", "cut", "other rank"])
def test_a_damaged_state_is_a_diagnostic(toy: Toy, tmp_path: Path, damage: str) -> None:
    rank = 2 if damage == "other rank" else 4
    LocalEngine.open(make_plan(toy(), lora_rank=rank)).save_state(tmp_path / "state")
    file = tmp_path / "state" / "adapter_model.safetensors"
    if damage == "missing":
        file.unlink()
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    engine = LocalEngine.open(make_plan(toy()))
    with pytest.raises(DiagnosticError, match="M212"):
        engine.load_state(tmp_path / "state")
