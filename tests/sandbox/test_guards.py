"""A walk over everything that a script can reach: no way leads out."""

from __future__ import annotations

import builtins
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from typing import Any

import pytest

from rftspec.sandbox import guards, offers
from rftspec.sandbox.facades import HINT, MODULES, Facade
from rftspec.sandbox.limits import LimitExceeded
from rftspec.sandbox.rendering import Text

offers.load(frozenset(offers.WHEN_NAMED))

INTERNALS = [
    "__class__", "__bases__", "__mro__", "__subclasses__", "__globals__", "__builtins__",
    "__code__", "__closure__", "__dict__", "__self__", "__func__", "__wrapped__", "__reduce_ex__",
    "__init__", "__getattribute__", "__module__", "__traceback__", "mro", "gi_frame", "gi_code",
    "f_back", "f_globals", "tb_frame", "cr_frame", "ag_frame", "func", "obj", "members", "name",
    "default_factory", "format_map", "with_traceback", "value", "cr_code", "ag_code",
    "gi_yieldfrom", "co_consts", "tb_next", "f_locals", "f_builtins", "keywords", "cache_info",
    "cache_clear", "add_note", "send", "throw", "close", "_program", "_spans", "_names", "_make",
    "_replace", "scanner", "now", "today", "utcnow", "utcfromtimestamp", "from_bytes",
    "to_bytes", "fromhex", "context", "engine", "sys", "os", "builtins", "admit", "load",
]  # fmt: skip
FORBIDDEN = (
    types.ModuleType,
    types.FrameType,
    types.CodeType,
    types.TracebackType,
    types.MappingProxyType,
    types.GetSetDescriptorType,
)
FORBIDDEN_NAMES = [
    "open", "eval", "exec", "compile", "input", "getattr", "setattr", "delattr", "vars",
    "globals", "locals", "type", "object", "memoryview", "bytearray", "super", "property",
    "classmethod", "staticmethod", "__import__",
]  # fmt: skip
FORBIDDEN_VALUES = tuple(getattr(builtins, name) for name in FORBIDDEN_NAMES)


def a_script_function() -> None:
    """Stands for any function of a script."""


def exposed() -> Iterator[tuple[str, Any]]:
    """Every object that a script has a name for, and one of each type that it can make."""
    yield from guards.BUILTINS.items()
    for name, facade in MODULES.items():
        yield name, facade
        yield from ((f"{name}.{key}", value) for key, value in facade.members.items())
    made: list[Any] = [
        "", b"", 1, True, 1.0, None, [], (), {}, set(), frozenset(), range(3), slice(1),
        {}.keys(), {}.values(), {}.items(), iter([]), iter({}), (x for x in []), a_script_function,
        [].append, "".join, Counter(), OrderedDict(), defaultdict(list), deque(), ValueError("x"),
        StopIteration(1), enumerate([]), zip(), map(len, []), reversed([]), 1j, ..., NotImplemented,
    ]  # fmt: skip
    yield from ((type(value).__name__, value) for value in [*made, *objects_of_facades()])


def objects_of_facades() -> list[Any]:
    """One of each type that the facades give."""
    re, dates = MODULES["re"].members, MODULES["datetime"].members
    pattern = re["compile"](r"(?P<n>a)|b")
    moment = dates["datetime"](2024, 2, 29, 12, tzinfo=dates["timezone"].utc)
    decimal = MODULES["decimal"].members["Decimal"]("1.5")
    matcher = MODULES["difflib"].members["SequenceMatcher"](None, "abc", "bcd")
    return [
        pattern, pattern.search("xa"), pattern.finditer("ab"), re["error"]("x"), moment,
        moment.date(), moment.time(), moment - moment, moment.tzinfo, moment.isocalendar(),
        decimal, decimal.as_tuple(), MODULES["fractions"].members["Fraction"](1, 2), matcher,
        matcher.find_longest_match(), MODULES["itertools"].members["count"](),
        MODULES["itertools"].members["groupby"]([]), MODULES["functools"].members["partial"](len),
        MODULES["functools"].members["lru_cache"](len),
        MODULES["operator"].members["itemgetter"](0),
        MODULES["functools"].members["cmp_to_key"](len)(1), MODULES["heapq"].members["merge"]([]),
        MODULES["decimal"].members["InvalidOperation"](), LimitExceeded("x"), HINT, Text,
        guards.get_attribute("a", "join"), guards.get_attribute([], "append"), moment.isoformat,
        guards.get_attribute(moment, "strftime"), pattern.search, reversed([]), range(3).__iter__(),
        {}.keys().__iter__(), zip([], [], strict=True), filter(None, []),
        UnicodeDecodeError("x", b"", 0, 1, ""),
    ]  # fmt: skip


