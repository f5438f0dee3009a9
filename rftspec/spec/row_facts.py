"""What a walk over the rows remembers: counts, fields, hashes; never the rows themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rftspec.data.form import Form, form_of
from rftspec.diagnostics import Collector, Diagnostic, Severity, Span

SHOWN = 5
"""Problems of one kind in one file that are shown one by one; the rest is counted."""
MAX_FIELD_DEPTH = 4
MAX_FORMS = 10_000
"""Forms that are remembered, so that rows with names as keys do not fill the memory."""
_KINDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


@dataclass(slots=True)
class FieldFacts:
    """One field of the rows: where it is missing, and the first line of each kind of value."""

    last: int = 0
    """The last line that has it."""
    missing: int | None = None
    """The first line without it."""
    kinds: dict[str, int] = field(default_factory=dict)
    """`text`, `a number` … → the first line that has it."""


@dataclass(slots=True)
class SplitFacts:
    """One data file: how many rows, its hash, what its fields hold."""

    name: str
    path: Path
    shown: str
    rows: int = 0
    first: int = 0
    """The line of the first row."""
    sha256: str = ""
    fields: dict[str, FieldFacts] = field(default_factory=dict)
    """By dotted name without `item.`, nested objects to a depth of four."""
    characters: int = 0
    """Of all prompts together, for estimates."""
    longest: int = 0
    """Characters of the longest prompt."""
    forms: set[Form] = field(default_factory=set)
    """Forms of rows whose fields were noted already."""
    ids: dict[str | int, int] = field(default_factory=dict)
    """The rows' `id` → place among the rows; kept where references may ask for it."""

    def problem(self, code: str, line: int, message: str, hint: str | None = None) -> Diagnostic:
        """A diagnostic about a line of this file."""
        severity: Severity = "warning" if code.startswith("W") else "error"
        return Diagnostic(code, message, Span(self.shown, line, 1, line, 2), hint, severity)

    def note(self, item: Mapping[str, Any], line: int) -> bool:
        """Take note of a row; False when rows of the same form told all that its fields tell."""
        self.rows += 1
        self.first = self.first or line
        form = form_of(item)
        if form in self.forms:
            return False
        if len(self.forms) >= MAX_FORMS:
            self.forms.clear()
        self.forms.add(form)
        self._note_fields(item, line, "")
        return True

    def take(self, line: int, characters: int) -> None:
        """Count a row whose form was noted before."""
        self.rows += 1
        self.first = self.first or line
        self.measure(characters)

    def measure(self, characters: int) -> None:
        """Count the characters of a row's prompt."""
        self.characters += characters
        self.longest = max(self.longest, characters)

    def _note_fields(self, item: Mapping[str, Any], line: int, prefix: str) -> None:
        fields = self.fields
        for name, value in item.items():
            key = prefix + name
            facts = fields.get(key)
            if facts is None:
                # A field that is first seen on a later line was missing on the first one.
                missing = self.first if self.rows > 1 else None
                facts = fields[key] = FieldFacts(missing=missing)
            facts.last = line
            kind = _KINDS.get(type(value), "a value")
            if kind not in facts.kinds:
                facts.kinds[kind] = line
            if kind == "an object" and key.count(".") < MAX_FIELD_DEPTH - 1:
                self._note_fields(value, line, key + ".")
        if not prefix:
            self._note_missing(line)

    def _note_missing(self, line: int) -> None:
        for facts in self.fields.values():
            if facts.missing is None and facts.last != line:
                facts.missing = line


class Repeats:
    """Lets a kind of problem be told a few times for each file, and counts the rest."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._counts: dict[tuple[str, str], int] = {}
        self._last: dict[tuple[str, str], Diagnostic] = {}

    def add(self, facts: SplitFacts, diagnostic: Diagnostic) -> None:
        """Tell it, unless the same was told often enough for this file."""
        key = (facts.shown, diagnostic.code)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count <= SHOWN:
            self._collector.add(diagnostic)
        self._last[key] = diagnostic

    def close(self) -> None:
        """Say how many were left out, at the last of them."""
        for key, count in self._counts.items():
            if count > SHOWN:
                lines = "line" if count == SHOWN + 1 else "lines"
                message = f"{count - SHOWN} more {lines} like these, the last one here"
                self._collector.add(replace(self._last[key], message=message, hint=None))
