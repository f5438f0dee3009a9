"""Text to syntax tree: the grammar's parser, its limits, and literals."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from rftspec.expr import syntax
from rftspec.expr.errors import ParseFailure, Problem
from rftspec.resources import resource

if TYPE_CHECKING:
    from lark import Lark, Token

MAX_BYTES = 8 * 1024
"""The longest text of an expression, in UTF-8."""

MAX_TOKENS = 2000
"""The most words, numbers, strings and signs of an expression."""

TABLES = "score.lalr.json"
"""The parse tables, beside the grammar."""
MAX_DEPTH = 64
"""The deepest nesting of an expression."""

RESERVED_WORDS = frozenset(("let", "in", "if", "then", "else", "and", "or", "not", "true", "false"))
"""The grammar's keywords: no name can be one of them, only a field can."""

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_IN_PATTERNS = frozenset("dDsSwWbBAzQEpPx.()[]{}*+?|^$-/")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


def parse(text: str) -> syntax.Node:
    """The syntax tree of an expression. Raises ParseFailure with the first problem."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        message = f"the expression is {size:,} bytes long; at most {MAX_BYTES:,} are allowed"
        raise ParseFailure(Problem("E304", message, 0, 0, "split it into several graders"))
    if size > MAX_TOKENS and (count := len(tokens(text))) > MAX_TOKENS:
        message = (
            f"the expression has {count:,} words and signs; at most {MAX_TOKENS:,} are allowed"
        )
        raise ParseFailure(Problem("E304", message, 0, 0, "split it into several graders"))
    parser = _parser()
    from lark import UnexpectedInput

    try:
        tree = parser.parse(text)
    except UnexpectedInput as error:
        from rftspec.expr.mistakes import explain

        raise ParseFailure(explain(text, error, tokens(text))) from None
    assert isinstance(tree, syntax.Node)
    _check_depth(text, tree)
    return tree


def tokens(text: str) -> list[Token]:
    """The tokens of a text up to the first character that starts none."""
    parser = _parser()
    from lark import UnexpectedInput

    found: list[Token] = []
    with contextlib.suppress(UnexpectedInput):
        found.extend(parser.lex(text))
    return found


@cache
def _parser() -> Lark:
    """The parser of the language, made at first use and kept."""
    _import_lark()
    return make_parser(_Builder())


def _import_lark() -> None:
    """Import lark without the `regex` package, which this grammar does not need.

    lark imports it wherever it is installed, and that takes as long as the rest of lark.
    """
    is_absent = "regex" not in sys.modules
    if is_absent:
        sys.modules["regex"] = None  # type: ignore[assignment]  # "not installed", to an import
    try:
        import lark  # noqa: F401
    finally:
        if is_absent:
            del sys.modules["regex"]


def make_parser(transformer: Any) -> Lark:
    """A parser whose trees go through a transformer; None for the grammar's own trees.

    The tables are read from the file that `tools/grammar_tables.py` writes, which takes a few
    milliseconds; where it is not of this grammar, they are built, which takes some 50.
    """
    from lark import Lark

    grammar = grammar_text()
    try:
        tables = json.loads(resource("grammars", TABLES).read_bytes())
    except (FileNotFoundError, ValueError):
        tables = {}
    if tables.get("grammar") != fingerprint(grammar):
        return build_parser(grammar, transformer)
    states = tables["data"]["parser"]["parser"]
    # JSON has made texts of the numbers that are keys, and lists of pairs
    states["tokens"] = {int(key): name for key, name in states["tokens"].items()}
    states["states"] = {
        int(state): {int(token): tuple(move) for token, move in moves.items()}
        for state, moves in states["states"].items()
    }
    memo = {int(key): value for key, value in tables["memo"].items()}
    # what lark's own stand-alone parsers are read by
    read: Callable[..., Lark] = Lark._load_from_dict
    return read(tables["data"], memo, transformer=transformer)


def build_parser(grammar: str, transformer: Any) -> Lark:
    """The parser from the text of its grammar."""
    from lark import Lark

    return Lark(
        grammar,
        parser="lalr",
        lexer="basic",
        maybe_placeholders=False,
        keep_all_tokens=True,
        transformer=transformer,
    )


def grammar_text() -> str:
    """`grammars/score.lark`."""
    return resource("grammars", "score.lark").read_text(encoding="utf-8")


def fingerprint(grammar: str) -> str:
    """What the tables depend on: the grammar, and lark's version."""
    from lark import __version__

    return hashlib.sha256(f"{__version__}\n{grammar}".encode()).hexdigest()


def _check_depth(text: str, tree: syntax.Node) -> None:
    deep = syntax.deeper_than(tree, MAX_DEPTH)
    if deep is not None:
        raise ParseFailure(_too_deep(deep.start, deep.end))
    if text.count("(") + text.count("[") > MAX_DEPTH:
        depth = 0
        for token in tokens(text):
            depth += (token.value in ("(", "[")) - (token.value in (")", "]"))
            if depth > MAX_DEPTH:
                start = token.start_pos or 0
                raise ParseFailure(_too_deep(start, start + 1))


def _too_deep(start: int, end: int) -> Problem:
    message = f"the expression is nested more than {MAX_DEPTH} levels deep here"
    return Problem("E305", message, start, end, "name the inner part with `let`, or split it")


def _start(part: Any) -> int:
    return int(part.start if isinstance(part, syntax.Node) else part.start_pos)


def _end(part: Any) -> int:
    return int(part.end if isinstance(part, syntax.Node) else part.end_pos)


