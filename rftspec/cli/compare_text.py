"""A comparison in words: who, on which rows, every measure, the rows that moved, the limits."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rftspec.cli import console
from rftspec.cli.eval_text import table
from rftspec.cli.text import paint, shown_path
from rftspec.cli.visible import clip, visible

if TYPE_CHECKING:
    from rftspec.report.compare import Change, Comparison, RowMove, Versus
    from rftspec.report.entrants import Entrant
    from rftspec.report.regression import Found

SHOWN_CHANGES = 12
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FEW = 30


def comparison_lines(
    comparison: Comparison, changes: Sequence[Sequence[str]], *, rows: int
) -> Iterator[str]:
    """All of it; the first side is A."""
    sides = [comparison.first, *(one.other for one in comparison.versus)]
    for place, side in enumerate(sides):
        yield f"{letter(place)}  {_place(side)}  {visible(side.label)}"
        for note in side.notes():
            yield f"   {visible(note)}"
    if comparison.split is None:
        yield ""
        yield from _nothing_common(sides)
    for place, (one, lines) in enumerate(zip(comparison.versus, changes, strict=True), 1):
        yield ""
        yield console.bold(f"A → {letter(place)}")
        yield from _plan_lines(lines)
        if comparison.split is not None:
            yield from _versus(comparison, one, letter(place), rows)


def letter(place: int) -> str:
    """A, B, C …; numbers after Z."""
    return LETTERS[place] if place < len(LETTERS) else str(place + 1)


def _place(side: Entrant) -> str:
    return visible(shown_path(side.folder))


def _nothing_common(sides: Sequence[Entrant]) -> Iterator[str]:
    yield "nothing to compare: no rows were measured on both sides"
    for place, side in enumerate(sides):
        told = ", ".join(side.answers) or "nothing yet"
        yield f"   {letter(place)} has answers on: {told}"


def _plan_lines(changes: Sequence[str]) -> Iterator[str]:
    if not changes:
        yield "  plan      the same, as far as what is compared depends on it"
        return
    for line in changes[:SHOWN_CHANGES]:
        yield f"  {visible(line)}"
    if len(changes) > SHOWN_CHANGES:
        yield f"  … and {len(changes) - SHOWN_CHANGES} more (`--json` has all)"


def _versus(comparison: Comparison, one: Versus, name: str, rows: int) -> Iterator[str]:
    """The measures on the common rows, what is left out, and the rows that moved."""
    pairing = one.pairing
    groups = ""
    if one.clustered_by is not None:
        groups = f", intervals cluster by {visible(one.clustered_by)} ({one.clusters})"
    common = len(pairing.rows)
    yield f"  {common:,} {comparison.split} rows on both sides, paired by {pairing.how}{groups}"
    if pairing.only_first or pairing.only_second:
        left = f"{pairing.only_first} rows only in A, {pairing.only_second} only in {name}"
        yield f"  left out  {left}"
    for note in one.notes:
        yield f"  note      {visible(note)}"
    if not one.changes:
        yield "  no measure has a value on both sides"
        return
    yield ""
    yield from table(
        ["", "A", name, f"{name} − A", "95 % interval", "p", "win/tie/loss", "shows from", ""],
        [_row(change) for change in one.changes],
    )
    yield from _small_print(comparison, one, name)
    yield from _moves(comparison, one, rows)


def _row(change: Change) -> list[str]:
    found, share = change.numbers, change.share
    interval = found.interval
    ends = "too few rows to say"
    if interval.known:
        ends = f"{_signed(interval.low, share)} to {_signed(interval.high, share)}"
    return [
        clip(visible(change.name), 26),
        _level(found.before, share),
        _level(found.after, share),
        _signed(interval.estimate, share),
        ends,
        _p(change.corrected),
        f"{found.wins}/{found.ties}/{found.losses}",
        "–" if math.isnan(found.detectable) else _level(found.detectable, share),
        _verdict(change),
    ]


def _verdict(change: Change) -> str:
    color = console.wants_color(sys.stdout)
    tone = {"higher": "32", "lower": "31"}.get(change.verdict)
    told = change.verdict + (" (another definition)" if change.redefined else "")
    return paint(told, tone, color=color) if tone else told


def _small_print(comparison: Comparison, one: Versus, name: str) -> Iterator[str]:
    """What the columns mean, once, and what to keep in mind."""
    metrics = sum(change.kind == "metric" for change in one.changes) * len(comparison.versus)
    yield (
        f"  p is corrected for {metrics} metrics (Holm); `shows from`: a true difference this "
        "large is shown 4 times of 5"
    )
    if one.clusters < FEW:
        yield f"  only {one.clusters} independent groups of rows: the intervals are rough"
    change = one.change(comparison.headline)
    if change is not None and change.numbers.mcnemar is not None:
        flips = change.numbers.mcnemar
        clusters = "" if one.clusters == len(one.pairing.rows) else ", rows taken as independent"
        yield (
            f"  {visible(change.name)}: {flips.only_after} rows pass only in {name}, "
            f"{flips.only_before} only in A; McNemar p {_p(flips.p)}{clusters}"
        )


def _moves(comparison: Comparison, one: Versus, most: int) -> Iterator[str]:
    """The rows that fell and those that rose most, on the headline."""
    if not most:
        return
    fell = [row for row in one.rows if row.move < -1e-9]
    rose = [row for row in reversed(one.rows) if row.move > 1e-9]
    for rows, title, mark, flip in (
        (fell, "fell", "▼", "from right to wrong"),
        (rose, "rose", "▲", "from wrong to right"),
    ):
        if not rows:
            continue
        flipped = sum(row.passed_before != row.passed_after for row in rows)
        count = f"{len(rows)} rows {title} on {visible(comparison.headline)}"
        yield ""
        yield f"  {count}, {flipped} of them {flip}"
        listed = [_moved(row, mark) for row in rows[:most]]
        yield from (f"  {line}" for line in table(["row", "A", "B", ""], listed))
        if len(rows) > most:
            yield f"    … and {len(rows) - most} more (`--rows {len(rows)}`, or `--json`)"


def _moved(row: RowMove, mark: str) -> list[str]:
    flip = ""
    if row.passed_before != row.passed_after:
        flip = " regressed" if row.passed_before else " fixed"
    return [clip(visible(row.id), 40), f"{row.before:.3g}", f"{row.after:.3g}", f"{mark}{flip}"]


def gate_lines(failures: Sequence[Found]) -> Iterator[str]:
    """Each limit and what it came to."""
    if failures:
        yield ""
    color = console.wants_color(sys.stdout)
    for one in failures:
        word = paint("FAILED", "31;1", color=color) if one.failed else paint(
            "ok", "32", color=color
        )  # fmt: skip
        name = f"{visible(one.limit.name)}:{one.limit.margin:g}"
        yield f"limit  {word}  {name} in {visible(shown_path(one.other))}: {one.detail}"


def _level(value: float, share: bool) -> str:
    return f"{100 * value:.1f} %" if share else f"{value:.3f}"


def _signed(value: float, share: bool) -> str:
    return f"{100 * value:+.1f}" if share else f"{value:+.3f}"


def _p(value: float) -> str:
    if math.isnan(value):
        return "–"
    if value < 0.01:
        return "< 0.01"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
