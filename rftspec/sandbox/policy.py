"""What a grader script may be written in: the strict subset of Python, checked at compile time.

A subclass of RestrictedPython's transformer, which refuses every kind of syntax that it does not
know. On top: constructs that graders do not need are refused (`class`, `yield`, `global`, bare
`except`), everyday ones that RestrictedPython refuses are rewritten (`d[k] += v`, annotations),
imports become look-ups in a table of facades, and whatever could grow without bound in one step
goes through a guard that looks at the sizes first.
"""
# ruff: noqa: N802, N815 - visit_Name and its kin are the names that ast.NodeVisitor calls

from __future__ import annotations

import ast
import warnings
from types import CodeType
from typing import Any

from RestrictedPython.transformer import IOPERATOR_TO_STR, RestrictingNodeTransformer

from rftspec.sandbox.facades import MODULES
from rftspec.sandbox.offers import WHEN_NAMED
from rftspec.sandbox.protocol import SCRIPT, Problem, clean
from rftspec.sandbox.refused import REFUSED_MODULES

MAX_SOURCE_BYTES = 64 << 10
MAX_NODES = 20_000
MAX_PROBLEMS = 50
MAX_FORMAT_DIGITS = 3
"""Digits that a width or precision may have: three make at most 999 characters."""

_UNCATCHABLE = {"BaseException", "SystemExit", "KeyboardInterrupt", "GeneratorExit"}
_GUARDED_OPERATORS: dict[type[ast.operator], str] = {
    ast.Mult: "_mul_",
    ast.Pow: "_pow_",
    ast.LShift: "_shl_",
    ast.Mod: "_mod_",
}
_NOT_FOR_GRADERS = {
    "ClassDef": "classes are not offered in graders; use dicts, tuples and functions",
    "Yield": "generator functions are not offered; return a list, or use a comprehension",
    "YieldFrom": "generator functions are not offered; return a list",
    "Global": "`global` is refused: nothing lives on from one call to the next; "
    "pass values as arguments and return them",
    "Match": "`match` is not offered; use `if`/`elif`",
    "TryStar": "`except*` is refused; use `except`",
    "AsyncFunctionDef": "`async` is not offered in graders",
    "Await": "`await` is not offered in graders",
    "TemplateStr": "template strings are not offered; use an f-string",
}


