"""What every task of the toy model is: a drawn question, and an answer in a good or a bad manner.

The bad manners are the ones that reinforcement is to unlearn: guessing before working a thing out,
leaving fields open, calling the wrong tool, rambling on. Which manner an answer has shows in its
first words, and the rest follows from them, so that the good one can be chosen and does pay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

END = "<|end|>"
Row = dict[str, Any]
"""A row as a template ships it: `messages`, and the fields that its graders read."""


@dataclass(frozen=True)
class Task:
    """One kind of question and how it is answered.

    good: an answer in the good manner.
    habit: an answer in any manner, as often as the shipped model is to have it.
    share: how often the training draws the task, in proportion to the others' shares.
    """

    question: Callable[[Random], Row]
    good: Callable[[Row, Random], str]
    habit: Callable[[Row, Random], str]
    share: float = 1.0


def ask(text: str, *, system: str | None = None) -> list[dict[str, str]]:
    """The messages of a question."""
    before = [] if system is None else [{"role": "system", "content": system}]
    return [*before, {"role": "user", "content": text}]


def other(than: Any, among: Sequence[Any], rng: Random) -> Any:
    """One of several, but not this one."""
    return rng.choice([each for each in among if each != than])


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def written(row: Row) -> str:
    """The question as the chat template writes it, up to where the answer begins."""
    said = "".join(f"<|{each['role']}|>{each['content']}{END}" for each in row["messages"])
    return f"{said}<|assistant|>"
