"""The formatter: one way to write an expression, with its comments kept and its meaning the same.

It works on the grammar's own tree, tokens and parentheses included, so that nothing is lost. What
fits on a line stands on one; a `let` whose body began on a new line keeps it so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from rftspec.expr.layout import HARD, LINE, SOFT, Group, Indent, Piece, Word, lay_out
from rftspec.expr.parse import MAX_BYTES, make_parser, parse

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

WIDTH = 100
"""The longest line of a formatted expression, where one can be broken."""

_COMMENT = re.compile(r"#[^\n]*")
_CHAINS = ("default", "disjunction", "conjunction", "sum", "product", "comparison", "power")
_BRACKETED = ("call", "list_literal", "group", "name", "text", "raw", "number", "truth", "field")


def format_expression(text: str) -> str:
    """The expression as it is best written: same meaning, same comments; twice changes nothing.

    Raises ParseFailure where the text is no expression.
    """
    parse(text)
    tree: Any = _concrete_parser().parse(text)
    words, end = _words(text, tree)
    pieces = _Writer(words, text).write(tree)
    formatted = lay_out([*pieces, *end], WIDTH)
    # indentation must not make an expression too long to be read
    return formatted if len(formatted.encode("utf-8", "surrogatepass")) <= MAX_BYTES else text


@cache
def _concrete_parser() -> Lark:
    return make_parser(None)


def _words(text: str, tree: Any) -> tuple[dict[int, Word], list[Piece]]:
    """A word for every token, by its offset, with the comments around it; and those at the end."""
    tokens = [tree] if not hasattr(tree, "scan_values") else list(tree.scan_values(lambda _: True))
    tokens.sort(key=lambda token: token.start_pos)
    words: dict[int, Word] = {}
    last, at = None, 0
    for token in tokens:
        word = Word(str(token).lower() if token.type == "NUMBER" else str(token))
        word.before = _comments(text, at, token.start_pos, last)
        words[token.start_pos] = last = word
        at = token.end_pos
    dangling = _comments(text, at, len(text), last)
    end: list[Piece] = []
    for comment in dangling:
        end += [HARD, Word(comment)]
    return words, end


def _comments(text: str, start: int, end: int, last: Word | None) -> list[str]:
    """The comments between two tokens; the first one may stand behind the token before."""
    found = []
    for match in _COMMENT.finditer(text, start, end):
        behind = last is not None and "\n" not in text[start : match.start()]
        if behind and last is not None:
            last.after = match.group().rstrip()
        else:
            found.append(match.group().rstrip())
    return found


class _Writer:
    """Turns the grammar's tree into pieces; one method for each form that has a layout."""

    def __init__(self, words: Mapping[int, Word], text: str) -> None:
        self.words = words
        self.source = text

    def write(self, tree: Any, inside: str = "") -> list[Piece]:
        """The pieces of a tree; `inside` is the rule of the operator around it."""
        if not hasattr(tree, "data"):
            return [self.words[tree.start_pos]]
        if tree.data in _CHAINS:
            return self.chain(tree, inside)
        form = _FORMS.get(tree.data)
        if form is not None:
            return form(self, tree)
        return [piece for part in tree.children for piece in self.write(part)]

    def chain(self, tree: Tree[Token], inside: str) -> list[Piece]:
        """Operands and the operators between them, which begin lines."""
        last, *rest = tree.children
        head = self.write(last, tree.data)
        tail: list[Piece] = []
        for sign, operand in zip(rest[::2], rest[1::2], strict=True):
            sign_word = self.words[_start(sign)]
            if sign_word.after is not None:
                before = self.last_word(last)
                # a comment behind an operator goes to the end of the line before it
                if before.after is None and not sign_word.before:
                    before.after = sign_word.after
                else:
                    sign_word.before = [*sign_word.before, sign_word.after]
                sign_word.after = None
            tail += [LINE, sign_word, Word(" "), *self.write(operand, tree.data)]
            last = operand
        return [Group([*head, Indent(tail)] if inside else [*head, *tail])]

    def last_word(self, tree: Any) -> Word:
        """The word of a tree's last token."""
        while hasattr(tree, "children"):
            tree = tree.children[-1]
        return self.words[tree.start_pos]

    def first_word(self, tree: Any) -> Word:
        """The word of a tree's first token."""
        while hasattr(tree, "children"):
            tree = tree.children[0]
        return self.words[tree.start_pos]

    def let(self, tree: Tree[Token]) -> list[Piece]:
        """`let name = value in`, and the body below it."""
        let, name, equals, value, in_, body = tree.children
        begins = _start(body)
        broken = "\n" in self.source[_start(in_) : begins]
        inner = self.write(value)
        if not hasattr(value, "data") or value.data in _BRACKETED:
            bound: list[Piece] = [Word(" "), *inner]
        else:
            bound = [Indent([LINE, *inner])]
        head = Group([
            self.words[_start(let)], Word(" "), self.words[_start(name)], Word(" "),
            self.words[_start(equals)], *bound, Word(" "), self.words[_start(in_)],
        ])  # fmt: skip
        return [Group([head, HARD if broken else LINE, *self.write(body)])]

    def if_else(self, tree: Tree[Token]) -> list[Piece]:
        """`if … then`, `else if … then`, `else`, with the branches indented below them."""
        pieces: list[Piece] = []
        whole: Any = tree
        while True:
            if_, condition, then, yes, else_, no = whole.children
            pieces += [
                self.words[_start(if_)], Word(" "), *self.write(condition, "if_else"), Word(" "),
                self.words[_start(then)], Indent([LINE, *self.write(yes)]), LINE,
                self.words[_start(else_)],
            ]  # fmt: skip
            if getattr(no, "data", None) != "if_else":
                return [Group([*pieces, Indent([LINE, *self.write(no)])])]
            pieces.append(Word(" "))
            whole = no

    def minus(self, tree: Tree[Token]) -> list[Piece]:
        """`-operand`."""
        sign, operand = tree.children
        return [self.words[_start(sign)], *self.write(operand, "minus")]

    def negate(self, tree: Tree[Token]) -> list[Piece]:
        """`not operand`."""
        sign, operand = tree.children
        return [self.words[_start(sign)], Word(" "), *self.write(operand, "negate")]

    def group(self, tree: Tree[Token]) -> list[Piece]:
        """An expression in parentheses."""
        opener, inner, closer = tree.children
        return self.enclosed([self.words[_start(opener)]], self.write(inner), closer)

    def index(self, tree: Tree[Token]) -> list[Piece]:
        """`target[place]`."""
        target, opener, place, closer = tree.children
        before = [*self.write(target), self.words[_start(opener)]]
        return self.enclosed(before, self.write(place), closer)

    def call(self, tree: Tree[Token]) -> list[Piece]:
        """A call, or a list: elements one to a line where they do not fit on one."""
        *before, closer = tree.children
        inner: Any = before[-1]
        if getattr(inner, "data", None) not in ("arguments", "items"):
            head: list[Piece] = [self.words[_start(part)] for part in before]
            return [*head, self.words[_start(closer)]]
        head = [self.words[_start(part)] for part in before[:-1]]
        return self.enclosed(head, self.elements(inner.children), closer)

    def enclosed(self, before: Sequence[Piece], inner: Sequence[Piece], closer: Any) -> list[Piece]:
        """Pieces in brackets, with a line end after the opening and before the closing one."""
        return [Group([*before, Indent([SOFT, *inner]), SOFT, self.words[_start(closer)]])]

    def elements(self, parts: Sequence[Any]) -> list[Piece]:
        """Elements and the commas between them; one at the end is left out, its comments kept."""
        pieces: list[Piece] = []
        for place in range(0, len(parts), 2):
            element = parts[place]
            comma = self.words[_start(parts[place + 1])] if place + 1 < len(parts) else None
            last = self.last_word(element)
            is_end = place + 2 >= len(parts)
            if comma is not None:
                self._gather(element, last, comma, is_end)
            pieces += self.write(element)
            if comma is not None and not is_end:
                pieces += [comma, LINE]
        return pieces

    def _gather(self, element: Any, last: Word, comma: Word, is_end: bool) -> None:
        """Bring the comments around a comma to where they can stand."""
        first = self.first_word(element)
        loose, comma.before = comma.before, []
        if is_end:
            if comma.after is not None and last.after is None:
                last.after, comma.after = comma.after, None
            elif comma.after is not None:
                loose.append(comma.after)
        elif last.after is not None:
            if comma.after is not None:
                loose.insert(0, last.after)
            else:
                comma.after = last.after
            last.after = None
        first.before = [*first.before, *loose]


def _start(part: Any) -> int:
    while hasattr(part, "children"):
        part = part.children[0]
    return int(part.start_pos)


_FORMS: Mapping[str, Callable[[_Writer, Any], list[Piece]]] = {
    "let": _Writer.let,
    "if_else": _Writer.if_else,
    "minus": _Writer.minus,
    "negate": _Writer.negate,
    "group": _Writer.group,
    "index": _Writer.index,
    "call": _Writer.call,
    "list_literal": _Writer.call,
}
