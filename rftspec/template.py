"""Templates: text with `{{ item.x }}` and `{{ sample.y[0].z }}` in it, and nothing else.

Our own renderer, not Jinja: no filters, no calls, no attributes of objects, only paths into JSON.
What a value contains is never expanded again. Text goes in as it is, anything else as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACES = ("item", "sample")
MAX_INDEX_DIGITS = 6

Step = str | int
Path = tuple[Step, ...]

_OPEN, _CLOSE = "{{", "}}"
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]+\])*")
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]")
_NESTED = "nested braces: a template names a path, such as `{{ item.answer }}`"


class TemplateError(Exception):
    """The text is not a template; `text[start:end]` is to blame."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


class MissingVariable(Exception):
    """A path of the template leads nowhere in these values; `path` as it was written."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is missing")
        self.path = path


@dataclass(frozen=True, slots=True)
class Reference:
    """One `{{ … }}`: the path that it names and where the path stands in the text."""

    path: Path
    start: int
    end: int

    def __str__(self) -> str:
        out = str(self.path[0])
        for step in self.path[1:]:
            out += f"[{step}]" if isinstance(step, int) else f".{step}"
        return out


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: text and references in turn."""

    parts: tuple[str | Reference, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """Every path that the template names, in its order."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    def render(self, values: Mapping[str, Any]) -> str:
        """The text with every path replaced. Raises MissingVariable."""
        return "".join(
            part if isinstance(part, str) else as_text(look_up(part, values)) for part in self.parts
        )


def parse_template(text: str) -> Template:
    """The template that a text is. Raises TemplateError at the first thing that is not one."""
    parts: list[str | Reference] = []
    position = 0
    while (opening := text.find(_OPEN, position)) >= 0:
        _refuse_stray(text, position, opening)
        if text[opening + 2 : opening + 3] == "{":
            raise TemplateError(_NESTED, opening + 2, opening + 3)
        closing = text.find(_CLOSE, opening)
        if closing < 0:
            raise TemplateError("`{{` without `}}`", opening, opening + 2)
        if text[closing + 2 : closing + 3] == "}":
            raise TemplateError("one `}` too many", closing + 2, closing + 3)
        parts.append(text[position:opening])
        parts.append(_reference(text, opening + 2, closing))
        position = closing + 2
    _refuse_stray(text, position, len(text))
    parts.append(text[position:])
    return Template(tuple(part for part in parts if part != ""))


def look_up(reference: Reference, values: Mapping[str, Any]) -> Any:
    """The value that a path leads to. Raises MissingVariable."""
    value: Any = values
    for step in reference.path:
        inside = (
            step in value
            if isinstance(value, Mapping) and isinstance(step, str)
            else isinstance(value, list) and isinstance(step, int) and step < len(value)
        )
        if not inside:
            raise MissingVariable(str(reference))
        value = value[step]
    return value


def as_text(value: Any) -> str:
    """A value as a template shows it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _refuse_stray(text: str, start: int, end: int) -> None:
    stray = text.find(_CLOSE, start, end)
    if stray >= 0:
        raise TemplateError("`}}` without `{{`", stray, stray + 2)


def _reference(text: str, start: int, end: int) -> Reference:
    inner = text[start:end]
    first = start + len(inner) - len(inner.lstrip())
    last = start + len(inner.rstrip())
    written = text[first:last]
    match = _PATH.match(written)
    if match is None or match.end() != len(written):
        raise TemplateError(_why_not(written), first, max(last, first + 1))
    steps: list[Step] = []
    for found in _STEP.finditer(written):
        name, index = found.groups()
        if index is not None and len(index) > MAX_INDEX_DIGITS:
            raise TemplateError(f"the index {index[:12]} is too large", first, last)
        steps.append(name if index is None else int(index))
    if steps[0] not in NAMESPACES:
        message = f"unknown name `{steps[0]}`: a path begins with `item` or `sample`"
        raise TemplateError(message, first, first + len(str(steps[0])))
    return Reference(tuple(steps), first, last)


def _why_not(written: str) -> str:
    if "|" in written:
        return "a filter (`|`) is not offered: a template names a path, such as `item.answer`"
    if "{" in written:
        return _NESTED
    if '["' in written or "['" in written:
        return 'write `.name` in place of `["name"]`'
    return "a template names a path, such as `item.answer` or `sample.output_tools[0].function`"
