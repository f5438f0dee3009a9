"""What differs between two plans, in words: values, expressions word by word, rows of the data.

One change is one line, such as `~ train.learning_rate  5e-06 → 1e-05  (spec.yaml:51)`.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rftspec.plan.model import Plan
from rftspec.plan.settings import CONTENTS, Name, Settings, plan_name, settings
from rftspec.spec.shape import dotted

Kind = Literal["changed", "added", "removed"]
Words = tuple[tuple[Literal["=", "-", "+"], str], ...]
"""A text's words: kept, gone, new."""
RowCounts = Callable[[str], tuple[int, int] | None]
"""For a split: how many rows are new and how many are gone, where that can be told."""

SIGNS: Mapping[Kind, str] = {"changed": "~", "added": "+", "removed": "-"}
_GROUPS = (("graders",), ("evaluate", "references"), ("contents",))
_WHOLE = (("data", "train"), ("data", "validation"), ("data", "test"), ("response", "format"))
_TOKEN = re.compile(r"\s+|\d+(?:\.\d+)?|\w+|[^\w\s]")
_SHORT = 60
_KEPT = 24
"""Characters of an unchanged stretch that are shown at each of its ends."""
_LINES = 12


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs."""

    kind: Kind
    name: str
    """Dotted, as in the spec."""
    told: str
    """What it was and what it is: `5e-06 → 1e-05`; of a text see `words`."""
    place: str = ""
    """Where or why it has its new value: `spec.yaml:51`, `--set train.steps=20`, `default: …`."""
    words: Words = ()
    notes: tuple[str, ...] = ()
    """Lines below: rows that are new and gone, lines of a program."""
    old: Any = None
    new: Any = None

    def text(self) -> str:
        """The change on one line."""
        told = word_text(self.words) if self.words else self.told
        parts = (f"{SIGNS[self.kind]} {self.name}", told, f"({self.place})" if self.place else "")
        return "  ".join(part for part in parts if part)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        found = {"kind": self.kind, "name": self.name, "old": self.old, "new": self.new}
        return {**found, "text": self.text(), "place": self.place, "notes": list(self.notes)}


def plan_changes(old: Plan, new: Plan, rows: RowCounts | None = None) -> list[Change]:
    """All that decides the run and differs, in the order of the plan; none for the same plan.

    What models hold counts where both plans know it.
    """
    before, after = settings(old), settings(new)
    for name in set(before) ^ set(after):
        if name[0] == CONTENTS:
            before.pop(name, None)
            after.pop(name, None)
    return changes(before, after, places(new), rows)


def changes(
    old: Settings,
    new: Settings,
    place: Callable[[Name], str] = lambda _name: "",
    rows: RowCounts | None = None,
) -> list[Change]:
    """What differs between two tables of settings."""
    found: list[Change] = []
    for owner in dict.fromkeys(_owner(name) for name in (*new, *old)):
        before = {name: value for name, value in old.items() if _owner(name) == owner}
        after = {name: value for name, value in new.items() if _owner(name) == owner}
        if before != after:
            found += _changes_of(owner, before, after, place, rows)
    return found


def places(plan: Plan) -> Callable[[Name], str]:
    """Where a setting of the plan has its value: the spec's line, an option, a default."""
    from rftspec.spec.yaml_reader import read_document

    path = Path(plan.spec_path)
    document = read_document(path, plan.spec_text.encode("utf-8", "replace"), path.name)

    typed = {word.partition("=")[0] for word in plan.options if "=" in word}

    def place(name: Name) -> str:
        owners = [name[:length] for length in range(len(name), 0, -1)]
        if any(dotted(owner) in typed for owner in owners):
            return "--set"
        reason = plan.reasons.get(plan_name(name))
        if reason is not None:
            return reason.split(": ")[0] if reason.startswith("default") else reason
        if name[-1] in ("source", "schema"):  # it stands in a file that the spec names
            owners.insert(0, (*name[:-1], "file"))
        keys = (document.key_at(owner) for owner in owners[:-1]) if document.root else ()
        return next((f"{path.name}:{key.start[0]}" for key in keys if key is not None), "")

    return place


def word_changes(old: str, new: str) -> Words:
    """Two texts as words that are kept, gone and new."""
    left, right = _TOKEN.findall(old), _TOKEN.findall(new)
    found: list[tuple[Literal["=", "-", "+"], str]] = []
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            found.append(("=", "".join(left[a:b])))
            continue
        if b > a:
            found.append(("-", "".join(left[a:b])))
        if d > c:
            found.append(("+", "".join(right[c:d])))
    return tuple(found)


def word_text(
    words: Words, mark: Callable[[str, str], str] = lambda sign, text: f"[{sign}{text}{sign}]"
) -> str:
    """Words on one line, `0.9 * rank + [-concise-][+format+]`; long kept stretches are cut."""
    parts = []
    for index, (kind, text) in enumerate(words):
        shown = " ".join(text.split()) if kind != "=" else re.sub(r"\s+", " ", text)
        if kind != "=":
            parts.append(mark(kind, shown or "␣"))
            continue
        head = shown[:_KEPT] if index > 0 else ""
        tail = shown[-_KEPT:] if index + 1 < len(words) else ""
        cut = len(shown) > len(head) + len(tail) + 1
        parts.append(f"{head}…{tail}" if cut else shown)
    return "".join(parts).strip()


def short(value: Any) -> str:
    """A value on one line: a text as it is, anything else as JSON, long ones cut."""
    text = value if isinstance(value, str) else json.dumps(_rounded(value), ensure_ascii=False)
    text = " ".join(text.split()) or '""'
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _rounded(value: Any) -> Any:
    """Numbers without the digits that binary fractions leave behind."""
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value


