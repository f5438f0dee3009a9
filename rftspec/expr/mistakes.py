"""Syntax errors in human words: what stands there, what was meant, where the caret goes."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from rftspec.expr.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lark import Token, UnexpectedEOF, UnexpectedInput, UnexpectedToken

_MEANT = {
    "?": "write `if condition then a else b`; a default is `a ?? b`",
    ";": "one expression only; name parts with `let x = … in …`",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`",
    "=": "to compare, write `==`; to name a value, `let x = … in …`",
    "_": "names begin with a letter",
    "`": "strings stand in \"double\" or 'single' quotes",
    "@": "a name with `@` cannot be written here; names are letters, digits and `_`",
    "−": "write `-` (U+002D)",
    "–": "write `-` (U+002D)",
    "—": "write `-` (U+002D)",
    "×": "write `*`",
    "·": "write `*`",
    "÷": "write `/`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "“": 'write straight quotes: "',
    "”": 'write straight quotes: "',
    "‘": "write straight quotes: '",
    "’": "write straight quotes: '",
    "\u00a0": "this is a no-break space; write a plain one",
    "{": "there are no objects here; lists are `[a, b]`",
    "}": "there are no objects here; lists are `[a, b]`",
}
_OPENERS = {"(": ")", "[": "]"}
_KEYWORDS = {"LET", "IN", "IF", "THEN", "ELSE", "NOT", "OR", "AND", "TRUE", "FALSE"}
_STARTS_VALUE = {"NUMBER", "STRING", "NAME", "TRUE", "FALSE", "LPAR", "LET", "IF"}


def explain(text: str, error: UnexpectedInput, tokens: Sequence[Token]) -> Problem:
    """The problem that made the parser stop; `tokens` are all that could be read."""
    import lark

    if isinstance(error, lark.UnexpectedCharacters):
        return _bad_character(text, error.pos_in_stream or 0)
    if isinstance(error, lark.UnexpectedToken) and error.token.type != "$END":
        return _bad_token(text, error, tokens)
    assert isinstance(error, lark.UnexpectedToken | lark.UnexpectedEOF)
    lexed_to = tokens[-1].end_pos if tokens else 0
    rest = _first_bad(text, lexed_to or 0)
    if rest is not None:
        return _bad_character(text, rest)
    return _bad_end(tokens, error)


def _first_bad(text: str, offset: int) -> int | None:
    """Where the first character after `offset` stands that no token begins with, if any."""
    while offset < len(text):
        if text[offset] == "#":
            newline = text.find("\n", offset)
            offset = len(text) if newline < 0 else newline
        elif text[offset] in " \t\r\n":
            offset += 1
        else:
            return offset
    return None


def _bad_character(text: str, at: int) -> Problem:
    character = text[at]
    if character in "\"'":
        message = f"this string has no closing quote ({character})"
        return Problem("E303", message, at, _line_end(text, at), "a string ends on its own line")
    if character.isalpha() and not character.isascii():
        name = unicodedata.name(character, "a letter")
        message = f"{character!r} is U+{ord(character):04X} ({name}); names are plain ASCII letters"
        return Problem("E302", message, at, at + 1, "type the name again on a plain keyboard")
    shown = repr(character) if character.isprintable() else f"U+{ord(character):04X}"
    message = f"the character {shown} means nothing here"
    if not character.isascii() and character.isprintable():
        message += f" (U+{ord(character):04X})"
    return Problem("E302", message, at, at + 1, _MEANT.get(character))


def _line_end(text: str, at: int) -> int:
    newline = text.find("\n", at)
    return len(text) if newline < 0 else newline


def _bad_token(text: str, error: UnexpectedToken, tokens: Sequence[Token]) -> Problem:
    token = error.token
    start, end = token.start_pos or 0, token.end_pos or 0
    before = [t for t in tokens if (t.end_pos or 0) <= start]
    message, hint = _words_for(text, error, before)
    open_ = _open_brackets(before)
    other = open_[-1].start_pos if open_ else None
    return Problem("E301", message, start, end, hint, other=other)


def _words_for(
    text: str, error: UnexpectedToken, before: Sequence[Token]
) -> tuple[str, str | None]:
    token, accepts = error.token, error.accepts or error.expected
    last = before[-1] if before else None
    if token.value in (")", "]"):
        return _unbalanced(token, before)
    if token.value == "*" and last is not None and last.value == "*":
        return "`**` is not an operator here", "a power is written `^`"
    if token.type == "DOT":
        return _stray_point(text, token, last)
    if token.type == "COMPARE" and any(t.type == "COMPARE" for t in before):
        return "comparisons do not chain", "write `a < b and b < c`"
    if token.value == "=":
        return "`=` cannot stand here", _MEANT["="]
    if token.type in _STARTS_VALUE and "PLUS" in accepts and last is not None:
        return _two_values(token, last)
    if token.type in ("LET", "IF", "NOT") and "NUMBER" in accepts:
        return f"`{token}` needs parentheses here", f"write `({token} …)`"
    if token.type in _KEYWORDS and "NAME" in accepts and "NUMBER" not in accepts:
        return f"`{token}` is a word of the language and cannot be a name", None
    return f"unexpected {_shown(token)}", _expected_words(accepts)


def _unbalanced(token: Token, before: Sequence[Token]) -> tuple[str, str | None]:
    open_ = _open_brackets(before)
    if not open_:
        return f"this `{token}` closes nothing", "take it away, or add its opening bracket"
    closer = _OPENERS[open_[-1].value]
    if closer != token.value:
        message = f"`{token}` cannot close the `{open_[-1]}` opened at {{place}}"
        return message, f"write `{closer}`"
    return f"a value is missing before this `{token}`", None


def _open_brackets(tokens: Sequence[Token]) -> list[Token]:
    open_: list[Token] = []
    for token in tokens:
        if token.value in _OPENERS and token.type != "STRING":
            open_.append(token)
        elif token.value in (")", "]") and token.type != "STRING" and open_:
            open_.pop()
    return open_


def _stray_point(text: str, token: Token, last: Token | None) -> tuple[str, str | None]:
    after = text[token.end_pos or 0 :]
    digits = after[: len(after) - len(after.lstrip("0123456789"))]
    if last is not None and last.type == "NUMBER" and last.end_pos == token.start_pos:
        return "a number does not end with a point", f"write {last}.0"
    if digits:
        return "a number does not begin with a point", f"write 0.{digits}"
    return "unexpected `.`", "a field stands after a name: `item.answer`"


def _two_values(token: Token, last: Token) -> tuple[str, str | None]:
    if last.type == "NUMBER" and last.end_pos == token.start_pos:
        return (
            f"{_shown(token)} follows the number {last} directly",
            "numbers are decimal: 16, 1e-3",
        )
    message = f"an operator is missing between {_shown(last)} and {_shown(token)}"
    return message, "such as `+`, `*`, `and`, `??`"


def _shown(token: Token) -> str:
    text = str(token.value)
    return f"`{text if len(text) <= 24 else text[:23] + '…'}`"


def _bad_end(tokens: Sequence[Token], error: UnexpectedToken | UnexpectedEOF) -> Problem:
    if not tokens:
        return Problem("E301", "the expression is empty", 0, 0, "a constant will do: `0`")
    end = tokens[-1].end_pos or 0
    expected: set[str] = set(getattr(error, "accepts", None) or error.expected or ())
    open_ = _open_brackets(tokens)
    if tokens[-1].type == "DOT" and len(tokens) > 1 and tokens[-2].type == "NUMBER":
        message, hint = "a number does not end with a point", f"write {tokens[-2]}.0"
        return Problem("E301", message, end - 1, end, hint)
    for word in ("IN", "THEN", "ELSE"):
        if word in expected and "NAME" not in expected:
            shape = "let name = value in body" if word == "IN" else "if a then b else c"
            message = f"the expression ends where `{word.lower()}` is missing"
            return Problem("E301", message, end, end, f"the form is `{shape}`")
    if open_ and _OPENERS[open_[-1].value] in _closers(expected):
        opener = open_[-1]
        message = f"the `{opener}` opened at {{place}} is never closed"
        hint = f"add `{_OPENERS[opener.value]}`"
        return Problem("E301", message, end, end, hint, other=opener.start_pos)
    message = f"the expression ends after {_shown(tokens[-1])}, where a value is missing"
    return Problem("E301", message, end, end, _expected_words(expected))


def _closers(expected: set[str]) -> set[str]:
    return {sign for name, sign in (("RPAR", ")"), ("RSQB", "]")) if name in expected}


def _expected_words(expected: set[str]) -> str | None:
    if "NUMBER" in expected:
        return "a value belongs here: a number, a string, a name, a call, a list or `(…)`"
    if "NAME" in expected:
        return "a name belongs here"
    words = {"IN": "`in`", "THEN": "`then`", "ELSE": "`else`", "RPAR": "`)`", "RSQB": "`]`"}
    found = [word for name, word in words.items() if name in expected]
    return f"{' or '.join(found)} or an operator belongs here" if found else None
