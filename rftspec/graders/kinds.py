"""The kinds of graders: each kind's schema fragment, documentation and builder, by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rftspec.diagnostics import Collector, Diagnostic, DiagnosticError
from rftspec.expr import compile_expression
from rftspec.expr.types import NUMBER
from rftspec.graders import (
    endpoint,
    expression,
    json_schema,
    label_model,
    list_match,
    multi,
    number_match,
    python,
    score_model,
    string_check,
    text_similarity,
)
from rftspec.graders.building import Builder, Settings
from rftspec.graders.schema_match import compile_schema
from rftspec.graders.score import Grader


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of grader, as its module describes it."""

    name: str
    schema: Mapping[str, Any]
    """The properties beside `type`, as a fragment of JSON Schema."""
    doc: str
    """What it does, in Markdown."""
    build: Callable[[Settings, Builder], Grader]


FORMULA_FUNCTIONS = ("min", "max", "abs", "floor", "ceil", "exp", "sqrt", "log")
"""Of the hosted product's formulas. Other functions of the language may lend a grader their name:
only `f1(…)` is the function, and the library may grow without breaking a spec."""

HOSTED: Mapping[str, Any] = {
    "name": {
        "type": "string",
        "description": "The hosted product's name of the grader; here the key above names it.",
    },
    "pass_threshold": {
        "type": "number",
        "description": "A score from which an answer passes: the share is recorded as `pass_rate`; "
        "never in the reward.",
    },
}
"""Fields that graders written for the hosted product have beside their own."""


def _with_hosted(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    own = schema["properties"]
    return {**schema, "properties": {**own, **{k: v for k, v in HOSTED.items() if k not in own}}}


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        name: Kind(name, _with_hosted(module.SCHEMA), module.DOC, module.build)
        for name, module in {
            "string_check": string_check,
            "text_similarity": text_similarity,
            "number_match": number_match,
            "json_schema": json_schema,
            "list_match": list_match,
            "expression": expression,
            "python": python,
            "multi": multi,
            "score_model": score_model,
            "label_model": label_model,
            "endpoint": endpoint,
        }.items()
    }
)
"""Every kind by the name that `type` gives it."""


def build_graders(graders: Mapping[str, Settings], builder: Builder) -> dict[str, Grader]:
    """All graders of a mapping. Raises DiagnosticError with what is wrong in any of them."""
    found = Collector()
    built: dict[str, Grader] = {}
    for name, settings in graders.items():
        here = builder.at(name)
        found.extend(_name_problems(name, here))
        kind = KINDS.get(settings.get("type", ""))
        if kind is None:
            known = ", ".join(KINDS)
            message = f"unknown type of grader `{settings.get('type')}`; there are {known}"
            found.add(here.problem("E405", message, "type"))
            continue
        malformed = _malformed(settings, kind, here)
        if malformed:
            found.extend(malformed)
            continue
        _warn_of_threshold(settings, here)
        try:
            built[name] = kind.build(settings, here)
        except DiagnosticError as error:
            found.extend(error.diagnostics)
    found.raise_errors()
    return built


def _malformed(settings: Settings, kind: Kind, builder: Builder) -> list[Diagnostic]:
    """What keeps settings from being those of their kind.

    The spec's own check says it better for graders at the top; this holds inside a multi grader
    and for plans that were written by hand.
    """
    known = kind.schema["properties"]
    out = [
        builder.problem("E411", f"`{name}` is missing in a {kind.name} grader")
        for name in kind.schema.get("required", ())
        if name not in settings
    ]
    for name, value in settings.items():
        if name == "type" or name.startswith("x-"):
            continue
        if name not in known:
            message = f"a {kind.name} grader has no setting `{name}`; it has {', '.join(known)}"
            out.append(builder.problem("E411", message, name))
        elif not compile_schema(known[name])(value):
            message = f"`{name}` is not as it should be: {known[name]['description']}"
            out.append(builder.problem("E411", message, name))
    return out


def _warn_of_threshold(settings: Settings, builder: Builder) -> None:
    """Inside a multi grader nobody counts who passes."""
    if settings.get("pass_threshold") is None or builder.path.count(".") < 2:
        return
    message = "the `pass_threshold` of a grader inside another has no effect"
    hint = "give the outer grader one, or move this grader to the top and count there"
    warning = builder.problem("W423", message, "pass_threshold", hint=hint, severity="warning")
    builder.warnings.add(warning)


def _name_problems(name: str, builder: Builder) -> list[Diagnostic]:
    if name in FORMULA_FUNCTIONS:
        message = f"`{name}` cannot name a grader: it is a function of every formula"
    elif name in ("item", "sample", "reward"):
        message = f"`{name}` cannot name a grader: it means something else in expressions"
    elif not _is_variable(name):
        message = f"`{name}` cannot name a grader: expressions could not use it as a variable"
    else:
        return []
    hint = "use letters, digits and _, beginning with a letter"
    return [builder.problem("E406", message, hint=hint)]


def _is_variable(name: str) -> bool:
    try:
        expression = compile_expression(name, {name: NUMBER})
    except DiagnosticError:
        return False
    return expression.names == {name}
