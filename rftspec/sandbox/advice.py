"""What is wrong with a script that compiles: calls of `grade`, and patterns written out in it.

Found when a spec is checked, before a run; the script would fail at these places while it runs.
"""

from __future__ import annotations

import ast

from rftspec.sandbox.patterns import VERBOSE, PatternError
from rftspec.sandbox.protocol import Problem, clean
from rftspec.sandbox.regex import compile_pattern

_TAKES_PATTERN = frozenset(
    {"compile", "search", "match", "fullmatch", "findall", "finditer", "split", "sub", "subn"}
)


def further_problems(source: str) -> list[Problem]:
    """Every problem of a script that compiles."""
    tree = ast.parse(source.removeprefix("\ufeff"))
    patterns = _Patterns()
    patterns.visit(tree)
    return _arity(tree) + patterns.problems


def _arity(tree: ast.Module) -> list[Problem]:
    """Whether the last `grade` can be called as `grade(sample, item)`."""
    found: list[Problem] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "grade":
            args = node.args
            positional = len(args.posonlyargs) + len(args.args)
            needed = positional - len(args.defaults)
            keyword_only = sum(default is None for default in args.kw_defaults)
            wrong = needed > 2 or (positional < 2 and args.vararg is None) or keyword_only
            text = "`grade` must be callable as `grade(sample, item)`"
            found = [Problem(node.lineno, node.col_offset + 1, text)] if wrong else []
    return found


class _Patterns(ast.NodeVisitor):
    """Compiles the patterns that are texts in calls of `re`, outside of `try`."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._modules: set[str] = set()
        self._functions: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        """`import re`, under whatever name."""
        self._modules.update(a.asname or a.name for a in node.names if a.name == "re")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """`from re import compile`, under whatever name."""
        if node.module == "re":
            names = (a for a in node.names if a.name in _TAKES_PATTERN)
            self._functions.update(a.asname or a.name for a in names)

    def visit_Try(self, node: ast.Try) -> None:
        """A pattern in `try` may be meant to fail."""

    def visit_Call(self, node: ast.Call) -> None:
        """A call with a pattern that is written out."""
        self.generic_visit(node)
        first = node.args[0] if node.args else None
        if not self._is_re(node.func) or not isinstance(first, ast.Constant):
            return
        if isinstance(first.value, str) and (message := _why_not(first.value)):
            place = Problem(first.lineno, first.col_offset + 1, clean(message))
            self.problems.append(place)

    def _is_re(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return function.id in self._functions
        return (
            isinstance(function, ast.Attribute)
            and function.attr in _TAKES_PATTERN
            and isinstance(function.value, ast.Name)
            and function.value.id in self._modules
        )


def _why_not(pattern: str) -> str | None:
    """Why a pattern cannot be compiled under any flags; None when it can."""
    message = None
    for flags in (0, VERBOSE):
        try:
            compile_pattern(pattern, flags)
        except PatternError as error:
            message = message or str(error)
            continue
        return None
    return f"in the pattern, {message}"
