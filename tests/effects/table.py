"""What a row of an effect table says: a field, values for it, and what must come out differently.

One module `test_SECTION.py` holds the rows of one section of the spec, and `test_complete.py` holds
that every field of the spec, and every choice of one, stands in a row. To add a field: add a row.

    Effect("train.kl", (0.5,), differs=("adapter", "learning"), same=("base_answers",))

means: the base spec (`world.BASE`), run as it is and once more with `train.kl: 0.5`, ends with
another adapter and other numbers of its steps, and the base model still answers the same. Several
values must differ pairwise. A run is a real one of one or two steps on a toy Llama (about 0.3 s)
and is done once for all rows that ask for it; rows whose engine is `scripted` (the graders') read
chosen answers instead. What can be observed is listed in `world.Observed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

DROP: Final = "<drop>"
"""As a value in `base` or `beside`: the field is left out."""

Part = Literal[
    "adapter", "published", "adapter_config", "answers", "base_answers", "rows", "scores",
    "metrics", "learning", "steps", "evaluations", "means", "gates", "summary", "warnings",
    "files", "start", "end", "requests",
]  # fmt: skip
"""What of a run is compared: a key of `world.Observed`."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One field, and what changes in the record or in the adapter when it is changed."""

    field: str
    """Its path in the schema; `*` stands for a name that the user chooses. A grader's setting is
    `graders.TYPE.SETTING`."""
    values: tuple[Any, ...]
    """Values that the field is given, one run each."""
    differs: tuple[Part, ...]
    """What must be different in each run from the base's and from each other's."""
    same: tuple[Part, ...] = field(default=(), kw_only=True)
    """What the field must leave as it was."""
    base: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    """Fields (dotted) that the base needs first, so that this one can matter."""
    beside: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    """Fields that are changed together with this one: what it excludes, for example."""
    at: str | None = field(default=None, kw_only=True)
    """Where the field stands in the spec, where that is not its path in the schema."""
    answers: tuple[str, ...] = field(default=(), kw_only=True)
    """Answers that a scripted engine gives in turn; without them the toy model answers."""

    @property
    def place(self) -> str:
        """The dotted path in the spec."""
        return self.at or self.field

    def __str__(self) -> str:
        return self.field
