"""What goes wrong in an expression: found before it runs (Problem) or while it runs (EvalError)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rftspec.diagnostics import Diagnostic, DiagnosticError, Severity
from rftspec.expr.origin import Origin

EvalKind = Literal["formula_parse_error", "invalid_variable_error"]
"""The hosted product's names: a formula that has no value, a variable that is not as declared."""

Reason = Literal["domain", "overflow", "missing", "type"]


class EvalError(Exception):
    """An expression has no value for this environment; `text[start:end]` is to blame."""

    def __init__(self, kind: EvalKind, reason: Reason, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.kind: EvalKind = kind
        self.reason: Reason = reason
        self.message = message
        self.start = start
        self.end = end


class DomainError(ValueError):
    """A function of the library has no value for its arguments; the caller adds the place."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of the parser or the checker, at `text[start:end]`."""

    code: str
    message: str
    start: int
    end: int
    hint: str | None = None
    severity: Severity = "error"
    other: int | None = None
    """Another offset that the message speaks of as `{place}`."""

    def diagnostic(self, origin: Origin, path: str | None) -> Diagnostic:
        """The finding as people see it: in the file, with its source line."""
        span = origin.locate(self.start, self.end)
        message = self.message
        if self.other is not None:
            place = origin.locate(self.other, self.other + 1)
            line = f"line {place.line}, " if place.line != span.line else ""
            message = message.replace("{place}", f"{line}column {place.column}")
        return Diagnostic(
            self.code,
            message,
            span,
            self.hint,
            self.severity,
            path,
            origin.snippet(span.line),
        )


class ParseFailure(Exception):
    """The text is not an expression; the problem says why. Never leaves this package."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def as_error(problems: Iterable[Problem], origin: Origin, path: str | None) -> DiagnosticError:
    """All problems as one DiagnosticError, in the order of the text."""
    ordered = sorted(problems, key=lambda p: (p.start, p.end))
    return DiagnosticError(problem.diagnostic(origin, path) for problem in ordered)
