"""JSON text → nodes with their places: strict, bounded, each key once."""

from __future__ import annotations

import bisect
import json
import math
import re
from json.decoder import scanstring  # type: ignore[attr-defined]

from rftspec.diagnostics import Diagnostic, Span
from rftspec.spec.document import Node, Source

MAX_DEPTH = 32
MAX_NODES = 20_000
INT_LIMIT = 2**63
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_]+")
_WORDS = {"true": True, "false": False, "null": None}
_PYTHON = {"True": "true", "False": "false", "None": "null"}
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Broken(Exception):
    """Where the text stops being JSON, why, and what helps."""

    def __init__(self, message: str, at: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.at, self.hint = message, at, hint


def read_json(source: Source) -> Node | Diagnostic:
    """The root node of a JSON text, or what keeps it from being JSON."""
    reader = _Reader(source)
    try:
        return reader.read()
    except _Broken as broken:
        line, column = reader.place(min(broken.at, len(source.text)))
        span = Span(source.file, line, column, line, column + 1)
        return Diagnostic("E701", broken.message, span, broken.hint, snippet=source.line(line))


class _Reader:
    """Reads one text; recursion is bounded by MAX_DEPTH."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.at = 0
        self.nodes = 0
        self.starts = [0] + [m.end() for m in re.finditer(r"\r\n|\n|\r", source.text)]

    def read(self) -> Node:
        """The whole text as one value. Raises _Broken."""
        root = self._value(0)
        self._skip()
        if self.at < len(self.text):
            hint = "keep one job, grader or eval in a file; rows of data belong to `data.train`"
            raise _Broken("something stands behind the end of the JSON value", self.at, hint)
        return root

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, from 1."""
        line = bisect.bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.text.startswith(("//", "/*", "#"), self.at):
            raise _Broken("JSON has no comments", self.at, "take the comment out")

    def _value(self, depth: int) -> Node:
        self._skip()
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _Broken(f"more than {MAX_NODES:,} values", self.at, "import one job at a time")
        if depth > MAX_DEPTH:
            raise _Broken(f"nested more than {MAX_DEPTH} deep", self.at)
        start = self.at
        sign = self.text[start : start + 1]
        if sign == "{":
            return self._mapping(depth)
        if sign == "[":
            return self._sequence(depth)
        value = self._scalar(sign)
        return self._node("scalar", value, start, '"' if sign == '"' else "")

    def _node(self, kind: str, value: object, start: int, style: str = "") -> Node:
        place = self.place
        offsets = (start, self.at)
        return Node(kind, value, self.source, place(start), place(self.at), style, offsets)  # type: ignore[arg-type]

    def _mapping(self, depth: int) -> Node:
        start = self.at
        self.at += 1
        values: dict[str, Node] = {}
        keys: dict[str, Node] = {}
        while not self._closes("}", bool(values)):
            key_at = self.at
            if self.text[key_at : key_at + 1] != '"':
                raise _Broken("a key in double quotes is missing here", key_at, self._meant())
            key = self._string()
            if key in keys:
                message = f"`{key}` stands here again; it is given in line {keys[key].start[0]}"
                raise _Broken(message, key_at, "keep one of the two")
            keys[key] = self._node("scalar", key, key_at, '"')
            self._skip()
            if self.text[self.at : self.at + 1] != ":":
                raise _Broken("a `:` is missing behind the key", self.at)
            self.at += 1
            values[key] = self._value(depth + 1)
        node = self._node("mapping", values, start)
        node.keys = keys
        return node

    def _sequence(self, depth: int) -> Node:
        start = self.at
        self.at += 1
        values: list[Node] = []
        while not self._closes("]", bool(values)):
            values.append(self._value(depth + 1))
        return self._node("sequence", values, start)

    def _closes(self, bracket: str, begun: bool) -> bool:
        """Move past a comma or the closing bracket; True at the bracket."""
        self._skip()
        if self.text[self.at : self.at + 1] == bracket:
            self.at += 1
            return True
        if not begun:
            return False
        if self.text[self.at : self.at + 1] != ",":
            message = f"a `,` or `{bracket}` is missing here"
            raise _Broken(message, self.at, self._meant())
        self.at += 1
        self._skip()
        if self.text[self.at : self.at + 1] == bracket:
            raise _Broken("a comma too many before the closing bracket", self.at, "take it out")
        return False

    def _scalar(self, sign: str) -> object:
        if sign == '"':
            return self._string()
        number = _NUMBER.match(self.text, self.at)
        if number is not None:
            return self._number(number)
        word = _WORD.match(self.text, self.at)
        if word is None or word.group() not in _WORDS:
            raise _Broken("a JSON value is missing here", self.at, self._meant())
        self.at = word.end()
        return _WORDS[word.group()]

    def _number(self, found: re.Match[str]) -> int | float:
        written = found.group()
        whole = found.group(1) is None and found.group(2) is None
        if len(written) > 400 or (whole and len(written) > 20):
            raise _Broken("this number is too long", self.at)
        value = int(written) if whole else float(written)
        if not math.isfinite(value) or abs(value) >= INT_LIMIT:
            raise _Broken("this number does not fit in 64 bits", self.at)
        self.at = found.end()
        return value

    def _string(self) -> str:
        start = self.at
        try:
            text, self.at = scanstring(self.text, start + 1, True)
        except json.JSONDecodeError as error:
            hint = 'a line break in a JSON text is written \\n, a double quote \\"'
            raise _Broken(
                f"a text that is not closed or not escaped: {error.msg}", start, hint
            ) from None
        if _SURROGATE.search(text):
            raise _Broken("half of a surrogate pair: no such character", start, "delete it")
        return str(text)

    def _meant(self) -> str | None:
        """The mistake that is made most often at such a place."""
        word = _WORD.match(self.text, self.at)
        if self.text[self.at : self.at + 1] == "'":
            return "JSON has double quotes only: this looks like Python; json.dumps(…) writes JSON"
        if word is not None and word.group() in _PYTHON:
            return f"in JSON it is `{_PYTHON[word.group()]}`; json.dumps(…) writes JSON"
        if word is not None and word.group() in ("NaN", "Infinity"):
            return "JSON has no NaN and no Infinity"
        return None
