"""Graders, reward, metrics, votes and gates: everything that is written in the scoring language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import Expression, bounds, compile_expression
from rftspec.expr.types import (
    BOOL,
    JSON,
    NUMBER,
    STRING,
    ListOf,
    OptionalOf,
    RecordOf,
    Type,
    type_of_json_schema,
)
from rftspec.spec.document import Node
from rftspec.spec.draft import Draft
from rftspec.spec.origins import origin_of
from rftspec.spec.shape import dotted

Result = Literal["number", "bool", "number_or_bool", "any"]


@dataclass(slots=True)
class Scoring:
    """How answers are scored, as the plan needs it."""

    graders: dict[str, dict[str, Any]] = field(default_factory=dict)
    reward: str = ""
    reward_range: tuple[float, float] = (0.0, 1.0)
    pass_metric: str = "reward"


def sample_type(response: Mapping[str, Any] | None) -> Type:
    """The type of `sample`; its `output_json` may be missing whatever the schema says."""
    schema: Any = None
    if response is not None and response.get("type") == "json_schema":
        schema = response["json_schema"].get("schema")
    return RecordOf(
        {
            "output_text": STRING,
            "output_json": OptionalOf(type_of_json_schema(schema) if schema else JSON),
            "output_tools": ListOf(JSON),
            "finish_reason": STRING,
        }
    )


class _Compiler:
    """Compiles the draft's expressions, each at its place."""

    def __init__(self, draft: Draft, names: Mapping[str, Type]) -> None:
        self.draft = draft
        self.names = names

    def compile(
        self, path: tuple[str, ...], result: Result, names: Mapping[str, Type] | None = None
    ) -> Expression | None:
        """The expression at a path; None when there is none or it is wrong, which is said."""
        node, text = self.draft.node(*path), self.draft.get(*path)
        if node is None or not isinstance(text, str):
            return None
        return self.compile_node(node, path, result, names)

    def compile_node(
        self,
        node: Node,
        path: tuple[str, ...],
        result: Result,
        names: Mapping[str, Type] | None = None,
    ) -> Expression | None:
        """The expression that a node holds."""
        try:
            return compile_expression(
                node.value,
                self.names if names is None else names,
                result=result,
                origin=origin_of(node),
                path=dotted(path),
            )
        except DiagnosticError as error:
            self.draft.collector.extend(error.diagnostics)
            return None
