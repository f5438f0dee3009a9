"""The messages of a judge's prompt: templates with roles, and what they become for one sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.diagnostics import Collector, DiagnosticError
from rftspec.graders.building import Builder, template_values
from rftspec.graders.score import Item, Sample
from rftspec.template import Template

_TEXT = ("input_text", "output_text", "text")
_OTHER = {"input_image": "images", "input_audio": "audio"}

Rendered = tuple[tuple[str, str], ...]
"""Role and content of each message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its parts are rendered apart and joined by newlines."""

    role: str
    parts: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of a judge's prompt, ready to be filled in."""

    messages: tuple[Message, ...]

    def render(self, sample: Sample, item: Item) -> Rendered:
        """The messages for one sample. Raises MissingVariable.

        What is filled in stays inside its message, and is never expanded again.
        """
        values = template_values(sample, item)
        return tuple(
            (m.role, _utf8("\n".join(part.render(values) for part in m.parts)))
            for m in self.messages
        )


def read_messages(given: Sequence[Mapping[str, Any]], builder: Builder) -> Messages:
    """The `input` setting. Raises DiagnosticError with everything that is wrong in it."""
    found = Collector()
    messages = []
    for index, message in enumerate(given):
        parts: list[Template] = []
        for setting, text in _texts(message["content"], f"input.{index}.content", builder, found):
            try:
                parts.append(builder.template(text, setting))
            except DiagnosticError as error:
                found.extend(error.diagnostics)
        messages.append(Message(message["role"], tuple(parts)))
    if not any(m.role == "user" for m in messages):
        text = "there is no `user` message for the judge to answer"
        found.add(builder.problem("E440", text, "input", hint="add `role: user`"))
    found.raise_errors()
    return Messages(tuple(messages))


def _texts(
    content: Any, setting: str, builder: Builder, found: Collector
) -> Iterator[tuple[str, str]]:
    """Each text of a content, with the setting that it stands in."""
    if isinstance(content, str):
        yield setting, content
        return
    if isinstance(content, list):
        if not content:
            found.add(builder.problem("E440", "the message is empty", setting))
        for index, part in enumerate(content):
            yield from _part(part, f"{setting}.{index}", builder, found)
        return
    yield from _part(content, setting, builder, found)


def _part(part: Any, setting: str, builder: Builder, found: Collector) -> Iterator[tuple[str, str]]:
    if isinstance(part, str):
        yield setting, part
        return
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind in _TEXT and isinstance(part.get("text"), str):
        yield f"{setting}.text", part["text"]
        return
    hint = "a message is text: `content: …`, or `{type: input_text, text: …}`"
    if isinstance(kind, str) and kind in _OTHER:
        message = f"`{kind}`: judges are shown text only, no {_OTHER[kind]}"
    elif kind in _TEXT:
        message = f"`text` is missing in this `{kind}` part"
    else:
        message = "this is no part of a message"
    found.add(builder.problem("E440", message, setting, hint=hint))


def _utf8(text: str) -> str:
    """The text with lone surrogates replaced: no request could carry them."""
    return text.encode("utf-8", "replace").decode("utf-8")
