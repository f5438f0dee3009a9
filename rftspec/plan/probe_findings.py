"""What a probe of the graders means: findings with codes, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rftspec.diagnostics import Diagnostic, Severity
from rftspec.plan.probe import EPSILON, Earned, Probe

CODES: Mapping[str, str] = {
    "E601": "The gold answer cannot be graded: a grader fails on the very answer that should earn "
    "everything. Run `rftspec grade SPEC --output …` with it and mend the grader.",
    "E602": "An answer that needs no understanding earns as much as the right one. Training would "
    "find it. Make the graders tell the two apart before a run.",
    "W603": "The right answer does not earn full marks. Either the reward's range is wider than "
    "what can be reached, or a grader refuses something that is right, or the gold answer is not "
    "as the graders want it: `data.gold` says what a perfect answer is.",
    "W604": "A lazy answer earns more than half of what there is to earn. The reward's slope from "
    "there to the right answer is flat: lower what is paid for form, or pay it only together "
    "with a right answer (`gate`).",
    "W605": "On some rows a lazy answer earns no less than the right one: those rows teach "
    "nothing, or teach the wrong thing. Look at them with `rftspec grade SPEC --item ROW`.",
    "W606": "The same answer got two different rewards. Chance in a reward is noise in the "
    "gradient, and a run cannot be repeated. Give a judge a seed and temperature 0.",
    "W607": "Listing every candidate earns at least half of what knowing the right one earns. Pay "
    "by rank (`rank_decay`), or for precision (`f1`), or for short lists (`len`).",
    "W608": "The right answer is paid although it is not in the form that `response.format` asks "
    "for: what reads the tuned model's answers later may not be so kind.",
    "W609": "No gold answer is known: none was given, and none could be made of the rows' fields "
    "that earns anything. Say in `data.gold` what a perfect answer to a row is.",
    "W610": "One answer is right for most rows: a model that always gives it looks good. Balance "
    "the rows, or compare with that answer as a reference.",
}
"""Every finding of a probe, with its page for `rftspec explain`."""

LAZY = ("empty", "prompt", "refusal", "empty form", "constant", "other row")
"""Answers that show no understanding of the row."""
TIES = 0.05
"""Share of rows on which a lazy answer may tie with the right one."""
COMMON = 0.5


def findings(probe: Probe) -> list[Diagnostic]:
    """What is wrong, worst first."""
    found = [*_gold(probe), *_lazy(probe), *_everything(probe), *_form(probe), *_rest(probe)]
    return sorted(found, key=lambda diagnostic: diagnostic.severity != "error")


def _tell(code: str, message: str, path: str = "reward") -> Diagnostic:
    severity: Severity = "error" if code.startswith("E") else "warning"
    return Diagnostic(code, message, hint=CODES[code], severity=severity, path=path)


def _gold(probe: Probe) -> Iterator[Diagnostic]:
    gold, high = probe.of("gold"), probe.reward_range[1]
    if gold is None or probe.gold is None:
        yield _tell("W609", "no gold answer is known, so nothing can be compared with it")
        return
    if gold.failures:
        rows = f"{gold.failures} of {len(probe.rows)} rows"
        yield _tell("E601", f"the gold answer cannot be graded on {rows}: {gold.failure}")
        return
    short = [
        row
        for row, reward in zip(probe.rows, gold.rewards, strict=True)
        if reward is not None and reward < high - EPSILON
    ]
    if short:
        shown = ", ".join(map(str, short[:5])) + (" …" if len(short) > 5 else "")
        where = "" if probe.gold.given else f" ({probe.gold.told})"
        yield _tell(
            "W603",
            f"the right answer{where} earns {gold.mean:.3g} on average, and the most is "
            f"{high:.3g}; rows {shown}",
        )


def _lazy(probe: Probe) -> Iterator[Diagnostic]:
    gold, (low, high) = probe.of("gold"), probe.reward_range
    for earned in _tried(probe, LAZY):
        if gold is not None and not gold.failures and earned.mean >= gold.mean - EPSILON:
            yield _tell(
                "E602",
                f"{earned.what} earns {earned.mean:.3g}, the right answer {gold.mean:.3g}",
            )
        elif earned.mean > low + (high - low) / 2:
            yield _tell("W604", f"{earned.what} earns {earned.mean:.3g} of at most {high:.3g}")
        # a constant is right where it happens to be right: W610 is about that
        elif earned.ties > TIES and earned.name != "constant":
            yield _tell(
                "W605",
                f"{earned.what} earns no less than the right answer on {earned.ties:.0%} of rows",
            )


def _everything(probe: Probe) -> Iterator[Diagnostic]:
    low, gold = probe.reward_range[0], probe.of("gold")
    for earned in _tried(probe, ("every candidate",)):
        if gold is not None and not gold.failures and _is_half(earned, gold, low):
            message = f"{earned.what} earns {earned.mean:.3g}, the right one alone {gold.mean:.3g}"
            yield _tell("W607", message)


def _is_half(earned: Earned, gold: Earned, low: float) -> bool:
    return earned.mean - low > (gold.mean - low) / 2 + EPSILON


def _form(probe: Probe) -> Iterator[Diagnostic]:
    low, gold = probe.reward_range[0], probe.of("gold")
    for earned in _tried(probe, ("wrapped", "bare")):
        if gold is not None and _is_half(earned, gold, low):
            yield _tell("W608", f"{earned.what} earns {earned.mean:.3g}")


def _rest(probe: Probe) -> Iterator[Diagnostic]:
    if probe.differing:
        kinds = ", ".join(probe.differing)
        yield _tell("W606", f"graded twice, the same answers got different rewards: {kinds}")
    if probe.commonest is not None and probe.commonest[1] > COMMON:
        value, share = probe.commonest
        yield _tell("W610", f"`{value[:60]}` is the right answer to {share:.0%} of rows", "data")


def _tried(probe: Probe, names: tuple[str, ...]) -> Iterator[Earned]:
    for name in names:
        earned = probe.of(name)
        if earned is not None:
            yield earned
