"""All that decides a run as one flat table, by the names that the spec has for it.

    ("train", "steps") → 60        ("graders", "rank", "expression") → "rank_of(…)"

Two plans are compared, and a plan is locked, by this table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rftspec.plan.model import Plan

Name = tuple[str, ...]
Settings = dict[Name, Any]
CONTENTS = "contents"
"""First part of the names of what models hold."""

_IN_THE_SPEC = {
    "stop_above": ("on_error", "stop_above"),
    "infrastructure": ("on_error", "infrastructure"),
}


def settings(plan: Plan) -> Settings:
    """The table of a plan; what is not given is left out."""
    content = plan.deciding()
    evaluate = content["evaluate"]
    evaluate["references"] = {one.pop("name"): one for one in evaluate["references"]}
    found = {spec_name(name): value for name, value in flat(content) if value is not None}
    for model, told in (plan.contents or {}).items():
        found[CONTENTS, model] = told
    return found


def flat(value: Any, name: Name = ()) -> Iterator[tuple[Name, Any]]:
    """The leaves of JSON values by their names; a list of plain values is one leaf."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat(inner, (*name, str(key)))
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        for index, inner in enumerate(value):
            yield from flat(inner, (*name, str(index)))
    else:
        yield name, value


def spec_name(name: Name) -> Name:
    """The name in the spec of a name in the plan."""
    if name[0] == "model" and name[1].startswith("lora_"):
        return ("model", "lora", name[1].removeprefix("lora_"))
    return _IN_THE_SPEC.get(name[0], name)


def plan_name(name: Name) -> str:
    """The dotted name in the plan of a name in the spec: what `Plan.reasons` go by."""
    if name[:2] == ("model", "lora"):
        return f"model.lora_{name[-1]}"
    return name[-1] if name[0] == "on_error" else ".".join(name)
