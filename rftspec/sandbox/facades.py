"""What `import` gives a grader: frozen tables of names, never a live module.

A module object leads everywhere (`json.codecs.builtins`); a facade answers exactly the names
written here. Nothing here is random, tells the time, or keeps state from one call to the next.
"""

from __future__ import annotations

import ast
import bisect
import collections
import decimal
import difflib
import fractions
import functools
import heapq
import itertools
import json
import math
import operator
import statistics
import string
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType, ModuleType
from typing import Any

from rftspec.sandbox import limits

MAX_JSON_TEXT = 4_000_000
MAX_LITERAL = 100_000


class Facade:
    """An immutable stand-in for a module; `members` is read by the guards alone."""

    __slots__ = ("members", "name")

    def __init__(self, name: str, members: Mapping[str, Any]) -> None:
        self.name = name
        self.members = MappingProxyType(dict(members))

    def __repr__(self) -> str:
        return f"<module {self.name!r}>"


def loads(text: str | bytes) -> Any:
    """`json.loads`; text nested too deeply is invalid JSON, not an exhausted limit."""
    if len(text) > MAX_JSON_TEXT:
        raise limits.LimitExceeded(f"JSON of over {MAX_JSON_TEXT:,} characters")
    # raised outside of the handler: a chain that holds an exhausted limit voids the call
    with suppress(RecursionError):
        return json.loads(text)
    raise json.JSONDecodeError("nested too deeply", "", 0)