def _owner(name: Name) -> Name:
    """What is told as a whole where it is new or gone: a grader, a reference, a split."""
    for whole in _WHOLE:
        if name[: len(whole)] == whole:
            return whole
    for group in _GROUPS:
        if name[: len(group)] == group:
            return name[: len(group) + 1]
    return name


def _changes_of(
    owner: Name,
    old: Settings,
    new: Settings,
    place: Callable[[Name], str],
    rows: RowCounts | None,
) -> Iterator[Change]:
    name = dotted(owner)
    if not old or not new:
        kind: Kind = "added" if new else "removed"
        there = place(owner) if new else ""
        yield Change(kind, name, _summary(owner, new or old), there, old=_one(old), new=_one(new))
    elif owner[0] == "data" and len(owner) == 2 and owner in _WHOLE:
        yield _data_change(owner, old, new, place, rows)
    elif owner == ("require",):
        yield from _list_changes(name, old[owner], new[owner], place(owner))
    else:
        for leaf in dict.fromkeys((*new, *old)):
            if old.get(leaf) != new.get(leaf):
                yield _leaf_change(leaf, old.get(leaf), new.get(leaf), place)


def _one(values: Settings) -> Any:
    """The value of a leaf, or the values of what has several."""
    if len(values) == 1:
        return next(iter(values.values()))
    return {dotted(name): value for name, value in values.items()} or None


def _summary(owner: Name, values: Settings) -> str:
    """What was added or removed, in a word or two."""
    if owner in values:
        return short(values[owner])
    if owner[0] == "data":
        return f"{values.get((*owner, 'rows'), 0):,} rows"
    return str(values.get((*owner, "type"), values.get((*owner, "kind"), "")))


def _leaf_change(name: Name, old: Any, new: Any, place: Callable[[Name], str]) -> Change:
    shown, where = dotted(name), place(name)
    if old is None or new is None:
        kind: Kind = "added" if old is None else "removed"
        told = short(new if old is None else old)
        return Change(kind, shown, told, where if old is None else "", old=old, new=new)
    hashed = str(old).startswith("sha256:")  # as a lock holds what is long
    if name[-1] == "source" and not hashed:
        told, lines = _program(str(old), str(new))
        return Change("changed", shown, told, where, notes=lines, old=old, new=new)
    if hashed or name[-1] == "sha256" or name[0] == CONTENTS:
        told = f"its content has changed: {_fingerprints(old, new)}"
        return Change("changed", shown.removesuffix(".sha256"), told, where, old=old, new=new)
    told = f"{short(old)} → {short(new)}"
    words = _text_words(old, new)
    return Change("changed", shown, told, where, words, old=old, new=new)


def _text_words(old: Any, new: Any) -> Words:
    """The words of two texts that have some in common; none of values that are a word each."""
    if not (isinstance(old, str) and isinstance(new, str)) or " " not in f"{old}{new}".strip():
        return ()
    words = word_changes(old.strip(), new.strip())
    return words if any(kind == "=" and text.strip() for kind, text in words) else ()


def _fingerprints(old: Any, new: Any) -> str:
    """`sha256 3f6c12ab → 90d1fe00`: enough to tell two apart."""
    (before, first), (after, second) = (str(one).rpartition(":")[::2] for one in (old, new))
    kinds = [before or "sha256", after or "sha256"]
    return f"{kinds[0]} {first[:8]} → {second[:8] if kinds[0] == kinds[1] else str(new)[:15]}"


def _program(old: str, new: str) -> tuple[str, tuple[str, ...]]:
    """`+2 −1 lines`, and the lines."""
    found = [
        line
        for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    plus = sum(line.startswith("+") for line in found)
    told = f"+{plus} −{len(found) - plus} lines"
    more = (f"… and {len(found) - _LINES} more",) if len(found) > _LINES else ()
    return told, (*found[:_LINES], *more)


def _data_change(
    owner: Name,
    old: Settings,
    new: Settings,
    place: Callable[[Name], str],
    rows: RowCounts | None,
) -> Change:
    """`1,100 rows → 1,200 rows`, and how many of them are new and gone, where it can be told."""
    before, after = old[*owner, "rows"], new[*owner, "rows"]
    told = f"{before:,} rows → {after:,} rows" if before != after else f"{after:,} rows"
    same_file = old[*owner, "sha256"] == new[*owner, "sha256"]
    if same_file:
        told += ", others of the same file" if before == after else " of the same file"
    else:
        marks = _fingerprints(old[*owner, "sha256"], new[*owner, "sha256"])
        told += f", the file has changed: {marks}"
    counted = rows(owner[1]) if rows is not None else None
    notes: tuple[str, ...] = ()
    if counted is not None:
        plus, minus = counted
        notes = (f"{plus:,} rows new, {minus:,} gone",) if plus or minus else ("the same rows",)
    return Change("changed", dotted(owner), told, place(owner), notes=notes, old=before, new=after)


def _list_changes(name: str, old: list[Any], new: list[Any], place: str) -> Iterator[Change]:
    """Entries that are new and gone; the order alone is told too."""
    for entry in old:
        if entry not in new:
            yield Change("removed", name, short(entry), old=entry)
    for entry in new:
        if entry not in old:
            yield Change("added", name, short(entry), place, new=entry)
    if sorted(map(str, old)) == sorted(map(str, new)):
        yield Change("changed", name, "the same in another order", place, old=old, new=new)
