"""What a running script may reach: attributes by exact type, bounded built-ins, safe writes.

`ATTRIBUTES` names, for each exact type, the attributes that a script may read. A type that is
not in the table has none, whatever it is: functions, generators, frames, types, facades' own
fields. Values are None for the real attribute, or a bounded function that stands in for it.
"""

from __future__ import annotations

import builtins
import difflib
import functools
import itertools
import json
import statistics
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

from rftspec.sandbox import limits
from rftspec.sandbox.facades import MODULES, Facade


class Exhausted(BaseException):
    """A limit was hit: the call is void, and no script can catch this."""


def _table(names: str, **bounded: Callable[..., Any]) -> dict[str, Callable[..., Any] | None]:
    return dict.fromkeys(names.split()) | bounded


_STR = _table(
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit "
    "isidentifier islower isnumeric isprintable isspace istitle isupper lower lstrip maketrans "
    "partition removeprefix removesuffix rfind rindex rpartition rsplit rstrip split splitlines "
    "startswith strip swapcase title translate upper",
    join=limits.join,
    replace=limits.replace,
    expandtabs=limits.expandtabs,
    center=limits.padded(str.center),
    ljust=limits.padded(str.ljust),
    rjust=limits.padded(str.rjust),
    zfill=limits.padded(str.zfill),
    format=limits.format_text,
    encode=limits.encode,
)
_DICT = _table("clear copy fromkeys get items keys pop popitem setdefault update values")
_SET = _table(
    "add clear copy difference difference_update discard intersection intersection_update "
    "isdisjoint issubset issuperset pop remove symmetric_difference "
    "symmetric_difference_update union update"
)
_FROZENSET = _table(
    "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"
)
_LIST = _table("append clear copy count extend index insert pop remove reverse sort")
_SEQUENCE = _table("count index")

ATTRIBUTES: Mapping[type, Mapping[str, Callable[..., Any] | None]] = {
    str: _STR,
    bytes: _table("endswith find startswith", decode=limits.decode),
    int: _table("bit_count bit_length is_integer"),
    bool: {},
    float: _table("as_integer_ratio is_integer"),
    list: _LIST,
    tuple: _SEQUENCE,
    dict: _DICT,
    set: _SET,
    frozenset: _FROZENSET,
    range: _table("count index start step stop"),
    type({}.keys()): _table("isdisjoint"),
    type({}.items()): _table("isdisjoint"),
    Counter: _DICT | _table("elements most_common subtract total"),
    OrderedDict: _DICT | _table("move_to_end"),
    defaultdict: _DICT,
    deque: _LIST | _table("appendleft extendleft maxlen popleft rotate"),
    difflib.SequenceMatcher: _table(
        "find_longest_match get_matching_blocks get_opcodes quick_ratio ratio real_quick_ratio "
        "set_seq1 set_seq2 set_seqs"
    ),
    difflib.Match: _table("a b size"),
    json.JSONDecodeError: _table("args colno lineno msg pos"),
}
"""The attributes that a script may read, by the exact type of the object."""

CLASS_ATTRIBUTES: Mapping[type, Mapping[str, Callable[..., Any] | None]] = {
    **{kind: ATTRIBUTES[kind] for kind in (str, list, dict, set, frozenset, tuple, float)},
    itertools.chain: _table("from_iterable"),
}
"""The attributes of classes: `str.lower` as a key, `dict.fromkeys`, `chain.from_iterable`."""

EXCEPTIONS = (
    "ArithmeticError AssertionError AttributeError Exception ImportError IndexError KeyError "
    "LookupError MemoryError NameError NotImplementedError OverflowError RecursionError "
    "RuntimeError StopIteration TypeError UnicodeDecodeError UnicodeEncodeError UnicodeError "
    "ValueError ZeroDivisionError"
)
_EXCEPTION_ATTRIBUTES = _table("args")
_EXCEPTION_TYPES = frozenset(
    {getattr(builtins, name) for name in EXCEPTIONS.split()} | {statistics.StatisticsError}
)
_WRITABLE = frozenset({list, dict, Counter, OrderedDict, defaultdict, deque})
_NO_DEFAULT = object()


def get_attribute(obj: Any, name: str) -> Any:
    """`obj.name` of a script: from the allow-list, or AttributeError."""
    kind = type(obj)
    table = ATTRIBUTES.get(kind)
    if table is not None and type(name) is str and name in table:
        bounded = table[name]
        return getattr(obj, name) if bounded is None else functools.partial(bounded, obj)
    return _rarer_attribute(kind, obj, name)


