"""Graders, reward and thresholds of a hosted grader or of an eval's criteria."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rftspec.spec.importing import formula as formulas
from rftspec.spec.importing.emit import Sketch
from rftspec.spec.importing.graders import Made, import_grader
from rftspec.spec.importing.ledger import Given, Ledger

_UUID = re.compile(r"[-_ ][0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_FLATTENED = "the multi grader, taken apart: its graders are the spec's, its formula is the reward"


@dataclass(slots=True)
class Scores:
    """The graders that came through, by name, and the reward over them."""

    made: dict[str, Made] = field(default_factory=dict)
    reward: str | None = None
    refused: bool = False
    """Something of it was refused, so that what can be said about the whole is less."""

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """What each grader can give."""
        return {name: made.range for name, made in self.made.items()}


def import_scoring(given: Given, sketch: Sketch, ledger: Ledger) -> Scores:
    """The grader of a job: one, or a multi that is taken apart."""
    if given.is_list:
        message = "`grader` is a list: a job has one grader"
        ledger.refused(given, message, "combine them in a grader of type multi, with a formula")
        return Scores(refused=True)
    kind = given.get("type")
    is_multi = kind is not None and kind.value == "multi"
    if kind is None and given.get("calculate_output") is not None:
        note = "`type: multi` is missing; a formula says that it is one"
        ledger.say("W706", given, note)
        is_multi = True
    if is_multi:
        scores = _import_multi(given, sketch, ledger)
    else:
        scores = Scores()
        name = _name_of(given, "grader", ())
        made = import_grader(given, f"graders.{name}", ledger)
        if made is None:
            scores.refused = True
        else:
            scores.made[name] = made
    write_scores(scores, given, sketch, ledger)
    return scores


def import_criteria(given: Given, sketch: Sketch, ledger: Ledger) -> Scores:
    """The testing criteria of an eval: each a grader, the reward the mean of their scores."""
    scores = Scores()
    entries = list(given.entries())
    if not entries:
        ledger.refused(given, "there is no criterion", "an eval needs at least one")
    for one in entries:
        kind = one.get("type")
        if kind is not None and kind.value == "multi":
            note = "the hosted product takes no multi grader in an eval; it is kept as it is meant"
            ledger.say("W706", one, note)
            _add_multi(one, scores, ledger)
            continue
        name = _name_of(one, "criterion", list(scores.made))
        made = import_grader(one, f"graders.{name}", ledger)
        scores.refused |= made is None
        if made is not None:
            scores.made[name] = made
    if len(scores.made) > 1:
        scores.reward = _mean(scores.ranges)
        note = "an eval has no reward: the mean of its criteria, each scaled to 0…1, is one choice"
        sketch.comments[("reward",)] = note
    write_scores(scores, given, sketch, ledger)
    return scores


def _mean(ranges: Mapping[str, tuple[float, float]]) -> str:
    parts = []
    for name, (low, high) in ranges.items():
        if (low, high) == (0.0, 1.0):
            parts.append(name)
        elif low == 0:
            parts.append(f"{name} / {high:g}")
        else:
            parts.append(f"({name} - {low:g}) / {high - low:g}".replace("- -", "+ "))
    return f"({' + '.join(parts)}) / {len(parts)}"


def _add_multi(given: Given, scores: Scores, ledger: Ledger) -> None:
    """A multi among other graders: its members join them, its formula becomes one of them."""
    found = _members(given, ledger, list(scores.made))
    if found is None:
        scores.refused = True
        return
    members, names = found
    formula = _formula(given, names, list(members), ledger)
    if formula is None:
        scores.refused = True
        return
    name = _name_of(given, "multi", [*scores.made, *members])
    settings = {
        "type": "multi",
        "graders": {key: made.settings for key, made in members.items()},
        "calculate_output": formula + "\n",
    }
    ranges = {key: made.range for key, made in members.items()}
    interval = formulas.range_of(formula, ranges)
    scores.made[name] = Made(settings, interval, _multi_threshold(given, ledger))


def _import_multi(given: Given, sketch: Sketch, ledger: Ledger) -> Scores:
    """A multi at the top, taken apart."""
    scores = Scores()
    for key in ("type", "name"):
        one = given.get(key)
        if one is not None:
            ledger.mapped(one, "reward", _FLATTENED)
    found = _members(given, ledger, ())
    if found is None:
        scores.refused = True
        return scores
    scores.made, names = found
    scores.refused = len(scores.made) < len(names)
    scores.reward = _formula(given, names, list(scores.made), ledger)
    threshold = _multi_threshold(given, ledger)
    if threshold is not None and scores.reward is not None:
        sketch.put_at(("evaluate", "metrics", "passes"), f"({scores.reward}) >= {threshold:g}")
    return scores


def _multi_threshold(given: Given, ledger: Ledger) -> float | None:
    found = given.get("pass_threshold")
    if found is None:
        return None
    if isinstance(found.value, bool) or not isinstance(found.value, int | float):
        ledger.refused(found, "`pass_threshold` is a number")
        return None
    note = "a metric: the share that passes; it never enters the reward, here or there"
    ledger.mapped(found, "evaluate.metrics", note)
    return float(found.value)


def _members(
    given: Given, ledger: Ledger, taken: list[str] | tuple[str, ...]
) -> tuple[dict[str, Made], dict[str, str]] | None:
    """The graders inside a multi by their names here, and the names that they had."""
    graders = given.get("graders")
    if graders is None or not (graders.is_mapping or graders.is_list) or not graders.node.value:
        ledger.refused(graders or given, "this multi grader has no `graders`", "a mapping of names")
        return None
    named = _named(graders, ledger)
    if named is None:
        return None
    made: dict[str, Made] = {}
    names: dict[str, str] = {}
    for key, one in named.items():
        names[key] = formulas.variable(key, [*taken, *names.values()])
        if names[key] != key:
            note = (
                f"`{key}` cannot name a grader here: it is called `{names[key]}`, also in `reward`"
            )
            ledger.say("W706", one, note)
        kind = one.get("type")
        if kind is not None and kind.value == "multi":
            hint = "write its formula into the outer one; the hosted product refuses this too"
            ledger.refused(one, "a multi grader inside a multi grader", hint)
            continue
        found = import_grader(one, f"graders.{names[key]}", ledger)
        if found is not None:
            made[names[key]] = found
    return made, names


def _named(graders: Given, ledger: Ledger) -> dict[str, Given] | None:
    """The graders inside by their names: of a mapping, of a list, or the single one."""
    if graders.is_mapping and graders.get("type") is not None:
        kind = graders.at("type")
        if isinstance(kind.value, str):
            key = _name_of(graders, "grader", ())
            note = f"`graders` is one grader, as SDKs type it; here a mapping with the name `{key}`"
            ledger.say("W706", graders, note)
            return {key: graders}
    if graders.is_mapping:
        return {one.name: one for one in graders.entries()}
    named: dict[str, Given] = {}
    for one in graders.entries():
        label = one.get("name")
        if label is None or not isinstance(label.value, str) or label.value in named:
            message = "`graders` is a list, and this one has no name of its own"
            ledger.refused(one, message, "the formula knows graders by their names")
            return None
        named[label.value] = one
    note = "`graders` is a list, as published examples have it; here a mapping by their names"
    ledger.say("W706", graders, note)
    return named


def _formula(given: Given, names: Mapping[str, str], made: list[str], ledger: Ledger) -> str | None:
    found = given.get("calculate_output")
    if found is None:
        hint = "for example `0.5 * a + 0.5 * b`"
        ledger.refused(given, "this multi grader has no `calculate_output`", hint)
        return None
    if not isinstance(found.value, str) or not found.value.strip():
        ledger.refused(found, "`calculate_output` is a formula, as text")
        return None
    written, repair = formulas.repaired(found.value.strip())
    if repair is not None:
        ledger.changed(found, "reward", repair)
    text = formulas.renamed(written, {old: new for old, new in names.items() if old != new})
    if repair is None:
        ledger.mapped(found, "reward", "unchanged" if text == written else "renamed")
    for message, help_ in formulas.problems_of(text, list(names.values())):
        ledger.say("E703", found, message, help_)
    return text


def _name_of(given: Given, fallback: str, taken: Any) -> str:
    label = given.get("name")
    text = label.value if label is not None and isinstance(label.value, str) else fallback
    return formulas.variable(_UUID.sub("", text), list(taken), fallback=fallback)


def write_scores(scores: Scores, given: Given, sketch: Sketch, ledger: Ledger) -> None:
    """Put graders, reward and thresholds into the sketch, and look at what failures paid."""
    sketch.values.setdefault("graders", {})
    for name, made in scores.made.items():
        sketch.put_at(("graders", name), made.settings)
        if made.label is not None:
            sketch.comments[("graders", name)] = " ".join(made.label.split())
        for key, comment in made.comments.items():
            sketch.comments[("graders", name, key)] = comment
        if made.threshold is not None:
            threshold = made.threshold
            whole = int(threshold) if threshold.is_integer() else threshold
            sketch.put_at(("graders", name, "pass_threshold"), whole)
    _write_passes(scores, sketch)
    if scores.reward is not None:
        sketch.put("reward", scores.reward + "\n")
    _check_reward(scores, given, sketch, ledger)


def _only(scores: Scores) -> str | None:
    """The only grader's name, which is the reward where none is written."""
    return next(iter(scores.made)) if len(scores.made) == 1 else None


