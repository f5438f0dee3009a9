"""All graders of a spec as one: scores, reward and metrics of each sample; an error never pays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from rftspec.diagnostics import Collector, Diagnostic, DiagnosticError
from rftspec.expr import EvalError, Expression, Origin, bounds
from rftspec.expr.types import NUMBER, Type
from rftspec.graders.building import Builder, Interval, Settings, expression_values
from rftspec.graders.kinds import build_graders
from rftspec.graders.lanes import Lanes
from rftspec.graders.output import (
    ResponseFormat,
    read_output,
    sample_type,
    schema_of,
    wants_json,
)
from rftspec.graders.score import INFRASTRUCTURE, Graded, Grader, Item, Sample, Score
from rftspec.graders.services import Services
from rftspec.sandbox.pool import Pool, SandboxMode
from rftspec.sandbox.protocol import Layer, clean

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["GraderSet", "check_graders", "read_output", "sample_type", "wants_json"]

MOST_WORKERS = 4


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a check builds: everything that grading needs."""

    graders: Mapping[str, Grader]
    reward: Expression
    metrics: Mapping[str, Expression]
    reward_range: Interval


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch that is being graded."""

    _set: GraderSet
    _samples: Sequence[Sample]
    _items: Sequence[Item]
    _columns: Mapping[str, Future[list[Score]]]

    def result(self) -> list[Graded]:
        """Wait for every grader; everything that grading says of each sample, in their order."""
        columns = {name: future.result() for name, future in self._columns.items()}
        return [
            self._set.assemble({name: column[i] for name, column in columns.items()}, sample, item)
            for i, (sample, item) in enumerate(zip(self._samples, self._items, strict=True))
        ]


class GraderSet:
    """The graders, the reward and the metrics of a spec, ready to grade batches.

    `drop_infrastructure`: a sample whose reward is missing only because a judge or an endpoint is
    down is dropped, instead of given the lowest reward.
    """

    def __init__(
        self,
        parts: _Parts,
        pool: Pool,
        *,
        drop_infrastructure: bool = False,
        hide: Callable[[str], str] | None = None,
    ) -> None:
        self._parts = parts
        self._pool = pool
        self._lanes = Lanes(parts.graders)
        self._drop = drop_infrastructure
        self._hide = hide

    @classmethod
    def from_json(
        cls,
        graders: Mapping[str, Settings],
        reward: str,
        metrics: Mapping[str, str],
        item_type: Type,
        response_format: ResponseFormat | None,
        sandbox: SandboxMode = "full",
        workers: int | None = None,
        services: Services | None = None,
        drop_infrastructure: bool = False,
    ) -> Self:
        """The set of a plan's settings. Raises DiagnosticError with all that is wrong in them.

        `workers` are the processes of Python graders; by default one for each such grader, so
        that one that hangs does not hold up the others, and at most four.
        """
        pool = Pool(workers or max(1, min(MOST_WORKERS, _pythons(graders))), sandbox=sandbox)
        builder = Builder(
            item_type,
            sample_type(response_format),
            pool,
            services=services or Services(),
            response_schema=schema_of(response_format),
        )
        found = Collector()
        try:
            parts = _assemble(graders, reward, metrics, builder, found)
            found.raise_errors()
            assert parts is not None
        except BaseException:
            pool.close()
            raise
        hide = builder.services.hide
        return cls(parts, pool, drop_infrastructure=drop_infrastructure, hide=hide)

    @property
    def graders(self) -> Mapping[str, Grader]:
        """The graders by name."""
        return self._parts.graders

    @property
    def reward(self) -> Expression:
        """The reward's expression, over the graders' names."""
        return self._parts.reward

    @property
    def metrics(self) -> Mapping[str, Expression]:
        """The metrics' expressions by name."""
        return self._parts.metrics

    @property
    def reward_range(self) -> Interval:
        """The lowest and highest reward that the expression can give, by interval analysis."""
        return self._parts.reward_range

    def sandbox_layers(self) -> tuple[Layer, ...]:
        """What holds Python graders in on this machine, as a worker finds it."""
        return self._pool.layers()

    def submit(self, samples: Sequence[Sample], items: Sequence[Item]) -> Pending:
        """Begin to grade a batch and return at once; all graders work at the same time."""
        return Pending(self, samples, items, self._lanes.submit(samples, items))

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Graded]:
        """Everything that grading says of each sample; `items[i]` is the row of `samples[i]`."""
        return self.submit(samples, items).result()

    def close(self) -> None:
        """End the worker processes and threads."""
        self._lanes.close()
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def assemble(self, scores: Mapping[str, Score], sample: Sample, item: Item) -> Graded:
        """Reward and metrics from the graders' scores; where the reward uses a failure, its floor.

        A failure of infrastructure counts only where no other grader failed: a sample that a
        judge could not see does not get away with what a script found wrong.
        """
        scores = self._without_values(scores)
        values = expression_values(sample, item)
        values.update((n, s.value) for n, s in scores.items() if s.value is not None)
        metrics = {
            name: _metric(expression, scores, values)
            for name, expression in self._parts.metrics.items()
        }
        graded = Graded(self._parts.reward_range[0], scores=scores, metrics=metrics)
        failed = _first_failure(self._parts.reward, scores)
        if failed is not None:
            score = scores[failed]
            return replace(
                graded,
                error=score.error,
                error_grader=failed,
                error_detail=score.detail,
                dropped=self._drop and score.error in INFRASTRUCTURE,
            )
        try:
            return replace(graded, reward=float(self._parts.reward.evaluate(values)))
        except EvalError as error:
            return replace(graded, error=error.kind, error_detail=clean(error.message))

    def _without_values(self, scores: Mapping[str, Score]) -> Mapping[str, Score]:
        """The scores, no value of the environment in their details."""
        if self._hide is None:
            return scores
        return {
            name: score if score.detail is None else replace(score, detail=self._hide(score.detail))
            for name, score in scores.items()
        }


