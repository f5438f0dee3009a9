"""What asking has cost: calls, tokens, and answers that were known already."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field


@dataclass(slots=True)
class Counts:
    """Sums over all questions of one grader since it was opened."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt tokens, those that the server says it had at hand."""
    calls: int = 0
    """Requests that were sent, repeated ones among them."""
    retries: int = 0
    cached: int = 0
    """Verdicts that came from the cache, or from the same question earlier in the batch."""


@dataclass(slots=True)
class Meter:
    """Counts that several threads add to."""

    _counts: Counts = field(default_factory=Counts)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **amounts: int) -> None:
        """Add to the counts of these names."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self._counts, name, getattr(self._counts, name) + amount)

    def read(self) -> dict[str, int]:
        """The counts as they stand."""
        with self._lock:
            return asdict(self._counts)
