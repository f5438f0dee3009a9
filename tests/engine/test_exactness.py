"""Sampler and learner against transformers: logits, greedy text, log-probabilities, gradients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from rftspec.engine import adapter
from rftspec.engine.local import LocalEngine
from rftspec.engine.types import Completion, Group, Prompt
from tests.engine.conftest import MESSAGES, make_plan

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


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "gpt2"])
@pytest.mark.parametrize("budget", [10_000, 90])
def test_gradient_equals_that_of_a_plain_loop(toy: Toy, family: str, budget: int) -> None:
    engine = LocalEngine.open(make_plan(toy(family)))
    stir(engine)
    engine.learner.token_budget = budget
    prompts = prompts_of(engine)
    found = engine.sample(prompts, samples=4, temperature=1.0, max_tokens=16, policy="tuned")
    rewards = [[0.0, 1.0, 0.5, 0.0], [1.0, 1.0, 1.0, 1.0], [0.2, 0.0, 0.0, 0.9]]
    groups = [Group(p, c, r) for p, c, r in zip(prompts, found, rewards, strict=True)]
    expected = plain_gradient(engine, groups)
    got = gradient_of(engine, groups)
    assert got.keys() == expected.keys()
    for name in got:
        torch.testing.assert_close(got[name], expected[name], atol=1e-6, rtol=1e-4)


def gradient_of(engine: LocalEngine, groups: list[Group]) -> dict[str, torch.Tensor]:
    """The gradient that a step would use, taken before the optimiser clears it."""
    kept: dict[str, torch.Tensor] = {}
    learner = engine.learner

    def keep(rate: float, *, max_norm: float) -> float:
        del rate, max_norm
        kept.update({n: p.grad.clone() for n, p in adapter.parameters(engine.wrapped)})
        learner.optimizer.clear()
        return 0.0

    learner.optimizer.step = keep  # type: ignore[method-assign]
    learner.step(groups, 1)
    return kept


def plain_gradient(engine: LocalEngine, groups: list[Group]) -> dict[str, torch.Tensor]:
    """GRPO by its formula, one row at a time, through the peft module."""
    total = sum(len(c.tokens) for g in groups for c in g.completions)
    loss = torch.zeros(())
    for group in groups:
        rewards = np.array(group.rewards)
        deviation = rewards.std(ddof=1)
        for completion, reward in zip(group.completions, rewards, strict=True):
            advantage = (reward - rewards.mean()) / (deviation + 1e-4)
            ids = torch.tensor([[*group.prompt.tokens, *completion.tokens]])
            logits = engine.wrapped(input_ids=ids).logits[0, len(group.prompt.tokens) - 1 : -1]
            target = torch.tensor(completion.tokens)[:, None]
            loss = loss - float(advantage) * logits.log_softmax(-1).gather(1, target).sum()
    (loss / total).backward()
    parameters = adapter.parameters(engine.wrapped)
    out = {n: p.grad.clone() for n, p in parameters}
    for _, p in parameters:
        p.grad = None
    return out


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
