"""The formatter of specs: every expression in its place, and not one other byte.

Each new text is tried in the file as a whole: it stays only if the file then reads as before, but
for that one expression. So YAML can never be broken, or an expression be misread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rftspec.diagnostics import DiagnosticError
from rftspec.expr.errors import ParseFailure, as_error
from rftspec.expr.format import format_expression
from rftspec.spec.document import Document, Node
from rftspec.spec.origins import origin_of
from rftspec.spec.yaml_reader import parse_text

Path_ = tuple[str, ...]
_GRADER_FIELDS = ("expression", "calculate_output")
_HEADER = re.compile(r"[|>](?P<a>[1-9+-]?)(?P<b>[1-9+-]?)(?P<rest>[^\r\n]*)")
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(slots=True)
class Formatted:
    """A spec's text with its expressions formatted."""

    text: str
    changed: list[Path_] = field(default_factory=list)
    """The expressions that were written anew, in file order."""


def format_document(document: Document) -> Formatted:
    """Format every expression of a document.

    Raises DiagnosticError where the file is no YAML or an expression is none.
    """
    document.collector.raise_errors()
    wanted = _wanted(document)
    result = Formatted(document.source.text)
    for path, text in reversed(wanted):
        rewritten = _rewrite(document, result.text, path, text)
        if rewritten is not None:
            result.text = rewritten
            result.changed.insert(0, path)
    return result


def _wanted(document: Document) -> list[tuple[Path_, str]]:
    """Every expression with its formatted text, in file order; all that are wrong are told."""
    found: list[tuple[tuple[int, int], Path_, str]] = []
    problems: list[DiagnosticError] = []
    for path, node in expressions_of(document):
        try:
            found.append((node.start, path, format_expression(node.value)))
        except ParseFailure as failure:
            problems.append(as_error([failure.problem], origin_of(node), ".".join(path)))
    if problems:
        raise DiagnosticError([d for problem in problems for d in problem.diagnostics])
    return [(path, text) for _, path, text in sorted(found)]


def expressions_of(document: Document) -> Iterator[tuple[Path_, Node]]:
    """The scalars of a spec that hold expressions, by their paths."""
    for path, node in _places(document):
        if node is not None and node.kind == "scalar" and isinstance(node.value, str):
            yield path, node


def _places(document: Document) -> Iterator[tuple[Path_, Node | None]]:
    yield ("reward",), document.at(("reward",))
    yield from _below(document, ("evaluate", "metrics"))
    yield from _below(document, ("require",))
    for path, _ in list(_below(document, ("evaluate", "references"))):
        yield (*path, "vote", "on"), document.at((*path, "vote", "on"))
    for path, node in _below(document, ("graders",)):
        yield from _in_grader(path, node)


def _below(document: Document, path: Path_) -> Iterator[tuple[Path_, Node]]:
    node = document.at(path)
    if node is None or node.kind not in ("mapping", "sequence"):
        return
    entries = node.value.items() if node.kind == "mapping" else enumerate(node.value)
    for key, child in entries:
        yield (*path, str(key)), child


def _in_grader(path: Path_, node: Node) -> Iterator[tuple[Path_, Node]]:
    if node.kind != "mapping":
        return
    for key, child in node.value.items():
        if key in _GRADER_FIELDS:
            yield (*path, key), child
        elif key == "graders" and child.kind == "mapping":
            for name, member in child.value.items():
                yield from _in_grader((*path, key, name), member)


def _rewrite(document: Document, text: str, path: Path_, wanted: str) -> str | None:
    """The file with one expression written anew; None where it stands as it should, or must."""
    now = parse_text(text, document.path, document.source.file)
    node = now.at(path)
    if node is None or _is_fine(node, wanted):
        return None
    for candidate in _candidates(now, node, path, wanted):
        if _same_but(now, candidate, path, wanted):
            return candidate
    return None


def _is_fine(node: Node, wanted: str) -> bool:
    if node.style == ">":
        return False
    value: str = node.value
    return value.removesuffix("\n") == wanted if node.style == "|" else value == wanted


def _candidates(document: Document, node: Node, path: Path_, wanted: str) -> Iterator[str]:
    """Ways to write an expression, the best first; what YAML would misread is sorted out later."""
    text, (start, end) = document.source.text, node.offsets
    if node.style in ("|", ">"):
        yield _block_again(document, node, path, wanted)
        return
    if "\n" not in wanted:
        if not node.style:
            yield text[:start] + wanted + text[end:]
        else:
            yield text[:start] + _quoted(wanted, node.style) + text[end:]
    yield _block(document, node, path, wanted)
    if "\n" not in wanted:
        yield text[:start] + _quoted(wanted, '"') + text[end:]


def _quoted(text: str, quote: str) -> str:
    if quote == "'":
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _block(document: Document, node: Node, path: Path_, wanted: str) -> str:
    """A plain or quoted scalar as a block; what stands behind it in its line stays there."""
    text, (start, end) = document.source.text, node.offsets
    found = _LINE_END.search(text, end)
    line_end = found.start() if found else len(text)
    inner = " " * (_outer(document, node, path) + 2)
    lines = "".join(_newline(text) + inner + line for line in wanted.split("\n"))
    return text[:start] + "|" + text[end:line_end].rstrip(" \t") + lines + text[line_end:]


def _block_again(document: Document, node: Node, path: Path_, wanted: str) -> str:
    """A block with other lines in it, as deep as they were."""
    text, start = document.source.text, node.offsets[0]
    header = _HEADER.match(text, start)
    if header is None:
        return text
    chomping = next((sign for sign in (header["a"], header["b"]) if sign and sign in "+-"), "")
    depth = next((int(s) for s in (header["a"], header["b"]) if s.isdigit()), 0)
    begin, end, indent = _content(text, header.end(), _outer(document, node, path), depth)
    lines = "".join(_newline(text) + " " * indent + line for line in wanted.split("\n"))
    return text[:start] + "|" + chomping + header["rest"] + lines + text[max(begin, end) :]


def _content(text: str, at: int, outer: int, depth: int) -> tuple[int, int, int]:
    """Where a block's lines begin and end, blank ones at its end left out; their indentation."""
    indent = outer + depth if depth else 0
    begin = end = at
    while True:
        broken = _LINE_END.match(text, at)
        if broken is None:
            return begin, end, indent or outer + 2
        found = _LINE_END.search(text, broken.end())
        stop = found.start() if found else len(text)
        line = text[broken.end() : stop]
        if line.strip(" \t"):
            blanks = len(line) - len(line.lstrip(" "))
            if not indent:
                indent = max(blanks, outer + 1)
            if blanks < indent:
                return begin, end, indent
            end = stop
        at = stop


def _outer(document: Document, node: Node, path: Path_) -> int:
    """How deep the key, or the dash, stands that a scalar belongs to."""
    key = document.key_at(path)
    if key is not None:
        return key.start[1] - 1
    return max(node.start[1] - 3, 0)


def _newline(text: str) -> str:
    found = _LINE_END.search(text)
    return found.group() if found else "\n"


def _same_but(before: Document, text: str, path: Path_, wanted: str) -> bool:
    """True when a text reads as the document does, with the wanted expression at one path."""
    after = parse_text(text, before.path, before.source.file)
    if after.root is None or before.root is None or after.collector.has_errors:
        return False
    node = after.at(path)
    if node is None or not isinstance(node.value, str) or node.value.rstrip("\n") != wanted:
        return False
    old = before.at(path)
    assert old is not None
    old.value, kept = node.value, old.value
    try:
        return bool(before.root.json() == after.root.json())
    finally:
        old.value = kept
