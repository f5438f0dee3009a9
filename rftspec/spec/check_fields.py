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
        if any(len(s.kinds) > 1 for s in _facts_of(name, splits))
    }
    return [
        d
        for d in found
        if not (d.code == "E323" and _is_lacking(d, splits))
        and not (d.code == "E321" and d.path in mixed)
    ]


def _facts_of(name: str, splits: Mapping[str, SplitFacts]) -> list[FieldFacts]:
    return [facts.fields[name] for facts in splits.values() if name in facts.fields]


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
    refused: Container[str],
) -> None:
    """Say where a field that is used is missing, null or of another kind than elsewhere.

    An expression may handle a missing field by `??` or `has`; the type checker sees to that, and
    what it refused (`refused`, by path) is explained here by the lines. A template cannot.
    """
    told: set[tuple[str, str]] = set()
    for owner, path, name, is_template in _uses(graders, metrics):
        for facts in splits.values():
            seen = facts.fields.get(name)
            if seen is None or (name, facts.name) in told:
                continue
            if _say(draft, facts, seen, name, owner, is_template or path in refused):
                told.add((name, facts.name))


def _say(
    draft: Draft, facts: SplitFacts, seen: FieldFacts, name: str, owner: str, strict: bool
) -> bool:
    if strict and seen.missing is not None:
        message = f"`item.{name}`, which {owner} uses, is missing in this row"
        hint = "add it to the row; an expression may say `item.… ?? default`"
        draft.collector.add(facts.problem("E217", seen.missing, message, hint))
        return True
    kinds = dict(seen.kinds)
    null = kinds.pop("null", None)
    if strict and null is not None:
        message = f"`item.{name}`, which {owner} uses, is null in this row"
        draft.collector.add(facts.problem("E218", null, message, "give it a value"))
        return True
    if len(kinds) > 1:
        (first, line), (other, other_line) = sorted(kinds.items(), key=lambda kind: kind[1])[:2]
        message = f"`item.{name}` is {other} here and {first} in line {line}; {owner} uses it"
        hint = "write it the same way in every row"
        draft.collector.add(facts.problem("E218", other_line, message, hint))
        return True
    return False


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
        text = settings.get(key)
        if isinstance(text, str):
            for match in pattern.finditer(text):
                yield owner, f"{path}.{key}", match.group(1)[1:], pattern is _TEMPLATE
    for name, member in (settings.get("graders") or {}).items():
        yield from _grader_uses(owner, f"{path}.graders.{name}", member)
