"""The rows against the spec, in one pass: JSON, messages, disjoint splits, leaks, duplicates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rftspec.data.content import open_data
from rftspec.data.hub_id import is_hub
from rftspec.data.jsonl import raw_rows
from rftspec.data.messages import prompt_text
from rftspec.data.rows import Line, RowError, bad_line, is_jsonl, line_of, scan_rows
from rftspec.diagnostics import Diagnostic
from rftspec.spec.check_carve import CarveCheck
from rftspec.spec.draft import Draft
from rftspec.spec.near import NearPrompts
from rftspec.spec.places import Places
from rftspec.spec.row_facts import Repeats, SplitFacts
from rftspec.spec.row_marks import Marking, Marks, row_mark, stands_in, value_mark
from rftspec.spec.values import value_at

__all__ = ["SPLITS", "DataCheck"]
SPLITS = ("train", "validation", "test")
_NUMBERS = {name: number for number, name in enumerate(SPLITS)}
HELD_OUT = ("validation", "test")
KEPT_BYTES = 4 << 20
"""Held-out files up to this size are kept as rows between the two looks at them."""
OF_THE_SOURCE = ("E202", "E223", "E224")
POOL_BYTES = 32 << 20
"""Training files from this size on are looked at by several processes."""
_APART = "what was trained on must not measure the model"


class DataCheck:
    """One walk over all data files of a draft, after a look at the held-out prompts."""

    def __init__(self, draft: Draft) -> None:
        self.splits: dict[str, SplitFacts] = {}
        self._draft = draft
        self._repeats = Repeats(draft.collector)
        whole = draft.is_whole("data", "prompt")
        self._prompt = draft.get("data", "prompt") if whole else None
        self._has_no_prompt = self._prompt is None and draft.node("data", "prompt") is not None
        """The prompt was refused: what it would make of the rows is not known."""
        self._disjoint = [
            tuple(name.split(".")[1:]) for name in draft.get("data", "disjoint") or ()
        ]
        self._values, self._rows = Places(), Places()
        """Where each value of a disjoint field, and each row, was first seen."""
        self._near = NearPrompts(whole=not self._disjoint)
        self._held: dict[tuple[str, int], int] = {}
        """(split, line) → the number of its prompt in the index."""
        self._texts: list[str] = []
        """Of all prompts in the index, for other processes."""
        self._kept: dict[str, tuple[str, list[Line]]] = {}
        """Small held-out files, with their hashes."""
        self._carve = CarveCheck(draft)
        headline = [name for name in reversed(SPLITS) if ("data", name) in draft.files][:1]
        self._ids_of = headline if draft.get("evaluate", "references") else []

    def items(self) -> Iterator[dict[str, Any]]:
        """A row of every form that occurs, first ones first; facts are complete at the end."""
        self._index_held_out()
        for name in SPLITS:
            path = self._draft.files.get(("data", name))
            if path is None:
                continue
            facts = SplitFacts(name, path, self._shown(name))
            self.splits[name] = facts
            yield from self._walk(facts)
            if name == "train":
                self._carve.close(facts)
        self._repeats.close()

    def _shown(self, name: str) -> str:
        """The file as the spec's folder makes it: what a person would type from here."""
        node = self._draft.node("data", name)
        if node is None or is_hub(str(node.value)):
            return str(node.value) if node is not None else name
        return str(Path(self._draft.document.source.file).parent / str(node.value))

    def _index_held_out(self) -> None:
        """Learn the prompts that training rows must not come near to."""
        if ("data", "train") not in self._draft.files or self._has_no_prompt:
            return
        for name in HELD_OUT:
            path = self._draft.files.get(("data", name))
            if path is not None:
                self._learn(name, path)
        self._near.close()

    def _learn(self, name: str, path: Path) -> None:
        digest = hashlib.sha256()
        lines: list[Line] = []
        try:
            keeps = not is_hub(path) and path.stat().st_size <= KEPT_BYTES
            for line in scan_rows(path, self._shown(name), digest if keeps else None):
                if keeps:
                    lines.append(line)
                if line.item is not None:
                    text = self._text(line.item)
                    if text is not None:
                        self._held[name, line.number] = self._near.learn(text)
                        self._texts.append(text)
        except OSError:
            return  # told by the walk, which meets it again
        if keeps:
            self._kept[name] = (digest.hexdigest(), lines)

    def _text(self, item: Mapping[str, Any]) -> str | None:
        try:
            return prompt_text(item, self._prompt)
        except RowError:
            return None

    def _lines(self, facts: SplitFacts) -> Iterator[Line]:
        """The lines of a file, from memory where they are there; its hash is known at the end."""
        kept = self._kept.pop(facts.name, None)
        if kept is not None:
            facts.sha256 = kept[0]
            yield from kept[1]
            return
        if facts.name == "train" and self._is_large(facts):
            yield from self._looked_at(facts)
            return
        digest = hashlib.sha256()
        yield from scan_rows(facts.path, facts.shown, digest)
        facts.sha256 = digest.hexdigest()

    def _is_large(self, facts: SplitFacts) -> bool:
        """Whether starting other processes pays; they know nothing of `id`s."""
        path = facts.path
        is_known = facts.name not in self._ids_of and not self._has_no_prompt
        if not (is_known and is_jsonl(path) and path.stat().st_size > POOL_BYTES):
            return False
        from rftspec.spec import row_pool

        return row_pool.cores() > 1

    def _looked_at(self, facts: SplitFacts) -> Iterator[Line]:
        """The lines of a large file that some process found worth a look; the others are noted."""
        from rftspec.spec.row_pool import RowPool

        digest = hashlib.sha256()
        marking = Marking(self._prompt, self._disjoint, self._carve.path)
        settings = {"marking": marking, "held_out": self._texts, "whole": not self._disjoint}
        with open_data(facts.path, digest) as stream, RowPool(settings) as pool:
            for number, raw, marks in pool.look(raw_rows(stream, facts.path)):
                if isinstance(raw, RowError):
                    yield bad_line(number, raw, facts.shown)
                elif marks is None or not self._take(facts, number, marks):
                    yield line_of(number, raw, facts.shown)
        facts.sha256 = digest.hexdigest()

    def _take(self, facts: SplitFacts, line: int, marks: Marks) -> bool:
        """Note a row by its marks; False where another row has the same: that is to be told."""
        place = _place(facts, line)
        for mark in marks.values:
            first = self._values.first(mark, place)
            if first is not None and SPLITS[first % 4] != facts.name:
                return False
        if self._rows.first(marks.row, place) is not None:
            return False
        self._near.skip()
        self._carve.count(marks.group)
        facts.take(line, marks.characters)
        return True

    def _walk(self, facts: SplitFacts) -> Iterator[dict[str, Any]]:
        bad = 0
        try:
            for line in self._lines(facts):
                if line.item is None:
                    bad += 1
                    if line.error is not None:
                        self._tell(facts, line.error)
                    continue
                is_new = facts.note(line.item, line.number)
                self._check_row(facts, line.number, line.item)
                if facts.name in self._ids_of and isinstance(line.item.get("id"), str | int):
                    facts.ids.setdefault(line.item["id"], line.index)
                if is_new:
                    yield line.item
        except OSError as error:
            message = f"the file cannot be read: {error.strerror}"
            self._draft.collector.add(facts.problem("E201", 1, message))
            bad += 1
        if facts.rows == 0 and not bad:
            is_lines = facts.path.suffix == ".jsonl"
            hint = "a JSONL file has one JSON object in every line" if is_lines else None
            self._draft.collector.add(facts.problem("E209", 1, "the file has no rows", hint))

    def _tell(self, facts: SplitFacts, error: Diagnostic) -> None:
        """A problem of a row at the row; one of the whole source at the field that names it."""
        node = self._draft.node("data", facts.name)
        if error.code in OF_THE_SOURCE and node is not None:
            path = f"data.{facts.name}"
            problem = node.problem(error.code, error.message, hint=error.hint, path=path)
            self._draft.collector.add(problem)
        else:
            self._repeats.add(facts, error)

    def _check_row(self, facts: SplitFacts, line: int, item: dict[str, Any]) -> None:
        text = self._check_messages(facts, line, item)
        apart = self._check_disjoint(facts, line, item, text)
        self._carve.note(facts, item)
        if text is None:
            return
        facts.measure(len(text))
        if facts.name == "train":
            if self._held:
                self._near.compare(text, line)
            self._check_repeated(facts, line, item, text)
        elif apart and not self._check_repeated(facts, line, item, text):
            self._check_near(facts, line)

    def _check_messages(self, facts: SplitFacts, line: int, item: dict[str, Any]) -> str | None:
        if self._has_no_prompt:
            return None
        try:
            return prompt_text(item, self._prompt)
        except RowError as error:
            self._repeats.add(facts, facts.problem(error.code, line, error.message, error.hint))
            return None

    def _check_disjoint(
        self, facts: SplitFacts, line: int, item: dict[str, Any], text: str | None
    ) -> bool:
        """True when no value of the row stands in another split."""
        apart = True
        for number, path in enumerate(self._disjoint):
            value = value_at(item, path)
            if value is None:
                message = f"`{_dotted(path)}` is missing, but `data.disjoint` names it"
                self._repeats.add(facts, facts.problem("E212", line, message))
                continue
            first = self._values.first(value_mark(number, value), _place(facts, line))
            if first is not None and SPLITS[first % 4] != facts.name:
                apart = False
                shown = value if isinstance(value, str) else json.dumps(value)
                message = f"`{_dotted(path)}` = {shown} stands in two files: here and in "
                message += f"{self._said(first)}, and `data.disjoint` forbids it"
                hint = "move all rows of one value to one file"
                self._repeats.add(facts, facts.problem("E210", line, message, hint))
            if number == 0 and text is not None and stands_in(value, text):
                message = f"`{_dotted(path)}` = {value} stands in the prompt of its own row"
                hint = "if it is the answer, the model needs only to copy it"
                self._repeats.add(facts, facts.problem("W211", line, message, hint))
        return apart

    def _check_repeated(
        self, facts: SplitFacts, line: int, item: dict[str, Any], text: str
    ) -> bool:
        """True when the row was seen before, in this split or another."""
        first = self._rows.first(row_mark(text, item), _place(facts, line))
        if first is None:
            return False
        if SPLITS[first % 4] == facts.name:
            message = f"the same row as line {first // 4}"
            self._repeats.add(facts, facts.problem("W213", line, message, self._carve.twice()))
        else:
            message = f"the same row as {self._said(first)}, in another split"
            self._repeats.add(facts, facts.problem("W214", line, message, _APART))
        return True

    def _check_near(self, facts: SplitFacts, line: int) -> None:
        """Say that a held-out prompt is nearly one that is trained on."""
        number = self._held.get((facts.name, line))
        match = self._near.match(number) if number is not None else None
        if match is None:
            return
        share, trained = match
        there = f"{self.splits['train'].shown}:{trained}"
        message = f"{share:.0%} of this prompt's own runs of five words stand in {there}, too"
        if share == 1.0:
            message = f"nearly the same prompt as {there}, which is trained on"
        self._repeats.add(facts, facts.problem("W226", line, message, _APART))

    def _said(self, place: int) -> str:
        return f"{self.splits[SPLITS[place % 4]].shown}:{place // 4}"


def _place(facts: SplitFacts, line: int) -> int:
    return 4 * line + _NUMBERS[facts.name]


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(("item", *path))