class Policy(RestrictingNodeTransformer):  # type: ignore[misc]
    """Rewrites one script and collects every problem with its place."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[Problem] = []

    # what the base class calls

    def error(self, node: ast.AST, info: str, hint: str | None = None) -> None:
        """Keep a problem, at most MAX_PROBLEMS of them."""
        if len(self.problems) < MAX_PROBLEMS:
            line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
            self.problems.append(Problem(line, column, clean(info), hint))

    def warn(self, node: ast.AST, info: str) -> None:
        """Nothing: what the base class warns of is refused or meant."""

    def not_allowed(self, node: ast.AST) -> None:
        """Refuse a kind of syntax, saying what to write in its place where we know it."""
        kind = type(node).__name__
        self.error(node, _NOT_FOR_GRADERS.get(kind, f"{kind} is not offered in graders"))

    def check_name(
        self, node: ast.AST, name: str | None, allow_magic_methods: bool = False
    ) -> None:
        """Refuse names that could be guards: `__x__`, `_x_`; a plain `_x` is the author's."""
        if name is None or name == "_":
            return
        if name.startswith("_") and (name.startswith("__") or name.endswith("_")):
            self.error(node, f"the name `{name}` is reserved: it begins and ends like a guard")
        elif name in _UNCATCHABLE:
            self.error(node, f"`{name}` is not offered: it would swallow the time limit")
        elif name in ("exec", "eval", "compile", "breakpoint"):
            self.error(node, f"`{name}` is not offered in graders")

    # names, attributes, formatting

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Check the name; `print` is an ordinary function here, its text is dropped."""
        self.check_name(node, node.id)
        if node.id == "print" and not isinstance(node.ctx, ast.Load):
            self.error(node, "`print` cannot be rebound")
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """Reads go through the allow-list; attributes are never set or deleted."""
        if not isinstance(node.ctx, ast.Load):
            self.error(node, f"the attribute `{node.attr}` cannot be set or deleted")
            return node
        return super().visit_Attribute(node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> Any:
        """F-string fields: a width or precision must be written out, and be small."""
        spec = node.format_spec
        parts = spec.values if isinstance(spec, ast.JoinedStr) else []
        if not all(isinstance(part, ast.Constant) for part in parts):
            self.error(node, "a computed width or precision is not offered in f-strings")
            return node
        text = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
        if longest_digits(text) > MAX_FORMAT_DIGITS:
            self.error(node, "the width or precision is over 999")
        given = [self.visit(node.value), ast.Constant(node.conversion)]
        node.value = _call("_field_", [*given, ast.Constant(text)] if text else given, node)
        node.conversion, node.format_spec = -1, None
        return node

    # operators

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """`*`, `**`, `<<` and `%` go through guards that look at the sizes first."""
        guard = _GUARDED_OPERATORS.get(type(node.op))
        if isinstance(node.op, ast.MatMult):
            self.error(node, "the operator `@` is not offered")
        node = self.node_contents_visit(node)
        if guard is None or _plain_numbers(node):
            return node
        return _call(guard, [node.left, node.right], node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """`n += v` and `d[k] += v`; each part of the target is evaluated once."""
        if isinstance(node.op, ast.MatMult):
            self.error(node, "the operator `@=` is not offered")
        target = node.target
        operator = ast.Constant(IOPERATOR_TO_STR[type(node.op)])
        value = self.visit(node.value)
        if isinstance(target, ast.Name):
            self.check_name(target, target.id)
            old = ast.Name(target.id, ast.Load())
            new = _call("_inplacevar_", [operator, old, value], node)
            return ast.copy_location(ast.Assign(targets=[target], value=new), node)
        if isinstance(target, ast.Subscript):
            parts = [operator, self.visit(target.value), self.visit(target.slice), value]
            call = _call("_inplaceitem_", parts, node)
            return ast.copy_location(ast.Expr(value=call), node)
        self.error(node, "attributes cannot be set")
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """`x: int = 1` is `x = 1`; a bare annotation is nothing."""
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return self.visit(
            ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)
        )

    def visit_arg(self, node: ast.arg) -> Any:
        """Drop the annotation of an argument: it is never evaluated."""
        node.annotation = None
        return self.node_contents_visit(node)

    # loops and unpacking: the values are exact built-in types, whose iteration gives their items

    def visit_For(self, node: ast.For) -> Any:
        """A plain loop."""
        return self.node_contents_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        """A plain comprehension."""
        return self.node_contents_visit(node)

    def visit_Assign(self, node: ast.Assign) -> Any:
        """A plain assignment, with unpacking."""
        return self.node_contents_visit(node)

    # imports

    def visit_Import(self, node: ast.Import) -> Any:
        """`import m as n` becomes `n = _module_("m")`, a look-up in the table of facades."""
        out: list[ast.stmt] = []
        for alias in node.names:
            if self._offered(node, alias.name):
                # `import a.b` binds `a`, which has `b` as a member
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                bound = alias.asname or name
                self.check_name(node, bound)
                call = _call("_module_", [ast.Constant(name)], node)
                out.append(_assign(bound, call, node))
        return out or ast.copy_location(ast.Pass(), node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        """`from m import x as y` becomes `y = _member_("m", "x")`."""
        name = node.module or ""
        nothing = ast.copy_location(ast.Pass(), node)
        if name == "__future__":
            return nothing
        if node.level:
            self.error(node, "relative imports are not offered: a grader is one file")
            return nothing
        if not self._offered(node, name):
            return nothing
        out: list[ast.stmt] = []
        for alias in node.names:
            if alias.name not in MODULES[name].members:
                self.error(node, f"`{name}.{alias.name}` is not offered in graders")
                continue
            bound = alias.asname or alias.name
            self.check_name(node, bound)
            call = _call("_member_", [ast.Constant(name), ast.Constant(alias.name)], node)
            out.append(_assign(bound, call, node))
        return out or nothing

    def _offered(self, node: ast.AST, name: str) -> bool:
        if name in MODULES:
            return True
        reason = REFUSED_MODULES.get(name.partition(".")[0])
        message = f"the module `{name}` is not offered"
        offered = sorted({m for m in MODULES if "." not in m} | set(WHEN_NAMED))
        hint = f"offered are {', '.join(offered)}"
        self.error(node, f"{message}: {reason}" if reason else message, hint)
        return False

    # functions and control flow

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        """A function; its annotations are dropped, and `grade` takes no decorator."""
        self.check_name(node, node.name)
        self.check_function_argument_names(node)
        if node.name == "grade" and node.decorator_list:
            self.error(node, "`grade` takes no decorator")
        node.returns = None
        return self.node_contents_visit(node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> Any:
        """`nonlocal` in a nested function."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def refuse(self, node: ast.AST) -> None:
        """Refuse a kind of syntax that RestrictedPython admits."""
        self.not_allowed(node)

    visit_ClassDef = visit_Yield = visit_YieldFrom = visit_Global = visit_TemplateStr = refuse

    def visit_Try(self, node: ast.Try) -> Any:
        """`try`: handlers and `finally` first note an exhausted limit, which nothing outlives."""
        for handler in node.handlers:
            if handler.type is None:
                self.error(handler, "a bare `except:` is refused; write `except Exception:`")
        node = self.node_contents_visit(node)
        for handler in node.handlers:
            handler.body.insert(0, ast.Expr(value=_call("_note_", [], handler)))
        if node.finalbody:
            node.finalbody.insert(0, ast.Expr(value=_call("_note_", [], node)))
        return ast.fix_missing_locations(node)

    def visit_Module(self, node: ast.Module) -> Any:
        """The module, without RestrictedPython's print collector."""
        return self.node_contents_visit(node)


