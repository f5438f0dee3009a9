"""`number_match`: whether a number in the answer is the one in the row, within a tolerance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rftspec.diagnostics import Collector, Diagnostic, DiagnosticError
from rftspec.expr.library.numerals import places, to_number
from rftspec.graders.building import Builder, Interval, Settings, template_values
from rftspec.graders.score import Item, Sample, SampleGrader, Score
from rftspec.graders.texts import (
    INPUT_SCHEMA,
    REFERENCE_SCHEMA,
    build_templates,
    value_of,
    variable_missing,
)
from rftspec.sandbox.protocol import clean
from rftspec.template import MissingVariable, Template

MAX_CHARACTERS = 1_000_000
"""Of a text that a number is read from."""

DOC = """\
Reads a number from the answer and compares it with that of the row. The score is 1 when they differ
by no more than `tolerance`, or by no more than `relative` times the reference, else 0. With
`zero_at` an answer that is further off earns partial credit, falling in a straight line from 1 at
the tolerance to 0 where the difference is `zero_at` times the reference (a reference of 0 has no
partial credit).

| read | takes |
|---|---|
| `whole` | the whole text, which must be a number and nothing else but blanks |
| `last` | the last number in the text |
| `first` | the first number in the text |
| `after` | the first number after the last place where `marker` stands |

Numbers are read as people write them: a sign, `1,234.5` (also with thin or no-break spaces), `.5`,
`1e-3`, `$5`, `12%`, `1.2 million`; digits inside a word are none. `12%` is 0.12, or 12 with
`percent: number`. `units` names words that may follow a number and what each multiplies it by, for
example `{ mg: 0.001, g: 1 }`; then only numbers with one of them count, and those without any if
`""` is among them. `input` and `reference` are templates; one path and no text around it, such as
`{{ sample.output_json.total }}`, may lead to a number itself. The reference is read as `whole`.

An answer without a number scores 0; so does a number too large to be one. A reference that is no
number is an `other_error`, as is a text of more than 1,000,000 characters; a path that leads
nowhere is an `invalid_variable_error`.
"""

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "input": INPUT_SCHEMA,
        "reference": REFERENCE_SCHEMA,
        "read": {
            "type": "string",
            "enum": ["whole", "last", "first", "after"],
            "default": "whole",
            "description": "Which number of the answer counts.",
        },
        "marker": {
            "type": "string",
            "minLength": 1,
            "description": "With `read: after`: the text that the number follows, such as `####`.",
        },
        "tolerance": {
            "type": "number",
            "minimum": 0,
            "default": 0,
            "description": "The largest difference that still scores 1.",
        },
        "relative": {
            "type": "number",
            "minimum": 0,
            "default": 0,
            "description": "The same as a share of the reference: 0.01 is one percent.",
        },
        "zero_at": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "Partial credit: the share of the reference at which it is 0.",
        },
        "percent": {
            "type": "string",
            "enum": ["fraction", "number"],
            "default": "fraction",
            "description": "Whether `12%` is 0.12 or 12.",
        },
        "units": {
            "type": "object",
            "minProperties": 1,
            "x-open": True,
            "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
            "description": "What the words after a number multiply it by, such as `{ kg: 1000 }`.",
        },
    },
    "required": ["reference"],
}


class _TooLong(Exception):
    """A text is over MAX_CHARACTERS."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How a number is read from a value."""

    read: str = "whole"
    marker: str = ""
    percent: float = 0.01
    units: Mapping[str, float] | None = None

    def number(self, value: Any) -> float | None:
        """The number that a JSON value is or holds, None without one. Raises _TooLong."""
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return None if self.units is not None and "" not in self.units else _finite(value)
        if not isinstance(value, str):
            return None
        if len(value) > MAX_CHARACTERS:
            raise _TooLong(f"a text has {len(value):,} characters, over {MAX_CHARACTERS:,}")
        return self._of_text(value)

    def _of_text(self, text: str) -> float | None:
        if self.read == "whole":
            return self._whole(text.strip())
        if self.read == "after":
            at = text.rfind(self.marker)
            if at < 0:
                return None
            text = text[at + len(self.marker) :]
        found = self._found(text)
        if self.read == "last":
            last = None
            for last in found:  # noqa: B007 - the last one is wanted
                pass
            return last
        return next(found, None)

    def _whole(self, text: str) -> float | None:
        if self.units is None:
            return to_number(text, self.percent)
        for value, start, end in places(text, self.percent):
            factor = self.units.get(text[end:].strip())
            return _finite(value * factor) if start == 0 and factor is not None else None
        return None

    def _found(self, text: str) -> Iterator[float]:
        for value, _, end in places(text, self.percent):
            factor = 1.0 if self.units is None else self._factor(text, end)
            scaled = None if factor is None else _finite(value * factor)
            if scaled is not None:
                yield scaled

    def _factor(self, text: str, end: int) -> float | None:
        """What the unit after a number multiplies it by; the longest unit that stands there."""
        assert self.units is not None
        at = end
        while at < len(text) and text[at] in " \t\u00a0\u202f":
            at += 1
        named = [
            unit
            for unit in self.units
            if unit and text.startswith(unit, at) and not _goes_on(text, at + len(unit), unit)
        ]
        return self.units.get(max(named, key=len, default=""))