def _rarer_attribute(kind: type, obj: Any, name: str) -> Any:
    if type(name) is not str:
        raise TypeError("an attribute's name is text")
    if not name.startswith("_"):
        if kind is Facade and name in obj.members:
            return obj.members[name]
        if kind in _EXCEPTION_TYPES and name in _EXCEPTION_ATTRIBUTES:
            return getattr(obj, name)
        if kind is type:
            table = CLASS_ATTRIBUTES.get(obj, {})
            if name in table:
                return table[name] or getattr(obj, name)
    raise AttributeError(f"{_described(kind, obj)} has no attribute {name!r} in graders")


def _described(kind: type, obj: Any) -> str:
    if kind is Facade:
        return f"the module `{obj.name}`"
    return f"the class `{obj.__name__}`" if kind is type else f"`{kind.__name__}`"


def get_attribute_or(obj: Any, name: str, default: Any = _NO_DEFAULT) -> Any:
    """`getattr(obj, name[, default])` through the allow-list."""
    try:
        return get_attribute(obj, name)
    except AttributeError:
        if default is _NO_DEFAULT:
            raise
        return default


def has_attribute(obj: Any, name: str) -> bool:
    """`hasattr(obj, name)` through the allow-list."""
    return get_attribute_or(obj, name, _NO_DEFAULT_HERE) is not _NO_DEFAULT_HERE


_NO_DEFAULT_HERE = object()


def get_item(obj: Any, key: Any) -> Any:
    """`obj[key]`; classes are not generic here."""
    if isinstance(obj, type):
        raise TypeError("classes cannot be subscripted in graders")
    return obj[key]


def writable(obj: Any) -> Any:
    """The object itself if its items may be set or deleted, else TypeError."""
    if type(obj) in _WRITABLE:
        return obj
    raise TypeError(f"the items of `{type(obj).__name__}` cannot be set")


def in_place(operator: str, old: Any, value: Any) -> Any:
    """What `old += value` binds."""
    return limits.IN_PLACE[operator](old, value)


def in_place_item(operator: str, container: Any, key: Any, value: Any) -> None:
    """`container[key] += value`, each part evaluated once."""
    writable(container)[key] = limits.IN_PLACE[operator](get_item(container, key), value)


def apply(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`."""
    return function(*args, **kwargs)


def note_exhaustion() -> None:
    """Make an exhausted limit final: called first in every handler and `finally` of a script."""
    error = sys.exc_info()[1]
    if isinstance(error, MemoryError | RecursionError):
        raise Exhausted(error)


def type_of(obj: Any) -> type:
    """`type(obj)`, with one argument only."""
    return type(obj)


def iterator(obj: Any) -> Any:
    """`iter(obj)`, with one argument only."""
    return iter(obj)


def drop_text(*_values: Any, **_options: Any) -> None:
    """`print`: a grader has nobody to talk to, so the text is dropped."""


def module(name: str) -> Facade:
    """`import name`."""
    return MODULES[name]


def member(name: str, attribute: str) -> Any:
    """`from name import attribute`."""
    return MODULES[name].members[attribute]


_PLAIN = (
    "abs all any ascii bin bool bytes callable chr dict divmod enumerate filter float frozenset "
    "hex int isinstance issubclass len list map max min next oct ord range repr reversed set "
    "slice sorted str sum tuple zip"
)

BUILTINS: dict[str, Any] = {
    **{name: getattr(builtins, name) for name in f"{_PLAIN} {EXCEPTIONS}".split()},
    "format": limits.format_value,
    "getattr": get_attribute_or,
    "hasattr": has_attribute,
    "iter": iterator,
    "pow": limits.power,
    "print": drop_text,
    "round": limits.round_to,
    "type": type_of,
}
"""The built-in names of a script; no `id` or `hash`, which differ from run to run."""

GUARDS: dict[str, Any] = {
    "_getattr_": get_attribute,
    "_getitem_": get_item,
    "_write_": writable,
    "_inplacevar_": in_place,
    "_inplaceitem_": in_place_item,
    "_apply_": apply,
    "_note_": note_exhaustion,
    "_module_": module,
    "_member_": member,
    "_mul_": limits.mul,
    "_pow_": limits.power,
    "_shl_": limits.shift_left,
    "_mod_": limits.modulo,
}
"""What the rewritten code calls; the policy refuses these names to scripts."""
