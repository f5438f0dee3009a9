"""Gates before a run: does this spec have what reinforcement learning needs?

A gate passes, warns, fails, or is open because nothing was measured yet. What warns or fails also
stands as a diagnostic with its code, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rftspec.diagnostics import Diagnostic
from rftspec.plan.estimate import Needs
from rftspec.plan.lengths import Lengths
from rftspec.plan.measurement import Measurement
from rftspec.plan.memory import Prompts, memory_parts, peak
from rftspec.plan.model import Plan
from rftspec.plan.probe import EPSILON, Probe
from rftspec.plan.probe_findings import LAZY
from rftspec.plan.quantities import bytes_told, percent

CODES: Mapping[str, str] = {
    "W611": "Answers of the right form are longer than `response.max_tokens`: they would be cut "
    "off, and an answer that is cut off earns what its torn form earns. Raise "
    "`response.max_tokens` above the longest gold answer, with room for the model's own words.",
    "W612": "The base model earns the least, or the most, on everything that was tried: there is "
    "nothing to climb. All at the least: the task is too hard for this model, the prompt does not "
    "say what is wanted, or a grader is broken; try easier rows, a larger model, or a reward with "
    "partial credit. All at the most: the task is solved, or a grader is lenient.",
    "W613": "In most groups all answers earn the same. Learning compares the answers to one "
    "prompt, so that such a group teaches nothing and its sampling is wasted. Raise "
    "`train.samples_per_prompt`, give partial credit, or leave out rows that are always right or "
    "always wrong.",
    "W614": "By the estimate the run does not fit into the device's memory, or leaves less than a "
    "tenth of it. `rftspec plan` shows the parts; docs/plan.md says what makes each smaller.",
    "W615": "Half of the base model's answers or more are cut off at `response.max_tokens`. Raise "
    "it, or ask for short answers in the prompt.",
}
"""Every finding of the gates, with its page for `rftspec explain`."""

Status = Literal["pass", "warn", "fail", "open"]
MUCH = 0.9
"""Share of the reward's range above which little is left to earn (ScaleRL drops such prompts)."""
FLAT = 0.75
CUT = 0.5
WORTH = 0.05
"""Share of the memory that a change must save to be named."""
MEASURE = "`plan --measure`"


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate and what was found."""

    name: str
    status: Status
    told: str
    code: str | None = None
    """Of the diagnostic that says what to do."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"name": self.name, "status": self.status, "told": self.told, "code": self.code}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What gates look at."""

    plan: Plan
    probe: Probe | str
    """What lazy answers earn, or why that was not tried."""
    common: tuple[str, float] | None
    """The most frequent gold value, and its share."""
    found: Sequence[Diagnostic]
    """What the probe and the prompts' lengths already gave."""
    lengths: Lengths
    context: int | None
    needs: Needs
    measurement: Measurement | None


def gates(evidence: Evidence) -> tuple[tuple[Gate, ...], list[Diagnostic]]:
    """Every gate, and the diagnostics of those that this module finds."""
    told: list[Diagnostic] = []
    made = (
        _gold(evidence),
        _lazy(evidence),
        _balance(evidence),
        _prompts(evidence),
        _answers(evidence, told),
        _headroom(evidence, told),
        _signal(evidence, told),
        _memory(evidence, told),
    )
    return made, told


def _codes(evidence: Evidence, *names: str) -> Iterator[str]:
    return (one.code for one in evidence.found if one.code in names)


def _warn(told: list[Diagnostic], code: str, message: str, path: str) -> str:
    told.append(Diagnostic(code, message, hint=CODES[code], severity="warning", path=path))
    return code


