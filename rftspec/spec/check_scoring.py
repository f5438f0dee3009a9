"""Graders, reward, metrics, votes and gates: everything that is written in the scoring language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.expr import Origin, compile_expression
from rftspec.expr.types import BOOL, NUMBER, Type
from rftspec.graders.grading import check_graders, sample_type
from rftspec.spec.check_fields import check_used_fields, unexplained
from rftspec.spec.check_gates import check_gates
from rftspec.spec.check_response import UNKNOWN
from rftspec.spec.document import Node, walk
from rftspec.spec.draft import Draft
from rftspec.spec.load_graders import LoadedGraders
from rftspec.spec.origins import LazyOrigin, origin_of
from rftspec.spec.row_facts import SplitFacts
from rftspec.spec.shape import dotted

_EXPRESSIONS = ("expression", "calculate_output", "input", "reference", "source")
Path_ = tuple[str, ...]


@dataclass(slots=True)
class Scoring:
    """How answers are scored, as the plan needs it."""

    graders: dict[str, dict[str, Any]] = field(default_factory=dict)
    reward: str = ""
    reward_range: tuple[float, float] = (0.0, 1.0)
    pass_metric: str = "reward"


def check_scoring(
    draft: Draft,
    item_type: Type,
    response: Mapping[str, Any] | None,
    splits: Mapping[str, SplitFacts],
    loaded: LoadedGraders,
) -> Scoring:
    """Check all that is scored; the result is whole only when no problem was found."""
    scoring = Scoring(graders=loaded.graders)
    origins: dict[str, Origin] = dict(loaded.origins)
    _collect_origins(draft, origins)
    scoring.reward = _reward(draft, scoring)
    metrics = _texts(draft.get("evaluate", "metrics"))
    refused: set[str] = set()
    if scoring.reward:
        refused = _check_all(draft, scoring, metrics, item_type, response, origins, splits)
    names: dict[str, Type] = dict.fromkeys(_texts_or_keys(draft.get("graders")), NUMBER)
    names.update({"item": item_type, "sample": sample_type(response)})
    scoring.pass_metric = _pass_metric(metrics, names)
    _check_votes(draft, names)
    check_gates(draft, metrics)
    check_used_fields(draft, scoring.graders, metrics, splits, refused)
    return scoring


def _check_all(
    draft: Draft,
    scoring: Scoring,
    metrics: Mapping[str, str],
    item_type: Type,
    response: Mapping[str, Any] | None,
    origins: Mapping[str, Origin],
    splits: Mapping[str, SplitFacts],
) -> set[str]:
    """Let graders, reward and metrics be checked; gives the paths where a value may be missing."""
    # A grader that was refused already is stood in for, so that its name stays known.
    stand_in = {"type": "expression", "expression": "0", "range": [0, 1]}
    refused = {
        name: stand_in
        for name in _texts_or_keys(draft.get("graders"))
        if name not in scoring.graders
    }
    found, reward_range = check_graders(
        {**scoring.graders, **refused},
        scoring.reward,
        metrics,
        item_type,
        response,
        origins,
        sandbox=None,
    )
    held = unexplained(found, scoring.graders, metrics, splits)
    if response is UNKNOWN:
        # What the answers were meant to look like cannot be known.
        held = [d for d in held if "output_json" not in (d.snippet or "")]
    if _has_refused_names(draft):
        # What these names were meant to be called cannot be known.
        held = [d for d in held if d.code != "E311"]
    draft.collector.extend(_placed(draft, diagnostic) for diagnostic in held)
    if reward_range is not None:
        scoring.reward_range = reward_range
    return {d.path for d in found if d.path is not None and d.code == "E323"}


def _has_refused_names(draft: Draft) -> bool:
    node = draft.node("graders")
    if node is None or node.kind != "mapping":
        return False
    return node.damaged or len(node.value) > len(_texts_or_keys(draft.get("graders")))


def _placed(draft: Draft, diagnostic: Diagnostic) -> Diagnostic:
    """A diagnostic without a place gets that of its field, or of the nearest one above."""
    if diagnostic.span is not None or diagnostic.path is None:
        return diagnostic
    node, path = None, diagnostic.path
    while node is None and path:
        node = draft.node(*_parts(draft, path))
        path = path.rpartition(".")[0]
    if node is None:
        return diagnostic
    return node.problem(
        diagnostic.code,
        diagnostic.message,
        hint=diagnostic.hint,
        path=diagnostic.path,
        severity=diagnostic.severity,
    )


def _parts(draft: Draft, path: str) -> Path_:
    """The keys of a dotted path; a metric's name may have dots in it."""
    head = "evaluate.metrics."
    if path.startswith(head):
        return ("evaluate", "metrics", path.removeprefix(head))
    return tuple(path.split("."))