def compile_script(source: str) -> CodeType | list[Problem]:
    """The code of a script's module, or every reason why it is refused."""
    size = len(source.encode("utf-8", "replace"))
    if size > MAX_SOURCE_BYTES:
        return [Problem(1, 1, f"the script has {size} bytes, over {MAX_SOURCE_BYTES}")]
    source = source.removeprefix("\ufeff")
    if "\0" in source:
        return [Problem(source[: source.index("\0")].count("\n") + 1, 1, "a NUL character")]
    try:
        return _compile(source)
    except SyntaxError as error:
        return [Problem(error.lineno or 1, error.offset or 1, clean(f"syntax: {error.msg}"))]
    except (RecursionError, MemoryError):
        return [Problem(1, 1, "the script is nested too deeply")]
    except ValueError as error:
        return [Problem(1, 1, clean(str(error)))]


def longest_digits(text: str) -> int:
    """The length of the longest run of digits, which bounds a width or precision in a format."""
    longest = run = 0
    for char in text:
        run = run + 1 if char.isdigit() else 0
        longest = max(longest, run)
    return longest


def _compile(source: str) -> CodeType | list[Problem]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source, SCRIPT)
        if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
            return [Problem(1, 1, f"the script has over {MAX_NODES} syntax nodes")]
        defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        policy = Policy()
        tree = policy.visit(tree)
        if "grade" not in defined:
            policy.problems.append(_no_grade(defined))
        if policy.problems:
            return sorted(policy.problems, key=lambda p: (p.line, p.column))
        return compile(ast.fix_missing_locations(tree), SCRIPT, "exec", dont_inherit=True)


def _no_grade(defined: list[str]) -> Problem:
    text = "the script must define `def grade(sample, item)`"
    for name in defined:
        if not name.isascii():
            text += f"; `{clean(ascii(name)[1:-1])}` has letters that only look like others"
    return Problem(1, 1, text)


def _plain_numbers(node: ast.BinOp) -> bool:
    """Whether both sides are small number literals, which need no guard."""
    small = all(
        isinstance(side, ast.Constant)
        and isinstance(side.value, int | float)
        and abs(side.value) < 1000
        for side in (node.left, node.right)
    )
    return small and not isinstance(node.op, ast.Pow | ast.LShift)


def _call(function: str, args: list[ast.expr], place: ast.AST) -> ast.Call:
    call = ast.Call(func=ast.Name(function, ast.Load()), args=args, keywords=[])
    return ast.fix_missing_locations(ast.copy_location(call, place))


def _assign(name: str, value: ast.expr, place: ast.AST) -> ast.stmt:
    made = ast.Assign(targets=[ast.Name(name, ast.Store())], value=value)
    return ast.fix_missing_locations(ast.copy_location(made, place))
