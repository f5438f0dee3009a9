"""`${env:NAME}` and `${env:NAME:-default}`: values of the environment, where a field allows them.

Model names, paths and addresses differ between machines; numbers and formulas must not, or two
people would run two different specs. A value is never repeated in a message. `$${env:NAME}` is the
text itself.

What a grader reads from the environment (`model`, `base_url`, `url`, `headers`) stays a reference
in the plan, and so in the record and the report: `fill_graders` puts the values in when the graders
are opened.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from rftspec.diagnostics import Collector, Diagnostic
from rftspec.spec.document import Document, Node, walk
from rftspec.spec.overrides import field_schema
from rftspec.spec.schema import grader_schema
from rftspec.spec.shape import dotted

_REFERENCE = re.compile(r"(\$?)\$\{env:([^}:]*)(?::-([^}]*))?\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Filled:
    """What was put in, so that no message repeats it."""

    values: dict[str, str] = field(default_factory=dict)
    """The value of the environment → the reference that stands in the spec."""
    refused: set[str] = field(default_factory=set)
    """Fields whose variable is not set: what else would be said of them follows from that."""
    written: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Fields that were filled → the text that stands in the spec."""

    def as_written(self, graders: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of graders with references where values of the environment were put in."""
        told: dict[str, Any] = copy.deepcopy(dict(graders))
        for path, text in self.written.items():
            owner: Any = told if path[0] == "graders" else {}
            for part in path[1:-1]:
                owner = owner.get(part, {})
            if path[-1] in owner:
                owner[path[-1]] = text
        return told

    def told(self, diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """What is to be said: no value repeated, nothing that follows from a missing variable."""
        return tuple(
            self.hide(one)
            for one in diagnostics
            if one.path not in self.refused or one.code in ("E117", "E118")
        )

    def take(self, value: str, reference: str) -> None:
        """Remember a value, and the folders or the host that it names."""
        self.values[value] = reference
        if "://" in value:
            host = value.partition("://")[2].partition("/")[0]
            for part in (host, host.rpartition("@")[2].partition(":")[0]):
                if part:
                    self.values.setdefault(part, reference)
            return
        for folder in PurePath(value).parents:
            if len(str(folder)) > 1:
                self.values.setdefault(str(folder), reference)

    def hide(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic with references in the place of their values."""
        message, hint = self.hidden(diagnostic.message), diagnostic.hint
        return replace(diagnostic, message=message, hint=self.hidden(hint) if hint else hint)

    def hidden(self, text: str) -> str:
        """A text with references in the place of their values."""
        for value, reference in self.values.items():
            # a function, so that no backslash of the reference is read as a group
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", _constant(reference), text)
        return text


def fill_environment(
    document: Document, schema: Mapping[str, Any], environment: Mapping[str, str]
) -> Filled:
    """Replace every reference in the fields that allow one; the rest is refused or is text."""
    filled = Filled()
    if document.root is None:
        return filled
    for path, node in list(walk(document.root)):
        if node.kind != "scalar" or not isinstance(node.value, str) or "${env:" not in node.value:
            continue
        if field_schema(schema, document.root, path).get("x-env"):
            _fill(document, node, path, environment, filled)
        elif (whole := _REFERENCE.fullmatch(node.value)) is not None and not whole[1]:
            message = f"`{path[-1]}` is not read from the environment"
            hint = "write the value itself, or give it on the command line: --set"
            filled.refused.add(dotted(path))
            document.collector.add(node.problem("E118", message, hint=hint, path=dotted(path)))
    return filled


def fill_graders(
    graders: Mapping[str, Mapping[str, Any]],
    environment: Mapping[str, str],
    filled: Filled | None = None,
) -> dict[str, dict[str, Any]]:
    """Settings of a plan's graders with the values of this machine's environment put in.

    Raises DiagnosticError E117 for variables that are not set. `filled` is told what was put in.
    """
    collector, filled = Collector(), filled or Filled()

    def put_in(text: str, path: tuple[str, ...]) -> str:
        def missing(name: str) -> None:
            message, hint = _not_set(name)
            collector.add(Diagnostic("E117", message, None, hint, path=dotted(path)))

        return _substituted(text, environment, filled, missing)

    done = {name: _settings(one, ("graders", name), put_in) for name, one in graders.items()}
    collector.raise_errors()
    return done


Change = Callable[[str, tuple[str, ...]], str]


def _settings(settings: Mapping[str, Any], path: tuple[str, ...], change: Change) -> dict[str, Any]:
    """One grader's settings, every text changed that the environment may decide."""
    variant = grader_schema()["x-variants"].get(settings.get("type"), {})
    known: Mapping[str, Any] = variant.get("properties", {})
    done: dict[str, Any] = {}
    for name, value in settings.items():
        here, schema = (*path, name), known.get(name, {})
        if isinstance(value, str) and schema.get("x-env"):
            done[name] = change(value, here)
        elif isinstance(value, Mapping) and name == "graders":
            done[name] = {k: _settings(v, (*here, k), change) for k, v in value.items()}
        elif isinstance(value, Mapping) and _values_of(schema).get("x-env"):
            done[name] = {k: change(str(v), (*here, k)) for k, v in value.items()}
        else:
            done[name] = value
    return done


def _values_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a mapping's values; empty where there is none."""
    values = schema.get("additionalProperties", {})
    return values if isinstance(values, Mapping) else {}


def _constant(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _match: text


def _not_set(name: str) -> tuple[str, str]:
    message = f"the environment has no variable `{name}`"
    return message, f"set it, or give a default: ${{env:{name}:-…}}"


def _fill(
    document: Document,
    node: Node,
    path: tuple[str, ...],
    environment: Mapping[str, str],
    filled: Filled,
) -> None:
    def missing(name: str) -> None:
        message, hint = _not_set(name)
        filled.refused.add(dotted(path))
        document.collector.add(node.problem("E117", message, hint=hint, path=dotted(path)))

    filled.written[path] = node.value
    node.value = _substituted(node.value, environment, filled, missing)


def _substituted(
    text: str,
    environment: Mapping[str, str],
    filled: Filled,
    missing: Callable[[str], None],
) -> str:
    """The text with every reference replaced by its value; escaped ones lose their first `$`."""

    def value(match: re.Match[str]) -> str:
        escape, name, default = match.groups()
        if escape:
            return match[0][1:]
        found = environment.get(name) if _NAME.fullmatch(name) else None
        if found is None and default is None:
            missing(name)
            return match[0]
        if found:
            filled.take(found, match[0])
        return found if found is not None else str(default)

    return _REFERENCE.sub(value, text)
