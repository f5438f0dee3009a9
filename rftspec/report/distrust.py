"""What to distrust: checks on the numbers; each speaks up, or is listed as passed."""

from __future__ import annotations

from collections.abc import Callable

from rftspec.report.curves import Curves
from rftspec.report.evidence import Evidence
from rftspec.report.numbers import Gain, Numbers, Shape
from rftspec.report.subjects import Subjects
from rftspec.report.words import (
    NARROW,
    Caution,
    change_text,
    cluster_noun,
    level_text,
    note,
    plural,
    serious,
)
from rftspec.stats.intervals import FEW_CLUSTERS

FEW_ROWS = 100
LONGER_LIST = 1.0
LONGER_TEXT = 1.5
MANY_TRUNCATED = 0.02
FORM_SHARE = 1 / 3
GAP = 0.10
"""Growth of train less validation reward; the hosted product's guides stop a run at this gap."""

Finding = tuple[str, list[Caution]]
"""What was checked, in words, and what was found: nothing, where it is fine."""


def distrust(
    evidence: Evidence, subjects: Subjects, numbers: Numbers, curves: Curves
) -> tuple[list[Caution], list[str]]:
    """The cautions that apply, serious ones first, and the checks that found nothing."""
    base, tuned = (subjects.role(role) for role in ("base", "tuned"))
    shapes = tuple(numbers.shape(column.key) if column else None for column in (base, tuned))
    line = numbers.line(numbers.headline)
    gain = line.gain if line else None
    findings: list[Finding] = [
        ("a smoke run", _smoke(evidence)),
        ("failed gates", _gates(evidence)),
        ("the run's own warnings", _warnings(evidence)),
        ("a control run", _control(evidence)),
        ("rows that chose the checkpoint", _optimistic(subjects, curves, gain)),
        ("number of rows", _few(evidence, gain)),
        ("grader failures", _failures(numbers)),
        ("truncated answers", _truncated(numbers)),
        ("metrics that failed", _failed_metrics(numbers)),
        ("gain by form", _form(numbers, gain)),
        ("longer lists", _pair(shapes, _longer_lists)),
        ("longer answers", _pair(shapes, _longer_text)),
        ("train − validation gap", _gap(evidence, curves)),
        ("reward and metric disagree", _disagree(numbers)),
    ]
    cautions = [caution for _, found in findings for caution in found]
    cautions.sort(key=lambda caution: caution.level != "serious")
    return cautions, [name for name, found in findings if not found]


def _smoke(evidence: Evidence) -> list[Caution]:
    if not evidence.plan.smoke:
        return []
    return [
        serious(
            "A smoke run: a few steps on a few rows, to see whether the path works. Nothing here "
            "says anything about the model, and gates do not count"
        )
    ]


def _gates(evidence: Evidence) -> list[Caution]:
    if evidence.plan.smoke:
        return []
    return [
        serious(f"A gate failed: `{gate['expression']}` ({gate['detail']})")
        for gate in evidence.gates
        if not gate["passed"]
    ]


def _warnings(evidence: Evidence) -> list[Caution]:
    return [
        note(f"The run warned{_at(w.get('step'))}: {w.get('message')}") for w in evidence.warnings
    ]


def _at(step: object) -> str:
    return f" at step {step}" if isinstance(step, int) else ""


def _control(evidence: Evidence) -> list[Caution]:
    if evidence.plan.data.control is None:
        return []
    return [serious("A negative control: training answers were shuffled. Expect no gain")]


def _optimistic(subjects: Subjects, curves: Curves, gain: Gain | None) -> list[Caution]:
    """Rows that chose the checkpoint flatter it."""
    if gain is not None and subjects.split == "train":
        return [serious("Measured on training rows: it says nothing of new ones")]
    if gain is None or subjects.split != "validation":
        return []
    tried = max(len(curves.reward) - 1, 1)
    return [
        serious(
            f"Optimistic: the same validation rows chose the best of {plural(tried, 'checkpoint')}."
            " Rows of `data.test` would not have"
        )
    ]


