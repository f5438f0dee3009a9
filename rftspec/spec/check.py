"""Cross-checks: what the structure cannot tell. Files, the model, rows, graders, expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rftspec.expr.types import JSON, Type, merge_value_types
from rftspec.spec.check_adapter import check_adapter
from rftspec.spec.check_data import DataCheck
from rftspec.spec.check_outputs import check_outputs
from rftspec.spec.check_prompt import check_prompt
from rftspec.spec.check_response import check_response
from rftspec.spec.check_scoring import Scoring, check_scoring
from rftspec.spec.check_train import check_train
from rftspec.spec.document import Node
from rftspec.spec.draft import Draft
from rftspec.spec.load_graders import Compiling, Sandbox, load_graders
from rftspec.spec.paths import check_base, resolve_file
from rftspec.spec.row_facts import SplitFacts
from rftspec.spec.shape import dotted


@dataclass(slots=True)
class Found:
    """What the checks have learnt about a draft."""

    splits: dict[str, SplitFacts] = field(default_factory=dict)
    scoring: Scoring = field(default_factory=Scoring)


def check_draft(draft: Draft, *, read_data: bool, sandbox: Sandbox | None) -> Found:
    """Run every cross-check; problems go to the draft's collector."""
    _check_model(draft)
    check_adapter(draft)
    _check_files(draft)
    check_train(draft)
    _check_references(draft)
    check_prompt(draft)
    loaded = load_graders(draft)
    # A worker needs most of a tenth of a second to start: meanwhile the rows are read.
    compiling = Compiling(loaded, sandbox)
    response = check_response(draft)
    found = Found()
    item_type: Type = JSON
    if read_data:
        data = DataCheck(draft)
        item_type = merge_value_types(data.items())
        found.splits = data.splits
        check_outputs(draft, found.splits)
        _check_batch(draft, found.splits)
    found.scoring = check_scoring(draft, item_type, response, found.splits, loaded)
    draft.collector.extend(compiling.problems())
    return found


def _check_model(draft: Draft) -> None:
    node = draft.node("model", "base")
    if node is not None and isinstance(draft.get("model", "base"), str):
        check_base(node, draft.folder, draft.collector)
    revision = draft.node("model", "revision")
    base = draft.get("model", "base")
    if revision is not None and isinstance(base, str) and base.startswith(("builtin:", ".", "/")):
        message = "`model.revision` means nothing for a model that is not from Hugging Face"
        draft.collector.add(revision.problem("E505", message, hint="leave it out"))


_FILES: tuple[tuple[str, ...], ...] = (
    ("data", "train"),
    ("data", "validation"),
    ("data", "test"),
)


def _check_files(draft: Draft) -> None:
    """Find every file that the spec names."""
    references = draft.get("evaluate", "references") or {}
    paths = [*_FILES, *(("evaluate", "references", name, "outputs") for name in references)]
    seen: dict[Any, str] = {}
    for path in paths:
        node = draft.node(*path)
        if node is None or not isinstance(draft.get(*path), str):
            continue
        found = resolve_file(node, draft.folder, draft.collector, dotted(path))
        if found is None:
            continue
        if found not in seen:
            draft.files[path] = found
        if found in seen:
            message = f"the same file as `{seen[found]}`"
            hint = "what was trained on must not measure the model"
            draft.collector.add(node.problem("E215", message, hint=hint, path=dotted(path)))
        elif path[0] == "data":
            seen[found] = dotted(path)


def _check_references(draft: Draft) -> None:
    references: Mapping[str, Any] = draft.get("evaluate", "references") or {}
    for name, reference in references.items():
        node: Node | None = draft.node("evaluate", "references", name)
        if node is None or node.kind != "mapping":
            continue
        ways = [way for way in ("outputs", "vote") if way in node.value]
        if len(ways) == 1 or not isinstance(reference, Mapping):
            continue
        said = "neither `outputs` nor `vote`" if not ways else "both `outputs` and `vote`"
        message = f"the reference `{name}` has {said}"
        hint = "give `outputs: FILE` or `vote: { samples: 8, on: EXPRESSION }`"
        path = dotted(("evaluate", "references", name))
        draft.collector.add(node.problem("E111", message, hint=hint, path=path))


def _check_batch(draft: Draft, splits: Mapping[str, SplitFacts]) -> None:
    """A step should not draw the same row twice."""
    node, wanted = draft.node("train", "prompts_per_step"), draft.get("train", "prompts_per_step")
    train = splits.get("train")
    if node is None or train is None or not isinstance(wanted, int) or not train.rows:
        return
    if wanted > train.rows:
        message = f"{wanted} prompts a step, but there are only {train.rows} training rows"
        hint = f"at most {train.rows}, so that no row is drawn twice in a step"
        path = "train.prompts_per_step"
        draft.collector.add(node.problem("W116", message, hint=hint, path=path, severity="warning"))
