"""What `rftspec explain` knows: codes, health rules, fields, graders, functions, metrics, verbs.

Nothing is written here: every page is read from the module that owns the thing.
"""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from rftspec.cli.manners import PROGRAM, leaves
from rftspec.cli.page_examples import (
    GRADERS,
    as_yaml,
    field_example,
    indented,
    metric_example,
)

CODE_OWNERS = (
    "rftspec.codes",
    "rftspec.cli.planning",
    "rftspec.engine.problems",
    "rftspec.plan.gates",
    "rftspec.plan.probe_findings",
    "rftspec.record.errors",
    "rftspec.run.headroom",
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
    example: str = ""

    def text(self) -> str:
        """The page for a terminal."""
        lines = [f"{self.name}  ({self.kind})", ""]
        for paragraph in self.body.strip("\n").split("\n\n"):
            if paragraph.startswith(("    ", "\t", "|")):
                lines += [paragraph, ""]
            else:
                lines += [textwrap.fill(" ".join(paragraph.split()), WIDTH), ""]
        wide = max((len(name) for name, _ in self.facts), default=0)
        for name, value in self.facts:
            filled = textwrap.wrap(value, WIDTH - wide - 4, break_long_words=False) or [""]
            lines += [f"  {name:<{wide}}  {filled[0]}"]
            lines += [f"  {'':<{wide}}  {line}" for line in filled[1:]]
        shown = indented(self.example)
        if self.example and shown not in self.body:
            lines += ["", "For example:", "", shown]
        return "\n".join(lines).rstrip()

    def to_json(self) -> dict[str, Any]:
        """The page for a program."""
        told = {"name": self.name, "kind": self.kind, "text": self.body, **dict(self.facts)}
        return {**told, "example": self.example}


def find_page(name: str) -> Page | None:
    """The page of a name, whatever kind of thing it is; codes in any case, a verb by its word."""
    wanted = name.strip().strip("`")
    pages = list(all_pages())
    for page in pages:
        if page.name.lower() in {wanted.lower(), f"{PROGRAM} {wanted}".lower()}:
            return page
    endings = [page for page in pages if page.name.endswith("." + wanted)]
    return endings[0] if len(endings) == 1 else None


def near_names(name: str) -> list[str]:
    """Names that look like it, the likeliest first: `E1O3` is E103 before it is E113."""
    import difflib

    names = [page.name.removeprefix(f"{PROGRAM} ") for page in all_pages()]
    code = name.upper().translate(_DIGITS)
    code = name[:1].upper() + code[1:]
    inside = [one for one in names if one == code or one.endswith("." + name)]
    return list(dict.fromkeys(inside + difflib.get_close_matches(name, names, n=4, cutoff=0.6)))[:5]


_DIGITS = str.maketrans("OIL", "011")
"""Letters that are typed for digits."""


def topics() -> dict[str, list[str]]:
    """The names of everything that can be explained, by kind."""
    kinds: dict[str, list[str]] = {}
    for page in all_pages():
        kinds.setdefault(page.kind, []).append(page.name)
    return kinds


def overview() -> str:
    """The same for a terminal."""
    parts = []
    for kind, names in topics().items():
        told = textwrap.fill(", ".join(names), WIDTH, initial_indent="  ", subsequent_indent="  ")
        parts.append(f"{kind} ({len(names)})\n{told}")
    return "\n\n".join(parts)


def all_pages() -> Iterator[Page]:
    """Every page, kind by kind."""
    sources = (code_pages, field_pages, grader_pages, function_pages, metric_pages, verb_pages)
    for source in sources:
        yield from source()


def code_pages() -> Iterator[Page]:
    """Error and warning codes, and the health rules."""
    found: dict[str, str] = {}
    for owner in CODE_OWNERS:
        found.update(import_module(owner).CODES)
    for code in sorted(found):
        kind = "health rule" if code.startswith("H") else "code"
        yield Page(code, kind, found[code], example=_code_example(code))


def _code_example(code: str) -> str:
    """The mistake in a spec, as the code's page shows it; else what is said of one."""
    from rftspec.codes import PAGES
    from rftspec.codes.said import SAID

    page = PAGES.get(code)
    return page.bad.strip("\n") if page is not None and page.bad else SAID.get(code, "")


def field_pages() -> Iterator[Page]:
    """Fields of the spec, by dotted path."""
    from rftspec.spec.schema import spec_schema

    yield from _fields(spec_schema(), "")


def _fields(schema: Mapping[str, Any], prefix: str) -> Iterator[Page]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        value = field_example(path, field)
        yield Page(
            path,
            "field",
            str(field.get("description", "")),
            _facts(field, name in required),
            "" if value is None else as_yaml(path, value),
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
        yield Page(f"graders.{name}", "grader", kind.doc, facts, GRADERS.get(name, ""))


def function_pages() -> Iterator[Page]:
    """Functions of the scoring language, every way to call each."""
    from rftspec.expr.functions import FUNCTIONS

    for name, function in FUNCTIONS.items():
        body = "\n\n".join(
            f"    {way.signature}\n\n{way.doc}" + (f"\n\n    {way.example}" if way.example else "")
            for way in function.overloads
        )
        example = function.overloads[0].example
        yield Page(name, "function", body, (("group", function.group),), example)


def metric_pages() -> Iterator[Page]:
    """Metrics of the record."""
    from rftspec.record.metrics import METRICS

    for metric in METRICS:
        facts = [("unit", metric.unit), ("healthy", metric.healthy)]
        if metric.openai:
            facts.append(("hosted", metric.openai))
        example = metric_example(metric.name, metric.unit, metric.stream)
        yield Page(metric.name, "metric", metric.meaning, tuple(facts), example)


def verb_pages() -> Iterator[Page]:
    """The verbs of the command line that is running; none where none is."""
    context = click.get_current_context(silent=True)
    if context is None:
        return
    for words, command in leaves(context.find_root().command):
        text, _, examples = inspect.cleandoc(command.help or "").partition("\b\n")
        options = tuple(
            (", ".join(one.opts), one.help or "")
            for one in command.params
            if isinstance(one, click.Option)
        )
        yield Page(f"{PROGRAM} {words}", "verb", text, options, examples.strip("\n"))
