"""Reads tests/cases/score_language.yaml: its types, its environment and its cases."""

import copy
from pathlib import Path

import yaml

from rftspec.expr.types import BOOL, JSON, NUMBER, STRING, ListOf, OptionalOf, RecordOf, Type

FILE = Path(__file__).parent.parent / "cases" / "score_language.yaml"
_WORDS = {"number": NUMBER, "bool": BOOL, "string": STRING, "json": JSON}


def read_table() -> tuple[dict[str, Type], dict[str, object], list[tuple[str, dict]]]:
    """The types of the names, their values, and every case with its group."""
    table = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    names = {name: as_type(told) for name, told in table.pop("names").items()}
    values = table.pop("values")
    return names, values, [(group, case) for group, cases in table.items() for case in cases]


def as_type(told: str | dict) -> Type:
    """The type that a word, or a mapping of fields, tells."""
    if isinstance(told, dict):
        fields = {name: as_type(inner) for name, inner in told.items() if name != "missing"}
        return OptionalOf(RecordOf(fields)) if "missing" in told else RecordOf(fields)
    if told.endswith("?"):
        return OptionalOf(as_type(told[:-1]))
    if told.startswith("list["):
        return ListOf(as_type(told[5:-1]))
    return _WORDS[told]


def with_changes(values: dict, changes: dict) -> dict:
    """A copy of the values with those at dotted paths changed."""
    changed = copy.deepcopy(values)
    for path, value in changes.items():
        *outer, last = path.split(".")
        place = changed
        for name in outer:
            place = place[name]
        place[last] = value
    return changed
