"""`list_match`: how well a list in the answer agrees with a list in the row."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.diagnostics import Collector, Diagnostic, DiagnosticError
from rftspec.expr.library.text import normalize
from rftspec.graders.building import Builder, Interval, Settings, template_values
from rftspec.graders.list_metrics import METRICS, matching, numbered
from rftspec.graders.output import parse_json
from rftspec.graders.schema_match import json_key
from rftspec.graders.score import Item, Sample, SampleGrader, Score
from rftspec.graders.texts import (
    INPUT_SCHEMA,
    REFERENCE_SCHEMA,
    build_templates,
    value_of,
    variable_missing,
)
from rftspec.template import MissingVariable, Template

MAX_ELEMENTS = 10_000
"""Of each list."""
MAX_CHARACTERS = 1_000_000
"""Of a text that is read as a list."""
MAX_PAIRS = 40_000
"""elements × elements that are compared by likeness."""
MAX_CELLS = 1_000_000_000
"""characters × characters of all elements that are compared by likeness."""

DOC = """\
Says how well a list in the answer agrees with a list in the row, from 0 to 1. `input` and
`reference` are templates; one path and no text around it may lead to a list, any other text is read
as `split` says.

| metric | is |
|---|---|
| `f1` | the harmonic mean of precision and recall |
| `precision` | the share of the answer's elements that are in the reference |
| `recall` | the share of the reference's elements that are in the answer |
| `jaccard` | the share of common elements among all |
| `exact` | 1 for the same elements in the same order, else 0 |
| `lcs` | twice the longest common subsequence among the lengths of both |
| `kendall` | the share of the reference's pairs that the answer has in the same order: \
(τ + 1) / 2 for a permutation; a pair that is not whole counts as wrong |
| `ndcg` | normalised discounted cumulative gain: elements of the reference count by how early \
they stand |

`precision` alone pays for a short list of what is sure, `recall` and `kendall` alone for a long one
of everything; `top` cuts the answer's list, and `f1` weighs both.

What repeats counts as often as it stands, so that saying a thing twice lowers precision;
`repeats: ignore` drops repetitions in both lists first. Elements agree when they are equal (1 and
1.0 are, "1" and 1 are not); `normalize` compares texts without case, width and extra blanks, and
`at_least` takes texts that are alike enough by rapidfuzz's `ratio` / 100, each for one only: the
largest matching counts.

