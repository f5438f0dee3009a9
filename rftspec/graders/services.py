"""What graders ask of higher floors: a local model that judges or embeds, and where to cache.

The protocols stand here; the engine implements them, and `run` hands them over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """One question to a local model."""

    messages: Sequence[Mapping[str, Any]]
    """Chat messages: `role` and `content` (a string)."""
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    max_tokens: int = 512


class Judge(Protocol):
    """A local model that answers chat prompts."""

    def answer(self, requests: Sequence[JudgeRequest]) -> list[str]:
        """The answers' texts, in the order of the requests."""
        ...


class Embedder(Protocol):
    """A local model that turns texts into vectors."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 (Euclidean) per text, all of one dimension."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What is at hand while graders run; nothing of it while a spec is only checked."""

    judge: Callable[[str], Judge] | None = None
    """Opens the local model of this name (`builtin:…`, a folder, a Hugging Face id)."""
    embedder: Callable[[str], Embedder] | None = None
    """The same for an embedding model."""
    cache: Path | None = None
    """A folder for the answers of judges; None keeps none."""
    checking: bool = False
    """True while a spec is only checked: what a run will need may still be missing."""
    hide: Callable[[str], str] | None = None
    """Takes values of the environment out of what graders say of a sample."""
