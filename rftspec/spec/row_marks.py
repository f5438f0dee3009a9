"""What of a row is held against other rows: marks of 64 bits, the same in every process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from rftspec.spec.values import fold, value_at


def mark(text: str) -> int:
    """64 bits of a text."""
    # Not `hash`: each process has its own.
    return int.from_bytes(
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )


def value_mark(number: int, value: Any) -> int:
    """The mark of a value of the disjoint field of that number."""
    return mark(f"{number} {fold(value)}")


def row_mark(text: str, item: Mapping[str, Any]) -> int:
    """The mark of a row: its prompt's text and its fields."""
    rest = [
        f"{name}\0{value if type(value) is str else repr(value)}"
        for name, value in item.items()
        if name not in ("id", "messages")
    ]
    return mark("\0\0".join((text, *rest)))


def stands_in(value: Any, text: str) -> bool:
    """True when a text value of two or more characters is a word of the prompt."""
    if not isinstance(value, str) or len(value) < 2:
        return False
    start = text.find(value)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(value) : start + len(value) + 1]
        if not (before.isalnum() or after.isalnum()):
            return True
        start = text.find(value, start + 1)
    return False


class Marks(NamedTuple):
    """A training row about which there is nothing to say unless another row says the same."""

    characters: int
    """Of its prompt."""
    values: tuple[int, ...]
    """The mark of each disjoint field's value."""
    group: int | None
    """The mark of the field by which rows are kept together, where there is one."""
    row: int
    """The mark of the whole row."""


@dataclass(frozen=True, slots=True)
class Marking:
    """What the marks of a row depend on."""

    prompt: Any
    """The spec's `data.prompt`."""
    disjoint: Sequence[tuple[str, ...]]
    group: tuple[str, ...]

    def marks(self, item: Mapping[str, Any], text: str) -> Marks | None:
        """The marks of a row with that prompt; None where a check has something to say."""
        values = []
        for number, path in enumerate(self.disjoint):
            value = value_at(item, path)
            if value is None or (number == 0 and stands_in(value, text)):
                return None
            values.append(value_mark(number, value))
        kept = value_at(item, self.group) if self.group else None
        group = None if kept is None else mark(fold(kept))
        return Marks(len(text), tuple(values), group, row_mark(text, item))
