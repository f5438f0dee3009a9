"""The state of a check and its vocabulary: problems, required types, constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rftspec.expr import core, syntax
from rftspec.expr.errors import EvalError, Problem
from rftspec.expr.evaluate import walk
from rftspec.expr.signature import Function
from rftspec.expr.types import JSON, NUMBER, STRING, Type, describe, is_optional

WRONG = Type("wrong")
"""The type of a piece that already has a problem: fits everywhere, so that it is told once."""

MISSING_HINT = "give a default, `… ?? value`, or test it first with `has(…)`"

Check = Callable[["Checker", syntax.Node], core.Node]


class Checker:
    """Checks one expression; `problems` fills up while `check` walks the tree."""

    def __init__(
        self,
        names: Mapping[str, Type],
        functions: Mapping[str, Function],
        checks: Mapping[type[syntax.Node], Check],
    ) -> None:
        self.names = names
        self.functions = functions
        self.problems: list[Problem] = []
        self.slots: dict[str, int] = {}
        """Names of the environment that are used, each with its slot."""
        self.fields: set[tuple[str, ...]] = set()
        """The names that are used, with the fields that are read of them."""
        self.locals: dict[str, core.Local] = {}
        self.used_locals: set[str] = set()
        self.local_count = 0
        self._checks = checks

    def check(self, node: syntax.Node) -> core.Node:
        """The typed node; one of type WRONG when it has no meaning."""
        return self._checks[type(node)](self, node)

    def problem(
        self, code: str, node: core.Node | syntax.Node, message: str, hint: str | None = None
    ) -> core.Node:
        """Note an error at a node; gives the WRONG node that stands in for it."""
        return self.problem_at(code, node.start, node.end, message, hint)

    def problem_at(
        self, code: str, start: int, end: int, message: str, hint: str | None = None
    ) -> core.Node:
        """Note an error at `text[start:end]`; gives the WRONG node that stands in for it."""
        self.problems.append(Problem(code, message, start, end, hint))
        return core.Const(WRONG, start, end, None)

    def warn(self, code: str, start: int, end: int, message: str, hint: str | None = None) -> None:
        """Note something that is allowed and surely not meant."""
        self.problems.append(Problem(code, message, start, end, hint, "warning"))

    def wrong(self, node: core.Node | syntax.Node) -> core.Node:
        """A stand-in for a piece whose problem has been noted."""
        return core.Const(WRONG, node.start, node.end, None)

    def fold(self, node: core.Node, parts: Sequence[core.Node]) -> core.Node:
        """The node, or its value where all of its parts are constant."""
        if not all(isinstance(part, core.Const) for part in parts):
            return node
        try:
            value = walk(node, [])
        except EvalError as error:
            return self.problem_at("E331", error.start, error.end, error.message)
        return core.Const(node.type, node.start, node.end, value)

    def present(self, node: core.Node, what: str = "this value") -> core.Node:
        """The node, which must not be missing here."""
        if is_optional(node.type):
            return self.problem("E323", node, f"{what} may be missing here", MISSING_HINT)
        return node

    def require(self, node: core.Node, type_: Type, what: str) -> core.Node:
        """The node, which must be of this type and not missing."""
        node = self.present(node)
        if node.type in (type_, WRONG):
            return node
        message = f"{what} is {describe(type_)}; this is {describe(node.type)}"
        return self.problem("E321", node, message, type_hint(type_, node.type))


def type_hint(wanted: Type, found: Type) -> str | None:
    """How a value of one type becomes one of another, where there is a way."""
    if found == JSON:
        return 'a json value takes the type of its default: `… ?? 0`, `… ?? ""`, `… ?? false`'
    if wanted == NUMBER:
        return {
            "bool": "write `number(…)`, or `if … then 1 else 0`",
            "string": "read a number from text: `to_number(…) ?? 0`",
        }.get(found.name)
    if wanted.name == "bool" and found == NUMBER:
        return "compare it with a number, such as `> 0`"
    if wanted.name == "bool" and found == STRING:
        return 'compare it with a text, such as `!= ""`'
    return None
