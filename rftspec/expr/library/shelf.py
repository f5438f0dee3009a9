"""How a library function is declared: a decorator that puts it on its group's shelf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from rftspec.expr.errors import DomainError
from rftspec.expr.ranges import ANYTHING, Range
from rftspec.expr.signature import Cost, Overload, Rule, overload

Implementation = TypeVar("Implementation", bound=Callable[..., Any])

MAX_TEXT = 4_000_000
"""The longest text, in characters, that a function of the library makes."""


class Shelf:
    """The overloads of one group, in the order of their declaration."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.overloads: list[Overload] = []

    def define(
        self,
        signature: str,
        *,
        example: str,
        cost: Cost,
        rules: Mapping[str, Rule] | None = None,
        lifting: bool = True,
        bounds: Callable[..., Range] | Range = ANYTHING,
        finite: bool = False,
        special: Callable[..., Callable[[Any], Any] | None] | None = None,
    ) -> Callable[[Implementation], Implementation]:
        """Declare the decorated function; its docstring is its documentation.

        `example` is an expression that is true; `cost` is held by a test.
        """

        def put(implementation: Implementation) -> Implementation:
            self.overloads.append(
                overload(
                    signature,
                    implementation,
                    example=example,
                    rules=rules,
                    lifting=lifting,
                    bounds=bounds,
                    finite=finite,
                    cost=cost,
                    special=special,
                )
            )
            return implementation

        return put


def check_length(length: int) -> None:
    """Refuse to make a text that is longer than MAX_TEXT."""
    if length > MAX_TEXT:
        raise DomainError(f"the text would be {length:,} characters long, over {MAX_TEXT:,}")


def _is_rank(value: Any) -> bool:
    return bool(value >= 1)


def _is_count(value: Any) -> bool:
    return bool(value >= 0 and value % 1 == 0)


def _is_place(value: Any) -> bool:
    return bool(value >= 1 and value % 1 == 0)


RANK = Rule(_is_rank, "at least 1, as ranks count from 1", 1.0)
COUNT = Rule(_is_count, "a whole number, 0 or more")
PLACE = Rule(_is_place, "a whole number, 1 or more")
NOT_EMPTY = Rule(bool, "a text that is not empty")
NOT_NEGATIVE = Rule(lambda value: bool(value >= 0), "0 or more", 0.0)
POSITIVE = Rule(lambda value: bool(value > 0), "more than 0")
UNIT = Rule(lambda value: bool(0 <= value <= 1), "between 0 and 1")
