"""Every metric of a run, declared once: name, unit, meaning, healthy direction.

Names are the hosted product's where it has one (`train_reward_mean`, `valid_reward_mean`,
`completion_tokens_mean`, `train_sample_parse_error_mean`). A name with `{…}` is a family, such as
`graders/{grader}/train_reward_mean`. Logging a metric that is not declared here is an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from rftspec.graders.score import ErrorKind

Healthy = Literal["up", "down", "steady", "zero", "context"]
"""What a healthy run does: rises, falls, stays, stays at zero, or depends on the task."""

Stream = Literal["events", "timings"]
"""`events` holds what is the same in every run of a plan; `timings` holds what was measured."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One declared metric."""

    name: str
    unit: str
    meaning: str
    healthy: Healthy
    stream: Stream = "events"
    openai: str | None = None
    """Its name in the hosted product's events or result files, where that differs."""


class UndeclaredMetric(KeyError):
    """A metric was logged that `record/metrics.py` does not declare: a bug in the caller."""


_HOSTED_GRADERS = "scores.graders[].train_reward_mean"

_LEARNING = (
    Metric(
        "train_reward_mean",
        "reward",
        "Mean reward of the step's completions. The rows change from step to step: read its "
        "trend, not its single values.",
        "up",
        openai="train_mean_reward",
    ),
    Metric(
        "train_reward_std",
        "reward",
        "Standard deviation of the reward inside a group, averaged over the step's groups: the "
        "signal that advantages are made of.",
        "context",
    ),
    Metric(
        "graders/{grader}/train_reward_mean",
        "score",
        "Mean score of one grader over the step's completions; failed ones are left out.",
        "up",
        openai=_HOSTED_GRADERS,
    ),
    Metric(
        "metrics/{metric}/train_mean",
        "value",
        "Mean of one of the spec's metrics over the step's completions; it never enters the "
        "reward.",
        "up",
    ),
    Metric(
        "groups_no_signal_share",
        "share",
        "Share of groups whose completions all earned the same reward: they teach nothing.",
        "down",
    ),
    Metric(
        "groups_all_right_share",
        "share",
        "Share of groups whose completions all earned the highest possible reward: the rows are "
        "solved, or the grader is lenient.",
        "context",
    ),
    Metric(
        "groups_all_wrong_share",
        "share",
        "Share of groups whose completions all earned the lowest possible reward: the rows are "
        "too hard, or the grader is broken.",
        "down",
    ),
)

_COMPLETIONS = (
    Metric(
        "completion_tokens_mean",
        "tokens",
        "Mean length of the step's completions, the end-of-turn token included.",
        "steady",
    ),
    Metric("completion_tokens_p95", "tokens", "95th percentile of the lengths.", "steady"),
    Metric(
        "truncated_share",
        "share",
        "Share of completions cut off at `response.max_tokens`: their answers may be unfinished.",
        "zero",
    ),
)

_OPTIMISATION = (
    Metric(
        "loss",
        "nats",
        "The policy-gradient loss of the step. Its value near zero means little: watch the reward.",
        "context",
    ),
    Metric("learning_rate", "1", "The optimiser's learning rate in this step.", "context"),
    Metric(
        "grad_norm",
        "1",
        "Norm of the gradient before clipping; jumps announce an unstable run.",
        "steady",
    ),
    Metric(
        "entropy",
        "nats per token",
        "Mean entropy of the next-token distribution on completion tokens. A collapse to zero ends "
        "exploration.",
        "steady",
    ),
    Metric(
        "kl",
        "nats per token",
        "How far the policy has moved from the base model, estimated on the step's completions.",
        "steady",
    ),
    Metric(
        "clip_share",
        "share",
        "Share of completion tokens whose probability ratio was clipped.",
        "down",
    ),
    Metric("clip_low_share", "share", "Share of tokens clipped at the lower bound.", "down"),
    Metric("clip_high_share", "share", "Share of tokens clipped at the upper bound.", "down"),
    Metric(
        "ratio_max",
        "1",
        "Largest probability ratio between the trained and the sampling policy.",
        "steady",
    ),
    Metric(
        "logprob_mismatch_max",
        "nats",
        "Largest difference, over the step's tokens, between the log-probability at sampling and "
        "at learning: zero when both sides compute the same policy.",
        "zero",
    ),
    Metric(
        "logprob_mismatch_mean",
        "nats",
        "Mean absolute difference of those log-probabilities.",
        "zero",
    ),
    Metric(
        "advantage_abs_mean",
        "1",
        "Mean size of the advantages that entered the loss.",
        "context",
    ),
    Metric("groups_trained", "groups", "Groups with signal that entered the update.", "context"),
    Metric("tokens_trained", "tokens", "Completion tokens that entered the update.", "context"),
    Metric("micro_batches", "count", "Micro-batches that the update was computed in.", "context"),
)

_FAILURES = (
    Metric(
        "train_error_share",
        "share",
        "Share of completions whose reward is the floor because a grader failed; the run stops "
        "above `on_error.stop_above`.",
        "zero",
        openai="mean_unresponsive_rewards",
    ),
    Metric(
        "train_{error}_mean",
        "share",
        "Share of the step's completions with this kind of failure "
        "(`sample_parse_error`: no valid JSON although the spec asks for it).",
        "zero",
        openai="errors.graders[].train_{error}_mean",
    ),
    Metric(
        "train_{error}_count",
        "count",
        "Number of the step's completions with this kind of failure.",
        "zero",
        openai="errors.graders[].train_{error}_count",
    ),
)

