"""A foreign file → its document: JSON or YAML by what it is, bounded and strict."""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from pathlib import Path

from rftspec.diagnostics import Collector, Diagnostic, DiagnosticError, Span
from rftspec.spec.document import Document, Node, Source, walk
from rftspec.spec.importing.json_reader import read_json
from rftspec.spec.text import MAX_BYTES, decode
from rftspec.spec.yaml_reader import parse_text

_AMBIGUOUS = "E012"
_BOOLS_11 = {"yes": True, "on": True, "no": False, "off": False}
_UNDERSCORES = re.compile(r"[-+]?[1-9][0-9]*(_[0-9]+)+\Z")
_TELLS_SECRETS = re.compile(r"(?i)authorization|api[-_]?key|token|secret|password|bearer|sk-")


def read_file(path: Path) -> Document:
    """The document of a file. Raises DiagnosticError with all that keeps it from being read."""
    shown = str(path)
    collector = Collector(first=shown)
    text = decode(_read_bytes(path), shown, collector)
    if text is None:
        raise DiagnosticError(collector)
    if text.lstrip().startswith(("{", "[")) or path.suffix.lower() == ".json":
        return _read_json(Source(shown, text), path, collector)
    document = parse_text(text, path, shown)
    _read_as_yaml_11(document)
    if document.root is None or document.root.kind == "scalar":
        span = Span(shown, 1, 1, 1, 2)
        collector.add(Diagnostic("E702", "the file holds no mapping", span))
    found = (one for one in document.collector if not _is_harmless(one, document.source))
    collector.extend(_without_secrets(one) for one in found)
    collector.raise_errors()
    return document


def _read_json(source: Source, path: Path, collector: Collector) -> Document:
    found = read_json(source)
    if isinstance(found, Diagnostic):
        raise DiagnosticError([_without_secrets(found)])
    return Document(path, source, found, collector)


def _without_secrets(one: Diagnostic) -> Diagnostic:
    """What cannot be read cannot be searched for keys: a line that speaks of one is not shown."""
    if one.snippet is None or not _TELLS_SECRETS.search(one.snippet):
        return one
    return replace(one, snippet=None)


def _is_harmless(one: Diagnostic, source: Source) -> bool:
    """What the owner of the file reads without harm: YAML 1.1's words, the same line twice."""
    if one.code == "E007" and one.snippet is not None:
        return [line.strip() for line in source.lines].count(one.snippet.strip()) > 1
    return one.code == _AMBIGUOUS


def _read_as_yaml_11(document: Document) -> None:
    """`yes` and `1_000` as the tools that own these files read them: by YAML 1.1."""
    if document.root is None:
        return
    for _, node in walk(document.root):
        if node.kind == "bad" and isinstance(node.value, str):
            _resolve_11(node)


def _resolve_11(node: Node) -> None:
    text: str = node.value
    node.kind = "scalar"
    if text.lower() in _BOOLS_11:
        node.value = _BOOLS_11[text.lower()]
    elif _UNDERSCORES.match(text):
        node.value = int(text.replace("_", ""))


def _read_bytes(path: Path) -> bytes:
    """At most a byte more than may be read. Raises DiagnosticError."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            hint = "name the job's, grader's or config's file"
            raise DiagnosticError([Diagnostic("E202", f"`{path}` is {kind}", hint=hint)])
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DiagnosticError([Diagnostic("E201", f"`{path}` cannot be read: {reason}")]) from None
