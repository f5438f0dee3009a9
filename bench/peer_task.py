"""The task that rftspec and its peers are timed on: the demo's rows, reward and settings.

Plain Python of the standard library, so that every environment can import it.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "case-reader"
DATA = ROOT / "specs" / "data" / "rare_disease" / "train.jsonl"
UNCOUNTED = 3
"""First steps that no median counts: allocators and kernels warm up in them."""


@dataclass(frozen=True)
class Settings:
    """What both sides do, number for number."""

    seed: int = 0
    steps: int = 23
    prompts_per_step: int = 16
    samples_per_prompt: int = 8
    max_tokens: int = 96
    temperature: float = 1.0
    learning_rate: float = 4e-4
    betas: tuple[float, float] = (0.9, 0.99)
    max_grad_norm: float = 1.0
    lora_rank: int = 16
    lora_alpha: int = 32
    quantization: str = "none"
    threads: int = 2
    micro_batch: int = 128
    """Completions that the peer trains on at once."""
    continuous_batching: bool = False
    """Whether the peer samples through transformers' continuous batching."""

    def dumps(self) -> str:
        """As JSON, for a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Settings:
        """From JSON."""
        values = json.loads(text)
        return cls(**{**values, "betas": tuple(values["betas"])})


def rows(settings: Settings) -> list[dict[str, Any]]:
    """The rows in the order in which both sides take them."""
    found = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    random.Random(settings.seed).shuffle(found)
    needed = settings.steps * settings.prompts_per_step
    return (found * (needed // len(found) + 1))[:needed]


def reward(text: str, gene: str) -> float:
    """1 when the right gene is first, 0.7 when second, decaying; 0 for what is no answer."""
    try:
        genes = json.loads(text)["genes"]
        place = genes.index(gene)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return 0.0
    return 1.0 if place == 0 else 0.7**place


def emit(kind: str, **values: Any) -> None:
    """One line for the driver."""
    print(json.dumps({"kind": kind, **values}), flush=True)