_EVALUATION = (
    Metric(
        "valid_reward_mean",
        "reward",
        "Mean reward on the validation rows, the same at every evaluation; the best checkpoint is "
        "the one where it is highest.",
        "up",
        openai="full_valid_mean_reward",
    ),
    Metric(
        "graders/{grader}/valid_reward_mean",
        "score",
        "Mean score of one grader on the validation rows.",
        "up",
        openai="scores.graders[].valid_reward_mean",
    ),
    Metric(
        "metrics/{metric}/valid_mean",
        "value",
        "Mean of one of the spec's metrics on the validation rows.",
        "up",
    ),
    Metric(
        "valid_completion_tokens_mean",
        "tokens",
        "Mean length of the completions on the validation rows.",
        "steady",
    ),
    Metric(
        "valid_truncated_share",
        "share",
        "Share of validation completions cut off at `response.max_tokens`.",
        "zero",
    ),
    Metric(
        "valid_error_share",
        "share",
        "Share of validation completions whose reward is the floor because a grader failed.",
        "zero",
    ),
    Metric(
        "valid_{error}_mean",
        "share",
        "Share of validation completions with this kind of failure.",
        "zero",
        openai="errors.graders[].valid_{error}_mean",
    ),
    Metric(
        "valid_{error}_count",
        "count",
        "Number of validation completions with this kind of failure.",
        "zero",
        openai="errors.graders[].valid_{error}_count",
    ),
)

_TIMINGS = (
    Metric("sampling", "s", "Seconds of a step spent sampling completions.", "down", "timings"),
    Metric("grading", "s", "Seconds of a step spent grading them.", "down", "timings"),
    Metric("training", "s", "Seconds of a step spent in the update.", "down", "timings"),
    Metric("eval", "s", "Seconds of an evaluation, grading included.", "down", "timings"),
    Metric(
        "full_iteration",
        "s",
        "Seconds of a whole step, evaluation and writing included.",
        "down",
        "timings",
    ),
    Metric(
        "sampling_tokens_per_second",
        "tokens/s",
        "Completion tokens sampled per second.",
        "up",
        "timings",
    ),
    Metric(
        "training_tokens_per_second",
        "tokens/s",
        "Completion tokens learned from per second.",
        "up",
        "timings",
    ),
    Metric(
        "peak_memory",
        "bytes",
        "Highest memory use so far: of the accelerator, else of the process.",
        "steady",
        "timings",
    ),
)

SECTIONS: Mapping[str, tuple[Metric, ...]] = {
    "Reward": _LEARNING,
    "Completions": _COMPLETIONS,
    "Optimisation": _OPTIMISATION,
    "Grader errors": _FAILURES,
    "Validation": _EVALUATION,
    "Timing and memory": _TIMINGS,
}

METRICS: tuple[Metric, ...] = tuple(metric for part in SECTIONS.values() for metric in part)

_EXACT = {metric.name: metric for metric in METRICS if "{" not in metric.name}
_ERROR_KINDS = "|".join(get_args(ErrorKind))


def _pattern(name: str) -> re.Pattern[str]:
    """A family's name as a pattern; `{error}` is one of the error kinds, others anything."""
    parts = re.split(r"(\{[a-z]+\})", name)
    holes = {"{error}": f"(?:{_ERROR_KINDS})"}
    return re.compile("".join(holes.get(p, ".+") if p[:1] == "{" else re.escape(p) for p in parts))


_FAMILIES = tuple((_pattern(metric.name), metric) for metric in METRICS if "{" in metric.name)


def declared(name: str) -> Metric:
    """The declaration that a metric's name falls under; UndeclaredMetric when there is none."""
    exact = _EXACT.get(name)
    if exact is not None:
        return exact
    for pattern, metric in _FAMILIES:
        if pattern.fullmatch(name):
            return metric
    raise UndeclaredMetric(f"`{name}` is not declared in record/metrics.py")


def split_streams(
    values: Mapping[str, float],
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Declared values as (deterministic, measured); a non-finite one becomes None in the record."""
    streams: dict[Stream, dict[str, float | None]] = {"events": {}, "timings": {}}
    for name, value in values.items():
        streams[declared(name).stream][name] = float(value) if math.isfinite(value) else None
    return streams["events"], streams["timings"]


_ARROWS: Mapping[Healthy, str] = {
    "up": "rises",
    "down": "falls",
    "steady": "stays steady",
    "zero": "stays at zero",
    "context": "depends on the task",
}


def markdown() -> str:
    """`docs/metrics.md`, whole; a test holds the file equal to this."""
    lines = [
        "# Metrics",
        "",
        "Generated from `rftspec/record/metrics.py` by `python -m tools.metrics_doc`; do not "
        "edit. Step metrics stand",
        "in `events.jsonl` (the same in every run of a plan on one device), timings in "
        "`timings.jsonl`. `hosted` is the name in",
        "OpenAI's reinforcement fine-tuning events or result files, where it differs.",
    ]
    for title, metrics in SECTIONS.items():
        lines += ["", f"## {title}", "", "| metric | unit | healthy | meaning | hosted |"]
        lines += ["|---|---|---|---|---|"]
        for m in metrics:
            hosted = f"`{m.openai}`" if m.openai else ""
            lines.append(
                f"| `{m.name}` | {m.unit} | {_ARROWS[m.healthy]} | {m.meaning} | {hosted} |"
            )
    return "\n".join(lines) + "\n"
