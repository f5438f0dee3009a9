"""Functions of the scoring language: signatures as text, read once, used by checker and docs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rftspec.expr.ranges import ANYTHING, Range
from rftspec.expr.types import BOOL, JSON, NUMBER, STRING, ListOf, OptionalOf, Type

ANY = Type("T")
"""In a signature: any type, the same in every place of the signature."""

SCALAR = Type("S")
"""In a signature: number, string or bool, the same in every place of the signature."""

PATTERN = Type("pattern")
"""In a signature: a literal text that is a regular expression."""

_WORDS: Mapping[str, Type] = {t.name: t for t in (NUMBER, BOOL, STRING, JSON, ANY, SCALAR, PATTERN)}
_SIGNATURE = re.compile(r"(?P<name>\w+)\((?P<parameters>.*)\) -> (?P<result>.+)")
_PARAMETER = re.compile(r"(?P<name>\w+): (?P<type>[^=.]+?)(?P<more>\.\.\.)?(?: = (?P<default>.+))?")


class Rule(NamedTuple):
    """What an argument must satisfy beyond its type; `words` complete "`k` must be …"."""

    test: Callable[[Any], bool]
    words: str
    least: float | None = None
    """Set where the test is `value >= least` and nothing else."""


class Cost(NamedTuple):
    """How the time of a call grows with `n`, the size of its arguments: characters, elements."""

    words: str
    limit: int | None = None
    """The most steps where `words` is a product of several sizes; beyond it there is no value."""

    def __str__(self) -> str:
        return self.words if self.limit is None else f"{self.words}, at most {self.limit:,}"


CONSTANT = Cost("1")
LINEAR = Cost("n")
SORTING = Cost("n log n")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an overload."""

    name: str
    type: Type
    required: bool
    default: float | None
    variadic: bool
    """Takes one or more arguments (the last parameter only)."""


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function: its types, what it does, the range of its results."""

    name: str
    signature: str
    parameters: tuple[Parameter, ...]
    result: Type
    implementation: Callable[..., Any]
    doc: str
    example: str
    rules: Mapping[str, Rule] = field(default_factory=dict)
    lifting: bool = True
    """The result is missing when an argument is missing; else a missing argument is an error."""
    bounds: Callable[..., Range] | Range = ANYTHING
    """The range of a number result, or a function that gives it for the arguments' ranges."""
    finite: bool = False
    """A number result is always a finite float, so that no evaluator needs to look."""
    cost: Cost = LINEAR
    special: Callable[..., Callable[[Any], Any] | None] | None = None
    """Makes the function of the first argument alone, given that the others are these constants."""


@dataclass(frozen=True, slots=True)
class Function:
    """A name and its overloads, tried in order."""

    name: str
    group: str
    overloads: tuple[Overload, ...]


def overload(
    signature: str,
    implementation: Callable[..., Any],
    *,
    doc: str = "",
    example: str = "",
    rules: Mapping[str, Rule] | None = None,
    lifting: bool = True,
    bounds: Callable[..., Range] | Range = ANYTHING,
    finite: bool = False,
    cost: Cost = LINEAR,
    special: Callable[..., Callable[[Any], Any] | None] | None = None,
) -> Overload:
    """An overload from a signature such as `nth(xs: list[T], n: number) -> T?`.

    Types are number, bool, string, json, list[…], `?` for optional, T (any) and S (a scalar); a
    parameter may have a default (a number or `missing`), the last one may be variadic (`...`).
    """
    match = _SIGNATURE.fullmatch(signature)
    if match is None:
        raise ValueError(f"not a signature: {signature}")
    parameters = tuple(
        _parameter(text) for text in match["parameters"].split(", ") if match["parameters"]
    )
    return Overload(
        match["name"],
        signature,
        parameters,
        _type(match["result"]),
        implementation,
        doc or _documentation(implementation),
        example,
        rules or {},
        lifting,
        bounds,
        finite,
        cost,
        special,
    )


def extra_function(signature: str, implementation: Callable[..., Any], **settings: Any) -> Function:
    """A function of the caller's own, for `compile_expression(…, functions={…})`."""
    made = overload(signature, implementation, **settings)
    return Function(made.name, "extra", (made,))


def _documentation(implementation: Callable[..., Any]) -> str:
    return " ".join((implementation.__doc__ or "").split())


def _parameter(text: str) -> Parameter:
    match = _PARAMETER.fullmatch(text)
    if match is None:
        raise ValueError(f"not a parameter: {text}")
    default = match["default"]
    value = None if default in (None, "missing") else float(default)
    return Parameter(
        match["name"], _type(match["type"]), default is None, value, match["more"] is not None
    )


def _type(text: str) -> Type:
    if text.endswith("?"):
        return OptionalOf(_type(text[:-1]))
    if text.startswith("list[") and text.endswith("]"):
        return ListOf(_type(text[5:-1]))
    return _WORDS[text]
