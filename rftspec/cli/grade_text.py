"""Gradings in words: one answer, many answers, a run graded again, a probe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rftspec.cli.view import number
from rftspec.cli.visible import clip, visible, width

if TYPE_CHECKING:
    from rftspec.graders.score import Graded, Sample, Score
    from rftspec.plan.model import Plan
    from rftspec.plan.probe import Probe
    from rftspec.run.answers import Given
    from rftspec.run.regrade import Regraded

BAR = 20


def answer_lines(plan: Plan, item: Mapping[str, Any], sample: Sample, graded: Graded) -> list[str]:
    """One answer: each grader's score, the metrics, the reward."""
    from rftspec.graders.score import MISSING
    from rftspec.run.hosted import passed

    facts = {key: value for key, value in item.items() if key != "messages"}
    parsed = "no JSON that fits response.format" if sample.output_json is MISSING else "JSON"
    lines = [f"item      {clip(visible(str(facts)), 100)}"]
    lines.append(f"answer    {clip(visible(sample.output_text), 100)}  ({parsed})")
    if sample.output_tools:
        lines.append(f"tools     {clip(visible(str(list(sample.output_tools))), 100)}")
    passes = passed(plan, graded)
    for name, score in graded.scores.items():
        mark = {True: "  passes", False: "  fails", None: ""}[passes.get(name)]
        lines.append(f"grader    {visible(name):<18} {visible(_told(score))}{mark}")
    for name, value in graded.metrics.items():
        lines.append(f"metric    {visible(name):<18} {number(value)}")
    why = ""
    if graded.error:
        who = f"`{graded.error_grader}` failed" if graded.error_grader else "it cannot be computed"
        why = f"  the floor, because {who}"
        why += f": {visible(graded.error_detail)}" if graded.error_detail else ""
    return [*lines, f"reward    {number(graded.reward, 4)}{why}"]


def _told(score: Score) -> str:
    if score.error is not None:
        return f"{score.error}: {score.detail}"
    return number(score.value) + (f"  {score.detail}" if score.detail else "")


def given_lines(given: Sequence[Given], graded: Sequence[Graded]) -> Iterator[str]:
    """Many answers: the mean of every score, the failures, the best and the worst."""
    yield f"{len(given)} answers graded"
    rows = [("reward", [g.reward for g in graded])]
    for name in graded[0].scores if graded else ():
        found = [g.scores[name].value for g in graded]
        rows.append((f"grader {name}", [v for v in found if v is not None]))
    for name in graded[0].metrics if graded else ():
        measured = [g.metrics[name] for g in graded]
        rows.append((f"metric {name}", [v for v in measured if v is not None]))
    yield from _table(
        ("", "mean", "lowest", "highest", "answers"),
        [
            (name, number(sum(v) / len(v)), number(min(v)), number(max(v)), str(len(v)))
            if v
            else (name, "–", "–", "–", "0")
            for name, v in rows
        ],
    )
    failures = Counter(
        (name, score.error, score.detail)
        for g in graded
        for name, score in g.scores.items()
        if score.error is not None
    )
    for (name, kind, detail), count in failures.most_common(5):
        yield f"failed    {count} × {visible(name)}: {kind}: {visible(detail or '')}"
    order = sorted(range(len(graded)), key=lambda i: graded[i].reward)
    shown = [("worst", order[:3]), ("best", order[::-1][:3])]
    for title, places in shown:
        for i in places:
            text = clip(visible(given[i].sample.output_text), 70)
            yield f"{title:<9} {number(graded[i].reward)}  {visible(given[i].label)}: {text}"


def regrade_lines(found: Regraded, name: str) -> Iterator[str]:
    """A run graded again: rewards before and now, by part, and what moved most."""
    yield f"{found.samples} samples graded again by {visible(name)}; nothing was generated"
    yield from _table(
        ("", "recorded", "now", "difference", "samples"),
        [
            (
                part,
                number(_mean(found.before[part])),
                number(_mean(found.after[part])),
                f"{_mean(found.after[part]) - _mean(found.before[part]):+.3f}",
                str(len(found.after[part])),
            )
            for part in found.before
        ],
    )
    if not found.changed:
        yield "every reward is as it was recorded"
        return
    correlation = found.rank_correlation
    told = "" if correlation is None else f"; rank correlation (Spearman) {correlation:.2f}"
    yield f"{found.changed} rewards differ{told}; {found.errors} samples could not be graded"
    for pair in found.largest:
        line, after = pair.line, pair.graded.reward
        where = f"{line['model']} {line['split']} row {line['row']} #{line['index']}"
        text = clip(visible(line["output_text"]), 50)
        yield f"moved     {pair.before:.3f} → {after:.3f}  {visible(where)}: {text}"


def probe_lines(probe: Probe) -> Iterator[str]:
    """What every kind of lazy answer earns, beside the right one."""
    low, high = probe.reward_range
    told = "not known" if probe.gold is None else probe.gold.told
    yield f"What would a lazy model earn? {len(probe.rows)} rows, rewards from {low:g} to {high:g}"
    yield f"gold answer: {visible(told)}"
    rows = []
    for earned in probe.earned:
        share = (earned.mean - low) / (high - low) if high > low else 0.0
        bar = "█" * round(BAR * share)
        ties = "" if earned.name == "gold" or not earned.ties else f"{earned.ties:.0%}"
        failed = f"{earned.failures}" if earned.failures else ""
        rows.append((earned.name, number(earned.mean), f"{bar:<{BAR}}", ties, failed, earned.what))
    yield from _table(("answer", "earns", "", "ties with gold", "failed", "what it is"), rows)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns that line up: names and words to the left, numbers to the right."""
    cells = [list(head), *([visible(cell) for cell in row] for row in rows)]
    widths = [max(width(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        line = ""
        for i, cell in enumerate(row):
            pad = " " * (widths[i] - width(cell))
            left = i == 0 or not _is_number(cells, i)
            line += ("  " if i else "") + (cell + pad if left else pad + cell)
        yield line.rstrip()


def _is_number(cells: Sequence[Sequence[str]], column: int) -> bool:
    return all(c[column][:1] in "+-–0123456789" for c in cells[1:] if c[column])
