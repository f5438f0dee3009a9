"""`--fail-on-regression`: has a measure fallen, by more than is allowed, and is that shown?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rftspec.report.compare import Comparison, Versus


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a measure may fall: `top@1:0.01`."""

    name: str
    margin: float

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read `MEASURE:MARGIN` or `MEASURE`; raises ValueError for a margin that is none."""
        name, colon, tail = text.rpartition(":")
        if not colon:
            return cls(text, 0.0)
        margin = float(tail)
        if not 0.0 <= margin < float("inf"):
            raise ValueError(f"a margin is a number from 0, not {tail}")
        return cls(name, margin)


@dataclass(frozen=True, slots=True)
class Found:
    """What a limit came to on one comparison."""

    limit: Limit
    other: str
    failed: bool
    detail: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "measure": self.limit.name,
            "margin": self.limit.margin,
            "other": self.other,
            "failed": self.failed,
            "detail": self.detail,
        }


def check(limit: Limit, comparison: Comparison) -> list[Found]:
    """One finding for each side that is compared with the first."""
    return [_check(limit, one) for one in comparison.versus]


def _check(limit: Limit, one: Versus) -> Found:
    """A limit fails where the fall is larger than its margin and the interval leaves zero out.

    It fails too where it cannot be checked: no common rows, no value, or too few rows to say.
    """
    other, change = str(one.other.folder), one.change(limit.name)
    if change is None:
        return Found(limit, other, True, "it was not measured on rows that both have")
    interval = change.numbers.interval
    if not interval.known:
        return Found(limit, other, True, "too few rows to say")
    told = f"{interval.estimate:+.4g} ({interval.low:+.4g} to {interval.high:+.4g})"
    if interval.estimate < -limit.margin and interval.high < 0:
        return Found(limit, other, True, f"it fell by more than {limit.margin:g}: {told}")
    if interval.low < -limit.margin:
        return Found(limit, other, False, f"no such fall is shown, none is excluded: {told}")
    return Found(limit, other, False, f"a fall of more than {limit.margin:g} is excluded: {told}")
