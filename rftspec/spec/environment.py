"""`${env:NAME}` and `${env:NAME:-default}`: values of the environment, where a field allows them.

Model names, paths and addresses differ between machines; numbers and graders must not, or two
people would run two different specs. A value is never repeated in a message. `$${env:NAME}` is the
text itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from rftspec.diagnostics import Diagnostic
from rftspec.spec.document import Document, Node, walk
from rftspec.spec.overrides import field_schema
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

    def told(self, diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """What is to be said: no value repeated, nothing that follows from a missing variable."""
        return tuple(
            self.hide(one)
            for one in diagnostics
            if one.path not in self.refused or one.code in ("E117", "E118")
        )

    def take(self, value: str, reference: str) -> None:
        """Remember a value, and the folders that a path in it names."""
        self.values[value] = reference
        for folder in PurePath(value).parents:
            if len(str(folder)) > 1:
                self.values.setdefault(str(folder), reference)

    def hide(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic with references in the place of their values."""
        message, hint = self._hidden(diagnostic.message), diagnostic.hint
        return replace(diagnostic, message=message, hint=self._hidden(hint) if hint else hint)

    def _hidden(self, text: str) -> str:
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


def _constant(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _match: text


def _fill(
    document: Document,
    node: Node,
    path: tuple[str, ...],
    environment: Mapping[str, str],
    filled: Filled,
) -> None:
    def value(match: re.Match[str]) -> str:
        escape, name, default = match.groups()
        if escape:
            return match[0][1:]
        found = environment.get(name) if _NAME.fullmatch(name) else None
        if found is None and default is None:
            message = f"the environment has no variable `{name}`"
            hint = f"set it, or give a default: ${{env:{name}:-…}}"
            filled.refused.add(dotted(path))
            document.collector.add(node.problem("E117", message, hint=hint, path=dotted(path)))
            return match[0]
        if found:
            filled.take(found, match[0])
        return found if found is not None else str(default)

    node.value = _REFERENCE.sub(value, node.value)
