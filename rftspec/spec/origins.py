"""Where each character of a YAML scalar stands in the file, for carets inside expressions.

YAML gives the place of a scalar, not of its characters. The scalar's source is read again by its
style, and the result is compared with PyYAML's value: where the two differ (which no test has
found), all characters are put at the scalar's start, never at a wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rftspec.diagnostics import Span
from rftspec.expr.origin import Origin, PlacedOrigin
from rftspec.spec.document import Node

Place = tuple[int, int]
MAX_PLACED = 100_000
"""Characters of a scalar: a longer one is pointed at as a whole, which takes no time."""
Mapped = list[tuple[str, Place]]
_BREAK = re.compile(r"\r\n|\n|\r")
_SIMPLE = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0",
    "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_CODED = {"x": 2, "u": 4, "U": 8}


def origin_of(node: Node) -> Origin:
    """The origin of a scalar's text, for the compiler of expressions."""
    return PlacedOrigin(node.source.file, node.source.lines, places_of(node))


class LazyOrigin:
    """The origin of a scalar that is worked out only when there is something to say about it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._origin: Origin | None = None

    def _made(self) -> Origin:
        if self._origin is None:
            self._origin = origin_of(self._node)
        return self._origin

    def locate(self, start: int, end: int) -> Span:
        """The span of a stretch of the text in the file."""
        return self._made().locate(start, end)

    def snippet(self, line: int) -> str | None:
        """The file's line of that number."""
        return self._made().snippet(line)


def places_of(node: Node) -> list[Place]:
    """The place of each character of a scalar's value."""
    value = node.value if isinstance(node.value, str) else ""
    if len(value) > MAX_PLACED:
        return [node.start] * len(value)
    readers = {"|": _literal, ">": _folded, '"': _double, "'": _single}
    mapped = readers.get(node.style, _plain)(node)
    if "".join(character for character, _ in mapped) == value:
        return [place for _, place in mapped]
    return [node.start] * max(1, len(value))


def _characters(node: Node) -> Mapped:
    """The scalar's source, each character with its place; every break becomes one newline."""
    text = node.source.text[slice(*node.offsets)]
    line, column = node.start
    out: Mapped = []
    index = 0
    while index < len(text):
        broken = _BREAK.match(text, index)
        if broken:
            out.append(("\n", (line, column)))
            line, column, index = line + 1, 1, broken.end()
        else:
            out.append((text[index], (line, column)))
            column, index = column + 1, index + 1
    return out


def _plain(node: Node) -> Mapped:
    return _fold_flow(_characters(node))


def _single(node: Node) -> Mapped:
    inner = _characters(node)[1:-1]
    out: Mapped = []
    skip = False
    for character, place in inner:
        if character == "'" and not skip:
            skip = True
            continue
        skip = False
        out.append((character, place))
    return _fold_flow(out)


def _double(node: Node) -> Mapped:
    """Escapes are replaced after folding, so that an escaped newline is not folded away."""
    out: Mapped = []
    folded = _fold_flow(_characters(node)[1:-1], escapes=True)
    index = 0
    while index < len(folded):
        character, place = folded[index]
        if character != "\\" or index + 1 == len(folded):
            out.append((character, place))
            index += 1
            continue
        code = folded[index + 1][0]
        digits = _CODED.get(code, 0)
        if digits:
            number = "".join(c for c, _ in folded[index + 2 : index + 2 + digits])
            out.append((chr(int(number, 16)), place))
        elif code in _SIMPLE:
            out.append((_SIMPLE[code], place))
        index += 2 + digits
    return out


def _fold_flow(source: Mapped, *, escapes: bool = False) -> Mapped:
    """Line folding of plain and quoted scalars: one break is a space, more are newlines."""
    out: Mapped = []
    index = 0
    while index < len(source):
        if source[index][0] != "\n":
            out.append(source[index])
            index += 1
            continue
        joined = escapes and _ends_in_escape(out)
        if joined:
            out.pop()
        else:
            while out and out[-1][0] in " \t":
                out.pop()
        place = source[index][1]
        breaks = 0
        while index < len(source) and source[index][0] in " \t\n":
            breaks += source[index][0] == "\n"
            index += 1
        text = "\n" * (breaks - 1) if breaks > 1 or joined else " "
        out.extend((character, place) for character in text)
    return out


def _ends_in_escape(out: Mapped) -> bool:
    """True when the line ends in a backslash that is not itself escaped."""
    count = 0
    while count < len(out) and out[-1 - count][0] == "\\":
        count += 1
    return count % 2 == 1


def _literal(node: Node) -> Mapped:
    out: Mapped = []
    for line in _block_lines(node):
        out.extend(line)
    return _chomp(node, out)


def _folded(node: Node) -> Mapped:
    """`>`: single breaks between lines of the same indentation become spaces."""
    lines = list(_block_lines(node))
    out: Mapped = []
    pending: Mapped = []
    for index, line in enumerate(lines):
        content = line[:-1]
        if not content:
            pending.append(line[-1])
            continue
        previous = _previous_content(lines, index)
        if previous is None:
            out.extend(pending)
        else:
            deeper = content[0][0] in " \t" or previous[0][0] in " \t"
            place = previous[-1][1]
            out.extend(_break_between(pending, deeper, place))
        pending = []
        out.extend(content)
    if lines:
        last = _previous_content(lines, len(lines))
        if last is not None:
            out.append(("\n", last[-1][1]))
        out.extend(pending)
    return _chomp(node, out)


def _break_between(pending: Mapped, deeper: bool, place: Place) -> Mapped:
    if deeper:
        return [("\n", place), *pending]
    return list(pending) if pending else [(" ", place)]


def _previous_content(lines: list[Mapped], index: int) -> Mapped | None:
    for line in reversed(lines[:index]):
        if len(line) > 1:
            return line[:-1]
    return None


def _block_lines(node: Node) -> Iterator[Mapped]:
    """The lines of a block scalar without their indentation, each ending in its newline."""
    _, *body = _split(_characters(node))
    shown = next((line for line in body if any(c not in " \n" for c, _ in line)), None)
    if shown is None:
        indent = max((_indent(line) for line in body), default=0)
    else:
        # The value's first line keeps what stands beyond the block's indentation.
        first = next(line for line in node.value.split("\n") if line.strip(" "))
        indent = _indent(shown) - (len(first) - len(first.lstrip(" ")))
    for line in body:
        cut = line[min(indent, _indent(line)) :]
        if line and cut:
            yield cut if cut[-1][0] == "\n" else [*cut, ("\n", cut[-1][1])]


def _split(source: Mapped) -> list[Mapped]:
    lines: list[Mapped] = [[]]
    for entry in source:
        lines[-1].append(entry)
        if entry[0] == "\n":
            lines.append([])
    if not lines[-1]:
        lines.pop()
    return lines


def _indent(line: Mapped) -> int:
    count = 0
    for character, _ in line:
        if character != " ":
            break
        count += 1
    return count


def _chomp(node: Node, out: Mapped) -> Mapped:
    """Cut or keep the final newlines as the value has them."""
    wanted = len(node.value) - len(node.value.rstrip("\n"))
    have = len(out) - len("".join(c for c, _ in out).rstrip("\n"))
    if wanted < have:
        return out[: len(out) - (have - wanted)]
    last = out[-1][1] if out else node.start
    return out + [("\n", last)] * (wanted - have)
