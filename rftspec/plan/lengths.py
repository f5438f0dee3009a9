"""How long prompts and gold answers are, in tokens of the model's own tokenizer.

Every row up to `survey.MOST_ROWS` of a split. Where the tokenizer is not on this machine, lengths
are estimated from characters, and say so. Counts are kept in the user's cache by the hashes of all
that decides them, for counting takes longer than everything else that a plan does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.diagnostics import Diagnostic, DiagnosticError, Span
from rftspec.plan.cache import keep, read_kept
from rftspec.plan.chat import ChatTokenizer, NoTokenizer, TemplateRefused
from rftspec.plan.model import Plan
from rftspec.plan.model_files import files_of
from rftspec.plan.survey import Survey, Surveyed

CHARACTERS_PER_TOKEN = 4.0
"""Of English text with a common tokenizer (OpenAI's and Hugging Face's rule of thumb)."""
FORM = "rftspec.lengths/1"
GOLD_ROWS = 200
"""Gold answers that are counted."""
SHOWN = 5
"""Rows that do not fit which are named one by one."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Lengths in tokens, over rows."""

    rows: int
    median: int
    p95: int
    longest: int
    mean: float
    at: str
    """`FILE:LINE` of the longest; "" for answers."""

    @classmethod
    def of(cls, counts: Sequence[int], place: Callable[[int], str]) -> Spread:
        """The spread of some counts, at least one; `place` names the n-th."""
        order = sorted(counts)
        longest = max(range(len(counts)), key=lambda n: counts[n])
        return cls(
            rows=len(counts),
            median=order[(len(order) - 1) // 2],
            # the nearest rank: the smallest that 95 % of all do not exceed
            p95=order[max(0, -(-95 * len(order) // 100) - 1)],
            longest=counts[longest],
            mean=sum(counts) / len(counts),
            at=place(longest),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "rows": self.rows, "median": self.median, "p95": self.p95, "longest": self.longest,
            "mean": round(self.mean, 2), "at": self.at,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lengths:
    """Prompts of every split, and gold answers of training rows."""

    prompts: dict[str, Spread]
    gold: Spread | None
    by: str
    """`the model's tokenizer`, or why and how they were estimated."""
    exact: bool
    """Counted by the tokenizer, not estimated."""
    whole: bool
    """All rows were counted, not a sample."""

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt of all splits."""
        return max(spread.longest for spread in self.prompts.values())

    @property
    def mean(self) -> float:
        """Mean tokens of a training prompt."""
        return self.prompts["train"].mean

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "exact": self.exact, "whole": self.whole, "by": self.by,
            "prompts": {name: spread.to_json() for name, spread in self.prompts.items()},
            "gold": None if self.gold is None else self.gold.to_json(),
        }  # fmt: skip


class Ruler:
    """Counts tokens with the base model's tokenizer, or estimates them."""

    def __init__(self, plan: Plan) -> None:
        self.why = ""
        """Why there is no tokenizer."""
        self.tokenizer: ChatTokenizer | None = None
        folder = files_of(plan.model.base, plan.model.revision)
        if folder is None:
            self.why = f"{plan.model.base} is not on this machine"
            return
        try:
            self.tokenizer = ChatTokenizer(folder)
        except NoTokenizer as error:
            self.why = str(error)

    @property
    def told(self) -> str:
        """How lengths were got, for a person."""
        if self.tokenizer is not None:
            return "counted by the model's tokenizer"
        return f"estimated, {CHARACTERS_PER_TOKEN:g} characters a token: {self.why}"

    def prompts(self, plan: Plan, split: Surveyed) -> list[int]:
        """Tokens of each surveyed prompt. Raises DiagnosticError where the template refuses one."""
        if self.tokenizer is None:
            return [_by_characters(row.messages) for row in split.rows]
        planned = getattr(plan.data, split.name)
        key = [planned.sha256, plan.data.prompt, [row.index for row in split.rows]]
        # a template that tells the time makes other prompts tomorrow
        return self._kept("prompts", key, len(split.rows), lambda: self._render_all(split))

    def answers(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each answer, its end-of-turn token among them."""
        if self.tokenizer is None:
            return [round(len(text) / CHARACTERS_PER_TOKEN) + 1 for text in texts]
        return [n + 1 for n in self._kept("answers", list(texts), len(texts), lambda: list(texts))]

    def _kept(self, kind: str, key: Any, size: int, texts: Callable[[], list[str]]) -> list[int]:
        assert self.tokenizer is not None
        text = json.dumps([kind, self.tokenizer.fingerprint, key], ensure_ascii=False)
        name = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
        lasting = not (kind == "prompts" and self.tokenizer.tells_time)
        known = read_kept(f"lengths/{name}.json", FORM) if lasting else None
        counts = None if known is None else known.get("counts")
        if isinstance(counts, list) and len(counts) == size and all(map(_is_count, counts)):
            return counts
        found = self.tokenizer.count(texts())
        if lasting:
            keep(f"lengths/{name}.json", FORM, {"counts": found})
        return found

    def _render_all(self, split: Surveyed) -> list[str]:
        assert self.tokenizer is not None
        texts = []
        for row in split.rows:
            try:
                texts.append(self.tokenizer.render(row.messages))
            except TemplateRefused as error:
                hint = (
                    "some templates refuse a system message, or two messages of one role in a row"
                )
                message = f"the model's chat template refuses this row: {error}"
                problem = _at(split, row.line, "M214", message, hint)
                raise DiagnosticError([problem]) from error
        return texts


def measure_lengths(
    plan: Plan, found: Survey, ruler: Ruler, gold: Sequence[str], context: int | None
) -> tuple[Lengths, list[Diagnostic]]:
    """The lengths of a plan's prompts and of some gold answers, and what does not fit.

    `context` is the most that the model can see, None where it is not known. Raises DiagnosticError
    where the chat template refuses a row.
    """
    spreads, problems = {}, []
    for name, split in found.splits.items():
        if not split.rows:
            continue
        counts = ruler.prompts(plan, split)
        lines = [row.line for row in split.rows]
        spreads[name] = Spread.of(counts, lambda n, s=split, at=lines: f"{s.path}:{at[n]}")  # type: ignore[misc]
        if context is not None and ruler.tokenizer is not None:
            problems += list(_too_long(plan, split, counts, context))
    answers = ruler.answers(gold)
    lengths = Lengths(
        prompts=spreads,
        gold=Spread.of(answers, lambda _: "") if answers else None,
        by=ruler.told,
        exact=ruler.tokenizer is not None,
        whole=all(split.whole for split in found.splits.values()),
    )
    return lengths, problems


def _too_long(plan: Plan, split: Surveyed, counts: Sequence[int], context: int) -> list[Diagnostic]:
    """Rows whose prompt and answer together are more than the model can see."""
    room = plan.response.max_tokens
    bad = [n for n, count in enumerate(counts) if count + room > context]
    hint = "shorten the prompt, leave the row out, or lower `response.max_tokens`: a prompt is "
    hint += "never cut"
    problems = []
    for n in bad[:SHOWN]:
        message = (
            f"this prompt has {counts[n]:,} tokens: with {room:,} of the answer that is more than "
            f"the model's {context:,}"
        )
        problems.append(_at(split, split.rows[n].line, "M210", message, hint))
    if len(bad) > SHOWN:
        message = f"{len(bad) - SHOWN:,} more prompts of this file do not fit, the last one here"
        problems.append(_at(split, split.rows[bad[-1]].line, "M210", message, None))
    return problems


def _at(split: Surveyed, line: int, code: str, message: str, hint: str | None) -> Diagnostic:
    return Diagnostic(code, message, Span(split.path, line, 1, line, 2), hint)


def _by_characters(messages: Sequence[dict[str, Any]]) -> int:
    """Four characters a token, and four tokens around each message."""
    found = 0
    for message in messages:
        content = message.get("content")
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        found += round(len(text) / CHARACTERS_PER_TOKEN) + 4
    return found


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0
