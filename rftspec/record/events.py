"""The shapes of events and sample lines: what stands in `events.jsonl` and `samples.jsonl`.

Every event has `seq` (its place in the stream) and `event` (its kind); the functions here make the
rest. Nothing in them may depend on time or on the machine's speed: that goes to `timings.jsonl`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rftspec.graders.score import Graded, Sample
from rftspec.record.metrics import UndeclaredMetric, declared

JSON = dict[str, Any]
SampleKind = Literal["rollout", "evaluation", "ballot"]
"""A completion that was trained on · one that is measured · one that only votes in a reference."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event before it has its number."""

    kind: str
    fields: Mapping[str, Any]


def run_started(name: str, plan_hash: str, versions: Mapping[str, str]) -> Event:
    """The first event: which plan, and with which versions of what decides its numbers."""
    return Event("run_started", {"name": name, "plan_hash": plan_hash, "versions": dict(versions)})


def evaluation(
    *, model: str, split: str, step: int, rows: int, samples: int, metrics: Mapping[str, Any]
) -> Event:
    """A model was measured on `rows` rows of a split with `samples` completions in all.

    `metrics` holds `reward`, each grader's mean under `graders/NAME`, each of the spec's metrics
    under its own name, `completion_tokens_mean`, `truncated_share`, `error_share`, and each error's
    `NAME_count`; a mean over nothing is None.
    """
    fields = {"model": model, "split": split, "step": step, "rows": rows, "samples": samples}
    return Event("evaluation", {**fields, "metrics": dict(metrics)})


def step(number: int, metrics: Mapping[str, float | None]) -> Event:
    """One training step; raises UndeclaredMetric for a metric that is not declared or is timed."""
    for name in metrics:
        if declared(name).stream != "events":
            raise UndeclaredMetric(f"`{name}` is measured: it belongs to timings.jsonl")
    return Event("step", {"step": number, "metrics": dict(metrics)})


def checkpoint(number: int, path: str, valid_reward_mean: float | None) -> Event:
    """The adapter was saved after a step; the reward is None where nothing was validated."""
    fields = {"step": number, "path": path, "valid_reward_mean": valid_reward_mean}
    return Event("checkpoint", fields)


def warning(code: str, message: str, number: int) -> Event:
    """A health rule found something at a step."""
    return Event("warning", {"code": code, "message": message, "step": number})


def early_stop(number: int, reason: str) -> Event:
    """Training ended after this step, before its time: the validation reward no longer rose."""
    return Event("early_stop", {"step": number, "reason": reason})


def best(number: int, valid_reward_mean: float | None) -> Event:
    """The checkpoint that the run is judged by."""
    return Event("best", {"step": number, "valid_reward_mean": valid_reward_mean})


def finished(summary: Mapping[str, Any]) -> Event:
    """The last event: the headline, the gates, and where the adapter came from."""
    return Event("finished", dict(summary))


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose completion a sample line is: the part that many lines share."""

    kind: SampleKind
    model: str
    split: str
    step: int


def sample_line(
    origin: Origin,
    *,
    row: int,
    index: int,
    sample: Sample,
    tokens: int,
    graded: Graded,
    parse_error: bool = False,
    group: int | None = None,
) -> JSON:
    """One completion with all that grading said of it; `group` is its place in the step."""
    line: JSON = {
        "kind": origin.kind,
        "model": origin.model,
        "split": origin.split,
        "step": origin.step,
        "row": row,
        "index": index,
        "output_text": sample.output_text,
        "finish_reason": sample.finish_reason,
        "completion_tokens": tokens,
        "reward": graded.reward,
        "error": _error(graded),
        "scores": {name: score.to_json() for name, score in graded.scores.items()},
        "metrics": dict(graded.metrics),
    }
    if parse_error:
        line["parse_error"] = True
    if graded.dropped:
        line["dropped"] = True
    if group is not None:
        line["group"] = group
    return line


def row_line(split: str, row: int, item: Mapping[str, Any], messages: Sequence[Any]) -> JSON:
    """One row of the data as graders saw it; `messages` stand apart where a template made them."""
    line: JSON = {"split": split, "row": row, "id": item.get("id"), "item": dict(item)}
    if "messages" not in item:
        line["messages"] = list(messages)
    return line


def _error(graded: Graded) -> JSON | None:
    if graded.error is None:
        return None
    return {
        "kind": graded.error,
        "grader": graded.error_grader,
        "detail": graded.error_detail,
    }
