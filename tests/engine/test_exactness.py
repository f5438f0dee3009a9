"""Sampler and learner against transformers: logits, greedy text, log-probabilities, gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from rftspec.engine import adapter
from rftspec.engine.local import LocalEngine
from rftspec.engine.types import Completion, Group, Prompt
from tests.engine.conftest import MESSAGES, make_plan
from tests.engine.reference import REFERENCES, Batch

FAMILIES = ["llama", "qwen2", "qwen3", "mistral", "gpt2"]
Toy = Callable[..., Path]


def prompts_of(engine: LocalEngine, step: int = 1) -> list[Prompt]:
    return [Prompt(engine.encode(m), ("train", step, i)) for i, m in enumerate(MESSAGES)]


def stir(engine: LocalEngine, scale: float = 0.05) -> None:
    """Move the adapter away from zero, so that a missing LoRA term is seen."""
    generator = torch.Generator().manual_seed(1)
    for _, parameter in adapter.parameters(engine.wrapped):
        parameter.data.add_(torch.randn(parameter.shape, generator=generator), alpha=scale)


def oracle_logprobs(engine: LocalEngine, prompt: Prompt, tokens: tuple[int, ...]) -> torch.Tensor:
    """Log-probabilities of an answer by the peft module itself, one row, no padding."""
    ids = torch.tensor([[*prompt.tokens, *tokens]])
    with torch.no_grad():
        logits = engine.wrapped(input_ids=ids).logits[0, len(prompt.tokens) - 1 : -1]
    return logits.log_softmax(-1).gather(1, torch.tensor(tokens)[:, None])[:, 0]


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_text_equals_that_of_transformers_generate(toy: Toy, family: str) -> None:
    engine = LocalEngine.open(make_plan(toy(family)))
    stir(engine)
    prompts = prompts_of(engine)
    ours = engine.sample(prompts, samples=1, temperature=0.0, max_tokens=16, policy="tuned")
    for prompt, (completion,) in zip(prompts, ours, strict=True):
        out = engine.wrapped.generate(
            input_ids=torch.tensor([prompt.tokens]),
            attention_mask=torch.ones(1, len(prompt.tokens), dtype=torch.long),
            do_sample=False,
            max_new_tokens=16,
        )
        theirs = tuple(out[0, len(prompt.tokens) :].tolist())
        assert completion.tokens == theirs


@pytest.mark.parametrize("family", FAMILIES)
def test_recorded_logprobs_are_those_of_the_trained_module(toy: Toy, family: str) -> None:
    engine = LocalEngine.open(make_plan(toy(family)))
    stir(engine)
    prompts = prompts_of(engine)
    found = engine.sample(prompts, samples=4, temperature=1.0, max_tokens=16, policy="tuned")
    for prompt, completions in zip(prompts, found, strict=True):
        for completion in completions:
            expected = oracle_logprobs(engine, prompt, completion.tokens).numpy()
            np.testing.assert_allclose(completion.logprobs, expected, atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "mistral"])
def test_families_of_the_lean_path_take_it(toy: Toy, family: str) -> None:
    engine = LocalEngine.open(make_plan(toy(family)))
    assert engine.describe()["path"].startswith("lean")


def test_another_architecture_says_why_it_takes_the_plain_path(toy: Toy) -> None:
    assert "gpt2" in LocalEngine.open(make_plan(toy("gpt2"))).describe()["path"]


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2"])
def test_sampler_and_learner_agree_to_1e_5(toy: Toy, family: str) -> None:
    engine = LocalEngine.open(make_plan(toy(family), temperature=0.7))
    stir(engine)
    prompts = prompts_of(engine)
    found = engine.sample(prompts, samples=4, temperature=0.7, max_tokens=16, policy="tuned")
    groups = [Group(p, c, [0.0, 1.0, 0.0, 0.5]) for p, c in zip(prompts, found, strict=True)]
    assert engine.learn(groups, step=1)["logprob_mismatch_max"] <= 1e-5


def test_base_policy_is_the_model_without_its_adapter(engine: LocalEngine) -> None:
    prompts = prompts_of(engine)
    settings = {"samples": 2, "temperature": 1.0, "max_tokens": 16}
    before = engine.sample(prompts, policy="base", **settings)
    stir(engine, 0.3)
    after = engine.sample(prompts, policy="base", **settings)
    tuned = engine.sample(prompts, policy="tuned", **settings)
    assert texts(before) == texts(after)
    assert texts(before) != texts(tuned)


def texts(found: list[list[Completion]]) -> list[list[str]]:
    return [[c.text for c in group] for group in found]


CASES = [
    *[(family, "grpo", 1, budget) for family in FAMILIES for budget in (10_000, 90)],
    *[("llama", name, updates, 90) for name in REFERENCES for updates in (1, 2)],
]


@pytest.mark.parametrize(("family", "name", "updates", "budget"), CASES)
def test_gradient_equals_that_of_a_plain_padded_loop(
    toy: Toy, family: str, name: str, updates: int, budget: int
) -> None:
    plan = make_plan(toy(family), algorithm=name, updates_per_batch=updates, kl=0.05)
    engine = LocalEngine.open(plan)
    stir(engine)
    engine.learner.token_budget = budget
    prompts = prompts_of(engine)
    found = engine.sample(prompts, samples=4, temperature=1.0, max_tokens=16, policy="tuned")
    if updates > 1:  # as if sampled by an older policy
        chance = np.random.default_rng(0)
        noise = [[0.3 * chance.normal(size=len(c.tokens)) for c in group] for group in found]
        found = [
            [
                replace(c, logprobs=(c.logprobs + n).astype(np.float32))
                for c, n in zip(g, ns, strict=True)
            ]
            for g, ns in zip(found, noise, strict=True)
        ]
    rewards = [[0.0, 1.0, 0.5, 0.0], [1.0, 1.0, 1.0, 1.0], [0.2, 0.0, 0.0, 0.9]]
    groups = [Group(p, c, r) for p, c, r in zip(prompts, found, rewards, strict=True)]
    expected = plain_gradients(engine, groups, name, updates)
    got = gradients_of(engine, groups)
    assert len(got) == len(expected)
    for mine, other in zip(got, expected, strict=True):
        assert mine.keys() == other.keys()
        size = max(1.0, *(float(g.abs().max()) for g in other.values()))
        for parameter in mine:
            torch.testing.assert_close(
                mine[parameter], other[parameter], atol=1e-6 * size, rtol=1e-4
            )


def gradients_of(engine: LocalEngine, groups: list[Group]) -> list[dict[str, torch.Tensor]]:
    """The gradients that a step's updates would use, taken before the optimiser clears them."""
    kept: list[dict[str, torch.Tensor]] = []
    learner = engine.learner

    def keep(rate: float, *, max_norm: float) -> float:
        del rate, max_norm
        kept.append({n: p.grad.clone() for n, p in adapter.parameters(engine.wrapped)})
        learner.optimizer.clear()
        return 0.0

    learner.optimizer.step = keep  # type: ignore[method-assign]
    learner.step(groups, 1)
    return kept


