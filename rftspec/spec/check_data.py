"""The rows against the spec, in one pass: JSON, messages, disjoint splits, leaks, duplicates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rftspec.data.hub_id import is_hub
from rftspec.data.rows import Line, RowError, messages_of, scan_rows
from rftspec.diagnostics import Diagnostic
from rftspec.spec.check_carve import CarveCheck
from rftspec.spec.draft import Draft
from rftspec.spec.near import NearPrompts
from rftspec.spec.places import Places
from rftspec.spec.row_facts import Repeats, SplitFacts
from rftspec.spec.values import fold, value_at

__all__ = ["SPLITS", "DataCheck", "fold", "value_at"]
SPLITS = ("train", "validation", "test")
_NUMBERS = {name: number for number, name in enumerate(SPLITS)}
HELD_OUT = ("validation", "test")
KEPT_BYTES = 4 << 20
"""Held-out files up to this size are kept as rows between the two looks at them."""
OF_THE_SOURCE = ("E202", "E223", "E224")
_APART = "what was trained on must not measure the model"


class DataCheck:
    """One walk over all data files of a draft, after a look at the held-out prompts."""

    def __init__(self, draft: Draft) -> None:
        self.splits: dict[str, SplitFacts] = {}
        self._draft = draft
        self._repeats = Repeats(draft.collector)
        self._prompt = draft.get("data", "prompt")
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
        except OSError:
            return  # told by the walk, which meets it again
        if keeps:
            self._kept[name] = (digest.hexdigest(), lines)

    def _text(self, item: Mapping[str, Any]) -> str | None:
        try:
            return text_of(messages_of(item, self._prompt))
        except RowError:
            return None

    def _lines(self, facts: SplitFacts) -> Iterator[Line]:
        """The lines of a file, from memory where they are there; its hash is known at the end."""
        kept = self._kept.pop(facts.name, None)
        if kept is not None:
            facts.sha256 = kept[0]
            yield from kept[1]
            return
        digest = hashlib.sha256()
        yield from scan_rows(facts.path, facts.shown, digest)
        facts.sha256 = digest.hexdigest()

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
        facts.characters += len(text)
        facts.longest = max(facts.longest, len(text))
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
            return text_of(messages_of(item, self._prompt))
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
            first = self._values.first(hash((number, fold(value))), _place(facts, line))
            if first is not None and SPLITS[first % 4] != facts.name:
                apart = False
                shown = value if isinstance(value, str) else json.dumps(value)
                message = f"`{_dotted(path)}` = {shown} stands in two files: here and in "
                message += f"{self._said(first)}, and `data.disjoint` forbids it"
                hint = "move all rows of one value to one file"
                self._repeats.add(facts, facts.problem("E210", line, message, hint))
            if number == 0 and text is not None and _stands_in(value, text):
                message = f"`{_dotted(path)}` = {value} stands in the prompt of its own row"
                hint = "if it is the answer, the model needs only to copy it"
                self._repeats.add(facts, facts.problem("W211", line, message, hint))
        return apart

    def _check_repeated(
        self, facts: SplitFacts, line: int, item: dict[str, Any], text: str
    ) -> bool:
        """True when the row was seen before, in this split or another."""
        rest = [
            (name, value if type(value) is str else repr(value))
            for name, value in item.items()
            if name not in ("id", "messages")
        ]
        first = self._rows.first(hash((text, *rest)), _place(facts, line))
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


def text_of(messages: list[dict[str, Any]]) -> str:
    """The text of all messages together."""
    contents = [message.get("content") for message in messages]
    return "\n".join([text if type(text) is str else _content(text) for text in contents])


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def _stands_in(value: Any, text: str) -> bool:
    """True when a text value of two or more characters is a word of the prompt."""
    if not isinstance(value, str) or len(value) < 2:
        return False
    start = text.find(value)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(value) : start + len(value) + 1]
        if not (before.isalnum() or after.isalnum()):
            return True
        start = text.find(value, start + 1)
    return False
