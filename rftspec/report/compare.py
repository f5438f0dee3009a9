"""Runs and evaluations compared row by row: differences with intervals, flips, what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rftspec.report.entrants import Entrant
from rftspec.report.evidence import Answers
from rftspec.report.measures import CUT_OFF, Asked, Kind, measures, said_once
from rftspec.report.numbers import REWARD, plain, row_passes
from rftspec.report.pairing import Pairing, pair_rows
from rftspec.report.subjects import SPLITS
from rftspec.stats.paired import Paired, holm, paired

FORMAT = "rftspec.compare/1"
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """One measure on both sides, over the rows that both have."""

    name: str
    kind: Kind
    share: bool
    numbers: Paired
    corrected: float
    """p after Holm's correction over the metrics of the comparison; NaN where none is made."""
    redefined: bool
    """True when the two plans define it differently: the difference is of two measures."""

    @property
    def verdict(self) -> str:
        """Words that follow the numbers: the second side is higher, lower, or nothing is shown."""
        words = self.numbers.interval.words
        if words in ("higher", "lower") and self.corrected >= LEVEL:
            return f"{words}, not after correction"
        return words


@dataclass(frozen=True, slots=True)
class RowMove:
    """One row on both sides: the means of its answers on the headline."""

    id: str
    before: float
    after: float
    passed_before: bool
    passed_after: bool

    @property
    def move(self) -> float:
        """After less before."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Versus:
    """The first side against one other."""

    other: Entrant
    pairing: Pairing
    changes: tuple[Change, ...]
    rows: tuple[RowMove, ...]
    """Every common row, the largest fall first."""
    clusters: int
    clustered_by: str | None
    notes: tuple[str, ...]

    def change(self, name: str) -> Change | None:
        """One measure by name."""
        return next((change for change in self.changes if change.name == name), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first side against all others."""

    first: Entrant
    split: str | None
    """None where no two sides have a split in common."""
    headline: str
    versus: tuple[Versus, ...]

    def to_json(self) -> dict[str, Any]:
        """The numbers as plain JSON values."""
        return {
            "format": FORMAT,
            "first": _side(self.first),
            "split": self.split,
            "headline": self.headline,
            "against": [_versus(one) for one in self.versus],
        }


def compare(first: Entrant, others: Sequence[Entrant], split: str | None = None) -> Comparison:
    """Compare; the split is the first of test, validation and training rows that all have."""
    chosen = split or common_split([first, *others])
    headline = first.plan.evaluate.pass_metric
    headline = headline if headline in first.plan.evaluate.metrics else REWARD
    if chosen is None:
        return Comparison(first, None, headline, tuple(_nothing(other) for other in others))
    found = [_against(first, other, chosen, headline) for other in others]
    return Comparison(first, chosen, headline, tuple(_corrected(found)))


def common_split(sides: Sequence[Entrant]) -> str | None:
    """The first split that all sides have answers on, else that the first and another have."""
    for split in SPLITS:
        if all(split in side.answers for side in sides):
            return split
    for split in SPLITS:
        if split in sides[0].answers and any(split in side.answers for side in sides[1:]):
            return split
    return None


def _nothing(other: Entrant) -> Versus:
    return Versus(other, Pairing((), "nothing", 0, 0), (), (), 0, None, ())


def _against(first: Entrant, other: Entrant, split: str, headline: str) -> Versus:
    pairing = pair_rows(first, other, split)
    answers = tuple(
        {place: side.answers[split][pair[which]] for place, pair in enumerate(pairing.rows)}
        for which, side in enumerate((first, other))
    )
    source, which = (first, 0) if first.plan.data.disjoint else (other, 1)
    groups = {n: source.evidence.cluster(split, pair[which]) for n, pair in enumerate(pairing.rows)}
    named = {asked.name for asked in measures(other.plan)}
    changes = [
        change
        for asked in said_once(measures(first.plan), answers)
        if asked.name in named
        and (asked.name != CUT_OFF or _counts_tokens(answers))
        and (change := _change(first, other, asked, answers[0], answers[1], groups)) is not None
    ]
    disjoint = source.plan.data.disjoint
    return Versus(
        other=other,
        pairing=pairing,
        changes=tuple(changes),
        rows=tuple(_rows(first, other, split, headline, pairing, answers[0], answers[1])),
        clusters=len(set(groups.values())),
        clustered_by=disjoint[0] if disjoint else None,
        notes=tuple(_notes(first, other, pairing, changes)),
    )


