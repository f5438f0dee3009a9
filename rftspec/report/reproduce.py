"""How to do it again: the command, the adapter's place, the plan with its reasons."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from rftspec.report.evidence import Evidence

_LONG = 300


def command(evidence: Evidence) -> str:
    """The command that plans and runs the same again, overrides included."""
    plan = evidence.plan
    words = ["rftspec", "run", _spec_name(plan.spec_path), *plan.options]
    words += ["--smoke"] if plan.smoke else []
    return shlex.join(words)


def adapter_text(evidence: Evidence) -> str:
    """Where the trained adapter lies, relative to the run folder's parent."""
    if evidence.finished is not None:
        return f"{evidence.folder_name}/adapter"
    saved = [str(found.get("path")) for found in evidence.checkpoints if found.get("path")]
    return f"{evidence.folder_name}/{saved[-1]}" if saved else "none saved yet"


def plan_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """Every value of the plan with its reason, and the spec's line where that is the reason."""
    reasons = evidence.plan.reasons
    content = evidence.plan.to_json()
    for name in ("spec_text", "reasons", "format"):
        content.pop(name, None)
    rows = []
    for field, value in _leaves(content):
        reason = _reason(reasons, field)
        line = re.search(r":(\d+)\b", reason)
        rows.append(
            {
                "field": field,
                "value": _value_text(value),
                "reason": reason,
                "line": line.group(1) if line else "",
            }
        )
    return rows


def _reason(reasons: Mapping[str, str], field: str) -> str:
    """The reason of a field, else of the nearest field that it is part of."""
    while field:
        if field in reasons:
            return reasons[field]
        field = field.rpartition(".")[0]
    return ""


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values of nested mappings; lists are values."""
    for key, found in value.items():
        name = f"{prefix}{key}"
        if isinstance(found, Mapping) and found:
            yield from _leaves(found, f"{name}.")
        else:
            yield name, found


def _value_text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else f"{text[:_LONG]} …"


def _spec_name(path: str) -> str:
    """The spec's path from the folder `specs` on, else its name: not the writer's home."""
    parts = PurePath(path).parts
    if "specs" in parts:
        return "/".join(parts[len(parts) - 1 - parts[::-1].index("specs") :])
    return PurePath(path).name