def _goes_on(text: str, at: int, unit: str) -> bool:
    """Whether the word goes on after what looked like a unit: `g` in `grams`."""
    return unit[-1].isalnum() and text[at : at + 1].isalnum()


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class NumberMatch(SampleGrader):
    """Two templates, a reader and a tolerance, ready to grade."""

    input: Template
    reference: Template
    reader: Reader
    reference_reader: Reader
    tolerance: float = 0.0
    relative: float = 0.0
    zero_at: float | None = None
    range: Interval = (0.0, 1.0)

    def _score(self, sample: Sample, item: Item) -> Score:
        values = template_values(sample, item)
        try:
            given, reference = (value_of(t, values) for t in (self.input, self.reference))
            wanted = self.reference_reader.number(reference)
            found = self.reader.number(given)
        except MissingVariable as missing:
            return variable_missing(missing)
        except _TooLong as error:
            return Score(None, "other_error", str(error))
        if wanted is None:
            told = clean(str(reference), 60)
            return Score(None, "other_error", f'the reference "{told}" is no number')
        if found is None:
            return Score(0.0, detail="no number in the answer")
        value = self._credit(abs(found - wanted), abs(wanted))
        return Score(value, detail=None if value == 1.0 else f"{found:.10g}, not {wanted:.10g}")

    def _credit(self, difference: float, size: float) -> float:
        free = max(self.tolerance, self.relative * size)
        if difference <= free:
            return 1.0
        end = (self.zero_at or 0.0) * size
        if not difference < end < math.inf:
            return 0.0
        return (end - difference) / (end - free)


def build(settings: Settings, builder: Builder) -> NumberMatch:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    found = Collector()
    found.extend(_misfits(settings, builder))
    templates: list[Template] = []
    try:
        templates = build_templates(settings, builder, "input", "reference")
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    found.raise_errors()
    percent = 1.0 if settings.get("percent") == "number" else 0.01
    units = settings.get("units")
    # a reference is the user's own: without a unit it is what the table calls 1
    own = None if units is None else {"": 1.0, **units}
    read = settings.get("read", "whole")
    return NumberMatch(
        templates[0],
        templates[1],
        Reader(read, settings.get("marker", ""), percent, units),
        Reader("whole", "", percent, own),
        float(settings.get("tolerance", 0)),
        float(settings.get("relative", 0)),
        settings.get("zero_at"),
    )


def _misfits(settings: Settings, builder: Builder) -> Iterator[Diagnostic]:
    """Settings that need or exclude one another."""
    if settings.get("read") == "after" and "marker" not in settings:
        message = "`read: after` needs `marker`, the text that the number follows"
        yield builder.problem("E422", message, "read", hint="for example `marker: '####'`")
    if "marker" in settings and settings.get("read") != "after":
        message = "`marker` has no effect without `read: after`"
        yield builder.problem("E422", message, "marker", hint="write `read: after`")
    zero_at, relative = settings.get("zero_at"), settings.get("relative", 0)
    if zero_at is not None and zero_at <= relative:
        message = f"partial credit ends at {zero_at:g}, which is within `relative: {relative:g}`"
        yield builder.problem("E422", message, "zero_at", hint="make `zero_at` the larger one")
