"""What a running script may reach: attributes by exact type, bounded built-ins, safe writes.

`ATTRIBUTES` names, for each exact type, the attributes that a script may read. A type that is
not in the table has none, whatever it is: functions, generators, frames, types, facades' own
fields. Values are None for the real attribute, or a bounded function that stands in for it.
"""

from __future__ import annotations

import builtins
import decimal
import difflib
import functools
import itertools
import json
import statistics
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rftspec.sandbox import limits, rendering
from rftspec.sandbox.facades import HINT, MODULES, Facade, Hint
from rftspec.sandbox.limits import table
from rftspec.sandbox.rendering import Text


class Exhausted(BaseException):
    """A limit was hit: the call is void, and no script can catch this."""


_STR = table(
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
_DICT = table("clear copy fromkeys get items keys pop popitem setdefault update values")
_SET = table(
    "add clear copy difference difference_update discard intersection intersection_update "
    "isdisjoint issubset issuperset pop remove symmetric_difference "
    "symmetric_difference_update union update"
)
_FROZENSET = table(
    "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"
)
_LIST = table("append clear copy count extend index insert pop remove reverse sort")
_SEQUENCE = table("count index")

Row = Mapping[str, Callable[..., Any] | None]

ATTRIBUTES: dict[type, Row] = {
    str: _STR,
    bytes: table("endswith find startswith", decode=limits.decode),
    int: table("bit_count bit_length is_integer"),
    bool: {},
    float: table("as_integer_ratio is_integer"),
    list: _LIST,
    tuple: _SEQUENCE,
    dict: _DICT,
    set: _SET,
    frozenset: _FROZENSET,
    range: table("count index start step stop"),
    type({}.keys()): table("isdisjoint"),
    type({}.items()): table("isdisjoint"),
    Counter: _DICT | table("elements most_common subtract total"),
    OrderedDict: _DICT | table("move_to_end"),
    defaultdict: _DICT,
    deque: _LIST | table("appendleft extendleft maxlen popleft rotate"),
    difflib.SequenceMatcher: table(
        "find_longest_match get_matching_blocks get_opcodes quick_ratio ratio real_quick_ratio "
        "set_seq1 set_seq2 set_seqs"
    ),
    difflib.Match: table("a b size"),
    json.JSONDecodeError: table("args colno lineno msg pos"),
    Fraction: table("denominator is_integer limit_denominator numerator"),
    Decimal: table(
        "adjusted as_integer_ratio as_tuple compare copy_abs copy_negate copy_sign is_finite "
        "is_infinite is_nan is_signed is_zero max min normalize quantize remainder_near "
        "same_quantum sqrt to_integral_value"
    ),
    type(Decimal().as_tuple()): table("digits exponent sign"),
}
"""The attributes that a script may read, by the exact type of the object."""

CLASS_ATTRIBUTES: dict[type, Row] = {
    **{kind: ATTRIBUTES[kind] for kind in (list, dict, set, frozenset, tuple, float)},
    Text: {name: bounded or getattr(str, name) for name, bounded in _STR.items()},
    itertools.chain: table("from_iterable"),
    Fraction: table("from_decimal from_float"),
    Decimal: table("from_float"),
}
"""The attributes of classes: `str.lower` as a key, `dict.fromkeys`, `chain.from_iterable`."""

EXCEPTIONS = (
    "ArithmeticError AssertionError AttributeError Exception ImportError IndexError KeyError "
    "LookupError MemoryError NameError NotImplementedError OverflowError RecursionError "
    "RuntimeError StopIteration SyntaxError TypeError UnicodeDecodeError UnicodeEncodeError "
    "UnicodeError ValueError ZeroDivisionError"
)
_EXCEPTION_TYPES: set[type] = {
    *(getattr(builtins, name) for name in EXCEPTIONS.split()),
    *(statistics.StatisticsError, decimal.DecimalException, decimal.DivisionByZero),
    *(decimal.InvalidOperation, decimal.Overflow, decimal.FloatOperation),
}
_OTHER_TYPES = frozenset({type(None), complex, slice, type(...), Hint})
_WRITABLE = frozenset({list, dict, Counter, OrderedDict, defaultdict, deque})
_NO_DEFAULT = object()


def get_attribute(obj: Any, name: str) -> Any:
    """`obj.name` of a script: from the allow-list, or AttributeError."""
    kind = type(obj)
    row = ATTRIBUTES.get(kind)
    if row is not None and type(name) is str and name in row:
        bounded = row[name]
        return getattr(obj, name) if bounded is None else functools.partial(bounded, obj)
    return _rarer_attribute(kind, obj, name)


def static_attribute(obj: Any, name: str) -> Any:
    """`obj.name`, as get_attribute; the name is a constant of the compiled script."""
    try:
        bounded = ATTRIBUTES[type(obj)][name]
    except KeyError:
        return _rarer_attribute(type(obj), obj, name)
    return getattr(obj, name) if bounded is None else functools.partial(bounded, obj)


def _rarer_attribute(kind: type, obj: Any, name: str) -> Any:
    if type(name) is not str:
        raise TypeError("an attribute's name is text")
    if not name.startswith("_"):
        if kind is Facade and name in obj.members:
            return obj.members[name]
        if name == "args" and kind in _EXCEPTION_TYPES:
            return tuple(_without_address(value) for value in obj.args)
        if isinstance(obj, type):
            row = CLASS_ATTRIBUTES.get(obj, {})
            if name in row:
                return row[name] or getattr(obj, name)
    why = f": {_NO_CLOCK}" if name in ("now", "today", "utcnow") else ""
    raise AttributeError(f"{_described(kind, obj)} has no attribute {name!r} in graders{why}")


_NO_CLOCK = "a reward is a function of sample and item"


def _without_address(value: Any) -> Any:
    return rendering.without_addresses(value) if type(value) is str else value


def _described(kind: type, obj: Any) -> str:
    if kind is Facade:
        return f"the module `{obj.name}`"
    return f"the class `{obj.__name__}`" if issubclass(kind, type) else f"`{kind.__name__}`"


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
    """`obj[key]`; `list[int]` is a hint that means nothing."""
    return HINT if isinstance(obj, type) else obj[key]


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
    """Make an exhausted limit final: called first in every handler and `finally` of a script.

    It looks at the whole chain: an `except` clause whose expression raises replaces the error.
    """
    error = sys.exc_info()[1]
    while error is not None:
        if isinstance(error, MemoryError | RecursionError):
            raise Exhausted(error)
        error = error.__cause__ or error.__context__


def type_of(obj: Any) -> type:
    """`type(obj)`, with one argument only, of data: calling a type makes more of its kind."""
    kind = type(obj)
    if kind is str:
        return Text
    if kind in ATTRIBUTES or kind in _EXCEPTION_TYPES or kind in _OTHER_TYPES:
        return kind
    raise TypeError(f"the type of a {kind.__name__} is not offered in graders")


def admit(attributes: Mapping[type, Row], classes: Mapping[type, Row], errors: Any) -> None:
    """Add what an optional module shows to the allow-lists, before any script runs."""
    ATTRIBUTES.update(attributes)
    CLASS_ATTRIBUTES.update(classes)
    _EXCEPTION_TYPES.update(errors)


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
    "abs all any bin bool bytes callable chr dict divmod enumerate filter float frozenset "
    "hex int isinstance issubclass len list map max min next oct ord range reversed set "
    "slice sorted sum tuple zip"
)

BUILTINS: dict[str, Any] = {
    **{name: getattr(builtins, name) for name in f"{_PLAIN} {EXCEPTIONS}".split()},
    "ascii": rendering.shown_in_ascii,
    "format": limits.format_value,
    "getattr": get_attribute_or,
    "hasattr": has_attribute,
    "iter": iterator,
    "pow": limits.power,
    "print": drop_text,
    "repr": rendering.shown,
    "round": limits.round_to,
    "str": Text,
    "type": type_of,
}
"""The built-in names of a script; no `id` or `hash`, which differ from run to run."""

GUARDS: dict[str, Any] = {
    "_getattr_": static_attribute,
    "_getitem_": get_item,
    "_write_": writable,
    "_inplacevar_": in_place,
    "_inplaceitem_": in_place_item,
    "_apply_": apply,
    "_note_": note_exhaustion,
    "_field_": rendering.field,
    "_module_": module,
    "_member_": member,
    "_mul_": limits.mul,
    "_pow_": limits.power,
    "_shl_": limits.shift_left,
    "_mod_": limits.modulo,
}
"""What the rewritten code calls; the policy refuses these names to scripts."""
