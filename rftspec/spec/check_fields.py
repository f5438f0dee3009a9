"""The fields of the rows that graders and metrics use: on every row, and of one kind."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from rftspec.diagnostics import Diagnostic
from rftspec.spec.draft import Draft
from rftspec.spec.row_facts import FieldFacts, SplitFacts

_ITEM = re.compile(r"\bitem((?:\.[A-Za-z_][A-Za-z0-9_]*)+)")
_TEMPLATE = re.compile(r"\{\{\s*item((?:\.[A-Za-z_][A-Za-z0-9_-]*)+)[^}]*\}\}")


def unexplained(
    found: Iterable[Diagnostic],
    graders: Mapping[str, Mapping[str, Any]],
    metrics: Mapping[str, str],
    splits: Mapping[str, SplitFacts],
) -> list[Diagnostic]:
    """The diagnostics that are not explained better by the rows.

    `item.x may be missing here` is true because some row has no x, and a field of two kinds fits no
    operation: `check_used_fields` says so at the row, where it is most likely mended.
    """
    mixed = {
        path
        for _, path, name, _ in _uses(graders, metrics)
        if len({kind for s in _facts_of(name, splits) for kind in s.kinds}) > 1
    }
    return [
        d
        for d in found
        if not (d.code == "E323" and _is_lacking(d, splits))
        and not (d.code == "E321" and d.path in mixed)
    ]


def _facts_of(name: str, splits: Mapping[str, SplitFacts]) -> list[FieldFacts]:
    """What each file holds in a field; a file without it lacks it from its first row on."""
    if not any(name in facts.fields for facts in splits.values()):
        return []
    return [
        facts.fields.get(name, FieldFacts(missing=facts.first))
        for facts in splits.values()
        if facts.rows
    ]


def _is_lacking(diagnostic: Diagnostic, splits: Mapping[str, SplitFacts]) -> bool:
    span, snippet = diagnostic.span, diagnostic.snippet
    if span is None or snippet is None or span.line != span.end_line:
        return False
    match = _ITEM.fullmatch(snippet[span.column - 1 : span.end_column - 1])
    if match is None:
        return False
    seen = _facts_of(match.group(1)[1:], splits)
    return any(s.missing is not None or "null" in s.kinds for s in seen)


def check_used_fields(
    draft: Draft,
    graders: Mapping[str, Mapping[str, Any]],
    metrics: Mapping[str, str],
    splits: Mapping[str, SplitFacts],
    lacking: Container[str],
) -> None:
    """Say where a field that is used is missing, null or of another kind than elsewhere.

    An expression may handle a missing field by `??` or `has`; the type checker sees to that, and
    what it refused (`lacking`, by path) is explained here by the lines. A template cannot.
    """
    told: set[tuple[str, str]] = set()
    for owner, path, name, is_template in _uses(graders, metrics):
        elsewhere: dict[str, str] = {}
        for facts, seen in zip(
            (f for f in splits.values() if f.rows), _facts_of(name, splits), strict=False
        ):
            if (name, facts.name) not in told:
                strict = is_template or path in lacking
                problem = _lack(facts, seen, name, owner, strict)
                problem = problem or _mixture(facts, seen, name, owner, elsewhere)
                if problem is not None:
                    draft.collector.add(problem)
                    told.add((name, facts.name))
            for kind, line in seen.kinds.items():
                elsewhere.setdefault(kind, f"{facts.shown}:{line}")


def _lack(
    facts: SplitFacts, seen: FieldFacts, name: str, owner: str, strict: bool
) -> Diagnostic | None:
    """A row without the field, or with null in it, where that matters."""
    null = seen.kinds.get("null")
    if strict and seen.missing is not None:
        message = f"`item.{name}`, which {owner} uses, is missing in this row"
        hint = "add it to the row; an expression may say `item.… ?? default`"
        return facts.problem("E217", seen.missing, message, hint)
    if strict and null is not None:
        message = f"`item.{name}`, which {owner} uses, is null in this row"
        return facts.problem("E218", null, message, "give it a value")
    return None


def _mixture(
    facts: SplitFacts, seen: FieldFacts, name: str, owner: str, elsewhere: Mapping[str, str]
) -> Diagnostic | None:
    """A row whose field is of another kind than the field of the rows before it."""
    before = {kind: place for kind, place in elsewhere.items() if kind != "null"}
    for kind, line in sorted(seen.kinds.items(), key=lambda entry: entry[1]):
        if kind == "null":
            continue
        if before and kind not in before:
            other, place = next(iter(before.items()))
            message = f"`item.{name}` is {kind} here and {other} in {place}; {owner} uses it"
            return facts.problem("E218", line, message, "write it the same way in every row")
        before.setdefault(kind, f"{facts.shown}:{line}")
    return None


def _uses(
    graders: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, str]
) -> Iterator[tuple[str, str, str, bool]]:
    """Who uses a field: in words, by path in the spec, the field, and whether by a template."""
    for name, settings in graders.items():
        yield from _grader_uses(f"the grader `{name}`", f"graders.{name}", settings)
    for name, text in metrics.items():
        for match in _ITEM.finditer(text):
            path = f"evaluate.metrics.{name}"
            yield f"the metric `{name}`", path, match.group(1)[1:], False


def _grader_uses(
    owner: str, path: str, settings: Mapping[str, Any]
) -> Iterator[tuple[str, str, str, bool]]:
    for key, pattern in (("expression", _ITEM), ("input", _TEMPLATE), ("reference", _TEMPLATE)):
        for text in _texts(settings.get(key)):
            for match in pattern.finditer(text):
                yield owner, f"{path}.{key}", match.group(1)[1:], pattern is _TEMPLATE
    for name, member in (settings.get("graders") or {}).items():
        yield from _grader_uses(owner, f"{path}.graders.{name}", member)


def _texts(value: Any) -> Iterator[str]:
    """The texts of a setting: itself, or those of a judge's messages."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
