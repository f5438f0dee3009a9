"""A row's messages: its own, or those that a prompt template makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rftspec.data.row import RowError
from rftspec.template import MissingVariable, Template, parse_template


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


def prompt_text(item: Mapping[str, Any], prompt: Any = None) -> str:
    """The text of all messages of a row together, line by line. Raises as `messages_of`."""
    if prompt is None:
        plain = _plain_text(item.get("messages"))
        if plain is not None:
            return plain
    contents = [message.get("content") for message in messages_of(item, prompt)]
    return "\n".join([text if type(text) is str else _content(text) for text in contents])


def _plain_text(messages: Any) -> str | None:
    """The text of messages that hold texts and nothing odd; None where a closer look is due."""
    if type(messages) is not list:
        return None
    try:
        texts = [message["content"] for message in messages]
        roles = [message["role"] for message in messages]
        text = "\n".join(texts)
        is_known = _ROLE_SET.issuperset(roles) and roles[-1] == "user"
    except (TypeError, KeyError, IndexError):
        return None
    return text if is_known and all(map(str.strip, texts)) else None


def _content(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


_ROLES = ("developer", "system", "user", "assistant", "tool")
_ROLE_SET = frozenset(_ROLES)


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
