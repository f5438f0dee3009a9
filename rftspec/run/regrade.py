"""A finished run graded again, without generating: by its own graders, or by others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from rftspec.expr import merge_value_types
from rftspec.graders.output import read_output
from rftspec.graders.score import Graded
from rftspec.plan.model import Plan
from rftspec.record.folder import Record
from rftspec.run.opening import open_graders

BATCH = 512
KEPT = 5
SAME = 1e-9
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """One recorded sample and what grading says of it now."""

    line: Line
    graded: Graded

    @property
    def before(self) -> float:
        """The recorded reward."""
        return float(self.line["reward"])

    def to_json(self) -> dict[str, Any]:
        """One line of the file that `--out` writes."""
        origin = {name: self.line[name] for name in ("kind", "model", "split", "step")}
        return {
            **origin,
            "row": self.line["row"],
            "index": self.line["index"],
            "reward_before": self.before,
            "reward": self.graded.reward,
            "error": self.graded.error,
            "scores": {name: score.to_json() for name, score in self.graded.scores.items()},
            "metrics": dict(self.graded.metrics),
        }


@dataclass(slots=True)
class Regraded:
    """What came of grading again: per part of the record, and over all."""

    before: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    after: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Rewards by part, such as `base on test`."""
    errors: int = 0
    changed: int = 0
    largest: list[Pair] = field(default_factory=list)
    """The samples whose reward moved most."""

    def take(self, pair: Pair) -> None:
        """Count one sample in."""
        part = _part(pair.line)
        self.before[part].append(pair.before)
        self.after[part].append(pair.graded.reward)
        self.errors += pair.graded.error is not None
        if abs(pair.graded.reward - pair.before) > SAME:
            self.changed += 1
            self.largest.append(pair)
            self.largest.sort(key=lambda p: -abs(p.graded.reward - p.before))
            del self.largest[KEPT:]

    @property
    def samples(self) -> int:
        """How many were graded."""
        return sum(map(len, self.after.values()))

    @property
    def rank_correlation(self) -> float | None:
        """Spearman's rank correlation of the old and new rewards; None where either is constant."""
        from scipy.stats import rankdata

        old, new = (
            rankdata([value for part in self.before for value in rewards[part]])
            for rewards in (self.before, self.after)
        )
        if len(old) < 2 or np.ptp(old) == 0 or np.ptp(new) == 0:
            return None
        return float(np.corrcoef(old, new)[0, 1])


def regrade(record: Record, graders: Plan) -> Iterator[Pair]:
    """Every evaluation answer and rollout of a record, graded by another plan's graders.

    The rows, and the form that answers are read in, are the run's own.
    """
    items = {(row["split"], row["row"]): row["item"] for row in record.rows()}
    form = record.plan.response.format
    lines = (s for s in record.samples() if s["kind"] in ("evaluation", "rollout"))
    with open_graders(_like(record.plan, graders), merge_value_types(list(items.values()))) as made:
        while batch := list(islice(lines, BATCH)):
            samples = [
                read_output(s["output_text"], form, finish_reason=s["finish_reason"]) for s in batch
            ]
            rows = [items[s["split"], s["row"]] for s in batch]
            for line, graded in zip(batch, made.grade(samples, rows), strict=True):
                yield Pair(line, graded)


def _like(run: Plan, graders: Plan) -> Plan:
    """The run's plan with another's graders, reward and metrics."""
    evaluate = replace(run.evaluate, metrics=graders.evaluate.metrics)
    return replace(
        run,
        graders=graders.graders,
        reward=graders.reward,
        evaluate=evaluate,
        sandbox=graders.sandbox,
        spec_path=graders.spec_path,
    )


def _part(line: Line) -> str:
    if line["kind"] == "rollout":
        return "rollouts in training"
    return f"{line['model']} on {line['split']}"
