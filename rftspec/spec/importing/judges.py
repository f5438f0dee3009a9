"""What a hosted judge is asked, and how it samples."""

from __future__ import annotations

from typing import Any

from rftspec.graders.remote.schema import ROLES, SAMPLING_SCHEMA
from rftspec.graders.schema_match import compile_schema
from rftspec.spec.importing.ledger import Given, Ledger
from rftspec.template import TemplateError, parse_template

_TEXTS = ("input_text", "output_text", "text")
_MISSPELT = "max_completions_tokens"


def judge_input(given: Given, target: str, ledger: Ledger) -> list[dict[str, Any]] | None:
    """The judge's messages in the spec's form; None when they are refused, which has been said."""
    found = given.get("input")
    if found is None:
        ledger.refused(given, "this judge has no `input`", "`input` is a list of messages")
        return None
    if not found.is_list or not found.node.value:
        ledger.refused(found, "a judge's `input` is a list of messages: `role` and `content`")
        return None
    messages = [_message(one, target, ledger) for one in found.entries()]
    return None if None in messages else [one for one in messages if one is not None]


def _message(given: Given, target: str, ledger: Ledger) -> dict[str, Any] | None:
    role, content = given.get("role"), given.get("content")
    if role is None or content is None:
        ledger.refused(given, "a message has a `role` and a `content`")
        return None
    if role.value not in ROLES:
        ledger.refused(role, f"`{role.value}` is no role here", f"one of: {', '.join(ROLES)}")
        return None
    kind = given.get("type")
    if kind is not None:
        ledger.mapped(kind, target, "a message is all that there is")
    text = _content(content, ledger)
    if text is None:
        return None
    ledger.mapped(role, target)
    ledger.mapped(content, target)
    _check_templates(content, text, ledger)
    return {"role": role.value, "content": text}


def _content(given: Given, ledger: Ledger) -> str | list[dict[str, str]] | None:
    """Text as it is; a single part as its text; several parts as a list."""
    if isinstance(given.value, str):
        return given.value
    parts = list(given.entries()) if given.is_list else [given]
    texts = []
    for part in parts:
        if isinstance(part.value, str):
            texts.append(part.value)
            continue
        kind, text = part.get("type"), part.get("text")
        if kind is None or text is None or kind.value not in _TEXTS:
            told = f"`{kind.value}`" if kind is not None else part.node.describe()
            message = f"{told} cannot be shown to a judge here: text only"
            ledger.refused(part, message, "images and audio have no counterpart")
            return None
        texts.append(str(text.value))
    if len(texts) == 1:
        return texts[0]
    return [{"type": "input_text", "text": text} for text in texts]


def _check_templates(given: Given, content: str | list[dict[str, str]], ledger: Ledger) -> None:
    for text in [content] if isinstance(content, str) else [part["text"] for part in content]:
        try:
            parse_template(text)
        except TemplateError as error:
            hint = "templates name paths: {{ item.x }}, {{ sample.output_text }}"
            ledger.say("E703", given, error.message, hint)


def judge_sampling(given: Given, target: str, ledger: Ledger) -> dict[str, Any]:
    """The sampling parameters that a judge takes here."""
    found = given.get("sampling_params")
    out: dict[str, Any] = {}
    if found is None:
        return out
    if not found.is_mapping or not found.node.value:
        ledger.without(found, "it is empty")
        return out
    known = SAMPLING_SCHEMA["properties"]
    for one in found.entries():
        if one.name not in known:
            continue  # told as unknown in the end
        if one.value is None:
            ledger.without(one, "it is null")
        elif not compile_schema(known[one.name])(one.value):
            ledger.refused(one, f"`{one.name}` cannot be {one.node.describe()}")
        elif one.name == _MISSPELT:
            out["max_completion_tokens"] = one.value
            note = "`max_completions_tokens`, as the hosted schema spells it"
            ledger.changed(one, f"{target}.max_completion_tokens", note)
        else:
            out[one.name] = one.value
            ledger.mapped(one, f"{target}.{one.name}")
    return out
