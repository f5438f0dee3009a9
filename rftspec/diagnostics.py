"""What rftspec says to people: one Diagnostic struct, collected and never raised one at a time.

User mistakes are Diagnostics; a bad rollout is a `Score` with an error kind; anything else is a
bug. Renderers (text, JSON, GitHub annotations) live in `cli.text`: this module holds facts only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file; lines and columns count from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing a person must know: what, where, and how to mend it."""

    code: str
    message: str
    span: Span | None = None
    hint: str | None = None
    severity: Severity = "error"
    path: str | None = None
    """Dotted path of the field in the spec, such as `train.steps`."""
    snippet: str | None = None
    """The source line that the span begins on, without its newline."""

    def to_json(self) -> dict[str, Any]:
        """The struct as plain JSON values, for `--json` and for the record."""
        place: dict[str, Any] | None = None
        if self.span is not None:
            place = {
                "file": self.span.file,
                "start": {"line": self.span.line, "column": self.span.column},
                "end": {"line": self.span.end_line, "column": self.span.end_column},
            }
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "place": place,
            "path": self.path,
            "snippet": self.snippet,
            "hint": self.hint,
        }


class DiagnosticError(Exception):
    """At least one error was found; `diagnostics` holds all that was found, in file order."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in self.diagnostics))


class Collector:
    """Gathers diagnostics while a check goes on, and raises them together at its end."""

    def __init__(self, first: str | None = None) -> None:
        self._found: dict[Diagnostic, None] = {}
        self._first = first

    def __iter__(self) -> Iterator[Diagnostic]:
        """All that was found, in order of file, line and column; the file `first` comes first."""
        return iter(sorted(self._found, key=self._place))

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep one diagnostic; exact duplicates are kept once."""
        self._found[diagnostic] = None

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep several diagnostics."""
        for diagnostic in diagnostics:
            self.add(diagnostic)

    @property
    def has_errors(self) -> bool:
        """True when at least one of them is an error."""
        return any(d.severity == "error" for d in self._found)

    def raise_errors(self) -> None:
        """Raise DiagnosticError with everything found, if any of it is an error."""
        if self.has_errors:
            raise DiagnosticError(self)

    def _place(self, diagnostic: Diagnostic) -> tuple[bool, str, int, int]:
        span = diagnostic.span
        if span is None:
            return False, "", 0, 0
        return span.file != self._first, span.file, span.line, span.column


def with_path(diagnostic: Diagnostic, path: str) -> Diagnostic:
    """The same diagnostic, told to belong to a field of the spec."""
    return replace(diagnostic, path=path)
