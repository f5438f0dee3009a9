"""The numbers of a batch of graded samples: means, spreads, errors, latencies."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rftspec.plan.model import Plan
from rftspec.run.grade import GradedSample

PARSE_ERROR = "sample_parse_error"


def step_metrics(samples: Sequence[GradedSample], plan: Plan) -> dict[str, float]:
    """The declared metrics of a step's rollouts; a mean over nothing is left out."""
    means = _means(samples)
    found = {"train_reward_mean": means["reward"], **_group_metrics(samples, plan)}
    for name, value in means.items():
        if name.startswith("graders/"):
            found[f"{name}/train_reward_mean"] = value
        elif name.startswith("metrics/"):
            found[f"{name}/train_mean"] = value
    for grader, name, value in _grader_numbers(samples, plan):
        found[f"graders/{grader}/train_{'reward_std' if name == 'std' else name}"] = value
    lengths = [s.tokens for s in samples]
    found["completion_tokens_mean"] = float(np.mean(lengths))
    found["completion_tokens_p95"] = float(np.percentile(lengths, 95))
    found["truncated_share"] = _share(s.sample.finish_reason == "length" for s in samples)
    found["train_error_share"] = error_share(samples)
    if any(s.graded.dropped for s in samples):
        found["train_dropped_share"] = _share(s.graded.dropped for s in samples)
    for kind, count in error_counts(samples).items():
        found[f"train_{kind}_count"] = float(count)
        found[f"train_{kind}_mean"] = count / len(samples)
    return {name: value for name, value in found.items() if value is not None}


def evaluation_metrics(samples: Sequence[GradedSample], plan: Plan) -> dict[str, float | None]:
    """The means of an evaluation, as they stand in its event."""
    found: dict[str, float | None] = {}
    for name, value in _means(samples).items():
        found[name.removeprefix("metrics/")] = value
    for grader, name, value in _grader_numbers(samples, plan):
        found[f"graders/{grader}/{name}"] = value
    if any(s.tokens for s in samples):  # outputs made elsewhere have no tokens
        found["completion_tokens_mean"] = float(np.mean([s.tokens for s in samples]))
        found["truncated_share"] = _share(s.sample.finish_reason == "length" for s in samples)
    found["error_share"] = error_share(samples)
    for kind, count in error_counts(samples).items():
        found[f"{kind}_count"] = float(count)
        found[f"{kind}_mean"] = count / len(samples)
    return found


def latencies(samples: Sequence[GradedSample]) -> dict[str, dict[str, float]]:
    """Seconds per score of each grader: mean and 95th percentile. Measured, so never an event."""
    seconds: dict[str, list[float]] = {}
    for sample in samples:
        for name, score in sample.graded.scores.items():
            if score.seconds is not None:
                seconds.setdefault(name, []).append(score.seconds)
    return {
        name: {"mean": float(np.mean(found)), "p95": float(np.percentile(found, 95))}
        for name, found in seconds.items()
    }


def error_share(samples: Sequence[GradedSample]) -> float:
    """Share of samples whose reward is the floor because a grader failed."""
    return _share(s.graded.error is not None for s in samples) if samples else 0.0


def error_counts(samples: Sequence[GradedSample]) -> Counter[str]:
    """How many samples had each kind of failure, in a grader, the reward or the format."""
    counts: Counter[str] = Counter()
    for sample in samples:
        kinds = {s.error for s in sample.graded.scores.values() if s.error is not None}
        if sample.graded.error is not None:
            kinds.add(sample.graded.error)
        counts.update(kinds)
        if sample.parse_error and PARSE_ERROR not in kinds:
            counts[PARSE_ERROR] += 1
    return Counter(dict(sorted(counts.items())))


def _means(samples: Sequence[GradedSample]) -> dict[str, float | None]:
    """Reward, grader scores and metrics: the mean of each over the samples that have it."""
    columns: dict[str, list[float]] = {"reward": []}
    for sample in samples:
        graded = sample.graded
        _put(columns, "reward", None if graded.dropped else graded.reward)
        for name, score in graded.scores.items():
            _put(columns, f"graders/{name}", score.value)
        for name, value in graded.metrics.items():
            _put(columns, f"metrics/{name}", value)
    return {name: math.fsum(v) / len(v) if v else None for name, v in columns.items()}


def _grader_numbers(
    samples: Sequence[GradedSample], plan: Plan
) -> Iterator[tuple[str, str, float]]:
    """(grader, number, value): the spread of its scores, its passes, each kind of its errors."""
    for grader, settings in plan.graders.items():
        scores = [s.graded.scores[grader] for s in samples if grader in s.graded.scores]
        values = [s.value for s in scores if s.value is not None]
        if values:
            yield grader, "std", float(np.std(values))
        threshold = settings.get("pass_threshold")
        if scores and threshold is not None:
            # a failed grader did not pass
            yield grader, "pass_rate", sum(v >= threshold for v in values) / len(scores)
        for kind, count in sorted(Counter(s.error for s in scores if s.error).items()):
            yield grader, f"{kind}_count", float(count)
            yield grader, f"{kind}_mean", count / len(scores)


def _put(columns: dict[str, list[float]], name: str, value: float | None) -> None:
    column = columns.setdefault(name, [])
    if value is not None:
        column.append(float(value))


def _group_metrics(samples: Sequence[GradedSample], plan: Plan) -> dict[str, float]:
    """Spread inside groups, and the shares of groups that teach nothing."""
    size = plan.train.samples_per_prompt
    low, high = plan.reward_range
    spreads, flat, right, wrong = [], [], [], []
    for start in range(0, len(samples), size):
        group = samples[start : start + size]
        rewards = np.array([s.graded.reward for s in group if not s.graded.dropped])
        if not len(rewards):
            continue
        spreads.append(rewards.std())
        flat.append(np.ptp(rewards) < 1e-9)
        right.append(flat[-1] and rewards[0] >= high - 1e-9)
        wrong.append(flat[-1] and rewards[0] <= low + 1e-9)
    if not spreads:
        return {}
    return {
        "train_reward_std": float(np.mean(spreads)),
        "groups_no_signal_share": float(np.mean(flat)),
        "groups_all_right_share": float(np.mean(right)),
        "groups_all_wrong_share": float(np.mean(wrong)),
    }


def _share(flags: Iterable[bool]) -> float:
    found = [bool(flag) for flag in flags]
    return sum(found) / len(found)
