"""Health rules: what a person would want to be told while the run still goes.

Each rule reads the history and says one sentence, or nothing; each speaks once in a run. Length or
dominance alone is no alarm: H4 fires only when the correct answers did not become more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from rftspec.plan.model import Plan
from rftspec.record.events import Event, warning
from rftspec.run.history import History

CODES: Mapping[str, str] = {
    "H1": "No group had any signal for ten steps: every completion of a row earned the same. All "
    "wrong: the rows are too hard for this model, or a grader is broken. All right: the rows are "
    "solved, or a grader is lenient.",
    "H2": "Nine in ten completions are cut off at `response.max_tokens`: their answers never end, "
    "so the reward measures the cut. Raise `response.max_tokens`.",
    "H3": "More than 1 % of the completions of a step could not be graded, or a grader failed in "
    "an unexpected way. Their reward is the floor; mend the grader before trusting the run.",
    "H4": "Completions are twice as long as at the start while correct answers did not become "
    "more: the reward may pay for words.",
    "H9": "The gradient of a step was not finite, and its update was left out. Once may be chance; "
    "if it comes again, lower train.learning_rate.",
    "H10": "Sampler and learner disagree on log-probabilities by more than the engine's bound for "
    "this precision: what is trained is not quite what was sampled. `train.correction` weights it; "
    "a bound that is exceeded at every step wants `model.quantization: none` or another device.",
}
"""Every health rule with its page for `rftspec explain`."""

FLAT_STEPS = 10
TRUNCATED = 0.9
ERRORS = 0.01
LENGTHENED = 2.0
_WINDOW = 5
_MOVED = 0.02


def stale_evaluations(history: History, plan: Plan) -> str | None:
    """Why training ends here by `train.early_stopping`; None where it goes on."""
    patience = plan.train.early_stopping
    if patience is None:
        return None
    least, best, since = plan.train.early_stopping_min_delta or 0.0, -math.inf, 0
    for _, value in history.checkpoints:
        if value is not None:
            better = value > best + least
            best, since = (value, 0) if better else (best, since + 1)
    if since < patience:
        return None
    many = "an evaluation" if since == 1 else f"{since} evaluations"
    return f"{many} without a new best validation reward (train.early_stopping)"


Rule = Callable[[History, Plan], str | None]


def findings(history: History, plan: Plan) -> list[Event]:
    """The rules that fire now and have not fired before, as warning events."""
    if not history.steps:
        return []
    now = history.steps[-1][0]
    found = []
    for code, rule in _RULES.items():
        message = None if code in history.warned else rule(history, plan)
        if message is not None:
            found.append(warning(code, message, now))
    return found


def _no_signal(history: History, plan: Plan) -> str | None:
    shares = history.recent("groups_no_signal_share", FLAT_STEPS)
    if len(shares) < FLAT_STEPS or min(shares) < 1.0:
        return None
    wrong = np.mean(history.recent("groups_all_wrong_share", FLAT_STEPS))
    right = np.mean(history.recent("groups_all_right_share", FLAT_STEPS))
    if wrong > 0.9:
        why = "all wrong: the rows are too hard for this model, or a grader is broken"
    elif right > 0.9:
        why = "all right: the rows are solved, or a grader is lenient"
    else:
        why = "every completion of a row earns the same"
    return f"no group had any signal for {FLAT_STEPS} steps ({why})"


def _truncated(history: History, plan: Plan) -> str | None:
    share = history.steps[-1][1].get("truncated_share") or 0.0
    if share < TRUNCATED:
        return None
    limit = plan.response.max_tokens
    return (
        f"{share:.0%} of the completions are cut off at {limit} tokens: raise response.max_tokens"
    )


def _errors(history: History, plan: Plan) -> str | None:
    metrics = history.steps[-1][1]
    share = metrics.get("train_error_share") or 0.0
    unexpected = metrics.get("train_other_error_count") or 0.0
    if share <= ERRORS and unexpected == 0:
        return None
    kinds = [
        f"{name.removeprefix('train_').removesuffix('_count')} × {value:.0f}"
        for name, value in metrics.items()
        if name.endswith("_error_count") and value and "sample_parse" not in name
    ]
    told = f": {', '.join(kinds)}" if kinds else ""
    return f"{share:.1%} of the completions could not be graded{told}"


def _longer(history: History, plan: Plan) -> str | None:
    """Twice as long, and neither the pass metric nor, where there is none, the reward rose."""
    if len(history.steps) < 2 * _WINDOW:
        return None
    before, now = _then_and_now(history, "completion_tokens_mean")
    if before <= 0 or now < LENGTHENED * before:
        return None
    correct = f"metrics/{plan.evaluate.pass_metric}/train_mean"
    if correct not in history.steps[0][1]:
        correct = "train_reward_mean"
    then, at_last = _then_and_now(history, correct)
    if at_last - then > _MOVED:
        return None
    name = correct.removeprefix("metrics/").removesuffix("/train_mean")
    return (
        f"completions are {now / before:.1f} × as long as at the start while `{name}` went from "
        f"{then:.2f} to {at_last:.2f}: the reward may pay for words"
    )


def _not_finite(history: History, plan: Plan) -> str | None:
    """A value that is not finite stands as None in the record."""
    metrics = history.steps[-1][1]
    if "grad_norm" not in metrics or metrics["grad_norm"] is not None:
        return None
    return "the gradient was not finite: this step's update was left out"


def _mismatch(history: History, plan: Plan) -> str | None:
    """Some token's log-probability differed by more than the engine's bound."""
    metrics = history.steps[-1][1]
    share = metrics.get("mismatch_beyond_bound_share") or 0.0
    if share <= 0:
        return None
    done = {
        "truncate": "they are weighted by truncated importance ratios",
        "mask": "completions that differ by a factor of 2 are left out",
        "none": "nothing corrects it",
    }[plan.train.correction]
    if plan.train.updates_per_batch > 1:
        done = "the clipped ratio corrects it"
    most = metrics.get("logprob_mismatch_max") or 0.0
    return (
        f"sampler and learner differ by up to {most:.2g} nats on {share:.2%} of the tokens, more "
        f"than the engine's bound: {done}"
    )


def _then_and_now(history: History, metric: str) -> tuple[float, float]:
    first = [m.get(metric) or 0.0 for _, m in history.steps[:_WINDOW]]
    last = [m.get(metric) or 0.0 for _, m in history.steps[-_WINDOW:]]
    return float(np.mean(first)), float(np.mean(last))


_RULES: Mapping[str, Rule] = {
    "H1": _no_signal,
    "H2": _truncated,
    "H3": _errors,
    "H4": _longer,
    "H9": _not_finite,
    "H10": _mismatch,
}
