"""An evaluation in words: a table of measures with intervals, pass@k, slices, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rftspec.cli import console
from rftspec.cli.text import shown_path
from rftspec.cli.visible import clip, visible, width

if TYPE_CHECKING:
    from rftspec.report.evaluated import Evaluated, Line
    from rftspec.run.evaluation import Done
    from rftspec.stats.intervals import Interval

NAME = 26
SHOWN_FAILURES = 5


def result_lines(found: Evaluated) -> Iterator[str]:
    """The numbers of an evaluation."""
    head = found.head
    per_row = found.samples / found.rows if found.rows else 0
    yield ""
    yield console.bold(
        f"{visible(head.plan.name)} · {visible(head.subject.label)} on {found.rows:,} "
        f"{head.split} rows × {per_row:.3g}{_grouped(found)}"
    )
    if not found.lines:
        yield "  nothing is graded yet"
        return
    yield from table(_head(found), _rows(found))
    for field in dict.fromkeys(one.field for one in found.slices):
        yield ""
        yield from _slices(found, field)
    yield from _cautions(found)


def _grouped(found: Evaluated) -> str:
    disjoint = found.head.plan.data.disjoint
    if not disjoint or found.clusters == found.rows:
        return ""
    return f" (intervals cluster by {visible(disjoint[0])}: {found.clusters})"


def _head(found: Evaluated) -> list[str]:
    greedy = any(line.greedy is not None for line in found.lines)
    return ["", "mean", "95 % interval", *(["greedy"] if greedy else [])]


def _rows(found: Evaluated) -> list[list[str]]:
    greedy = len(_head(found)) == 4
    rows = []
    for line in found.lines:
        failed = f"  ({line.failed} failed)" if line.failed else ""
        beside = [] if not greedy else [level(line.greedy, line.share) if line.greedy else "–"]
        rows.append([_name(line) + failed, *_numbers(line.interval, line.share), *beside])
    for k, interval in found.pass_at_k.items():
        name = f"pass@{k}  ({visible(found.headline)} in {k} answers)"
        rows.append([name, *_numbers(interval, share=True), *(["–"] if greedy else [])])
    return rows


def _slices(found: Evaluated, field: str) -> Iterator[str]:
    """The headline and the reward for each value of a field."""
    names = list(dict.fromkeys(["reward", found.headline]))
    rows = []
    for one in found.slices:
        if one.field != field:
            continue
        cells = [clip(visible(one.value), NAME), f"{one.rows}"]
        for name in names:
            line = next((line for line in one.lines if line.name == name), None)
            cells += ["–", ""] if line is None else list(_numbers(line.interval, line.share))
        rows.append(cells)
    titles = [title for name in names for title in (visible(name), "95 % interval")]
    yield from table([f"by {visible(field)}", "rows", *titles], rows)


def _cautions(found: Evaluated) -> Iterator[str]:
    """What is missing, and what failed."""
    if found.rows < found.wanted:
        yield f"missing   {found.wanted - found.rows} of {found.wanted} rows have no answer"
    if found.dropped:
        yield f"dropped   {found.dropped} answers that no judge could be reached for; run it again"
    if found.damaged:
        yield f"damaged   {found.damaged} lines could not be read and are left out"
    if found.clusters < 30:
        yield f"few       {found.clusters} independent groups of rows: the intervals are rough"
    for failure in found.failures[:SHOWN_FAILURES]:
        detail = clip(visible(failure.detail), 70)
        told = f": {detail}" if detail else ""
        greedy = " (greedy)" if failure.model != found.head.subject.label else ""
        yield f"failed    {failure.count} × {visible(failure.grader)}: {failure.kind}{told}{greedy}"
    if len(found.failures) > SHOWN_FAILURES:
        yield f"          … and {len(found.failures) - SHOWN_FAILURES} more kinds"


def ending_lines(found: Evaluated, done: Done) -> Iterator[str]:
    """What was done, where it is, and how to go on."""
    from rftspec.record.layout import EvalLayout

    folder = done.folder
    if not done.whole:
        yield "stopped   the same command goes on: what is graded is kept"
    elif done.kept and not done.graded:
        yield "again     everything was there; nothing was done anew"
    elif done.graded > done.sampled and found.head.subject.kind != "outputs":
        read = done.graded - done.sampled
        yield f"cached    {read:,} answers were sampled before and only graded now"
    yield f"folder    {shown_path(folder)}"
    yield f"items     {shown_path(EvalLayout(folder).items)}"
    beside = other_evaluation(found, done)
    if beside is not None:
        yield f"compare   {console.command('compare', beside, shown_path(folder))}"


def other_evaluation(found: Evaluated, done: Done) -> str | None:
    """An evaluation of another model on the same rows beside this one, the base's if there is."""
    from rftspec.diagnostics import DiagnosticError
    from rftspec.record.evaluations import read_head
    from rftspec.record.layout import EvalLayout

    chosen = None
    for path in sorted(done.folder.parent.glob("*/eval.json")):
        folder = path.parent
        if folder == done.folder or not EvalLayout(folder).finished.is_file():
            continue
        try:
            head = read_head(folder)
        except DiagnosticError:
            continue
        mine = found.head
        same = (head.plan.name, head.split) == (mine.plan.name, mine.split)
        if (
            same
            and head.subject != mine.subject
            and (chosen is None or head.subject.kind == "base")
        ):
            chosen = shown_path(folder)
    return chosen


def level(interval: Interval, share: bool) -> str:
    """A mean: a share in per cent, anything else with three decimals."""
    value = interval.estimate
    return f"{100 * value:.1f} %" if share else f"{value:.3f}"


def span(interval: Interval, share: bool) -> str:
    """The interval of a mean: `9.4 – 20.1`."""
    if not interval.known:
        return "too few rows to say"
    scale, digits = (100, 1) if share else (1, 3)
    low, high = (f"{scale * end:.{digits}f}" for end in (interval.low, interval.high))
    return f"{low} – {high}"


def _numbers(interval: Interval, share: bool) -> tuple[str, str]:
    return level(interval, share), span(interval, share)


def _name(line: Line) -> str:
    return clip(visible(line.name), NAME)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns that line up, two spaces in: to the left the first and one without a title."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(width(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        parts = [
            cell + " " * (widths[i] - width(cell)) if i == 0 or not head[i] else
            " " * (widths[i] - width(cell)) + cell
            for i, cell in enumerate(row)
        ]  # fmt: skip
        yield ("  " + "  ".join(parts)).rstrip()
