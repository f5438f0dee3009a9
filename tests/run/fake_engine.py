"""A tiny exact engine: it adds two numbers, rightly as often as its one parameter says.

Deterministic in (seed, prompt key, sample index), learns by moving its parameter with the rewards,
and can be told to fail at the n-th call, so that every place a run can be killed at can be tried.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rftspec.engine.types import Completion, Group, Prompt

BASE_SKILL = 0.2


class Killed(BaseException):
    """Stands for `kill -9` inside one process: nothing may catch it."""


class FakeEngine:
    """An engine whose adapter is one number."""

    def __init__(self, seed: int = 0, *, kill_at: int | None = None, hard: bool = False) -> None:
        self.seed = seed
        self.skill = BASE_SKILL
        self.momentum = 0.0
        self.step = 0
        self.calls = 0
        self.kill_at = kill_at
        self.hard = hard
        self.on_call: Callable[[str], None] | None = None

    def _call(self, name: str) -> None:
        self.calls += 1
        if self.on_call is not None:
            self.on_call(name)
        if self.kill_at is not None and self.calls == self.kill_at:
            if self.hard:
                os.kill(os.getpid(), signal.SIGKILL)
            raise Killed(name)

    context = None
    """It has no limit."""

    def peak_memory(self):
        return None

    def encode(self, item_messages):
        return tuple(str(item_messages[-1]["content"]).encode())

    def sample(
        self, prompts, *, samples, temperature, max_tokens, policy, on_finished=None, on_group=None
    ):
        self._call("sample")
        skill = BASE_SKILL if policy == "base" else self.skill
        groups = [[self._complete(p, i, skill) for i in range(samples)] for p in prompts]
        if on_finished is not None:
            on_finished(samples * len(prompts))
        if on_group is not None:
            for place in reversed(range(0, len(groups), 2)):  # half of them, the last one first
                on_group(place, groups[place])
        self._call("sampled")
        return groups

    def _complete(self, prompt: Prompt, index: int, skill: float) -> Completion:
        chance = random.Random(f"{self.seed}|{prompt.key}|{index}")
        left, right = bytes(prompt.tokens).decode().split("+")
        total = int(left) + int(right)
        answer = total if chance.random() < skill else total + 1 + chance.randrange(3)
        text = json.dumps({"sum": answer})
        if chance.random() < 0.05:
            text = "I do not know"
        tokens = tuple(text.encode())
        return Completion(tokens, text, "stop", np.zeros(len(tokens), dtype=np.float32))

    def learn(self, groups: list[Group], *, step: int) -> dict[str, float]:
        self._call("learn")
        spread = float(np.mean([np.std(group.rewards) for group in groups]))
        self.momentum = 0.5 * self.momentum + 0.1 * spread
        self.skill = min(0.95, self.skill + self.momentum)
        self.step = step
        return {
            "loss": -spread,
            "grad_norm": spread,
            "learning_rate": 0.1,
            "logprob_mismatch_max": 0.0,
            "training_tokens_per_second": 1e4 + os.getpid(),
        }

    def save_adapter(self, folder: Path) -> None:
        self._call("save_adapter")
        (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "FAKE"}))
        (folder / "adapter_model.safetensors").write_text(repr(self.skill))

    def load_adapter(self, folder: Path) -> None:
        self._call("load_adapter")
        self.skill = float((folder / "adapter_model.safetensors").read_text())

    def save_state(self, folder: Path) -> None:
        self._call("save_state")
        (folder / "state.json").write_text(json.dumps([self.skill, self.momentum, self.step]))
        self._call("saved_state")

    def load_state(self, folder: Path) -> None:
        self._call("load_state")
        self.skill, self.momentum, self.step = json.loads((folder / "state.json").read_text())
