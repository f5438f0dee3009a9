"""The rows of a run: read once, checked against the plan, and in what order they are trained on.

The order is a function of the plan's seed and the epoch alone: rows sorted by a hash. It is the
same on every machine and with every version of every library.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from rftspec.data.rows import file_hash, messages_of, read_rows
from rftspec.expr import merge_value_types
from rftspec.expr.types import Type
from rftspec.plan.model import DataPlan, SplitPlan
from rftspec.record.errors import RecordError, unreadable

_KEPT = ("messages", "id")
"""Fields that stay with their row when answers are shuffled."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what the model is asked, and what graders know about it."""

    split: str
    index: int
    """Its place in the file."""
    item: Mapping[str, Any]
    messages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """The splits of a run."""

    train: tuple[Row, ...]
    validation: tuple[Row, ...]
    test: tuple[Row, ...]

    def of(self, split: str) -> tuple[Row, ...]:
        """The rows of a split by name; empty when the run has no such split."""
        found: tuple[Row, ...] = getattr(self, split)
        return found

    @property
    def item_type(self) -> Type:
        """The type of `item` that all rows of all splits agree on."""
        rows = (*self.train, *self.validation, *self.test)
        return merge_value_types([row.item for row in rows])

    @property
    def headline(self) -> str:
        """The split that the run's claim is measured on: test, else validation, else training."""
        if self.test:
            return "test"
        return "validation" if self.validation else "train"


def read_splits(data: DataPlan, seed: int) -> Rows:
    """Read what the plan names; raises DiagnosticError when a file changed or is malformed."""
    train = _read("train", data.train, data.prompt)
    if data.control == "shuffled-answers":
        train = shuffle_answers(train, seed=seed, field=next(iter(data.disjoint), None))
    return Rows(
        tuple(train),
        tuple(_read("validation", data.validation, data.prompt)),
        tuple(_read("test", data.test, data.prompt)),
    )


def _read(name: str, split: SplitPlan | None, prompt: Any) -> list[Row]:
    if split is None:
        return []
    path = Path(split.path)
    try:
        if file_hash(path) != split.sha256:
            raise RecordError(
                "R407",
                f"`{path}` has changed since the run was planned",
                path=path,
                hint="put the file back, or plan and start a new run",
            )
        indices = None if split.indices is None else frozenset(split.indices)
        return [
            Row(name, i, item, messages_of(item, prompt)) for i, item in read_rows(path, indices)
        ]
    except OSError as error:
        raise unreadable(error, path) from error


def epoch_order(rows: int, *, seed: int, epoch: int) -> list[int]:
    """Positions of the training rows in the order of one epoch."""
    return sorted(range(rows), key=lambda position: _hash(seed, "order", epoch, position))


def step_rows(step: int, rows: int, per_step: int, *, seed: int) -> list[int]:
    """Positions of the rows of a step, counted from 1; epochs follow each other without a gap."""
    first = (step - 1) * per_step
    wanted = range(first, first + per_step)
    orders = {e: epoch_order(rows, seed=seed, epoch=e) for e in {n // rows for n in wanted}}
    return [orders[n // rows][n % rows] for n in wanted]


def refill_rows(step: int, rows: int, taken: set[int], *, seed: int) -> list[int]:
    """Positions that a step may draw in place of others, in their order: all that it did not."""
    order = sorted(range(rows), key=lambda position: _hash(seed, "refill", step, position))
    return [position for position in order if position not in taken]


def subset(rows: Sequence[Row], count: int, *, seed: int) -> list[Row]:
    """At most `count` of the rows, picked by the seed, in their own order."""
    picked = sorted(range(len(rows)), key=lambda position: _hash(seed, "subset", 0, position))
    return [rows[position] for position in sorted(picked[:count])]


def shuffle_answers(rows: Sequence[Row], *, seed: int, field: str | None) -> list[Row]:
    """The negative control: every field but messages and id comes from another row.

    Rows whose `field` (else all dealt fields) are equal do not get each other's, as far as the data
    allow it.
    """
    keys = [_answer(row, field) for row in rows]
    order = sorted(range(len(rows)), key=lambda position: _hash(seed, "deal", 0, position))
    source = dict(zip(order, order[1:] + order[:1], strict=True))
    for position in order:
        if keys[source[position]] == keys[position]:
            _swap(position, source, keys, order)
    return [replace(row, item=_deal(row, rows[source[i]])) for i, row in enumerate(rows)]


def _swap(
    position: int, source: dict[int, int], keys: Sequence[Hashable], order: Sequence[int]
) -> None:
    """Exchange sources with the first row with which both get an answer that is not theirs."""
    for other in order:
        gives, takes = source[other], source[position]
        if keys[gives] != keys[position] and keys[takes] != keys[other]:
            source[position], source[other] = gives, takes
            return


def _deal(row: Row, giver: Row) -> dict[str, Any]:
    kept = {name: row.item[name] for name in _KEPT if name in row.item}
    return {**{k: v for k, v in giver.item.items() if k not in _KEPT}, **kept}


def _answer(row: Row, field: str | None) -> Hashable:
    if field is not None:
        return json.dumps(field_of(row.item, field), sort_keys=True)
    return json.dumps({k: v for k, v in row.item.items() if k not in _KEPT}, sort_keys=True)


def field_of(item: Mapping[str, Any], field: str) -> Any:
    """The value of `item.a.b` in a row; None when it is absent."""
    value: Any = item
    for name in field.removeprefix("item.").split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def clusters(rows: Sequence[Row], disjoint: Sequence[str]) -> list[str]:
    """What intervals cluster by: the first disjoint field's value, else the row itself."""
    if not disjoint:
        return [f"row {row.index}" for row in rows]
    values = [field_of(row.item, disjoint[0]) for row in rows]
    return [
        f"row {row.index}" if value is None else json.dumps(value, sort_keys=True)
        for row, value in zip(rows, values, strict=True)
    ]


def _hash(seed: int, purpose: str, number: int, position: int) -> bytes:
    return sha256(f"{seed}|{purpose}|{number}|{position}".encode()).digest()