@pytest.mark.parametrize("attribute", ["get_attribute", "get_attribute_or"])
def test_no_attribute_of_anything_exposed_leads_out(attribute: str) -> None:
    read = getattr(guards, attribute)
    probes = 0
    for label, obj in exposed():
        for name in {*dir(obj), *INTERNALS}:
            probes += 1
            try:
                found = read(obj, name)
            except AttributeError:
                continue
            assert not name.startswith("_"), f"{label}.{name}"
            assert not isinstance(found, FORBIDDEN), f"{label}.{name}"
            assert all(found is not value for value in FORBIDDEN_VALUES), f"{label}.{name}"
            assert name not in INTERNALS or type(obj) is Facade, f"{label}.{name}"
            assert not isinstance(found, type), f"{label}.{name}"
    assert probes > 12_000


def test_nothing_exposed_is_itself_a_way_out() -> None:
    for label, obj in exposed():
        assert not isinstance(obj, FORBIDDEN), label
        assert all(obj is not value for value in FORBIDDEN_VALUES), label


def test_type_gives_no_class_that_makes_classes_functions_or_facades() -> None:
    for label, obj in exposed():
        try:
            kind = guards.type_of(obj)
        except TypeError:
            continue
        assert kind is Text or not issubclass(kind, FORBIDDEN), label
        assert kind not in (type, Facade, types.FunctionType, types.MethodType), label
        assert not issubclass(kind, type), label


def test_present_time_is_nowhere() -> None:
    for label, obj in exposed():
        for name in ("now", "today", "utcnow", "utcfromtimestamp"):
            assert not guards.has_attribute(obj, name), f"{label}.{name}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_member_of_a_facade_is_plain_data_a_function_or_a_known_class(module: str) -> None:
    for name, value in MODULES[module].members.items():
        assert not name.startswith("_")
        if isinstance(value, type) and not issubclass(value, BaseException):
            offered = value in guards.ATTRIBUTES or value.__module__ in ("itertools", "functools")
            assert offered, f"{module}.{name}"


def test_attribute_name_must_be_exactly_a_string() -> None:
    class Name(str):
        """A subclass that could change between check and use."""

    for name in (Name("lower"), b"lower", 1, None):
        with pytest.raises((TypeError, AttributeError)):
            guards.get_attribute("", name)


@pytest.mark.parametrize("obj", ["", (), frozenset(), MODULES["math"], len, str, ValueError])
def test_what_is_not_a_container_of_the_script_cannot_be_written(obj: Any) -> None:
    with pytest.raises(TypeError):
        guards.writable(obj)


def test_facades_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        MODULES["math"].members["pi"] = 3  # type: ignore[index]
    with pytest.raises(TypeError):
        MODULES["os"] = MODULES["math"]  # type: ignore[index]


def test_a_subscripted_class_is_a_hint_that_leads_nowhere() -> None:
    hint = guards.get_item(list, int)
    assert hint is HINT
    for name in {*dir(hint), *dir(list[int]), *INTERNALS}:
        with pytest.raises(AttributeError):
            guards.get_attribute(hint, name)


def test_every_guard_name_is_refused_to_scripts() -> None:
    for name in guards.GUARDS:
        assert name.startswith("_")
        assert name.endswith("_")
