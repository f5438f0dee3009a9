"""Sampling: what a completion depends on, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch

from rftspec.engine import noise
from rftspec.engine import sampler as sampler_module
from rftspec.engine.local import LocalEngine
from rftspec.engine.sampler import LeanSampler, draw
from rftspec.engine.types import Completion, Prompt
from tests.engine.conftest import MESSAGES, make_plan

Toy = Callable[..., Path]
MANY = [
    [{"role": "user", "content": f"signs {i} and {'seizures ' * (i % 4)} fit which gene?"}]
    for i in range(9)
]


def prompts_of(engine: LocalEngine, stream: str = "test") -> list[Prompt]:
    return [Prompt(engine.encode(m), (stream, 0, i)) for i, m in enumerate([*MESSAGES, *MANY])]


ENDS = tuple(range(0, 320, 10))
"""Stop tokens that end a toy's answers early and at different times, so that places move."""


def draw_all(
    engine: LocalEngine, prompts: list[Prompt], samples: int = 4
) -> list[list[Completion]]:
    return engine.sample(prompts, samples=samples, temperature=1.0, max_tokens=12, policy="tuned")


def tokens_of(found: list[list[Completion]]) -> list[list[tuple[int, ...]]]:
    return [[c.tokens for c in group] for group in found]


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_completion_does_not_depend_on_the_batch_around_it(toy: Toy, family: str) -> None:
    engine = LocalEngine.open(make_plan(toy(family)))
    engine.stop = ENDS
    prompts = prompts_of(engine)
    together = draw_all(engine, prompts)
    alone = [draw_all(engine, [prompt])[0] for prompt in prompts]
    reversed_order = draw_all(engine, prompts[::-1])[::-1]
    assert tokens_of(together) == tokens_of(alone) == tokens_of(reversed_order)


def test_more_samples_leave_the_first_ones_as_they_are(engine: LocalEngine) -> None:
    prompts = prompts_of(engine)
    few, more = draw_all(engine, prompts, samples=2), draw_all(engine, prompts, samples=5)
    assert tokens_of(few) == [group[:2] for group in tokens_of(more)]


def test_slot_refill_gives_the_same_completions(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.stop = ENDS
    prompts = prompts_of(engine)
    whole = draw_all(engine, prompts)
    assert len({len(c.tokens) for c in chain(*whole)}) > 5
    monkeypatch.setattr(sampler_module, "_CPU_ROWS", 8)
    monkeypatch.setattr(sampler_module, "_PREFILL_TOKENS", 40)
    ended: list[int] = []
    refilled = engine.sample(
        prompts, samples=4, temperature=1.0, max_tokens=12, policy="tuned", on_finished=ended.append
    )
    assert tokens_of(refilled) == tokens_of(whole)
    assert sum(ended) == 4 * len(prompts)


def test_a_small_memory_budget_still_decodes_one_group_at_a_time(engine: LocalEngine) -> None:
    assert isinstance(engine.sampler, LeanSampler)
    prompts = prompts_of(engine)
    whole = draw_all(engine, prompts)
    engine.sampler = LeanSampler(engine.sampler.decoder, kv_budget_bytes=1)
    assert tokens_of(draw_all(engine, prompts)) == tokens_of(whole)


def test_two_engines_of_one_plan_sample_the_same_bytes(toy: Toy) -> None:
    first, second = (LocalEngine.open(make_plan(toy())) for _ in range(2))
    a, b = draw_all(first, prompts_of(first)), draw_all(second, prompts_of(second))
    assert tokens_of(a) == tokens_of(b)
    for one, other in zip(chain(*a), chain(*b), strict=True):
        assert one.logprobs.tobytes() == other.logprobs.tobytes()


@pytest.mark.parametrize("change", ["seed", "stream"])
def test_another_seed_or_stream_draws_other_completions(toy: Toy, change: str) -> None:
    first = LocalEngine.open(make_plan(toy()))
    second = LocalEngine.open(make_plan(toy(), seed=1)) if change == "seed" else first
    stream = "other" if change == "stream" else "test"
    a = tokens_of(draw_all(first, prompts_of(first)))
    assert a != tokens_of(draw_all(second, prompts_of(second, stream)))


def test_completions_end_with_the_stop_token_or_at_the_limit(engine: LocalEngine) -> None:
    engine.stop = ENDS
    found = list(chain(*draw_all(engine, prompts_of(engine))))
    assert {c.finish_reason for c in found} == {"stop", "length"}
    for completion in found:
        inner = set(completion.tokens[:-1])
        assert not inner & set(engine.stop)
        assert (completion.tokens[-1] in engine.stop) == (completion.finish_reason == "stop")
        assert completion.finish_reason == "stop" or len(completion.tokens) == 12
        assert len(completion.logprobs) == len(completion.tokens)


def test_the_text_leaves_special_tokens_out(engine: LocalEngine) -> None:
    found = list(chain(*draw_all(engine, prompts_of(engine), samples=20)))
    assert any(1 in c.tokens for c in found)
    assert not any("<|end|>" in c.text for c in found)


def test_draws_follow_the_distribution() -> None:
    rng = np.random.default_rng(0)
    logits = torch.tensor([2.0, 0.0, -1.0, 1.0, -30.0])
    n = 40_000
    uniform = torch.from_numpy(rng.random(n)).float()
    token, logprob = draw(logits.repeat(n, 1), uniform, 0.5)
    p = (logits / 0.5).softmax(0)
    share = torch.bincount(token, minlength=5) / n
    torch.testing.assert_close(share, p, atol=0.01, rtol=0)
    torch.testing.assert_close(logprob, p.log()[token], atol=1e-5, rtol=0)


def test_the_edges_of_the_noise_draw_possible_tokens() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, 1.0, -torch.inf]]).repeat(2, 1)
    token, _ = draw(logits, torch.tensor([0.0, 1 - 2**-24]), 1.0)
    assert token.tolist() == [1, 2]


def test_noise_is_a_function_of_its_key_and_longer_rows_extend_it() -> None:
    key = ("train", 3, 17)
    short, long = noise.uniforms(0, key, 2, 5), noise.uniforms(0, key, 2, 50)
    np.testing.assert_array_equal(short, long[:5])
    others = [
        noise.uniforms(1, key, 2, 5),
        noise.uniforms(0, ("test", 3, 17), 2, 5),
        noise.uniforms(0, ("train", 4, 17), 2, 5),
        noise.uniforms(0, ("train", 3, 18), 2, 5),
        noise.uniforms(0, key, 3, 5),
    ]
    assert all(not np.array_equal(short, other) for other in others)
    values = noise.table(0, [("t", 0, i) for i in range(500)], 4, 8)
    assert abs(values.mean() - 0.5) < 0.01
    assert values.min() >= 0.0
    assert values.max() < 1.0