def _counts_tokens(sides: Sequence[Answers]) -> bool:
    """False for outputs made elsewhere, which do not tell whether they were cut off."""
    return all(any(a.tokens for found in side.values() for a in found) for side in sides)


def _change(
    first: Entrant,
    other: Entrant,
    asked: Asked,
    before: Answers,
    after: Answers,
    groups: Mapping[int, str],
) -> Change | None:
    """One measure over the common rows that both sides have a value on."""
    means = asked.means(before), asked.means(after)
    both = sorted(means[0].keys() & means[1].keys())
    if not both:
        return None
    numbers = paired(
        [means[1][row] for row in both],
        [means[0][row] for row in both],
        [groups[row] for row in both],
        seed=first.plan.seed,
    )
    share = asked.is_share([before, after])
    redefined = _definition(first, asked) != _definition(other, asked)
    return Change(asked.name, asked.kind, share, numbers, math.nan, redefined)


def _definition(side: Entrant, asked: Asked) -> Any:
    """What decides a measure's value of an answer."""
    plan = side.plan
    if asked.name == REWARD:
        return (plan.reward.strip(), plan.graders, plan.response.format)
    if asked.kind == "grader":
        return (plan.graders.get(asked.name.removeprefix("graders/")), plan.response.format)
    return (plan.evaluate.metrics.get(asked.name), plan.response.format)


def _corrected(found: Sequence[Versus]) -> list[Versus]:
    """Holm's correction over every metric of every comparison; graders and form are left alone."""
    asked = {
        f"{place} {change.name}": change.numbers.p
        for place, versus in enumerate(found)
        for change in versus.changes
        if change.kind == "metric"
    }
    told = holm(asked)
    return [
        replace(
            versus,
            changes=tuple(
                replace(change, corrected=told.get(f"{place} {change.name}", math.nan))
                for change in versus.changes
            ),
        )
        for place, versus in enumerate(found)
    ]


def _rows(
    first: Entrant,
    other: Entrant,
    split: str,
    headline: str,
    pairing: Pairing,
    before: Answers,
    after: Answers,
) -> list[RowMove]:
    asked = next(asked for asked in measures(first.plan) if asked.name == headline)
    means = asked.means(before), asked.means(after)
    rows = [
        RowMove(
            first.evidence.row_id(split, pairing.rows[place][0]),
            means[0][place],
            means[1][place],
            row_passes(first.evidence, before[place]),
            row_passes(first.evidence, after[place]),
        )
        for place in sorted(means[0].keys() & means[1].keys())
    ]
    return sorted(rows, key=lambda row: row.move)


def _notes(
    first: Entrant, other: Entrant, pairing: Pairing, changes: Sequence[Change]
) -> list[str]:
    notes = []
    if pairing.changed:
        notes.append(f"{pairing.changed} rows have the same id and other contents")
    redefined = [change.name for change in changes if change.redefined]
    if redefined:
        notes.append(
            f"defined differently in the two plans: {', '.join(redefined)}. Grade both by one spec "
            "(`rftspec grade RUN --with SPEC`) to compare models and not graders"
        )
    sampling = [(side.plan.response.temperature, side.plan.response.max_tokens)
                for side in (first, other)]  # fmt: skip
    if sampling[0] != sampling[1]:
        notes.append("the answers were sampled differently (temperature or max_tokens)")
    return notes


def _side(side: Entrant) -> dict[str, Any]:
    return {
        "folder": str(side.folder),
        "model": side.model,
        "label": side.label,
        "state": side.state,
        "plan": side.plan.hash,
        "splits": sorted(side.answers),
        "notes": side.notes(),
    }


def _versus(one: Versus) -> dict[str, Any]:
    told: dict[str, Any] = plain(
        {
            "rows": {
                "common": len(one.pairing.rows),
                "paired_by": one.pairing.how,
                "only_first": one.pairing.only_first,
                "only_other": one.pairing.only_second,
                "changed": one.pairing.changed,
            },
            "clusters": one.clusters,
            "clustered_by": one.clustered_by,
            "measures": [
                {"name": c.name, "kind": c.kind, "share": c.share, **plain(c.numbers),
                 "p_corrected": c.corrected, "redefined": c.redefined, "verdict": c.verdict}
                for c in one.changes
            ],
            "row_by_row": [
                {"id": r.id, "before": r.before, "after": r.after, "move": r.move,
                 "passed_before": r.passed_before, "passed_after": r.passed_after}
                for r in one.rows
            ],
            "notes": list(one.notes),
        }
    )  # fmt: skip
    return {"other": _side(one.other), **told}
