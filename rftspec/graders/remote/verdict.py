"""A judge's reply as a verdict: what is asked for, and the one form in which it is believed.

The reply must be one JSON object and nothing else, except for white space, one Markdown fence
around it, and a leading `<think>…</think>`. An object somewhere inside a longer text is not
believed: a judge that quotes the answer it looks at would quote a verdict planted there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.graders.building import Interval

PROMPT_VERSION = 1
"""Of the instruction and the schema below: verdicts of another version are not reused."""

STEPS: Mapping[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"description": {"type": "string"}, "conclusion": {"type": "string"}},
        "required": ["description", "conclusion"],
        "additionalProperties": False,
    },
}
_FENCE = re.compile(r"```(?:json)?[ \t]*\r?\n(.*?)\r?\n?[ \t]*```", re.DOTALL | re.IGNORECASE)
_THOUGHT = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_SHOWN = 80


class NoVerdict(Exception):
    """The reply is not a verdict; the message says why."""


@dataclass(frozen=True, slots=True)
class Number:
    """A verdict that is a number, clamped to a range."""

    range: Interval
    name: str = "score"

    def schema(self) -> dict[str, Any]:
        """The schema of `result`."""
        return {"type": "number"}

    def asked(self) -> str:
        """What `result` is, in the instruction."""
        low, high = self.range
        return f"a number from {low:g} to {high:g}"

    def value(self, result: Any) -> float:
        """The value of a `result`. Raises NoVerdict."""
        if isinstance(result, bool) or not isinstance(result, int | float):
            raise NoVerdict(f"`result` is {_kind(result)}, not a number")
        try:
            number = float(result)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise NoVerdict("`result` is not a finite number")
        return min(max(number, self.range[0]), self.range[1])


@dataclass(frozen=True, slots=True)
class Label:
    """A verdict that is one of some labels: 1 for a passing one, else 0."""

    labels: tuple[str, ...]
    passing: frozenset[str]
    name: str = "label"

    @property
    def range(self) -> Interval:
        """The lowest and highest value."""
        return 0.0, 1.0

    def schema(self) -> dict[str, Any]:
        """The schema of `result`."""
        return {"type": "string", "enum": list(self.labels)}

    def asked(self) -> str:
        """What `result` is, in the instruction."""
        return "one of " + ", ".join(json.dumps(label, ensure_ascii=False) for label in self.labels)

    def value(self, result: Any) -> float:
        """The value of a `result`. Raises NoVerdict."""
        if not isinstance(result, str):
            raise NoVerdict(f"`result` is {_kind(result)}, not a label")
        if result not in self.labels:
            shown = result if len(result) <= _SHOWN else result[:_SHOWN] + "…"
            raise NoVerdict(f'"{shown}" is none of the labels')
        return 1.0 if result in self.passing else 0.0


Verdict = Number | Label


def response_format(verdict: Verdict) -> dict[str, Any]:
    """The `response_format` of a request: the hosted product's shape, strict."""
    schema = {
        "type": "object",
        "properties": {"steps": dict(STEPS), "result": verdict.schema()},
        "required": ["steps", "result"],
        "additionalProperties": False,
    }
    holder = {"name": verdict.name, "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": holder}


def instruction(verdict: Verdict) -> str:
    """What is added to the prompt of a judge that cannot be held to a schema."""
    return (
        "Answer with one JSON object and nothing else, in this form:\n"
        '{"steps": [{"description": "what was looked at", "conclusion": "what was found"}], '
        '"result": …}\n'
        f"`result` is {verdict.asked()}."
    )


def instructed(messages: Sequence[tuple[str, str]], verdict: Verdict) -> list[tuple[str, str]]:
    """The messages with the instruction at the end of the last one, if that is the user's.

    Where the last message is another one's, a user message with the instruction follows it: some
    chat templates take neither a second system message nor two messages of a role in a row.
    """
    out = list(messages)
    role, content = out[-1]
    if role == "user":
        out[-1] = (role, f"{content}\n\n{instruction(verdict)}")
    else:
        out.append(("user", instruction(verdict)))
    return out


def read_verdict(text: str, verdict: Verdict) -> tuple[float, str | None]:
    """Value and conclusion of a reply. Raises NoVerdict."""
    found = _object(text)
    if "result" not in found:
        raise NoVerdict(f"the reply has no `result`: {text[:_SHOWN]}")
    return verdict.value(found["result"]), _conclusion(found.get("steps"))


def _object(text: str) -> dict[str, Any]:
    thought = _THOUGHT.match(text)
    body = (text[thought.end() :] if thought else text).strip()
    fenced = _FENCE.fullmatch(body)
    if fenced:
        body = fenced.group(1)
    try:
        found = json.loads(body, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, _Refused) else "the reply is not one JSON object"
        raise NoVerdict(f"{why}: {text[:_SHOWN]}" if text.strip() else "an empty reply") from None
    if not isinstance(found, dict):
        raise NoVerdict(f"the reply is {_kind(found)}, not a JSON object")
    return found


class _Refused(ValueError):
    """JSON that Python reads and we do not."""


def _refuse(name: str) -> None:
    raise _Refused(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Refused("the reply gives a key twice")
    return found


def _conclusion(steps: Any) -> str | None:
    """The last step's conclusion, for people; None where there is none."""
    if not isinstance(steps, list) or not steps or not isinstance(steps[-1], dict):
        return None
    told = steps[-1].get("conclusion")
    return told if isinstance(told, str) and told else None


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return "null" if value is None else kinds.get(type(value), "a number")
