"""Which rows of two folders are the same row: by place in one file, by id, else by content."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from rftspec.report.entrants import Entrant


@dataclass(frozen=True, slots=True)
class Pairing:
    """The rows that both sides have answers to, as (row of the first, row of the second)."""

    rows: tuple[tuple[int, int], ...]
    how: str
    """For a person: `place in the same file`, `row id`, `content`."""
    only_first: int
    only_second: int
    """Rows that only one side has answers to: they are left out."""
    changed: int = 0
    """Pairs whose contents differ although their ids are equal."""


def pair_rows(first: Entrant, second: Entrant, split: str) -> Pairing:
    """Match the rows of two sides on one split."""
    rows = [sorted(side.answers.get(split, {})) for side in (first, second)]
    if _same_file(first, second, split):
        how = "place in the same file"
        keys: list[dict[Hashable, int]] = [{row: row for row in part} for part in rows]
    else:
        ids = [_ids(side, split, part) for side, part in zip((first, second), rows, strict=True)]
        unique = all(len(set(found.values())) == len(found) > 0 for found in ids)
        how = "row id" if unique else "content"
        keys = [
            {name: row for row, name in (found if unique else _contents(side, split, part)).items()}
            for side, found, part in zip((first, second), ids, rows, strict=True)
        ]
    common = [key for key in keys[0] if key in keys[1]]
    pairs = tuple((keys[0][key], keys[1][key]) for key in common)
    changed = 0
    if how == "row id":
        changed = sum(_content(first, split, a) != _content(second, split, b) for a, b in pairs)
    left = (len(rows[0]) - len(common), len(rows[1]) - len(common))
    return Pairing(pairs, how, *left, changed)


def _same_file(first: Entrant, second: Entrant, split: str) -> bool:
    files = [side.data(split) for side in (first, second)]
    known = [(file.sha256, file.indices) for file in files if file is not None]
    same_prompt = first.plan.data.prompt == second.plan.data.prompt
    return len(known) == 2 and known[0] == known[1] and same_prompt


def _ids(side: Entrant, split: str, rows: list[int]) -> dict[int, Hashable]:
    """The rows' own ids; empty where one has none."""
    found = side.evidence.ids.get(split, {})
    return {row: found[row] for row in rows} if all(row in found for row in rows) else {}


def _contents(side: Entrant, split: str, rows: list[int]) -> dict[int, Hashable]:
    """Hashes of the rows' contents; a row that stands twice is told apart by its turn."""
    turns: Counter[str] = Counter()
    found: dict[int, Hashable] = {}
    for row in rows:
        content = _content(side, split, row)
        if content is None:  # the record lost it
            continue
        found[row] = (content, turns[content])
        turns[content] += 1
    return found


def _content(side: Entrant, split: str, row: int) -> str | None:
    item: Mapping[str, object] = side.evidence.item(split, row)
    if not item:
        return None
    text = json.dumps(item, sort_keys=True, ensure_ascii=True, default=str)
    return sha256(text.encode()).hexdigest()
