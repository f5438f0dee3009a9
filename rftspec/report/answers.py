"""Rows of a run with the answers to them, picked: worst, best, flipped, one row, by expression.

A view is either a comparison (base and tuned on one split) or one training step (the group of
completions of each prompt). The record may be unfinished or damaged: what is there is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.record.folder import Record
from rftspec.report.evidence import Answer, Evidence, read_answer, read_evidence
from rftspec.report.numbers import headline_metric, passes, row_passes
from rftspec.report.subjects import BASE, SPLITS, choose_subjects, split_columns

Keep = Callable[[Answer, Mapping[str, Any]], bool]
"""Whether an answer to a row's item is wanted."""
ROLLOUT = "rollout"


class NothingToShow(ValueError):
    """The record has no such answers; the message says what it has."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer, with who gave it."""

    model: str
    step: int
    passed: bool
    answer: Answer


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row with its answers, those of the base first."""

    row: int
    id: str
    split: str
    item: Mapping[str, Any]
    verdict: str
    """`wrong → right` and the like for a comparison; empty for a step."""
    answers: tuple[Shown, ...]

    @property
    def judged(self) -> tuple[Answer, ...]:
        """The answers that sorting and filters look at: all but the base's, if there are any."""
        newer = tuple(one.answer for one in self.answers if one.model != BASE)
        return newer or tuple(one.answer for one in self.answers)

    @property
    def reward(self) -> float:
        """The mean reward of the judged answers."""
        found = [answer.reward for answer in self.judged]
        return sum(found) / len(found)

    @property
    def flipped(self) -> bool:
        """True where base and tuned differ on whether the row passes."""
        return self.verdict in {"wrong → right", "right → wrong"}


@dataclass(frozen=True, slots=True)
class View:
    """What a run has to show in one place."""

    evidence: Evidence
    split: str
    step: int | None
    """The training step, or None for a comparison."""
    models: tuple[str, ...]
    """The models compared, as a person reads them: `base`, `tuned (step 60)`."""
    rows: tuple[ShownRow, ...]

    @property
    def metric(self) -> str:
        """The metric that says whether an answer passes."""
        return headline_metric(self.evidence)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which rows are wanted, and in which order."""

    worst: int | None = None
    best: int | None = None
    flipped: bool = False
    row: str | None = None
    """An id, or a row's number."""
    keep: Keep | None = None
    """Rows of which a judged answer is kept."""


def open_view(record: Record, *, step: int | None = None, split: str | None = None) -> View:
    """Read what a run has of a split or a step; raises NothingToShow.

    Without a step it is base and tuned on the headline's split. A step gives its rollouts; with a
    split that is evaluated, the answers measured there after that step beside the base's.
    """
    evidence = read_evidence(record)
    if step is None:
        view = _comparison(evidence, split)
        last = max(evidence.steps, default=0)
        if view is None and split is None and last:
            view = _rollouts(record, evidence, last)
        if view is None:
            raise NothingToShow(_nothing(evidence, f"on {split}" if split else ""))
        return view
    rollouts = split in (None, "train")
    view = _rollouts(record, evidence, step) if rollouts else None
    view = view or _measured(evidence, step, split)
    if view is None:
        where = f" on {split}" if split else ""
        raise NothingToShow(_nothing(evidence, f"of step {step}{where}"))
    return view


def pick(view: View, wish: Wish) -> tuple[ShownRow, ...]:
    """The rows that are wanted; raises NothingToShow where a row that was named is not there."""
    rows = list(view.rows)
    if wish.row is not None:
        rows = [one for one in rows if wish.row in {one.id, str(one.row), f"{one.split} {one.row}"}]
        if not rows:
            raise NothingToShow(_no_row(view, wish.row))
    if wish.flipped:
        rows = [one for one in rows if one.flipped]
    keep = wish.keep
    if keep is not None:
        rows = [one for one in rows if any(keep(answer, one.item) for answer in one.judged)]
    if wish.worst is not None:
        return tuple(sorted(rows, key=lambda one: one.reward)[: wish.worst])
    if wish.best is not None:
        return tuple(sorted(rows, key=lambda one: -one.reward)[: wish.best])
    return tuple(rows)


