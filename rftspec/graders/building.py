"""What a grader is built from: the types of what it sees, the pool, and places for messages.

Building a grader is also checking it: `build` of a kind raises DiagnosticError with everything
that is wrong with its settings, so that `validate` and a run go through the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from rftspec.diagnostics import Collector, Diagnostic, DiagnosticError, Severity
from rftspec.expr import Expression, Origin, compile_expression
from rftspec.expr.types import JSON, ListType, OptionalType, RecordType, Type
from rftspec.graders.score import MISSING, Item, Sample
from rftspec.graders.services import Services
from rftspec.sandbox.pool import Pool
from rftspec.template import Reference, Template, TemplateError, parse_template

Interval = tuple[float, float]
Settings = Mapping[str, Any]

RANGE_SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 2,
    "maxItems": 2,
}


@dataclass(frozen=True, slots=True)
class Builder:
    """The surroundings of one grader; `path` is the dotted field of the spec that it stands in."""

    item_type: Type
    sample_type: Type
    pool: Pool | None
    """None leaves Python graders uncompiled: for editors that check while one types."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Where texts stand in files, by dotted field: `graders.rank.expression`."""
    services: Services = field(default_factory=Services)
    """Local models and caches; empty while a spec is only checked."""
    answers_are_json: bool = True
    """Whether `response.format` asks for JSON, so that `sample.output_json` can be there."""
    response_schema: Any = None
    """The JSON Schema in `response.format`, where there is one."""
    path: str = "graders"
    warnings: Collector = field(default_factory=Collector)
    """What is no error: gathered while graders are built."""

    def at(self, *names: str) -> Builder:
        """The builder of a grader inside this one."""
        return replace(self, path=".".join([self.path, *names]))

    def problem(
        self,
        code: str,
        message: str,
        setting: str | None = None,
        *,
        hint: str | None = None,
        at: tuple[int, int] | None = None,
        severity: Severity = "error",
    ) -> Diagnostic:
        """A diagnostic at a setting of this grader, with the place where one is known."""
        path = self.path if setting is None else f"{self.path}.{setting}"
        origin = self.origins.get(path)
        if origin is None:
            return Diagnostic(code, message, None, hint, severity, path)
        span = origin.locate(*(at or (0, 0)))
        return Diagnostic(code, message, span, hint, severity, path, origin.snippet(span.line))

    def expression(
        self,
        text: str,
        setting: str | None,
        graders: Mapping[str, Type] | None = None,
        *,
        result: Literal["number", "bool", "number_or_bool", "any"] = "number",
        ranges: Mapping[str, Interval] | None = None,
    ) -> Expression:
        """A setting compiled as an expression over `item`, `sample` and grader names.

        `ranges` are the graders': what can never hold, such as `rank > 1`, is then told.
        """
        path = self.path if setting is None else f"{self.path}.{setting}"
        names = {**(graders or {}), "item": self.item_type, "sample": self.sample_type}
        origin = self.origins.get(path)
        expression = compile_expression(
            text, names, result=result, origin=origin, path=path, ranges=ranges
        )
        self.warnings.extend(expression.warnings)
        self._warn_of_json(expression.fields, setting)
        return expression

    def template(self, text: str, setting: str) -> Template:
        """A setting parsed as a template whose paths the types admit."""
        try:
            template = parse_template(text)
        except TemplateError as error:
            place = (error.start, error.end)
            raise DiagnosticError(
                [self.problem("E401", error.message, setting, at=place)]
            ) from None
        found = [
            self.problem("E401", message, setting, at=(reference.start, reference.end))
            for reference in template.references
            if (message := self._why_not(reference))
        ]
        if found:
            raise DiagnosticError(found)
        self._warn_of_json([reference.path for reference in template.references], setting)
        return template

    def _warn_of_json(self, paths: Iterable[tuple[Any, ...]], setting: str | None) -> None:
        if self.answers_are_json or ("sample", "output_json") not in {p[:2] for p in paths}:
            return
        message = "`sample.output_json` is always missing: `response.format` asks for no JSON"
        self.warnings.add(self.problem("E410", message, setting, severity="warning"))

    def _why_not(self, reference: Reference) -> str | None:
        root = self.item_type if reference.path[0] == "item" else self.sample_type
        if reference.path[:2] == ("sample", "choices"):
            return None
        type_: Type = root
        walked = str(reference.path[0])
        for step in reference.path[1:]:
            type_ = type_.inner if isinstance(type_, OptionalType) else type_
            if type_ == JSON:
                return None
            if isinstance(step, int):
                if not isinstance(type_, ListType):
                    return f"`{walked}` is a {type_.name}: it has no `[{step}]`"
                type_, walked = type_.element, f"{walked}[{step}]"
                continue
            if not isinstance(type_, RecordType):
                return f"`{walked}` is a {type_.name}: it has no field `{step}`"
            if step not in type_.fields:
                known = ", ".join(f"`{name}`" for name in list(type_.fields)[:12])
                return f"`{walked}` has no field `{step}`; it has {known}"
            type_, walked = type_.fields[step], f"{walked}.{step}"
        return None

    def interval(self, value: Any, default: Interval) -> Interval:
        """The `range` setting. Raises DiagnosticError when its ends are the wrong way round."""
        if value is None:
            return default
        low, high = float(value[0]), float(value[1])
        if not low < high:
            message = f"the range [{low:g}, {high:g}] is empty: the lower end comes first"
            raise DiagnosticError([self.problem("E402", message, "range")])
        return low, high


def expression_values(sample: Sample, item: Item) -> dict[str, Any]:
    """The environment of an expression; a missing `output_json` is None."""
    return {
        "item": item,
        "sample": {
            "output_text": sample.output_text,
            "output_json": None if sample.output_json is MISSING else sample.output_json,
            "output_tools": list(sample.output_tools),
            "finish_reason": sample.finish_reason,
        },
    }


def template_values(sample: Sample, item: Item) -> dict[str, Any]:
    """The values of a template; a missing `output_json` is not among them."""
    values = {**sample.to_json(), "finish_reason": sample.finish_reason}
    if sample.output_json is MISSING:
        del values["output_json"]
    return {"item": item, "sample": values}