def _gold(evidence: Evidence) -> Gate:
    """Does the right answer earn full marks?"""
    name = "gold answers"
    if isinstance(evidence.probe, str):
        return Gate(name, "open", evidence.probe)
    gold = evidence.probe.of("gold")
    if gold is None or evidence.probe.gold is None:
        return Gate(name, "warn", "none is known; `data.gold` tells it", "W609")
    where = evidence.probe.gold.told
    if gold.failures:
        rows = f"{gold.failures} of {len(evidence.probe.rows)}"
        return Gate(name, "fail", f"cannot be graded on {rows} rows ({where})", "E601")
    most = evidence.probe.reward_range[1]
    full = sum(r is not None and r >= most - EPSILON for r in gold.rewards)
    told = f"{full} of {len(gold.rewards)} earn full marks, {gold.mean:.3f} on average ({where})"
    code = next(_codes(evidence, "W603", "W606"), None)
    return Gate(name, "warn" if code else "pass", told, code)


def _lazy(evidence: Evidence) -> Gate:
    """Does an answer that shows no understanding earn much?"""
    name = "lazy answers"
    if isinstance(evidence.probe, str):
        return Gate(name, "open", "not tried")
    best = max((e for e in evidence.probe.earned if e.name in LAZY), key=lambda earned: earned.mean)
    told = f"earn at most {best.mean:.3f} ({best.what}; {len(evidence.probe.rows)} rows)"
    code = next(_codes(evidence, "E602", "W604", "W605", "W607", "W608"), None)
    if code is None:
        return Gate(name, "pass", told)
    return Gate(name, "fail" if code == "E602" else "warn", told, code)


def _balance(evidence: Evidence) -> Gate:
    """Is one answer right for most rows?"""
    if evidence.common is None:
        return Gate("label balance", "open", "not known without gold answers")
    value, share = evidence.common
    code = next(_codes(evidence, "W610"), None)
    told = f"the most frequent, `{value[:40]}`, is right for {percent(share)} of the rows"
    return Gate("label balance", "warn" if code else "pass", told, code)


def _prompts(evidence: Evidence) -> Gate:
    """Do prompt and answer fit into the context of the model?"""
    lengths, room = evidence.lengths, evidence.plan.response.max_tokens
    needed, name = lengths.longest + room, "prompt lengths"
    told = f"the longest {lengths.longest:,} tokens, with {room:,} of the answer {needed:,}"
    if any(_codes(evidence, "M210")):
        return Gate(name, "fail", f"{told}: more than the model's {evidence.context:,}", "M210")
    if evidence.context is None:
        return Gate(name, "open", f"{told}; the model's context is not known")
    told += f" of {evidence.context:,}"
    if lengths.exact:
        return Gate(name, "pass", told if lengths.whole else f"{told} (not all rows counted)")
    return Gate(name, "open", f"{told}; {lengths.by}")


def _answers(evidence: Evidence, told: list[Diagnostic]) -> Gate:
    """Would gold answers, or the base model's, be cut off?"""
    gold, most = evidence.lengths.gold, evidence.plan.response.max_tokens
    found, name = evidence.measurement, "answer lengths"
    parts = []
    if gold is not None:
        about = "" if evidence.lengths.exact else "about "
        parts.append(f"gold answers have {about}{gold.longest:,} of {most:,} tokens at most")
    if found is not None:
        cut = percent(found.truncated)
        parts.append(f"the base model's {found.answer_tokens:.0f} on average, {cut} cut off")
    words = "; ".join(parts)
    if gold is not None and gold.longest > most:
        message = f"gold answers have up to {gold.longest:,} tokens, and {most:,} are allowed"
        return Gate(name, "warn", words, _warn(told, "W611", message, "response.max_tokens"))
    if found is not None and found.truncated >= CUT:
        message = f"{percent(found.truncated)} of the base model's answers are cut off at {most:,}"
        return Gate(name, "warn", words, _warn(told, "W615", message, "response.max_tokens"))
    return Gate(name, "pass" if parts else "open", words or "not known without gold answers")


