"""The end of a run: the headline with its intervals, the gates, and the adapter's page.

Read back from the record, not from memory: the summary says what the record says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.plan.model import Plan
from rftspec.record.events import JSON
from rftspec.run.history import History
from rftspec.run.rows import Row, clusters
from rftspec.stats.intervals import paired_difference

Values = Mapping[str, Mapping[int, list[float]]]
"""For each measure, each row's values over its samples."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """One `require:` gate and what it came to."""

    expression: str
    passed: bool
    detail: str

    def to_json(self) -> JSON:
        """Plain JSON values."""
        return {"expression": self.expression, "passed": self.passed, "detail": self.detail}


def summarise(
    plan: Plan,
    history: History,
    headline: str,
    rows: Sequence[Row],
    samples: Sequence[Mapping[str, Any]],
    gates: Sequence[GateResult],
) -> JSON:
    """The `finished` event's fields; `samples` are the headline's sample lines, all models."""
    step, value = history.best
    models = {
        found.model: dict(found.metrics)
        for found in history.evaluations
        if found.split == headline and not found.model.startswith("step-")
    }
    return {
        "headline_split": headline,
        "rows": len(rows),
        "samples": plan.evaluate.samples,
        "best_step": step,
        "best_valid_reward_mean": value,
        "models": models,
        "gain": _gains(plan, rows, samples),
        "train_reward_mean": _two(history, "train", "tuned"),
        "valid_reward_mean": _two(history, "validation", f"step-{step}"),
        "gates": [gate.to_json() for gate in gates],
        "adapter": "adapter",
    }


def _two(history: History, split: str, tuned: str) -> JSON:
    """Base and tuned mean reward on a split; None where it was not measured."""
    found = {}
    for name, model in (("base", "base"), ("tuned", tuned)):
        measured = history.evaluation(model, split)
        found[name] = None if measured is None else measured.metrics.get("reward")
    return found


def _gains(
    plan: Plan, rows: Sequence[Row], samples: Sequence[Mapping[str, Any]]
) -> dict[str, JSON]:
    """Tuned minus base, paired by row and clustered, for the reward and each metric."""
    base, tuned = _values(samples, "base"), _values(samples, "tuned")
    groups = dict(zip((r.index for r in rows), clusters(rows, plan.data.disjoint), strict=True))
    gains = {}
    for name in ("reward", *plan.evaluate.metrics):
        before, after = base.get(name, {}), tuned.get(name, {})
        both = [index for index in groups if index in before and index in after]
        if both:
            interval = paired_difference(
                [after[i] for i in both],
                [before[i] for i in both],
                [groups[i] for i in both],
                seed=plan.seed,
            )
            gains[name] = {**interval.to_json(), "words": interval.words}
    return gains


def _values(samples: Sequence[Mapping[str, Any]], model: str) -> Values:
    found: dict[str, dict[int, list[float]]] = {}
    for line in samples:
        if line["model"] != model or line.get("dropped"):
            continue
        for name, value in {"reward": line["reward"], **line["metrics"]}.items():
            if value is not None:
                found.setdefault(name, {}).setdefault(line["row"], []).append(value)
    return found


def adapter_page(plan: Plan, summary: Mapping[str, Any]) -> str:
    """`adapter/README.md`: what the adapter is, how it was made, how to load it."""
    models, split = summary["models"], summary["headline_split"]
    rows = [
        f"| {name} | {models[name].get('reward', 0.0):.3f} |"
        for name in ("base", "tuned")
        if name in models
    ]
    return "\n".join(
        [
            f"# {plan.name}",
            "",
            f"A LoRA adapter for `{plan.model.base}`, trained by rftspec:",
            f"`{plan.train.algorithm}`, {plan.train.steps} steps, of which this is the checkpoint "
            f"of step {summary['best_step']} (plan {plan.hash}, seed {plan.seed}).",
            "",
            f"| model | mean reward on {split} |",
            "|---|---|",
            *rows,
            "",
            "```python",
            "from peft import PeftModel",
            "from transformers import AutoModelForCausalLM",
            "",
            "model = AutoModelForCausalLM.from_pretrained(BASE)  # the base model's folder or id",
            'model = PeftModel.from_pretrained(model, "adapter")',
            "```",
            "",
        ]
    )
