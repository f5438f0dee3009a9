"""`data.validation: { split, by }`: whether the training rows can be divided as it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rftspec.spec.draft import Draft
from rftspec.spec.row_facts import SplitFacts
from rftspec.spec.row_marks import mark
from rftspec.spec.values import fold, value_at


class CarveCheck:
    """Notes the groups of the training rows, and says at the end what stands in the way."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        by = draft.get("data", "validation", "by")
        self._by = by if isinstance(by, str) else None
        self.path = tuple(self._by.split(".")[1:]) if self._by is not None else ()
        self._groups: dict[int, int] = {}
        """The mark of a group's value → its rows."""
        self._wanted = draft.get("data", "validation", "split")

    def twice(self) -> str:
        """What to make of a row that stands twice in one file."""
        if isinstance(self._wanted, int) and self._by is None:
            return "it may be trained on and measured, too: delete it, or keep both together: `by`"
        return "it counts twice"

    def note(self, facts: SplitFacts, item: Mapping[str, Any]) -> None:
        """Count a training row for its group."""
        if self._by is None or facts.name != "train":
            return
        value = value_at(item, self.path)
        self.count(None if value is None else mark(fold(value)))

    def count(self, group: int | None) -> None:
        """Count a row by the mark of its group's value."""
        if group is not None:
            self._groups[group] = self._groups.get(group, 0) + 1

    def close(self, facts: SplitFacts) -> None:
        """Say what does not fit, once all training rows are known."""
        lacking = self._by is not None and self._says_lacking(facts, self._by)
        wanted = self._wanted
        node = self._draft.node("data", "validation", "split")
        if not isinstance(wanted, int) or node is None or not facts.rows or lacking:
            return
        hint = None
        if wanted >= facts.rows:
            message = f"{wanted} rows cannot be taken from {facts.rows} and leave any to train on"
        elif len(self._groups) == 1:
            message = f"all {facts.rows} rows have the same `{self._by}`, so they stay together"
            hint = "name another field, or leave `by` out"
        elif self._groups and min(self._groups.values()) > wanted:
            least = min(self._groups.values())
            message = f"no value of `{self._by}` has as few as {wanted} rows: the fewest are "
            message += f"{least}, and rows of one value stay together"
            hint = f"at least {least}"
        else:
            return
        problem = node.problem("E214", message, hint=hint, path="data.validation.split")
        self._draft.collector.add(problem)

    def _says_lacking(self, facts: SplitFacts, by: str) -> bool:
        """True where some row has no value in the field, which is then told."""
        known = facts.fields.get(by.removeprefix("item."))
        node = self._draft.node("data", "validation", "by")
        nulls = known.kinds.get("null") if known is not None else None
        if node is None or (known is not None and known.missing is None and nulls is None):
            return False
        where = "every row" if known is None else f"{facts.shown}:{known.missing or nulls}"
        message = f"`{by}` is missing in {where}, so rows cannot be kept together by it"
        self._draft.collector.add(node.problem("E212", message, path="data.validation.by"))
        return True
