"""Gradings in the shape of the hosted product's `graders/run` response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from rftspec.graders.score import ErrorKind, Graded
from rftspec.plan.model import Plan

_FLAGS: tuple[ErrorKind, ...] = get_args(ErrorKind)
_JUDGES = ("score_model", "label_model")


def run_response(plan: Plan, graded: Graded, usage: Mapping[str, Any]) -> dict[str, Any]:
    """`reward`, `sub_rewards` and `metadata`, as `POST graders/run` answers; and our metrics.

    `usage` is each judge's token counts by model, in the hosted product's names.
    """
    only = len(plan.graders) == 1
    kinds = {s.error for s in graded.scores.values()} | {graded.error}
    scores = {name: score.value for name, score in graded.scores.items()}
    seconds = [s.seconds for s in graded.scores.values() if s.seconds is not None]
    judges = [g for g in plan.graders.values() if g.get("type") in _JUDGES]
    errors: dict[str, Any] = {kind: kind in kinds for kind in _FLAGS}
    errors |= {
        "python_grader_server_error_type": None,
        "python_grader_runtime_error_details": _detail(graded, "python_grader_runtime_error"),
        "model_grader_server_error_details": _detail(graded, "model_grader_server_error"),
    }
    return {
        "reward": graded.reward,
        "sub_rewards": scores,
        "metadata": {
            "name": plan.name,
            "type": next(iter(plan.graders.values()))["type"] if only else "multi",
            "errors": errors,
            "execution_time": max(seconds, default=0.0),
            "scores": scores,
            "token_usage": sum(u["total_tokens"] for u in usage.values()) if usage else None,
            "sampled_model_name": judges[0].get("model") if judges else None,
        },
        "model_grader_token_usage_per_model": dict(usage),
        "metrics": dict(graded.metrics),
        "passed": passed(plan, graded),
        "details": {n: s.detail for n, s in graded.scores.items() if s.detail is not None},
    }


def passed(plan: Plan, graded: Graded) -> dict[str, bool]:
    """For each grader with a `pass_threshold`: whether its score reaches it."""
    out = {}
    for name, settings in plan.graders.items():
        threshold, score = settings.get("pass_threshold"), graded.scores.get(name)
        if threshold is not None and score is not None:
            out[name] = score.value is not None and score.value >= threshold
    return out


def _detail(graded: Graded, kind: ErrorKind) -> str | None:
    return next((s.detail for s in graded.scores.values() if s.error == kind), None)