Two empty lists agree (1), one empty list agrees with no other (0). An answer that is no list scores
0; a reference that is none is an `other_error`. So is a list of more than 10,000 elements, a text
of more than 1,000,000 characters and, with `at_least`, more than 40,000 pairs of elements or 10⁹
pairs of characters. A path that leads nowhere is an `invalid_variable_error`.
"""

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "input": INPUT_SCHEMA,
        "reference": REFERENCE_SCHEMA,
        "metric": {
            "type": "string",
            "enum": list(METRICS),
            "default": "f1",
            "description": "How the lists are compared.",
        },
        "split": {
            "type": "string",
            "enum": ["json", "lines", "commas"],
            "default": "json",
            "description": "How a text is read: a JSON list, a list item per line, or by commas.",
        },
        "top": {
            "type": "integer",
            "minimum": 1,
            "description": "Only so many of the answer's elements count, the first ones.",
        },
        "repeats": {
            "type": "string",
            "enum": ["count", "ignore"],
            "default": "count",
            "description": "Whether an element counts as often as it stands.",
        },
        "normalize": {
            "type": "boolean",
            "default": False,
            "description": "Compare texts without case, width and extra blanks.",
        },
        "at_least": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
            "description": "How alike two texts must be to agree; without it they must be equal.",
        },
    },
    "required": ["reference"],
}

_BULLET = re.compile(r"(?:[-*•]|[0-9]{1,4}[.)])\s+")


class _Bad(Exception):
    """A list that is none, or too long."""


@dataclass(frozen=True, slots=True)
class ListMatch(SampleGrader):
    """Two templates and how their lists are compared, ready to grade."""

    input: Template
    reference: Template
    metric: str
    split: str = "json"
    top: int | None = None
    repeats: bool = True
    normalize: bool = False
    at_least: float | None = None
    range: Interval = (0.0, 1.0)

    def _score(self, sample: Sample, item: Item) -> Score:
        values = template_values(sample, item)
        try:
            given, reference = (value_of(t, values) for t in (self.input, self.reference))
        except MissingVariable as missing:
            return variable_missing(missing)
        try:
            wanted = self._elements(reference)
            if wanted is None:
                return Score(None, "other_error", "the reference is not a list")
            found = self._elements(given)
            if found is None:
                return Score(0.0, detail="not a list")
            return self._compared(found[: self.top], wanted)
        except _Bad as error:
            return Score(None, "other_error", str(error))
        except RecursionError:
            return Score(None, "other_error", "an element is nested too deeply")

    def _elements(self, value: Any) -> list[Hashable] | None:
        """The elements of a list as they are compared; None when the value is no list."""
        if isinstance(value, str):
            value = _read(value, self.split)
        if type(value) is not list:
            return None
        if len(value) > MAX_ELEMENTS:
            raise _Bad(f"a list has {len(value):,} elements, over {MAX_ELEMENTS:,}")
        elements = [self._element(element) for element in value]
        return elements if self.repeats else list(dict.fromkeys(elements))

    def _element(self, element: Any) -> Hashable:
        if isinstance(element, str):
            return normalize(element) if self.normalize else element
        return ("json", json_key(element))

    def _compared(self, found: list[Hashable], wanted: list[Hashable]) -> Score:
        if self.at_least is not None:
            found = _alike(found, wanted, self.at_least)
            wanted = [("wanted", i) for i in range(len(wanted))]
        if self.metric == "lcs":
            known: dict[Hashable, int] = {}
            a, b = ([known.setdefault(e, len(known)) for e in list_] for list_ in (found, wanted))
        else:
            a, b = numbered(found, wanted)
        value = METRICS[self.metric](a, b)
        detail = None if value == 1.0 else f"{len(found)} found, {len(wanted)} wanted"
        return Score(value, detail=detail)


def _read(text: str, split: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise _Bad(f"a text has {len(text):,} characters, over {MAX_CHARACTERS:,}")
    if split == "json":
        return parse_json(text)
    parts = text.splitlines() if split == "lines" else text.split(",")
    stripped = (part.strip() for part in parts)
    if split == "lines":
        stripped = (_BULLET.sub("", part, count=1) for part in stripped)
    return [part for part in stripped if part]


def _alike(
    found: Sequence[Hashable], wanted: Sequence[Hashable], at_least: float
) -> list[Hashable]:
    """The found elements, each that is alike as the place of the wanted one that it gets."""
    if len(found) * len(wanted) > MAX_PAIRS:
        raise _Bad(f"{len(found):,} × {len(wanted):,} elements are over {MAX_PAIRS:,}")
    if _characters(found) * _characters(wanted) > MAX_CELLS:
        raise _Bad(f"the elements are too long: characters × characters is over {MAX_CELLS:,}")
    near: list[list[int]] = []
    for element in found:
        likeness = [_likeness(element, other) for other in wanted]
        alike = [(-x, i) for i, x in enumerate(likeness) if x >= at_least]
        near.append([i for _, i in sorted(alike)])
    taken = matching(near, len(wanted))
    return [("found", i) if w is None else ("wanted", w) for i, w in enumerate(taken)]


def _likeness(element: Hashable, other: Hashable) -> float:
    from rapidfuzz import fuzz

    if isinstance(element, str) and isinstance(other, str):
        return 1.0 if element == other else fuzz.ratio(element, other) / 100
    return float(element == other)


def _characters(elements: Sequence[Hashable]) -> int:
    return sum(len(element) for element in elements if isinstance(element, str))


def build(settings: Settings, builder: Builder) -> ListMatch:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    found = Collector()
    metric = settings.get("metric", "f1")
    if settings.get("top") is not None and metric == "exact":
        found.add(_top_with_exact(builder))
    templates: list[Template] = []
    try:
        templates = build_templates(settings, builder, "input", "reference")
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    found.raise_errors()
    return ListMatch(
        templates[0],
        templates[1],
        metric,
        settings.get("split", "json"),
        settings.get("top"),
        settings.get("repeats", "count") == "count",
        settings.get("normalize", False),
        settings.get("at_least"),
    )


def _top_with_exact(builder: Builder) -> Diagnostic:
    message = "`top` with `metric: exact` would pay for anything after the first elements"
    return builder.problem("E422", message, "top", hint="leave `top` out, or take another metric")
