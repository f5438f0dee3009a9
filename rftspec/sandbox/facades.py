"""What `import` gives a grader: frozen tables of names, never a live module.

A module object leads everywhere (`json.codecs.builtins`); a facade answers exactly the names
written here. Nothing here is random, tells the time, or keeps state from one call to the next.
"""

from __future__ import annotations

import collections
import difflib
import functools
import heapq
import itertools
import json
import math
import statistics
import string
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from rftspec.sandbox import limits

MAX_JSON_TEXT = 4_000_000


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
    try:
        return json.loads(text)
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", "", 0) from None


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
_TYPING_NAMES = (
    "Any Callable Dict FrozenSet Iterable Iterator List Literal Mapping Optional Sequence Set "
    "Tuple Union"
)

MODULES: Mapping[str, Facade] = MappingProxyType(
    {
        name: Facade(name, members)
        for name, members in {
            "math": _MATH,
            "json": {
                "loads": loads,
                "dumps": dumps,
                "JSONDecodeError": json.JSONDecodeError,
            },
            "string": _STRING,
            "statistics": _STATISTICS,
            "collections": _pick(collections, "Counter OrderedDict defaultdict deque"),
            "itertools": _ITERTOOLS,
            "functools": _pick(functools, "cache cmp_to_key lru_cache partial reduce"),
            "heapq": _pick(heapq, "heapify heappop heappush heappushpop merge nlargest nsmallest"),
            "unicodedata": _UNICODEDATA,
            "difflib": _pick(difflib, "SequenceMatcher get_close_matches"),
            # for annotations, which are dropped: the names stand for nothing
            "typing": dict.fromkeys(_TYPING_NAMES.split(), None),
        }.items()
    }
)
"""The facades by name."""

REFUSED_MODULES: Mapping[str, str] = MappingProxyType(
    {
        "re": "the module `re` is not offered: the time of a match has no bound, and its "
        "bounded replacement (RE2) is not here yet; use split, find, partition, strip",
        "random": "the module `random` is not offered: a reward is a function of sample and item",
        "time": "the module `time` is not offered: a reward is a function of sample and item",
        "datetime": "the module `datetime` is not offered in graders",
        "numpy": "numpy is not offered in graders: it leads out of the sandbox; use math, "
        "statistics and lists",
        "pandas": "pandas is not offered in graders; use lists and dicts",
        "os": "the module `os` is not offered: a grader has no files, network or processes",
    }
)
"""Why some modules that people reach for are refused."""
