"""Words that follow numbers: the verdict, what to distrust, and how numbers are written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from rftspec.report.curves import Curves
from rftspec.report.evidence import Evidence
from rftspec.report.numbers import Gain, MetricLine, Numbers
from rftspec.report.subjects import Subjects
from rftspec.stats.intervals import Interval

NARROW = "\u202f"
MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the run shows, in words."""

    tone: Literal["better", "worse", "unclear", "unfinished"]
    title: str
    change: str
    """The headline metric, base → tuned; empty where one of them is not measured."""
    evidence: str


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to know before believing the headline."""

    level: Literal["serious", "note"]
    text: str


def level_text(value: float, share: bool) -> str:
    """A metric's value: a share as a percentage, anything else with three decimals."""
    if share:
        return f"{100 * value:.1f}{NARROW}%"
    return f"{value:.3f}".replace("-", MINUS)


def change_text(value: float, share: bool) -> str:
    """A difference with its sign; of shares in percentage points, without the unit."""
    text = f"{100 * value:+.1f}" if share else f"{value:+.3f}"
    return "0" if not float(text) else text.replace("-", MINUS)


def interval_text(interval: Interval, share: bool) -> str:
    """The interval of a difference: `+17.0 … +27.4`."""
    if not interval.known:
        return "too few rows for an interval"
    ends = (change_text(end, share) for end in (interval.low, interval.high))
    return f"95{NARROW}% interval {' … '.join(ends)}"


def range_text(interval: Interval, share: bool) -> str:
    """The interval of a level: `32.1 … 46.0 %`."""
    if not interval.known:
        return "too few rows"
    low, high = (level_text(end, share) for end in (interval.low, interval.high))
    return f"{low.removesuffix(f'{NARROW}%')} … {high}"


def plural(count: int, noun: str) -> str:
    """`1 gene`, `43 genes`."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}" if noun.endswith("s") else f"{count:,} {noun}s"


def verdict(evidence: Evidence, subjects: Subjects, numbers: Numbers) -> Verdict:
    """The headline: what changed, by how much, and how sure that is; of a smoke run nothing is."""
    found = _verdict(evidence, subjects, numbers)
    if not evidence.plan.smoke:
        return found
    return replace(found, tone="unclear", title="A smoke run: its numbers mean nothing")


def _verdict(evidence: Evidence, subjects: Subjects, numbers: Numbers) -> Verdict:
    line = numbers.line(numbers.headline)
    if numbers.split is None or line is None:
        return Verdict("unfinished", "Nothing has been evaluated yet", "", _progress(evidence))
    if line.gain is None:
        only = subjects.columns[0]
        cell = line.cell(only.key)
        value = level_text(cell.estimate, line.share) if cell else "not measured"
        told = f"{line.name} of {only.label} on {numbers.split}: {value}. {_progress(evidence)}"
        return Verdict("unfinished", "No tuned model has been evaluated yet", "", told)
    title = _title(line, line.gain)
    if not subjects.final:
        title = f"So far: {title[0].lower()}{title[1:]}"
    tone: Literal["better", "worse", "unclear"] = "unclear"
    if line.gain.verdict in ("better", "worse"):
        tone = "better" if line.gain.estimate > 0 else "worse"
    return Verdict(tone, title, change_sentence(line), _evidence(evidence, subjects, numbers, line))


def change_sentence(line: MetricLine) -> str:
    """`top@1 17.1 % → 39.4 %`."""
    base, tuned = _ends(line)
    name = "mean reward" if line.name == "reward" else line.name
    return f"{name} {level_text(base, line.share)} → {level_text(tuned, line.share)}"


def gain_sentence(gain: Gain, share: bool) -> str:
    """`+22.3 points (95 % interval +17.0 … +27.4)`, and what it means where it spans zero."""
    unit = " points" if share else ""
    told = f"{change_text(gain.estimate, share)}{unit} "
    told += f"({interval_text(gain.interval, share)})"
    return told if gain.verdict in ("better", "worse") else f"{told}: {gain.verdict}"


def sample_sentence(evidence: Evidence, gain: Gain, split: str) -> str:
    """`200 test rows of 43 genes`."""
    rows = plural(gain.interval.n, f"{split} row")
    if not evidence.plan.data.disjoint:
        return rows
    return f"{rows} of {plural(gain.interval.clusters, cluster_noun(evidence))}"


def cluster_noun(evidence: Evidence) -> str:
    """The last name of the field that intervals cluster by: `gene` of `item.gene`."""
    disjoint = evidence.plan.data.disjoint
    return disjoint[0].rpartition(".")[2].replace("_", " ") if disjoint else "row"


def _title(line: MetricLine, gain: Gain) -> str:
    if gain.verdict == "better":
        return "The tuned model is better"
    if gain.verdict == "worse":
        return "The tuned model is worse"
    if not gain.interval.known:
        return "Too few rows to say whether the tuned model is better"
    return "No difference between base and tuned model is shown"


def _ends(line: MetricLine) -> tuple[float, float]:
    """The estimates of base and tuned, which are the first two columns where there is a gain."""
    return line.cells[0].estimate, line.cells[1].estimate


def _evidence(evidence: Evidence, subjects: Subjects, numbers: Numbers, line: MetricLine) -> str:
    """The sentence below the headline."""
    if line.gain is None:
        return ""
    counts = " and ".join(
        f"{column.samples_per_row} of {column.label.split(' (')[0]}"
        for column in subjects.columns[:2]
    )
    where = sample_sentence(evidence, line.gain, str(numbers.split))
    told = f"{gain_sentence(line.gain, line.share)}, on {where}, answers per row: {counts}."
    return told if subjects.final else f"{told} {_progress(evidence)}"


def _progress(evidence: Evidence) -> str:
    done, steps = len(evidence.steps), evidence.plan.train.steps
    if evidence.finished is not None:
        return f"The run finished after {plural(done, 'step')}."
    return f"The run has not finished: {done} of {plural(steps, 'step')} are in the record."


def missing_parts(evidence: Evidence, subjects: Subjects, curves: Curves) -> list[str]:
    """What a full report would hold and this one cannot."""
    missing = []
    if evidence.finished is None:
        missing.append(_progress(evidence))
    if subjects.split is None:
        missing.append("No evaluation is in the record: there is nothing to compare.")
    elif subjects.role("tuned") is None:
        missing.append("No tuned model was evaluated: base and references stand alone.")
    measured = {column.key for column in subjects.columns}
    absent = [r.name for r in evidence.plan.evaluate.references if r.name not in measured]
    if absent and subjects.split is not None:
        missing.append(f"Not measured on {subjects.split}: {', '.join(absent)}.")
    if not curves.reward:
        missing.append("No validation evaluation: there is no validation curve.")
    if not evidence.steps:
        missing.append("No training step is in the record.")
    if evidence.damaged:
        lines = plural(evidence.damaged, "line")
        missing.append(f"{lines} of the record could not be read and are left out.")
    return missing


def serious(text: str) -> Caution:
    """A caution that can overturn the headline."""
    return Caution("serious", text)


def note(text: str) -> Caution:
    """A caution that qualifies it."""
    return Caution("note", text)
