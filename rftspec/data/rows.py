"""Rows of a JSONL file: strict JSON objects with line numbers, and the messages of each."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rftspec.diagnostics import Diagnostic, DiagnosticError, Span
from rftspec.template import MissingVariable, Template, parse_template

MAX_LINE_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_SHOWN = 20_000
"""Bytes of a line that a message may show a part of."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')
_INT64 = 2**63


class RowError(ValueError):
    """A line that is no row: `code`, a sentence, the column if known, and a hint."""

    def __init__(self, code: str, message: str, column: int = 1, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.column = column
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: its index among the rows, its line number, and its values or error."""

    index: int
    number: int
    item: dict[str, Any] | None
    error: Diagnostic | None = None


def read_rows(
    path: Path, indices: Container[int] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows with their index, from 0, in file order; `indices` picks some of them.

    Raises DiagnosticError at the first line that is no row.
    """
    for line in scan_rows(path):
        if line.error is not None or line.item is None:
            raise DiagnosticError([line.error] if line.error else [])
        if indices is None or line.index in indices:
            yield line.index, line.item


def scan_rows(path: Path, shown: str | None = None, digest: Any = None) -> Iterator[Line]:
    """Every row of a file with its line number; a bad line is told and passed over.

    `digest` (a hashlib object) is fed all bytes of the file. Empty lines at the end are allowed.
    """
    name = shown if shown is not None else str(path)
    index = 0
    blank: int | None = None
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if digest is not None:
                digest.update(raw)
            problem = _not_lines(raw) if number == 1 else None
            if problem is not None:
                yield Line(index, number, None, _diagnose(problem, name, number, b""))
                return
            if not raw.strip():
                blank = blank or number
                continue
            if blank is not None:
                error = RowError("E203", "an empty line between rows", hint="delete it")
                yield Line(index, blank, None, _diagnose(error, name, blank, b""))
                blank = None
            try:
                item = parse_row(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
            except RowError as error:
                yield Line(index, number, None, _diagnose(error, name, number, raw))
            else:
                yield Line(index, number, item)
            index += 1


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_row(raw: bytes) -> dict[str, Any]:
    """A line's JSON object; raises RowError for anything that is not strict JSON."""
    if len(raw) > MAX_LINE_BYTES:
        raise RowError("E203", f"the line has {len(raw):,} bytes, more than {MAX_LINE_BYTES:,}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError("E204", "the line is not UTF-8", error.start + 1, "save as UTF-8") from None
    try:
        item = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise RowError("E203", *_explain(text, error)) from None
    except RecursionError:
        raise RowError("E203", f"nested more than {MAX_DEPTH} deep") from None
    if not isinstance(item, dict):
        kind = "a list" if isinstance(item, list) else "a bare value"
        raise RowError("E203", f"a row must be a JSON object; this is {kind}", hint=_ARRAY_HINT)
    if "\\u" in text and _SURROGATE.search(text) and _has_lone_surrogate(item):
        raise RowError("E203", "half of a surrogate pair: no such character", hint="delete it")
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise RowError("E203", f"nested more than {MAX_DEPTH} deep")
    return item


def messages_of(item: Mapping[str, Any], prompt: Any = None) -> list[dict[str, Any]]:
    """The messages of a row: its own, or those that the spec's `prompt` template makes of it.

    Raises RowError when the row has none or they are malformed, TemplateError when the template
    is none.
    """
    if prompt is None:
        return check_messages(item.get("messages"))
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return check_messages(
        [{**message, "content": _render(message["content"], item)} for message in messages]
    )


@lru_cache(maxsize=64)
def _template(text: str) -> Template:
    return parse_template(text)


def _render(text: str, item: Mapping[str, Any]) -> str:
    try:
        return _template(text).render({"item": item})
    except MissingVariable as error:
        message = f"`data.prompt` needs `{error.path}`, which this row does not have"
        raise RowError("E206", message) from None


_ROLES = ("developer", "system", "user", "assistant", "tool")


def check_messages(messages: Any) -> list[dict[str, Any]]:
    """The messages, when they are well formed: a list, known roles, text, a question last."""
    if messages is None:
        hint = 'add `messages`, or give `data.prompt` a template such as "{{ item.question }}"'
        raise RowError("E206", "the row has no `messages`", hint=hint)
    if not isinstance(messages, list) or not messages:
        raise RowError("E206", "`messages` must be a list with at least one message")
    for number, message in enumerate(messages, 1):
        if not isinstance(message, dict):
            raise RowError("E206", f"message {number} is not an object")
        role = message.get("role")
        if role not in _ROLES:
            hint = f"one of: {', '.join(_ROLES)}"
            raise RowError("E206", f"message {number} has the role {json.dumps(role)}", hint=hint)
        _check_content(message, number)
    if messages[-1]["role"] != "user":
        message_text = f"the last message is from {messages[-1]['role']}, not from the user"
        raise RowError("E206", message_text, hint="the model answers the last message")
    return messages


def _check_content(message: Mapping[str, Any], number: int) -> None:
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        if len(parts) != len(content) or not all(isinstance(part, str) for part in parts):
            raise RowError("E206", f"message {number} has content that is not text")
        content = "".join(part for part in parts if part)
    if content is None and message["role"] == "assistant" and message.get("tool_calls"):
        return
    if not isinstance(content, str):
        raise RowError("E206", f"message {number} has no text in `content`")
    if not content.strip():
        raise RowError("E207", f"message {number} is empty")


_ARRAY_HINT = "JSONL has one object in every line, without brackets and commas around them"


def _not_lines(first: bytes) -> RowError | None:
    """Files that are not JSONL at all, recognised by how they begin."""
    if first.startswith((b"\xff\xfe", b"\xfe\xff")) or first[1:2] == b"\x00":
        return RowError("E204", "the file is UTF-16, not UTF-8", hint="save it as UTF-8")
    if first.startswith(b"\x1f\x8b"):
        return RowError("E204", "the file is compressed (gzip)", hint="unpack it first: gunzip")
    if first.startswith(b"PAR1"):
        return RowError("E204", "the file is Parquet", hint="convert it to JSONL")
    if first.strip() == b"[" or (first.lstrip().startswith(b"[{") and b"}" in first):
        return RowError("E203", "the file is a JSON array, not JSONL", hint=_ARRAY_HINT)
    return None


def _diagnose(error: RowError, name: str, number: int, raw: bytes) -> Diagnostic:
    text = raw[:MAX_SHOWN].decode("utf-8", "replace").rstrip("\r\n")
    column = min(error.column, len(text) + 1)
    span = Span(name, number, column, number, column + 1)
    return Diagnostic(error.code, error.message, span, error.hint, snippet=text or None)


def _explain(text: str, error: json.JSONDecodeError) -> tuple[str, int, str | None]:
    rest = text[error.pos :].lstrip()
    if error.msg == "Extra data":
        return "more than one value in the line", error.pos + 1, "one object in every line"
    if rest.startswith("'") or text.lstrip().startswith("{'"):
        return "this is Python, not JSON", error.pos + 1, 'use double quotes: {"a": "b"}'
    if text.lstrip().startswith(("//", "#")):
        return "a comment is not JSON", error.pos + 1, "delete the line"
    if rest.startswith(("}", "]")):
        return "a comma before the closing bracket", error.pos + 1, "delete the comma"
    message = error.msg[:1].lower() + error.msg[1:]
    return f"this is not JSON: {message}", error.pos + 1, None


def _pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RowError("E205", f"the key `{key}` stands twice in one object")
            seen.add(key)
    return values


def _constant(name: str) -> Any:
    raise RowError("E203", f"{name} is not JSON", hint="write null, or leave the row out")


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -_INT64 <= int(digits) < _INT64:
        raise RowError("E203", f"the number {digits[:24]} does not fit in 64 bits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise RowError("E203", f"the number {digits[:24]} is too large")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_constant=_constant,
    parse_int=_integer,
    parse_float=_number,
)


def _has_lone_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _depth(text: str) -> int:
    deepest = depth = 0
    for match in _BRACKETS.finditer(text):
        if match.group(1):
            depth += 1
            deepest = max(deepest, depth)
        elif match.group(2):
            depth -= 1
    return deepest
