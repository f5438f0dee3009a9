"""Frozen records for syntax trees, declared like dataclasses and much cheaper to import.

A dataclass compiles its methods when its module is imported, about a millisecond each; the two
trees of the language have thirty classes, and every start of the program would pay for them.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class Record:
    """A record with the annotated fields of its class and those above; equal by value."""

    field_names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = inspect.get_annotations(cls)
        cls.field_names = (*cls.field_names, *own)

    def __init__(self, *values: Any) -> None:
        if len(values) != len(self.field_names):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.field_names)}")
        self.__dict__.update(zip(self.field_names, values, strict=True))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.field_names)
        return f"{type(self).__name__}({inside})"

    def moved(self, start: int, end: int) -> Self:
        """The same record at other offsets (its fields `start` and `end`)."""
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__, start=start, end=end)
        return made
