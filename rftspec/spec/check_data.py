"""The rows against the spec, in one pass: JSON, messages, disjoint splits, leaks, duplicates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rftspec.data.rows import RowError, messages_of, scan_rows
from rftspec.spec.draft import Draft
from rftspec.spec.row_facts import Repeats, SplitFacts

SPLITS = ("train", "validation", "test")


class DataCheck:
    """One walk over all data files of a draft."""

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
        self._values: dict[tuple[tuple[str, ...], str], tuple[str, str, int]] = {}
        """(field, value) → the split, file and line where it was first seen."""
        self._prompts: dict[int, tuple[str, str, int]] = {}
        self._by = self._group_field()
        self._keep_ids = bool(draft.get("evaluate", "references"))

    def items(self) -> Iterator[dict[str, Any]]:
        """Every good row of every file, checked on its way; facts are complete at the end."""
        for name in SPLITS:
            path = self._draft.files.get(("data", name))
            if path is None:
                continue
            facts = SplitFacts(name, path, self._shown(name))
            self.splits[name] = facts
            yield from self._walk(facts)
            self._close(facts)
        self._repeats.close()

    def _shown(self, name: str) -> str:
        """The file as the spec's folder makes it: what a person would type from here."""
        node = self._draft.node("data", name)
        folder = Path(self._draft.document.source.file).parent
        return str(folder / str(node.value)) if node is not None else name

    def _walk(self, facts: SplitFacts) -> Iterator[dict[str, Any]]:
        digest = hashlib.sha256()
        bad = 0
        try:
            for line in scan_rows(facts.path, facts.shown, digest):
                if line.item is None:
                    bad += 1
                    if line.error is not None:
                        self._repeats.add(facts, line.error)
                    continue
                self._check_row(facts, line.number, line.item)
                if self._keep_ids and isinstance(line.item.get("id"), str | int):
                    facts.ids.setdefault(line.item["id"], line.index)
                yield line.item
        except OSError as error:
            message = f"the file cannot be read: {error.strerror}"
            self._draft.collector.add(facts.problem("E201", 1, message))
            bad += 1
        facts.sha256 = digest.hexdigest()
        if facts.rows == 0 and not bad:
            hint = "a JSONL file has one JSON object in every line"
            self._draft.collector.add(facts.problem("E209", 1, "the file has no rows", hint))

    def _check_row(self, facts: SplitFacts, line: int, item: dict[str, Any]) -> None:
        facts.note_fields(item, line)
        text = self._check_messages(facts, line, item)
        apart = self._check_disjoint(facts, line, item, text)
        if text is not None:
            facts.characters += len(text)
            facts.longest = max(facts.longest, len(text))
            if apart:
                self._check_repeated(facts, line, item, text)

    def _check_messages(self, facts: SplitFacts, line: int, item: dict[str, Any]) -> str | None:
        if self._has_no_prompt:
            return None
        try:
            messages = messages_of(item, self._prompt)
        except RowError as error:
            self._repeats.add(facts, facts.problem(error.code, line, error.message, error.hint))
            return None
        return "\n".join(_text_of(message.get("content")) for message in messages)

    def _check_disjoint(
        self, facts: SplitFacts, line: int, item: dict[str, Any], text: str | None
    ) -> bool:
        """True when no value of the row stands in another split."""
        apart = True
        for number, path in enumerate(self._disjoint):
            value = value_at(item, path)
            dotted = ".".join(("item", *path))
            if value is None:
                message = f"`{dotted}` is missing, but `data.disjoint` names it"
                self._repeats.add(facts, facts.problem("E212", line, message))
                continue
            key = (path, fold(value))
            first = self._values.setdefault(key, (facts.name, facts.shown, line))
            if first[0] != facts.name:
                apart = False
                shown = value if isinstance(value, str) else json.dumps(value)
                message = f"`{dotted}` = {shown} stands in two files: here and in {first[1]}:"
                message += f"{first[2]}, and `data.disjoint` forbids it"
                hint = "move all rows of one value to one file"
                self._repeats.add(facts, facts.problem("E210", line, message, hint))
            if number == 0 and text is not None and _stands_in(value, text):
                message = f"`{dotted}` = {value} stands in the prompt of its own row"
                hint = "if it is the answer, the model needs only to copy it"
                self._repeats.add(facts, facts.problem("W211", line, message, hint))
        return apart

    def _check_repeated(
        self, facts: SplitFacts, line: int, item: dict[str, Any], text: str
    ) -> None:
        rest = [(name, value) for name, value in item.items() if name not in ("id", "messages")]
        # 64 bits of hash keep memory flat; two different rows meet once in 10^7 files of 10^6 rows.
        key = hash((text, repr(rest)))
        first = self._prompts.setdefault(key, (facts.name, facts.shown, line))
        if first == (facts.name, facts.shown, line):
            return
        if first[0] == facts.name:
            message, hint = f"the same row as line {first[2]}", "it counts twice"
            self._repeats.add(facts, facts.problem("W213", line, message, hint))
        else:
            message = f"the same row as {first[1]}:{first[2]}, in another split"
            hint = "what was trained on must not measure the model"
            self._repeats.add(facts, facts.problem("W214", line, message, hint))

    def _group_field(self) -> str | None:
        by = self._draft.get("data", "validation", "by")
        return by if isinstance(by, str) else None

    def _close(self, facts: SplitFacts) -> None:
        """Checks that need the whole file: the field that a split is made by, and its size."""
        if facts.name != "train":
            return
        if self._by is not None:
            self._check_group_field(facts, self._by)
        wanted = self._draft.get("data", "validation", "split")
        node = self._draft.node("data", "validation", "split")
        if isinstance(wanted, int) and node is not None and facts.rows and wanted >= facts.rows:
            message = f"{wanted} rows cannot be taken from {facts.rows} and leave any to train on"
            self._draft.collector.add(node.problem("E214", message, path="data.validation.split"))

    def _check_group_field(self, facts: SplitFacts, by: str) -> None:
        known = facts.fields.get(by.removeprefix("item."))
        node = self._draft.node("data", "validation", "by")
        if node is not None and (known is None or known.missing is not None):
            where = "every row" if known is None else f"{facts.shown}:{known.missing}"
            message = f"`{by}` is missing in {where}, so rows cannot be kept together by it"
            self._draft.collector.add(node.problem("E212", message, path="data.validation.by"))


def value_at(item: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value of a nested field, None where it is missing."""
    value: Any = item
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def fold(value: Any) -> str:
    """A value as it is compared between splits: case and space do not make a difference."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return " ".join(text.casefold().split())


def _text_of(content: Any) -> str:
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