def _write_passes(scores: Scores, sketch: Sketch) -> None:
    """What the report calls a pass: every grader at its threshold, where each has one."""
    parts = [
        f"{name} >= {made.threshold:g}"
        for name, made in scores.made.items()
        if made.threshold is not None
    ]
    if parts and len(parts) == len(scores.made):
        sketch.put_at(("evaluate", "metrics", "passes"), " and ".join(parts))


def _check_reward(scores: Scores, given: Given, sketch: Sketch, ledger: Ledger) -> None:
    """Where the hosted rule, an exception scores 0, paid more than the worst answer earns."""
    text = scores.reward or _only(scores)
    if text is None or scores.refused or formulas.problems_of(text, list(scores.made)):
        return
    if not math.isfinite(formulas.range_of(text, scores.ranges)[0]):
        message = "this reward has no lowest value, which an ungraded answer would get"
        hint = "clamp it: `reward: clamp(…, 0, 1)`, or declare the graders' ranges"
        ledger.say("E703", given.get("calculate_output") or given, message, hint)
        return
    for name, (floor, least) in formulas.paid_exceptions(text, scores.ranges).items():
        message = (
            f"in the hosted product a `{name}` that failed counted as 0, which paid at least "
            f"{least:g}; the worst answer earns {floor:g}"
        )
        hint = f"here a failed grader gives the sample {floor:g}, so that an error never pays"
        ledger.say("W705", given.get("calculate_output") or given, message, hint)
        place = ("reward",) if scores.reward is not None else ("graders", name)
        note = f"a failed `{name}` gives {floor:g} here; its 0 paid {least:g} and more there."
        sketch.comments[place] = f"{sketch.comments.get(place, '')} {note}".strip()
