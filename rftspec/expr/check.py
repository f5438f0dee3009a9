"""The static checker: syntax tree to typed tree, with every problem found on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rftspec.expr import calls, core, syntax
from rftspec.expr.errors import EvalError, Problem
from rftspec.expr.evaluate import walk
from rftspec.expr.signature import Function
from rftspec.expr.suggest import did_you_mean
from rftspec.expr.types import (
    BOOL,
    JSON,
    NEVER,
    NUMBER,
    STRING,
    ListOf,
    ListType,
    OptionalOf,
    RecordType,
    Type,
    describe,
    is_optional,
    join,
    strip_optional,
)

WRONG = Type("wrong")
"""The type of a piece that already has a problem: fits everywhere, so that it is told once."""

_OTHER_WORDS = {
    "null": "a missing value is tested with `has(x)` and replaced with `x ?? default`",
    "None": "a missing value is tested with `has(x)` and replaced with `x ?? default`",
    "True": "write `true`",
    "False": "write `false`",
    "nan": "every value is a finite number",
    "inf": "every value is a finite number",
}
_TAKES = {"+": "adds", "-": "subtracts", "*": "multiplies", "/": "divides", "%": "divides"}


class Checker:
    """Checks one expression; `problems` fills up while `check` walks."""

    def __init__(self, names: Mapping[str, Type], functions: Mapping[str, Function]) -> None:
        self.problems: list[Problem] = []
        self.slots: dict[str, int] = {}
        """Names of the environment that are used, each with its slot."""
        self.fields: set[tuple[str, ...]] = set()
        """The names with the fields that are read of them, as far as they are plain."""
        self._names = names
        self._functions = functions
        self._locals: dict[str, core.Local] = {}
        self._used: set[str] = set()
        self._local_count = 0

    def check(self, node: syntax.Node) -> core.Node:
        """The typed node; one of type WRONG when it has no meaning."""
        return _CHECKS[type(node)](self, node)

    def problem(
        self, code: str, node: core.Node | syntax.Node, message: str, hint: str | None = None
    ) -> None:
        """Note an error at a node."""
        self.problems.append(Problem(code, message, node.start, node.end, hint))

    def warn(self, code: str, node: core.Node | syntax.Node, message: str) -> None:
        """Note something that is allowed and surely not meant."""
        self.problems.append(
            Problem(code, message, node.start, node.end, severity="warning")
        )

    def wrong(self, node: core.Node | syntax.Node) -> core.Node:
        """A stand-in for a piece whose problem has been noted."""
        return core.Const(WRONG, node.start, node.end, None)

    def fold(self, node: core.Node, parts: tuple[core.Node, ...]) -> core.Node:
        """The node, or its value where all of its parts are constant."""
        if not all(isinstance(part, core.Const) and part.type != WRONG for part in parts):
            return node
        try:
            value = walk(node, [])
        except EvalError as error:
            message = error.message
            self.problems.append(Problem("E331", message, error.start, error.end))
            return self.wrong(node)
        return core.Const(node.type, node.start, node.end, value)

    # -- names and their parts ---------------------------------------------------------------

    def _name(self, node: syntax.Name) -> core.Node:
        local = self._locals.get(node.name)
        if local is not None:
            self._used.add(node.name)
            return replace(local, start=node.start, end=node.end)
        type_ = self._names.get(node.name)
        if type_ is None:
            return self._unknown_name(node)
        self.fields.add((node.name,))
        slot = self.slots.setdefault(node.name, len(self.slots))
        return core.Root(type_, node.start, node.end, node.name, slot)

    def _unknown_name(self, node: syntax.Name) -> core.Node:
        if node.name in self._functions:
            signature = self._functions[node.name].overloads[0].signature
            message = f"`{node.name}` is a function, and stands here without its arguments"
            self.problem("E311", node, message, f"call it: `{signature}`")
            return self.wrong(node)
        known = [*self._locals, *self._names]
        hint = _OTHER_WORDS.get(node.name) or did_you_mean(node.name, known, "the names are")
        self.problem("E311", node, f"unknown name `{node.name}`", hint)
        return self.wrong(node)

    def _field(self, node: syntax.Field) -> core.Node:
        target = self.check(node.target)
        return self._get_field(target, node.name, node, (node.dot, node.name_start, node.end))

    def _get_field(
        self, target: core.Node, name: str, node: syntax.Node, at: tuple[int, int, int]
    ) -> core.Node:
        inner = strip_optional(target.type)
        if inner == WRONG:
            return target
        if isinstance(inner, RecordType):
            type_ = inner.fields.get(name)
            if type_ is None:
                return self._unknown_field(inner, name, at)
        elif inner == JSON:
            type_ = OptionalOf(JSON)
        else:
            message = f"{describe(inner)} has no fields"
            hint = "pick an element first: `[0]`" if isinstance(inner, ListType) else None
            self.problems.append(Problem("E321", message, at[0], at[2], hint))
            return self.wrong(node)
        self._note_path(target, name)
        type_ = OptionalOf(type_) if is_optional(target.type) else type_
        return core.GetField(type_, node.start, node.end, target, name)

    def _unknown_field(
        self, record: RecordType, name: str, at: tuple[int, int, int]
    ) -> core.Node:
        hint = did_you_mean(name, list(record.fields), "the fields are")
        self.problems.append(Problem("E313", f"unknown field `{name}`", at[1], at[2], hint))
        return core.Const(WRONG, at[0], at[2], None)

    def _note_path(self, target: core.Node, name: str) -> None:
        path = plain_path(target)
        if path is not None:
            self.fields.discard(path)
            self.fields.add((*path, name))

    def _index(self, node: syntax.Index) -> core.Node:
        target = self.check(node.target)
        inner = strip_optional(target.type)
        if inner == WRONG:
            return target
        if isinstance(inner, RecordType) or (
            inner == JSON and isinstance(node.index, syntax.Text)
        ):
            return self._field_by_text(target, node)
        if not isinstance(inner, ListType) and inner != JSON:
            self.problem("E321", node.target, f"{describe(inner)} has no elements")
            return self.wrong(node)
        index = self.require(self.check(node.index), NUMBER, "a place in a list")
        if isinstance(index, core.Const) and index.type == NUMBER:
            if index.value < 0 or index.value % 1 != 0:
                hint = "the last element is `last(xs)`" if index.value < 0 else None
                message = "a place is a whole number, counted from 0"
                self.problem("E331", node.index, message, hint)
                return self.wrong(node)
        element = inner.element if isinstance(inner, ListType) else JSON
        return core.GetItem(OptionalOf(element), node.start, node.end, target, index)

    def _field_by_text(self, target: core.Node, node: syntax.Index) -> core.Node:
        if not isinstance(node.index, syntax.Text):
            message = "the name of a field is a text literal"
            self.problem("E325", node.index, message, 'such as `item["two words"]`')
            return self.wrong(node)
        at = (node.index.start, node.index.start, node.index.end)
        return self._get_field(target, node.index.value, node, at)

    # -- literals, lists and calls -----------------------------------------------------------

    def _literal(self, node: Any) -> core.Node:
        type_ = {syntax.Number: NUMBER, syntax.Text: STRING, syntax.Truth: BOOL}[type(node)]
        return core.Const(type_, node.start, node.end, node.value)

    def _list(self, node: syntax.ListLiteral) -> core.Node:
        element: Type = NEVER
        items = tuple(self.present(self.check(item), "an element") for item in node.items)
        for item in items:
            if WRONG in (item.type, element):
                element = WRONG
                continue
            joined = join(element, item.type)
            if joined is None:
                message = f"a list holds one type; here {describe(item.type)} follows"
                self.problem("E321", item, f"{message} {describe(element)}")
                return self.wrong(node)
            element = joined
        if element == WRONG:
            return self.wrong(node)
        return self.fold(core.MakeList(ListOf(element), node.start, node.end, items), items)

    def _call(self, node: syntax.Call) -> core.Node:
        function = self._functions.get(node.function)
        arguments = [(a, self.check(a.value)) for a in node.arguments]
        if function is None:
            self._unknown_function(node)
            return self.wrong(node)
        if any(value.type == WRONG for _, value in arguments):
            return self.wrong(node)
        made = calls.resolve(node, function, arguments)
        if isinstance(made, calls.Refusal):
            self.problems.extend(made.problems)
            return self.wrong(node)
        return self.fold(made, made.arguments)

    def _unknown_function(self, node: syntax.Call) -> None:
        end = node.start + len(node.function)
        if node.function in self._names or node.function in self._locals:
            message, hint = f"`{node.function}` is a value, not a function", None
        else:
            message = f"unknown function `{node.function}`"
            hint = did_you_mean(node.function, list(self._functions), None)
        self.problems.append(Problem("E312", message, node.start, end, hint))

    # -- operators ---------------------------------------------------------------------------

    def present(self, node: core.Node, what: str) -> core.Node:
        """The node, which must not be missing here."""
        if is_optional(node.type):
            self.problem("E323", node, f"{what} may be missing here", calls.MISSING_HINT)
            return self.wrong(node)
        return node

    def require(self, node: core.Node, type_: Type, what: str) -> core.Node:
        """The node, which must be of a type, and not missing."""
        node = self.present(node, what)
        if node.type in (type_, WRONG):
            return node
        message = f"{what} is {describe(type_)}; this is {describe(node.type)}"
        self.problem("E321", node, message, _type_hint(type_, node.type))
        return self.wrong(node)

    def _unary(self, node: syntax.Unary) -> core.Node:
        operand = self.check(node.operand)
        if node.operator == "-":
            operand = self.require(operand, NUMBER, "what `-` takes")
            made: core.Node = core.Negative(NUMBER, node.start, node.end, operand)
        else:
            operand = self.require(operand, BOOL, "what `not` takes")
            made = core.Not(BOOL, node.start, node.end, operand)
        return self.wrong(node) if operand.type == WRONG else self.fold(made, (operand,))

    def _chain(self, node: syntax.Chain) -> core.Node:
        operator = node.links[0].operator
        if operator == "??":
            return self._default(node)
        if operator in ("and", "or"):
            operands = [node.first, *(link.operand for link in node.links)]
            what = f"what `{operator}` takes"
            items = tuple(self.require(self.check(o), BOOL, what) for o in operands)
            if any(item.type == WRONG for item in items):
                return self.wrong(node)
            made = core.Logic(BOOL, node.start, node.end, operator, items)
            return self.fold(made, items)
        links = [(x.operator, x.start, x.end, x.operand) for x in node.links]
        return self._arithmetic(node, node.first, links)

    def _arithmetic(
        self,
        node: syntax.Node,
        first: syntax.Node,
        links: list[tuple[str, int, int, syntax.Node]],
    ) -> core.Node:
        left = self.present(self.check(first), "this value")
        made: list[tuple[str, int, int, core.Node]] = []
        bad = left.type == WRONG
        for operator, start, end, operand in links:
            right = self.present(self.check(operand), "this value")
            bad = self._not_numbers(operator, start, end, left, right) or bad
            made.append((operator, start, end, right))
            left = right if right.type == NUMBER else left
        if bad:
            return self.wrong(node)
        parts = (self.check_again(first, made), *(link[3] for link in made))
        tree = core.Arithmetic(NUMBER, node.start, node.end, parts[0], tuple(made))
        return self.fold(tree, parts)


_CHECKS: Mapping[type[syntax.Node], Callable[[Checker, Any], core.Node]] = {}