def _texts(values: Any) -> dict[str, str]:
    if not isinstance(values, Mapping):
        return {}
    return {name: text for name, text in values.items() if isinstance(text, str)}


def _texts_or_keys(values: Any) -> list[str]:
    return list(values) if isinstance(values, Mapping) else []


def _collect_origins(draft: Draft, origins: dict[str, Origin]) -> None:
    """The places of all expressions and templates, by dotted field."""
    for path, node in _expression_nodes(draft):
        if node.kind == "scalar" and isinstance(node.value, str):
            origins[".".join(path)] = LazyOrigin(node)


def _expression_nodes(draft: Draft) -> Iterator[tuple[Path_, Node]]:
    reward = draft.node("reward")
    if reward is not None:
        yield ("reward",), reward
    for section in (("evaluate", "metrics"), ("graders",)):
        node = draft.node(*section)
        if node is None or node.kind != "mapping":
            continue
        for name, child in node.value.items():
            if section == ("graders",):
                yield from _grader_texts(child, (*section, name))
            else:
                yield (*section, name), child


def _grader_texts(node: Node, path: Path_) -> Iterator[tuple[Path_, Node]]:
    if node.kind != "mapping":
        return
    for key, child in node.value.items():
        if key in _EXPRESSIONS:
            for below, text in walk(child):
                yield (*path, key, *below), text
        elif key == "graders" and child.kind == "mapping":
            for name, member in child.value.items():
                yield from _grader_texts(member, (*path, "graders", name))


def _reward(draft: Draft, scoring: Scoring) -> str:
    """The reward's text; the only grader's name when the spec gives none."""
    given = draft.get("reward")
    if isinstance(given, str):
        return given
    if draft.node("reward") is not None:
        return ""
    names = _texts_or_keys(draft.get("graders"))
    if len(names) == 1:
        return names[0]
    node = draft.node("graders")
    if len(names) > 1 and node is not None:
        message = "`reward` is missing: with more than one grader it must be said how they count"
        key = draft.document.key_at(("graders",)) or node
        hint = "for example `reward: " + " + ".join(names[:3]) + "`"
        draft.collector.add(key.problem("E102", message, hint=hint, path="reward"))
    return ""


def _pass_metric(metrics: Mapping[str, str], names: Mapping[str, Type]) -> str:
    """The first metric that is a bool; else the reward decides."""
    for name, text in metrics.items():
        try:
            if compile_expression(text, names, result="number_or_bool").type == BOOL:
                return name
        except DiagnosticError:
            continue  # said already, with its place
    return "reward"


def _check_votes(draft: Draft, names: Mapping[str, Type]) -> None:
    """Each vote's expression gives a value that can be counted."""
    seen = {name: kind for name, kind in names.items() if name in ("item", "sample")}
    for name in _texts_or_keys(draft.get("evaluate", "references")):
        path = ("evaluate", "references", name, "vote", "on")
        node, text = draft.node(*path), draft.get(*path)
        if node is None or not isinstance(text, str):
            continue
        try:
            compile_expression(text, seen, result="any", origin=origin_of(node), path=dotted(path))
        except DiagnosticError as error:
            draft.collector.extend(error.diagnostics)
