"""The table of metrics: each declared once, with its unit, meaning and healthy direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
        "graders/{grader}/train_reward_std",
        "score",
        "Standard deviation of one grader's scores over the step's completions: at zero it tells "
        "no two answers apart.",
        "context",
    ),
    Metric(
        "graders/{grader}/train_pass_rate",
        "share",
        "Share of the step's completions whose score reaches the grader's `pass_threshold`.",
        "up",
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
        "mismatch_beyond_bound_share",
        "share",
        "Share of tokens on which that difference is above the engine's bound for its precision: "
        "those are corrected as `train.correction` says.",
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
    Metric(
        "groups_refilled",
        "groups",
        "Groups of other rows that were sampled in place of groups without signal "
        "(`train.refill`).",
        "context",
    ),
    Metric("updates", "count", "Optimiser updates of the step.", "context"),
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
        "train_dropped_share",
        "share",
        "Share of completions left out because a judge or an endpoint is down; only with "
        "`on_error.infrastructure: drop`. They count in `train_error_share` too.",
        "zero",
    ),
    Metric(
        "graders/{grader}/train_{error}_mean",
        "share",
        "Share of the step's completions on which one grader failed in this way.",
        "zero",
        openai="errors.graders[].train_{error}_mean",
    ),
    Metric(
        "graders/{grader}/train_{error}_count",
        "count",
        "Number of the step's completions on which one grader failed in this way.",
        "zero",
        openai="errors.graders[].train_{error}_count",
    ),
    Metric(
        "train_{error}_mean",
        "share",
        "Share of the step's completions with this kind of failure "
        "(`sample_parse_error`: no valid JSON although the spec asks for it).",
        "zero",
    ),
    Metric(
        "train_{error}_count",
        "count",
        "Number of the step's completions with this kind of failure.",
        "zero",
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
        "graders/{grader}/valid_reward_std",
        "score",
        "Standard deviation of one grader's scores on the validation rows.",
        "context",
    ),
    Metric(
        "graders/{grader}/valid_pass_rate",
        "share",
        "Share of validation completions whose score reaches the grader's `pass_threshold`.",
        "up",
    ),
    Metric(
        "graders/{grader}/valid_{error}_mean",
        "share",
        "Share of validation completions on which one grader failed in this way.",
        "zero",
        openai="errors.graders[].valid_{error}_mean",
    ),
    Metric(
        "graders/{grader}/valid_{error}_count",
        "count",
        "Number of validation completions on which one grader failed in this way.",
        "zero",
        openai="errors.graders[].valid_{error}_count",
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
    ),
    Metric(
        "valid_{error}_count",
        "count",
        "Number of validation completions with this kind of failure.",
        "zero",
    ),
)

_TIMINGS = (
    Metric(
        "graders/{grader}/train_latency_mean",
        "s",
        "Mean seconds that one grader took for a score; for those that do not measure each score, "
        "the batch's seconds shared out.",
        "down",
        "timings",
    ),
    Metric(
        "graders/{grader}/train_latency_p95",
        "s",
        "95th percentile of those seconds.",
        "down",
        "timings",
    ),
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