def _headroom(evidence: Evidence, told: list[Diagnostic]) -> Gate:
    """Does the base model earn something between the extremes?"""
    found, name = evidence.measurement, "headroom"
    if found is None:
        return Gate(name, "open", f"not measured yet: {MEASURE} asks the base model")
    low, high = evidence.plan.reward_range
    words = f"the base model earns {found.mean:.3f}, between {low:g} and {high:g}"
    words += f" ({len(found.rows)} rows × {found.samples})"
    if found.errors:
        words += f"; {percent(found.errors)} of its answers could not be graded"
    problem = extreme(found.mean, low, high, "the base model")
    if problem is None:
        return Gate(name, "pass", words)
    return Gate(name, "warn", words, _warn(told, "W612", problem, "reward"))


def extreme(mean: float, low: float, high: float, who: str) -> str | None:
    """What is wrong with a mean reward for a start of training; None where nothing is."""
    if high <= low:
        return None
    if mean <= low + EPSILON:
        return f"{who} earns {low:g}, the least there is, with every answer"
    if mean >= high - EPSILON:
        return f"{who} earns {high:g}, the most there is, with every answer"
    if mean > low + MUCH * (high - low):
        return f"{who} earns {mean:.3f} of at most {high:g} already: little is left to learn"
    return None


def _signal(evidence: Evidence, told: list[Diagnostic]) -> Gate:
    """Do answers to one prompt earn different rewards?"""
    found, name = evidence.measurement, "group signal"
    if found is None:
        return Gate(name, "open", f"not measured yet: {MEASURE} asks the base model")
    groups = len(found.rewards)
    useful = groups - round(found.flat * groups)
    words = f"{useful} of {groups} groups of {found.samples} have answers that earn differently"
    if found.flat < FLAT:
        return Gate(name, "pass", words)
    message = f"in {groups - useful} of {groups} groups all {found.samples} answers earn the same"
    return Gate(name, "warn", words, _warn(told, "W613", message, "train.samples_per_prompt"))


def _memory(evidence: Evidence, told: list[Diagnostic]) -> Gate:
    """Does it fit?"""
    needs, name = evidence.needs, "memory"
    if needs.bytes is None:
        return Gate(name, "open", "not known: neither the model's config nor its name tells a size")
    if needs.device.total is None:
        return Gate(name, "open", f"{bytes_told(needs.bytes)}; the device's memory is not known")
    share = needs.bytes / needs.device.total - 1
    words = f"{bytes_told(needs.bytes)} of {bytes_told(needs.device.total)}"
    if needs.fits:
        return Gate(name, "pass", f"{words}, {percent(-share)} to spare")
    has = bytes_told(needs.device.total)
    message = f"the run needs about {bytes_told(needs.bytes)} and the device has {has}"
    message += f": {_smaller(evidence)}"
    return Gate(name, "warn", words, _warn(told, "W614", message, "model.base"))


def _smaller(evidence: Evidence) -> str:
    """The change that saves most, tried on the estimate."""
    plan, needs = evidence.plan, evidence.needs
    if needs.shape is None or needs.bytes is None:
        return "take a smaller base model"
    prompts = Prompts(evidence.lengths.mean, evidence.lengths.longest)
    best, words = needs.bytes, ""
    for told, smaller in _changes(plan):
        parts = memory_parts(smaller, needs.shape, needs.device, prompts)
        size = round(peak(parts) * needs.calibration.memory)
        if size < best * (1 - WORTH):
            best, words = size, f"`{told}` would need {bytes_told(size)}"
    return words or "take a smaller base model, or a device with more memory"


def _changes(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Settings that make a run smaller, one at a time."""
    model, response, train = plan.model, plan.response, plan.train
    if model.quantization == "none":
        yield (
            "model.quantization: nf4",
            replace(plan, model=replace(model, quantization="nf4")),
        )
    half = max(1, response.max_tokens // 2)
    yield (
        f"response.max_tokens: {half}",
        replace(plan, response=replace(response, max_tokens=half)),
    )
    half = max(1, train.prompts_per_step // 2)
    yield (
        f"train.prompts_per_step: {half}",
        replace(plan, train=replace(train, prompts_per_step=half)),
    )
