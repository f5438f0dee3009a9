"""A spec's values → YAML as a person would write it, with comments; read back before it is given.

Sections are blocks, small mappings stand in one line, several lines of text under `|`, templates
in double quotes. What was written is read by the strict reader and compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rftspec.spec.scalars import read_plain
from rftspec.spec.schema import spec_schema
from rftspec.spec.text import MAX_BYTES
from rftspec.spec.yaml_reader import parse_text

WIDTH = 100
COMMENT_COLUMN = 44
_FLOW_WIDTH = 84
_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./()-]+)*\Z")
Path_ = tuple[str, ...]


@dataclass(slots=True)
class Sketch:
    """A spec that is being put together: values by section, and comments by dotted path."""

    values: dict[str, Any] = field(default_factory=lambda: {"version": 1})
    comments: dict[Path_, str] = field(default_factory=dict)

    def put(self, target: str, value: Any, comment: str = "") -> None:
        """Set a field such as `train.epochs`."""
        path = tuple(target.split("."))
        self.put_at(path, value, comment)

    def put_at(self, path: Path_, value: Any, comment: str = "") -> None:
        """Set a field by its path."""
        section = self.values
        for key in path[:-1]:
            section = section.setdefault(key, {})
        section[path[-1]] = value
        if comment:
            self.comments[path] = comment

    def has(self, target: str) -> bool:
        """Whether a field was set."""
        section: Any = self.values
        for key in target.split("."):
            if not isinstance(section, dict) or key not in section:
                return False
            section = section[key]
        return True


class TooMuch(Exception):
    """The values are more, or deeper, than a spec holds."""


def to_yaml(sketch: Sketch, header: Sequence[str], footer: Sequence[str] = ()) -> str:
    """The spec's text. What reads otherwise than it was meant is written in quotes instead.

    Raises TooMuch where it is larger or deeper than a spec may be.
    """
    values = in_order(sketch.values)
    for quoted in (False, True):
        lines = [f"# {line}".rstrip() for line in header]
        lines += _Writer(sketch.comments, quoted).document(values)
        lines += [""] * bool(footer) + [f"# {line}".rstrip() for line in footer]
        text = "\n".join(lines) + "\n"
        if len(text.encode()) > MAX_BYTES:
            raise TooMuch(f"it would have more than {MAX_BYTES:,} bytes")
        document = parse_text(text, Path("spec.yaml"), "spec.yaml")
        if document.root is not None and document.root.json() == values:
            return text
    if document.collector.has_errors:
        raise TooMuch(next(iter(document.collector)).message)
    raise AssertionError("a spec that was written reads otherwise")


def in_order(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields in the order in which the spec declares them."""
    return _in_order(values, spec_schema())


def _in_order(values: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    fields = schema.get("properties", {})
    names = [name for name in fields if name in values]
    out: dict[str, Any] = {}
    for name in [*names, *(name for name in values if name not in fields)]:
        value, inner = values[name], fields.get(name, {})
        sections = name not in ("graders", "meta", "format") and isinstance(value, dict)
        out[name] = _in_order(value, inner) if sections and "properties" in inner else value
    return out


class _Writer:
    """Writes values; `quoted` keeps every text on one line, in double quotes."""

    def __init__(self, comments: Mapping[Path_, str], quoted: bool) -> None:
        self.comments = comments
        self.quoted = quoted

    def document(self, values: Mapping[str, Any]) -> list[str]:
        """The top level: an empty line before each section."""
        lines: list[str] = []
        for key, value in values.items():
            entry = self._entry(key, value, 0, (key,))
            if lines and (len(entry) > 1 or isinstance(value, Mapping | list)):
                lines.append("")
            lines += entry
        return lines

    def _entry(self, key: str, value: Any, indent: int, path: Path_) -> list[str]:
        """A key with its value."""
        pad = " " * indent
        head = f"{pad}{scalar(key)}:"
        lines = self._value(head, value, indent, path)
        return _with_comment(lines, self.comments.get(path, ""), pad)

    def _value(self, head: str, value: Any, indent: int, path: Path_) -> list[str]:
        if isinstance(value, str) and self._is_block(value, path):
            return [f"{head} {_block_sign(value)}", *_block_lines(value, indent + 2)]
        if not isinstance(value, Mapping | list):
            return [f"{head} {scalar(value)}"]
        if not value:
            return [f"{head} {'{}' if isinstance(value, Mapping) else '[]'}"]
        short = flow(value)
        if self._fits(short, head, path, value):
            return [f"{head} {short}"]
        return [head, *self._below(value, indent + 2, path)]

    def _below(self, value: Any, indent: int, path: Path_) -> list[str]:
        lines: list[str] = []
        if isinstance(value, Mapping):
            for key, child in value.items():
                lines += self._entry(key, child, indent, (*path, key))
            return lines
        for index, child in enumerate(value):
            lines += self._item(child, indent, (*path, str(index)))
        return lines

    def _item(self, value: Any, indent: int, path: Path_) -> list[str]:
        """An item of a list; its first line stands behind the dash."""
        pad = " " * indent
        if isinstance(value, Mapping) and value:
            short = flow(value)
            if self._fits(short, pad, path, value):
                return [f"{pad}- {short}"]
            lines = self._below(value, indent + 2, path)
            return [f"{pad}- {lines[0][indent + 2 :]}", *lines[1:]]
        return self._value(f"{pad}-", value, indent, path)

    def _fits(self, short: str, head: str, path: Path_, value: Any) -> bool:
        """Whether a collection stands in one line: it is small, and nothing in it is a section."""
        if any(below[: len(path)] == path and below != path for below in self.comments):
            return False
        if len(path) == 1 and isinstance(value, Mapping):
            return False
        if (len(path) == 2 and path[0] == "graders") or path == ("evaluate", "metrics"):
            return False
        return len(head) + len(short) < _FLOW_WIDTH and "\\n" not in short

    def _is_block(self, text: str, path: Path_) -> bool:
        if self.quoted or not text.strip():
            return False
        if not all(char.isprintable() or char in "\n\t" for char in text):
            return False
        if text.endswith("\n\n"):
            return False
        return "\n" in text or (len(text) > WIDTH - 10 and path[0] != "meta")


def _with_comment(lines: list[str], comment: str, pad: str) -> list[str]:
    if not comment:
        return lines
    if len(lines) == 1 and max(len(lines[0]), COMMENT_COLUMN) + len(comment) + 3 <= WIDTH:
        return [f"{lines[0].ljust(COMMENT_COLUMN)} # {comment}"]
    return [*(f"{pad}# {part}" for part in wrap(comment, WIDTH - len(pad) - 2)), *lines]


def wrap(text: str, width: int) -> list[str]:
    """Words in lines of at most `width` letters, where words are no longer than that."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _block_sign(text: str) -> str:
    first = next(line for line in text.split("\n") if line.strip())
    indicator = "2" if first.startswith((" ", "\t")) or text.startswith("\n") else ""
    return f"|{indicator}{'' if text.endswith(chr(10)) else '-'}"


def _block_lines(text: str, indent: int) -> list[str]:
    body = text.removesuffix("\n").split("\n")
    return [f"{' ' * indent}{line}" if line else "" for line in body]


def flow(value: Any) -> str:
    """A value in one line: `{ type: string }`, `[a, b]`."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(flow(entry) for entry in value)}]"
    return scalar(value)


def scalar(value: Any) -> str:
    """A scalar: plain where YAML reads it as it is, else in double quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _PLAIN.match(text) and read_plain(text) == (text, None):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escape(char) for char in quoted)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