class _Builder:
    """One method per rule: its children, tokens among them, become a node.

    Lark calls them while it parses, so that no tree is built twice.
    """

    def number(self, parts: list[Any]) -> syntax.Node:
        """A number literal."""
        start, end = _start(parts[0]), _end(parts[0])
        value = float(parts[0])
        if not math.isfinite(value):
            message = "this number is too large; numbers reach up to 1.7e308"
            raise ParseFailure(Problem("E306", message, start, end))
        if len(parts[0]) > 1 and parts[0][0] == "0" and parts[0][1].isdigit():
            message = f"a number has no leading zeros: {parts[0]}"
            hint = f"write {parts[0].lstrip('0') or '0'}"
            raise ParseFailure(Problem("E306", message, start, end, hint))
        return syntax.Number(start, end, value)

    def text(self, parts: list[Any]) -> syntax.Node:
        """A string literal."""
        start, end = _start(parts[0]), _end(parts[0])
        inside = str(parts[0][1:-1])
        inner = -1 if "\\" in inside else start + 1
        return syntax.Text(start, end, _unescape(inside, start + 1), inner)

    def raw(self, parts: list[Any]) -> syntax.Node:
        """A string literal without escapes."""
        start = _start(parts[0])
        return syntax.Text(start, _end(parts[0]), str(parts[0][2:-1]), start + 2)

    def truth(self, parts: list[Any]) -> syntax.Node:
        """`true` or `false`."""
        return syntax.Truth(_start(parts[0]), _end(parts[0]), parts[0] == "true")

    def name(self, parts: list[Any]) -> syntax.Node:
        """A name."""
        return syntax.Name(_start(parts[0]), _end(parts[0]), str(parts[0]))

    def group(self, parts: list[Any]) -> syntax.Node:
        """What stands in the parentheses, as wide as they are."""
        inner: syntax.Node = parts[1]
        return inner.moved(_start(parts[0]), _end(parts[2]))

    def field(self, parts: list[Any]) -> syntax.Node:
        """`target.name`."""
        target, dot, name = parts
        return syntax.Field(
            _start(target), _end(name), target, str(name), _start(dot), _start(name)
        )

    def index(self, parts: list[Any]) -> syntax.Node:
        """`target[index]`."""
        return syntax.Index(_start(parts[0]), _end(parts[3]), parts[0], parts[2])

    def call(self, parts: list[Any]) -> syntax.Node:
        """`function(arguments)`."""
        arguments = parts[2] if isinstance(parts[2], tuple) else ()
        return syntax.Call(_start(parts[0]), _end(parts[-1]), str(parts[0]), arguments)

    def arguments(self, parts: list[Any]) -> tuple[syntax.Node, ...]:
        """The arguments of a call."""
        return tuple(part for part in parts if isinstance(part, syntax.Node))

    def argument(self, parts: list[Any]) -> syntax.Node:
        """One argument, named or not."""
        name = str(parts[0]) if len(parts) == 3 else None
        return syntax.Argument(_start(parts[0]), _end(parts[-1]), name, parts[-1])

    def list_literal(self, parts: list[Any]) -> syntax.Node:
        """`[items]`."""
        items = parts[1] if isinstance(parts[1], tuple) else ()
        return syntax.ListLiteral(_start(parts[0]), _end(parts[-1]), items)

    items = arguments

    def minus(self, parts: list[Any]) -> syntax.Node:
        """`-operand`."""
        return syntax.Unary(_start(parts[0]), _end(parts[1]), "-", parts[1])

    def negate(self, parts: list[Any]) -> syntax.Node:
        """`not operand`."""
        return syntax.Unary(_start(parts[0]), _end(parts[1]), "not", parts[1])

    def chain(self, parts: list[Any]) -> syntax.Node:
        """Operands and the operators between them."""
        links = tuple(
            syntax.Link(_start(sign), _end(sign), str(sign), operand)
            for sign, operand in zip(parts[1::2], parts[2::2], strict=True)
        )
        return syntax.Chain(_start(parts[0]), _end(parts[-1]), parts[0], links)

    default = disjunction = conjunction = sum = product = chain

    def binary(self, parts: list[Any]) -> syntax.Node:
        """A comparison or a power."""
        left, sign, right = parts
        return syntax.Binary(
            _start(left), _end(right), str(sign), left, right, _start(sign), _end(sign)
        )

    comparison = power = binary

    def let(self, parts: list[Any]) -> syntax.Node:
        """`let name = value in body`."""
        word, name, _, value, _, body = parts
        return syntax.Let(_start(word), _end(body), str(name), _start(name), value, body)

    def if_else(self, parts: list[Any]) -> syntax.Node:
        """`if condition then yes else no`."""
        return syntax.If(_start(parts[0]), _end(parts[5]), parts[1], parts[3], parts[5])


def _unescape(raw: str, offset: int) -> str:
    """The text that a literal's inside stands for; `offset` is where it begins."""
    if "\\" not in raw:
        return raw

    def resolve(match: re.Match[str]) -> str:
        word = match.group(1)
        if len(word) == 5:
            code = int(word[1:], 16)
            if not 0xD800 <= code <= 0xDFFF:
                return chr(code)
        elif word in _ESCAPES:
            return _ESCAPES[word]
        start = offset + match.start()
        message = f"there is no escape {match.group()} in a string"
        hint = "the escapes are \\\" \\' \\\\ \\n \\t \\r and \\u with four hexadecimal digits"
        if word in _IN_PATTERNS:
            hint = f'in r"…" a backslash is only a backslash: r"{match.group()}"'
        raise ParseFailure(Problem("E303", message, start, offset + match.end(), hint))

    return _ESCAPE.sub(resolve, raw)