def plain_gradients(
    engine: LocalEngine, groups: list[Group], name: str, updates: int
) -> list[dict[str, torch.Tensor]]:
    """The reference's loss on one padded batch through the peft module, by autograd."""
    done = [(g, c, r) for g, group in enumerate(groups)
            for c, r in zip(group.completions, group.rewards, strict=True)]  # fmt: skip
    logp, mask = padded_logprobs(engine, groups)
    with torch.no_grad(), engine.wrapped.disable_adapter():
        ref, _ = padded_logprobs(engine, groups)
    old = torch.zeros_like(logp)
    for row, (_, c, _) in enumerate(done):
        old[row, : len(c.tokens)] = torch.from_numpy(c.logprobs)
    if updates == 1:
        old = logp.detach()
    batch = Batch(
        logp, old, ref, mask, torch.tensor([r for *_, r in done]),
        torch.tensor([g for g, *_ in done]), engine.plan.response.max_tokens, 0.05,
    )  # fmt: skip
    advantage, loss = REFERENCES[name]
    with torch.no_grad():
        advantages = advantage(batch)
    names, parameters = zip(*adapter.parameters(engine.wrapped), strict=True)
    out = []
    bounds = [round(i * len(groups) / updates) for i in range(updates + 1)]
    for start, stop in pairwise(bounds):
        rows = (batch.group >= start) & (batch.group < stop)
        fields = ("logp", "old", "ref", "mask", "rewards", "group")
        part = replace(batch, **{f: getattr(batch, f)[rows] for f in fields})
        value = loss(part, advantages[rows])
        found = torch.autograd.grad(value, parameters, retain_graph=True)
        out.append(dict(zip(names, found, strict=True)))
    return out


def padded_logprobs(engine: LocalEngine, groups: list[Group]) -> tuple[torch.Tensor, torch.Tensor]:
    """(log-probabilities, mask) of all completions, [B, T], by one right-padded forward pass."""
    rows = [(g.prompt.tokens, c.tokens) for g in groups for c in g.completions]
    width, most = max(len(p) + len(c) for p, c in rows), max(len(c) for _, c in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    seen = torch.zeros_like(ids)
    for row, (p, c) in enumerate(rows):
        ids[row, : len(p) + len(c)] = torch.tensor([*p, *c])
        seen[row, : len(p) + len(c)] = 1
    logits = engine.wrapped(input_ids=ids, attention_mask=seen).logits.log_softmax(-1)
    out, mask = [], torch.zeros(len(rows), most)
    for row, (p, c) in enumerate(rows):
        at = logits[row, len(p) - 1 : len(p) + len(c) - 1]
        found = at.gather(1, torch.tensor(c)[:, None])[:, 0]
        out.append(torch.nn.functional.pad(found, (0, most - len(c))))
        mask[row, : len(c)] = 1
    return torch.stack(out), mask


def test_only_the_adapter_is_trained(engine: LocalEngine) -> None:
    names = [n for n, p in engine.wrapped.named_parameters() if p.requires_grad]
    assert names
    assert all("lora_" in n for n in names)
    frozen = {n: p.clone() for n, p in engine.wrapped.named_parameters() if not p.requires_grad}
    prompts = prompts_of(engine)
    found = engine.sample(prompts, samples=4, temperature=1.0, max_tokens=8, policy="tuned")
    engine.learn([Group(p, c, [0, 1, 0, 1]) for p, c in zip(prompts, found, strict=True)], step=1)
    for name, parameter in engine.wrapped.named_parameters():
        if name in frozen:
            assert torch.equal(parameter, frozen[name]), name


def test_kl_is_zero_for_an_untouched_adapter_and_grows_with_it(toy: Toy) -> None:
    engine = LocalEngine.open(make_plan(toy(), kl=0.1))
    prompts = prompts_of(engine)

    def kl() -> float:
        found = engine.sample(prompts, samples=4, temperature=1.0, max_tokens=16, policy="tuned")
        groups = [Group(p, c, [0, 1, 0, 1]) for p, c in zip(prompts, found, strict=True)]
        return engine.learner.step(groups, 1)["kl"]

    assert abs(kl()) < 1e-6
    stir(engine)
    assert kl() > 1e-3
