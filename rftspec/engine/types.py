"""What the engine takes and gives, free of torch: prompts, completions, groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt as tokens, with the key that its samples' random numbers come from."""

    tokens: tuple[int, ...]
    key: tuple[str, int, int]
    """(stream such as "train" or "test", step, row): with the seed and the index of a sample,
    all that its random numbers depend on."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One sampled answer: tokens in, tokens out."""

    tokens: tuple[int, ...]
    """As sampled: the end-of-turn token is the last one when `finish_reason` is "stop"."""
    text: str
    """The tokens decoded without special tokens: what graders see."""
    finish_reason: Literal["stop", "length"]
    logprobs: NDArray[np.float32]
    """log p of each of `tokens` under the distribution that was sampled from; shape [T]."""


OnGroup = Callable[[int, Sequence[Completion]], None]
"""Takes the place of a prompt among those that were given, and its completions."""


@dataclass(frozen=True, slots=True)
class Group:
    """Completions of one prompt with their rewards: the unit that advantages are made of.

    A completion that could not be graded through no fault of its own is left out.
    """

    prompt: Prompt
    completions: Sequence[Completion]
    rewards: Sequence[float]
    weight: float = 1.0
    """What the group's advantages are multiplied by."""


ENGINE_METRICS = (
    "loss",
    "entropy",
    "kl",
    "grad_norm",
    "learning_rate",
    "logprob_mismatch_max",
    "logprob_mismatch_mean",
    "mismatch_beyond_bound_share",
    "clip_share",
    "clip_low_share",
    "clip_high_share",
    "ratio_max",
    "updates",
    "advantage_abs_mean",
    "groups_trained",
    "groups_no_signal_share",
    "tokens_trained",
    "micro_batches",
)
"""What `learn` gives: `kl` only where the plan has a KL term, the clip shares, `ratio_max` and
`updates` only with more than one update per batch. All declared in record.metrics."""


class Engine(Protocol):
    """What the loop needs of an engine; `engine.local.LocalEngine` is the real one."""

    @property
    def context(self) -> int | None:
        """Most tokens of prompt and answer together; None where there is no such limit."""
        ...

    def peak_memory(self) -> int | None:
        """Most bytes of its device's memory so far; None where that is the main memory."""
        ...

    def encode(self, item_messages: Sequence[Mapping[str, object]]) -> tuple[int, ...]:
        """A row's messages through the chat template, with the generation prompt."""
        ...

    def sample(
        self,
        prompts: Sequence[Prompt],
        *,
        samples: int,
        temperature: float,
        max_tokens: int,
        policy: Literal["base", "tuned"],
        on_finished: Callable[[int], None] | None = None,
        on_group: OnGroup | None = None,
    ) -> list[list[Completion]]:
        """`samples` completions for every prompt; `base` is the model with its adapter off.

        `on_finished` is told of completions as they end, in counts, for a progress display;
        `on_group` gets a prompt's completions as soon as all of them have ended, so that they can
        be graded while others are sampled.
        """
        ...

    def learn(self, groups: Sequence[Group], *, step: int) -> dict[str, float]:
        """The updates of one step (they count from 1) on a batch; gives `ENGINE_METRICS`."""
        ...

    def save_adapter(self, folder: Path) -> None:
        """Write the adapter in PEFT's format (adapter_config.json, adapter_model.safetensors)."""
        ...

    def load_adapter(self, folder: Path) -> None:
        """Put a saved adapter's weights in place; the optimiser is left alone."""
        ...

    def save_state(self, folder: Path) -> None:
        """Write adapter, optimiser and step: all that a resume needs."""
        ...

    def load_state(self, folder: Path) -> None:
        """Read what `save_state` wrote."""
        ...