def dumps(
    value: Any,
    *,
    ensure_ascii: bool = True,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """`json.dumps` without hooks."""
    if isinstance(indent, int) and indent > 16:
        raise limits.LimitExceeded("an indent of over 16")
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def capwords(text: str, separator: str | None = None) -> str:
    """`string.capwords`."""
    return limits.join(separator or " ", map(str.capitalize, text.split(separator)))


def repeat(value: Any, times: int | None = None) -> Iterable[Any]:
    """`itertools.repeat`."""
    return itertools.repeat(value) if times is None else itertools.repeat(value, times)


def literal_eval(text: str) -> Any:
    """`ast.literal_eval`; a text too long or nested too deeply is not valid."""
    if type(text) is not str:
        raise TypeError("literal_eval reads text")
    if len(text) > MAX_LITERAL:
        raise ValueError(f"a literal of over {MAX_LITERAL:,} characters")
    with suppress(RecursionError, MemoryError):
        return ast.literal_eval(text)
    raise ValueError("nested too deeply")


def item_getter(*keys: Any) -> Callable[[Any], Any]:
    """`operator.itemgetter`."""

    def item(obj: Any) -> Any:
        if isinstance(obj, type):
            raise TypeError("classes have no items")
        return obj[keys[0]] if len(keys) == 1 else tuple(obj[key] for key in keys)

    return item


_COPIED = (list, dict, set, collections.Counter, collections.OrderedDict, collections.deque)


def copied(value: Any) -> Any:
    """`copy.copy` of lists, dicts, sets and their kin; all else is itself."""
    return value.copy() if type(value) in (*_COPIED, collections.defaultdict) else value


def deeply_copied(value: Any) -> Any:
    """`copy.deepcopy` of lists, tuples, dicts and sets, as JSON nests them."""
    kind = type(value)
    if kind is dict:
        return {key: deeply_copied(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return kind(deeply_copied(item) for item in value)
    return copied(value)


class Hint:
    """What the names of `typing` stand for: annotations are dropped, so it means nothing."""

    __slots__ = ()

    def __getitem__(self, _of: Any) -> Hint:
        return self

    def __or__(self, _other: Any) -> Hint:
        return self

    __ror__ = __or__

    def __repr__(self) -> str:
        return "<hint>"


HINT = Hint()


def cast(_hint: Any, value: Any) -> Any:
    """`typing.cast`."""
    return value


def type_variable(_name: str, *_constraints: Any, **_options: Any) -> Hint:
    """`typing.TypeVar`."""
    return HINT


def _pick(module: ModuleType, names: str) -> dict[str, Any]:
    """The named members of a module, those that this version of Python has."""
    return {name: getattr(module, name) for name in names.split() if hasattr(module, name)}


_MATH = _pick(
    math,
    "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees dist e erf erfc "
    "exp exp2 expm1 fabs floor fmod fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt "
    "ldexp lgamma log log10 log1p log2 modf nan nextafter pi pow radians remainder sin sinh sqrt "
    "tan tanh tau trunc ulp",
) | {
    "factorial": limits.factorial,
    "comb": limits.comb,
    "perm": limits.perm,
    "lcm": limits.lcm,
    "prod": limits.prod,
}
_ITERTOOLS = _pick(
    itertools,
    "accumulate batched chain combinations combinations_with_replacement compress count cycle "
    "dropwhile filterfalse groupby islice pairwise permutations product starmap takewhile tee "
    "zip_longest",
) | {"repeat": repeat}
_STATISTICS = _pick(
    statistics,
    "StatisticsError correlation covariance fmean geometric_mean harmonic_mean mean median "
    "median_grouped median_high median_low mode multimode pstdev pvariance quantiles stdev "
    "variance",
)
_UNICODEDATA = _pick(
    unicodedata,
    "bidirectional category combining decimal decomposition digit east_asian_width "
    "is_normalized lookup mirrored name normalize numeric unidata_version",
)
_STRING = _pick(
    string,
    "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits octdigits printable "
    "punctuation whitespace",
) | {"capwords": capwords}
_DECIMAL = _pick(
    decimal,
    "Decimal DecimalException DivisionByZero InvalidOperation Overflow ROUND_CEILING ROUND_DOWN "
    "ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP",
)
_OPERATOR = _pick(
    operator,
    "abs add and_ contains countOf eq floordiv ge gt indexOf invert is_ is_not le lt ne neg not_ "
    "or_ pos sub truediv truth xor",
) | {"itemgetter": item_getter, "mul": limits.mul, "mod": limits.modulo, "pow": limits.power}
_TYPING_NAMES = (
    "Any Callable Dict Final FrozenSet Iterable Iterator List Literal Mapping MutableMapping "
    "Optional Sequence Set Tuple Type Union"
)
_ABC_NAMES = "Callable Collection Hashable Iterable Iterator Mapping Sequence Set Sized"
_TYPING = {
    **dict.fromkeys(_TYPING_NAMES.split(), HINT),
    "TypeVar": type_variable,
    "cast": cast,
}

_TABLE: dict[str, Facade] = {
    name: Facade(name, members)
    for name, members in {
        "ast": {"literal_eval": literal_eval},
        "bisect": _pick(bisect, "bisect bisect_left bisect_right insort insort_left insort_right"),
        "collections": _pick(collections, "Counter OrderedDict defaultdict deque"),
        "collections.abc": dict.fromkeys(_ABC_NAMES.split(), HINT),
        "copy": {"copy": copied, "deepcopy": deeply_copied},
        "decimal": _DECIMAL,
        "difflib": _pick(difflib, "SequenceMatcher get_close_matches"),
        "fractions": _pick(fractions, "Fraction"),
        "functools": _pick(functools, "cache cmp_to_key lru_cache partial reduce"),
        "heapq": _pick(heapq, "heapify heappop heappush heappushpop merge nlargest nsmallest"),
        "itertools": _ITERTOOLS,
        "json": {"loads": loads, "dumps": dumps, "JSONDecodeError": json.JSONDecodeError},
        "math": _MATH,
        "operator": _OPERATOR,
        "statistics": _STATISTICS,
        "string": _STRING,
        "typing": _TYPING,
        "unicodedata": _UNICODEDATA,
    }.items()
}
MODULES: Mapping[str, Facade] = MappingProxyType(_TABLE)
"""The facades by name; those of `offers` join when a worker starts."""


def add(modules: Mapping[str, Mapping[str, Any]]) -> None:
    """Add facades, before any script runs; one with a dot becomes a member of its parents."""
    for name, members in modules.items():
        _TABLE[name] = Facade(name, members)
        while "." in name:
            parent, _, last = name.rpartition(".")
            known = _TABLE[parent].members if parent in _TABLE else {}
            _TABLE[parent] = Facade(parent, {**known, last: _TABLE[name]})
            name = parent