def check_graders(
    graders: Mapping[str, Settings],
    reward: str,
    metrics: Mapping[str, str],
    item_type: Type,
    response_format: ResponseFormat | None,
    origins: Mapping[str, Origin] | None = None,
    *,
    sandbox: SandboxMode | None = "full",
) -> tuple[list[Diagnostic], Interval | None]:
    """Everything wrong with a spec's graders, reward and metrics, and the reward's range.

    Paths are those of the spec: `graders.NAME.SETTING`, `reward`, `evaluate.metrics.NAME`; the
    origins of their texts are looked up by them (`graders.NAME.source` for a Python grader, from
    its file or inline). `sandbox=None` leaves Python graders uncompiled and starts no process.
    The range is None when there are errors.
    """
    found = Collector()
    pool = None if sandbox is None else Pool(sandbox=sandbox)
    try:
        kind = sample_type(response_format)
        builder = Builder(
            item_type,
            kind,
            pool,
            origins or {},
            services=Services(checking=True),
            answers_are_json=wants_json(response_format),
            response_schema=schema_of(response_format),
        )
        parts = _assemble(graders, reward, metrics, builder, found)
    finally:
        if pool is not None:
            pool.close()
    found.extend(builder.warnings)
    if parts is not None:
        found.extend(_warnings(parts, builder))
    return list(found), None if found.has_errors or parts is None else parts.reward_range


def _assemble(
    graders: Mapping[str, Settings],
    reward: str,
    metrics: Mapping[str, str],
    builder: Builder,
    found: Collector,
) -> _Parts | None:
    """Build everything, collecting what is wrong; None when something could not be built."""
    if builder.pool is not None and _pythons(graders):
        builder.pool.warm()
    built: dict[str, Grader] | None = None
    try:
        built = build_graders(graders, builder)
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    names = dict.fromkeys(graders, NUMBER)
    ranges = {name: grader.range for name, grader in (built or {}).items()}
    top = replace(builder, path="reward")
    formula = _compiled(top, reward, names, "number", found, ranges)
    measured: dict[str, Expression] = {}
    for name, text in metrics.items():
        here = replace(builder, path=f"evaluate.metrics.{name}")
        expression = _compiled(here, text, names, "number_or_bool", found, ranges)
        if expression is not None:
            measured[name] = expression
    if built is None or formula is None or found.has_errors:
        return None
    low, high = bounds(formula, ranges)
    if not math.isfinite(low):
        unbounded = [n for n, g in built.items() if n in formula.names and _is_open(g.range)]
        message = "the reward has no lowest value, so a failed sample could not be given one"
        hint = "declare `range: [low, high]`" + (f" in {', '.join(unbounded)}" if unbounded else "")
        found.add(top.problem("E407", message, hint=f"{hint}, or use clamp(…)"))
        return None
    return _Parts(built, formula, measured, (low, high))


def _pythons(graders: Mapping[str, Settings]) -> int:
    """How many Python graders there are, those inside others too."""
    return sum(
        (settings.get("type") == "python") + _pythons(settings.get("graders") or {})
        for settings in graders.values()
    )


def _compiled(
    builder: Builder,
    text: str,
    names: Mapping[str, Type],
    result: Any,
    found: Collector,
    ranges: Mapping[str, Interval],
) -> Expression | None:
    try:
        return builder.expression(text, None, names, result=result, ranges=ranges)
    except DiagnosticError as error:
        found.extend(error.diagnostics)
        return None


def _warnings(parts: _Parts, builder: Builder) -> list[Diagnostic]:
    used = parts.reward.names.union(*(m.names for m in parts.metrics.values()))
    out = [
        builder.at(name).problem(
            "E408", f"the grader `{name}` is used by no reward or metric", severity="warning"
        )
        for name in parts.graders
        if name not in used
    ]
    top = replace(builder, path="reward")
    if not parts.reward.names:
        message = "the reward is a constant: nothing can be learned from it"
        out.append(top.problem("E409", message, severity="warning"))
    return out


def _first_failure(expression: Expression, scores: Mapping[str, Score]) -> str | None:
    """The first grader that failed among those used; one that is down comes after all others."""
    failed = [n for n, s in scores.items() if s.value is None and n in expression.names]
    ours = [name for name in failed if scores[name].error not in INFRASTRUCTURE]
    return next(iter(ours + failed), None)


def _metric(
    expression: Expression, scores: Mapping[str, Score], values: Mapping[str, Any]
) -> float | None:
    if _first_failure(expression, scores) is not None:
        return None
    try:
        return float(expression.evaluate(values))
    except EvalError:
        return None


def _is_open(interval: Interval) -> bool:
    return not all(math.isfinite(end) for end in interval)
