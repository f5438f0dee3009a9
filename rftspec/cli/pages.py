"""What `rftspec explain` knows: error codes, health rules, fields, graders, functions, metrics.

Nothing is written here: every page is read from the module that owns the thing.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

CODE_OWNERS = (
    "rftspec.codes",
    "rftspec.cli.planning",
    "rftspec.engine.problems",
    "rftspec.plan.probe_findings",
    "rftspec.record.errors",
    "rftspec.run.health",
)
"""Modules with a table `CODES` from code to meaning."""
WIDTH = 96


@dataclass(frozen=True, slots=True)
class Page:
    """One thing that can be explained."""

    name: str
    kind: str
    body: str
    facts: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """The page for a terminal."""
        lines = [f"{self.name}  ({self.kind})", ""]
        for paragraph in self.body.strip("\n").split("\n\n"):
            if paragraph.startswith(("    ", "\t")):
                lines += [paragraph, ""]
            else:
                lines += [textwrap.fill(" ".join(paragraph.split()), WIDTH), ""]
        lines += [f"  {name:<10} {value}" for name, value in self.facts]
        return "\n".join(lines).rstrip()

    def to_json(self) -> dict[str, Any]:
        """The page for a program."""
        return {"name": self.name, "kind": self.kind, "text": self.body, **dict(self.facts)}


def find_page(name: str) -> Page | None:
    """The page of a name, whatever kind of thing it is; codes in any case."""
    wanted = name.strip().strip("`")
    for page in all_pages():
        if page.name == wanted or page.name.lower() == wanted.lower():
            return page
    endings = [page for page in all_pages() if page.name.endswith("." + wanted)]
    return endings[0] if len(endings) == 1 else None


def near_names(name: str) -> list[str]:
    """Names that look like it, the likeliest first."""
    import difflib

    names = [page.name for page in all_pages()]
    inside = [one for one in names if one.endswith("." + name)]
    return list(dict.fromkeys(inside + difflib.get_close_matches(name, names, n=4, cutoff=0.6)))[:5]


def overview() -> str:
    """The names of everything that can be explained, by kind."""
    kinds: dict[str, list[str]] = {}
    for page in all_pages():
        kinds.setdefault(page.kind, []).append(page.name)
    parts = []
    for kind, names in kinds.items():
        told = textwrap.fill(", ".join(names), WIDTH, initial_indent="  ", subsequent_indent="  ")
        parts.append(f"{kind} ({len(names)})\n{told}")
    return "\n\n".join(parts)


def all_pages() -> Iterator[Page]:
    """Every page, kind by kind."""
    for source in (code_pages, field_pages, grader_pages, function_pages, metric_pages):
        yield from source()


def code_pages() -> Iterator[Page]:
    """Error and warning codes, and the health rules."""
    found: dict[str, str] = {}
    for owner in CODE_OWNERS:
        found.update(import_module(owner).CODES)
    for code in sorted(found):
        yield Page(code, "health rule" if code.startswith("H") else "code", found[code])


def field_pages() -> Iterator[Page]:
    """Fields of the spec, by dotted path."""
    from rftspec.spec.schema import spec_schema

    yield from _fields(spec_schema(), "")


def _fields(schema: Mapping[str, Any], prefix: str) -> Iterator[Page]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield Page(
            path, "field", str(field.get("description", "")), _facts(field, name in required)
        )
        for part in (field, *field.get("anyOf", ())):
            yield from _fields(part, path + ".")


def _facts(field: Mapping[str, Any], required: bool) -> tuple[tuple[str, str], ...]:
    facts = [("required", "yes")] if required else []
    kind = field.get("type")
    if kind is not None:
        facts.append(("type", " or ".join(kind) if isinstance(kind, list) else str(kind)))
    told: list[tuple[str, str, Callable[[Any], str]]] = [
        ("default", "default", _json),
        ("x-reason", "because", str),
        ("enum", "one of", lambda values: ", ".join(map(str, values))),
        ("minimum", "at least", _json),
        ("exclusiveMinimum", "above", _json),
        ("maximum", "at most", _json),
        ("examples", "example", lambda values: _json(values[0])),
    ]
    for key, word, shown in told:
        if key in field:
            facts.append((word, shown(field[key])))
    return tuple(facts)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def grader_pages() -> Iterator[Page]:
    """Kinds of graders, as `graders.KIND`, with their settings."""
    from rftspec.graders.kinds import KINDS

    for name, kind in KINDS.items():
        settings = kind.schema.get("properties", {})
        needed = set(kind.schema.get("required", ()))
        facts = tuple(
            (key, f"{one.get('description', '')}{' (required)' if key in needed else ''}")
            for key, one in settings.items()
        )
        yield Page(f"graders.{name}", "grader", kind.doc, facts)


def function_pages() -> Iterator[Page]:
    """Functions of the scoring language, every way to call each."""
    from rftspec.expr.functions import FUNCTIONS

    for name, function in FUNCTIONS.items():
        body = "\n\n".join(
            f"    {way.signature}\n\n{way.doc}" + (f"\n\n    {way.example}" if way.example else "")
            for way in function.overloads
        )
        yield Page(name, "function", body, (("group", function.group),))


def metric_pages() -> Iterator[Page]:
    """Metrics of the record."""
    from rftspec.record.metrics import METRICS

    for metric in METRICS:
        facts = [("unit", metric.unit), ("healthy", metric.healthy)]
        if metric.openai:
            facts.append(("hosted", metric.openai))
        yield Page(metric.name, "metric", metric.meaning, tuple(facts))
