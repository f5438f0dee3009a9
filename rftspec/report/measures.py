"""What can be measured of an answer: the reward, the metrics, each grader, the answer's form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rftspec.plan.model import Plan
from rftspec.report.evidence import Answer, Answers
from rftspec.report.numbers import REWARD, VALID, Measure, row_means

CUT_OFF = "cut off"
Kind = Literal["metric", "grader", "form"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One measure: its name, its kind, and how it is read off an answer."""

    name: str
    kind: Kind
    of: Measure

    def means(self, answers: Answers) -> dict[int, float]:
        """The mean over each row's answers; rows on which it always failed are left out."""
        return row_means(answers, self.of)

    def bounds(self, plan: Plan, *, share: bool) -> tuple[float, float] | None:
        """What the mean cannot leave: a share's 0 to 1, the reward's range; else nothing known."""
        if share:
            return (0.0, 1.0)
        return plan.reward_range if self.name == REWARD else None

    def is_share(self, answers: Sequence[Answers]) -> bool:
        """True when its values are 0 or 1, so that its mean is a share of answers."""
        if self.kind == "grader" or self.name == REWARD:
            return False
        values = {self.of(a) for part in answers for found in part.values() for a in found}
        return values <= {0.0, 1.0, None}


def measures(plan: Plan, *, form: bool = True) -> list[Asked]:
    """The reward, the spec's metrics, its graders under `graders/NAME`, and the answers' form."""
    found = [Asked(REWARD, "metric", lambda answer: answer.reward)]
    found += [metric(name) for name in plan.evaluate.metrics]
    found += [grader(name) for name in plan.graders]
    if form and plan.response.format is not None:
        found.append(Asked(VALID, "form", lambda answer: float(answer.valid)))
    if form:
        found.append(Asked(CUT_OFF, "form", lambda answer: float(answer.finish == "length")))
    return found


def said_once(found: Sequence[Asked], answers: Sequence[Answers]) -> list[Asked]:
    """Without `valid answers` where a metric of the spec says the same of every answer."""
    every = [a for part in answers for group in part.values() for a in group]
    form = next((asked for asked in found if asked.name == VALID), None)
    if form is None:
        return list(found)
    told = [form.of(answer) for answer in every]
    same = any(
        asked.kind == "metric" and [asked.of(answer) for answer in every] == told for asked in found
    )
    return [asked for asked in found if not (same and asked is form)]


def metric(name: str) -> Asked:
    """A metric of the spec."""
    return Asked(name, "metric", lambda answer: answer.metric(name))


def grader(name: str) -> Asked:
    """A grader's score."""
    return Asked(f"graders/{name}", "grader", lambda answer: _score(answer, name))


def _score(answer: Answer, name: str) -> float | None:
    value = answer.scores.get(name, {}).get("value")
    return float(value) if isinstance(value, int | float) else None