def _comparison(evidence: Evidence, split: str | None) -> View | None:
    """Base and tuned side by side, as the report compares them."""
    if split is None:
        subjects = choose_subjects(evidence)
        split, columns = subjects.split, subjects.columns
    else:
        columns = split_columns(evidence, split)
    chosen = [column for column in columns if column.role != "reference"]
    if split is None or not chosen:
        return None
    sources = [(column.key, column.source.step, column.answers) for column in chosen]
    rows = _rows(evidence, split, sources)
    return View(evidence, split, None, tuple(column.label for column in chosen), rows)


def _measured(evidence: Evidence, step: int, split: str | None) -> View | None:
    """The answers that were measured after a step, beside the base's on the same split."""
    found = [
        source
        for source in evidence.answers
        if source.step == step and split in (None, source.split) and _of_the_run(source.model)
    ]
    if not found:
        return None
    order = {name: place for place, name in enumerate(SPLITS)}
    chosen = min(found, key=lambda source: order.get(source.split, len(order)))
    base = [s for s in evidence.answers if s.model == BASE and s.split == chosen.split]
    sources = list(dict.fromkeys([*base[:1], chosen]))
    columns = [(s.model, s.step, evidence.answers[s]) for s in sources]
    rows = _rows(evidence, chosen.split, columns)
    return View(evidence, chosen.split, step, tuple(s.model for s in sources), rows)


def _of_the_run(model: str) -> bool:
    return model in {BASE, "tuned"} or model.startswith("step-")


def _rollouts(record: Record, evidence: Evidence, step: int) -> View | None:
    """The groups of a training step."""
    groups: dict[int, dict[int, Answer]] = defaultdict(dict)
    for line in record.samples(kind="rollout", step=step):
        answer = read_answer(line)
        if answer is not None:
            groups[answer.row][answer.index] = answer
    if not groups:
        return None
    answers = {row: [found[index] for index in sorted(found)] for row, found in groups.items()}
    rows = _rows(evidence, "train", [(ROLLOUT, step, answers)])
    return View(evidence, "train", step, (f"rollouts of step {step}",), rows)


def _rows(
    evidence: Evidence,
    split: str,
    sources: Sequence[tuple[str, int, Mapping[int, Sequence[Answer]]]],
) -> tuple[ShownRow, ...]:
    """Rows in the order of the data, each with the answers of all sources."""
    numbers = sorted({row for _, _, answers in sources for row in answers})
    return tuple(
        ShownRow(
            row=row,
            id=evidence.row_id(split, row),
            split=split,
            item=evidence.item(split, row),
            verdict=_verdict(evidence, [answers.get(row, ()) for _, _, answers in sources]),
            answers=tuple(
                Shown(model, step, passes(evidence, answer), answer)
                for model, step, answers in sources
                for answer in answers.get(row, ())
            ),
        )
        for row in numbers
    )


def _verdict(evidence: Evidence, answers: Sequence[Sequence[Answer]]) -> str:
    """`wrong → right` where two models answered."""
    if len(answers) < 2 or not all(answers):
        return ""
    before, after = (row_passes(evidence, found) for found in answers[:2])
    if before == after:
        return "still right" if after else "still wrong"
    return "wrong → right" if after else "right → wrong"


def _nothing(evidence: Evidence, what: str) -> str:
    """What was asked for is not there, and what is."""
    there = sorted({f"{s.split} after step {s.step}" for s in evidence.answers})
    parts = [f"evaluated: {', '.join(there)}"] if there else []
    if evidence.rollouts and evidence.steps:
        parts.append(f"rollouts of steps {min(evidence.steps)} to {max(evidence.steps)}")
    has = "; ".join(parts) or "nothing was sampled yet"
    return f"this run has no answers {what}".rstrip() + f" ({has})"


def _no_row(view: View, wanted: str) -> str:
    import difflib

    ids = [one.id for one in view.rows]
    near = difflib.get_close_matches(wanted, ids, n=1, cutoff=0.5)
    meant = f" did you mean `{near[0]}`?" if near else f" there are rows {_numbers(view)}"
    return f"{view.split} has no row `{wanted}`:{meant}"


def _numbers(view: View) -> str:
    numbers = [one.row for one in view.rows]
    return f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