def _few(evidence: Evidence, gain: Gain | None) -> list[Caution]:
    if gain is None:
        return []
    found = gain.interval
    if found.few:
        noun = cluster_noun(evidence)
        return [
            serious(
                f"Only {plural(found.clusters, noun)}: below {FEW_CLUSTERS} independent groups an "
                f"interval is itself uncertain (here: {found.method})"
            )
        ]
    if found.n < FEW_ROWS:
        return [note(f"Only {plural(found.n, 'row')}: small changes cannot be seen")]
    return []


def _failures(numbers: Numbers) -> list[Caution]:
    return [
        note(f"A grader failed on {_percent(s.failed)} of the answers of {s.model}: lowest reward")
        for s in numbers.shapes
        if s.failed > 0
    ]


def _truncated(numbers: Numbers) -> list[Caution]:
    return [
        note(f"{_percent(s.truncated)} of the answers of {s.model} were cut off at the token limit")
        for s in numbers.shapes
        if s.truncated > MANY_TRUNCATED
    ]


def _failed_metrics(numbers: Numbers) -> list[Caution]:
    return [
        note(f"{line.name} failed on {plural(cell.missing, 'answer')} of {cell.model}: left out")
        for line in numbers.lines
        for cell in line.cells
        if cell.missing
    ]


def _form(numbers: Numbers, gain: Gain | None) -> list[Caution]:
    """A gain that comes from answers that parse is one of form, not of substance."""
    parts = numbers.gain_split
    if parts is None or gain is None or gain.verdict != "better":
        return []
    share = parts.from_form / gain.estimate
    if share <= FORM_SHARE:
        return []
    return [
        serious(
            f"{_percent(share)} of the gain in {parts.metric} is of form: more valid answers "
            f"({_percent(parts.valid_base)} → {_percent(parts.valid_tuned)}), not from better ones"
        )
    ]


def _pair(
    shapes: tuple[Shape | None, ...], check: Callable[[Shape, Shape], list[Caution]]
) -> list[Caution]:
    base, tuned = shapes
    return [] if base is None or tuned is None else check(base, tuned)


def _longer_lists(base: Shape, tuned: Shape) -> list[Caution]:
    """A longer list finds more by listing more."""
    return [
        serious(f"The list `{key}` grew: median {base.list_lengths[key]:g} → {length:g} entries")
        for key, length in tuned.list_lengths.items()
        if key in base.list_lengths and length > base.list_lengths[key] + LONGER_LIST
    ]


def _longer_text(base: Shape, tuned: Shape) -> list[Caution]:
    if not base.tokens_median or tuned.tokens_median <= LONGER_TEXT * base.tokens_median:
        return []
    times = tuned.tokens_median / base.tokens_median
    return [
        note(
            f"Answers grew {times:.1f}× (median {base.tokens_median:g} → {tuned.tokens_median:g} "
            "tokens): the reward may pay for words"
        )
    ]


def _gap(evidence: Evidence, curves: Curves) -> list[Caution]:
    """Reward on rows that were trained on grew away from reward on rows that were not."""
    low, high = evidence.plan.reward_range
    if curves.gap is None:
        return []
    before = curves.base_gap or 0.0
    if curves.gap - before <= GAP * max(high - low, 1e-9):
        return []
    return [
        serious(
            f"Reward on training rows less held-out rows grew from {change_text(before, False)} to "
            f"{change_text(curves.gap, False)}: it has learned those rows"
        )
    ]


def _disagree(numbers: Numbers) -> list[Caution]:
    """The reward rose and the metric that counts did not."""
    reward, headline = numbers.line("reward"), numbers.line(numbers.headline)
    if reward is None or headline is None or reward.gain is None or headline.gain is None:
        return []
    if reward.gain.verdict == "better" != headline.gain.verdict and headline is not reward:
        change = level_text(reward.gain.estimate, share=False)
        return [
            serious(
                f"The reward rose by {change} but no gain in {headline.name} is shown: the reward "
                "may pay for something else"
            )
        ]
    return []


def _percent(value: float) -> str:
    return f"{100 * value:.1f}{NARROW}%"
