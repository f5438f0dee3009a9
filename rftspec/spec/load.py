"""Document → Spec: read, check everything at once, and give the meaning or all that is wrong."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rftspec.diagnostics import Collector, Diagnostic, DiagnosticError, Span
from rftspec.spec.check import check_draft
from rftspec.spec.document import Document
from rftspec.spec.draft import make_draft
from rftspec.spec.environment import fill_environment
from rftspec.spec.fields import build
from rftspec.spec.load_graders import Sandbox
from rftspec.spec.migrate import refuse_newer
from rftspec.spec.model import Spec
from rftspec.spec.overrides import apply_overrides
from rftspec.spec.row_facts import SplitFacts
from rftspec.spec.schema import spec_schema
from rftspec.spec.text import MAX_BYTES
from rftspec.spec.yaml_reader import read_document


@dataclass(frozen=True, slots=True)
class Loaded:
    """A spec that has passed every check, with what the checks have learnt."""

    spec: Spec
    document: Document
    diagnostics: tuple[Diagnostic, ...]
    """Warnings: errors are raised."""
    splits: Mapping[str, SplitFacts]
    """`train`, `validation`, `test`: the rows that were found, where the spec names the file."""
    graders: Mapping[str, Mapping[str, Any]]
    """Each grader's settings as JSON, a Python grader's source inside; what they read from the
    environment is still a reference."""
    reward: str
    reward_range: tuple[float, float]
    pass_metric: str
    files: Mapping[tuple[str, ...], Path]
    """Absolute paths of the files that the spec names, by field."""
    overridden: Mapping[str, str]
    """Fields set on the command line → the argument."""

    @property
    def path(self) -> Path:
        """The spec's file."""
        return self.document.path


def load_spec(
    path: Path,
    *,
    overrides: Sequence[str] = (),
    check_data: bool = True,
    sandbox: Sandbox | None = "full",
) -> Loaded:
    """Read and check a spec.

    `overrides` are `--set` arguments. `check_data=False` leaves the rows unread and
    `sandbox=None` leaves Python graders uncompiled, for editors that check while one types.
    Raises DiagnosticError with every problem found, in file order.
    """
    path = Path(path)
    document = open_document(path)
    schema = spec_schema()
    apply_overrides(document, schema, overrides)
    refuse_newer(document)
    filled = fill_environment(document, schema, os.environ)
    draft = make_draft(document, schema)
    found = check_draft(draft, read_data=check_data, sandbox=sandbox)
    told = filled.told(document.collector)
    if document.collector.has_errors:
        raise DiagnosticError(told)
    return Loaded(
        spec=build(Spec, draft.values),
        document=document,
        diagnostics=told,
        splits=found.splits,
        graders=filled.as_written(found.scoring.graders),
        reward=found.scoring.reward,
        reward_range=found.scoring.reward_range,
        pass_metric=found.scoring.pass_metric,
        files=draft.files,
        overridden=_overridden(overrides),
    )


def open_document(path: Path) -> Document:
    """The document of a spec's file. Raises DiagnosticError where it cannot be read at all."""
    document = read_document(path.absolute(), _read_bytes(path), str(path))
    if document.root is None:
        document.collector.raise_errors()
    _refuse_empty(document, path)
    return document


def _overridden(overrides: Sequence[str]) -> dict[str, str]:
    return {argument.partition("=")[0]: argument for argument in overrides}


def _read_bytes(path: Path) -> bytes:
    """The spec's bytes; a message instead of a traceback when they cannot be read."""
    span = Span(str(path), 1, 1, 1, 2)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            hint = "name the YAML file in it"
            raise DiagnosticError([Diagnostic("E202", f"`{path}` is a folder", span, hint)])
        if not stat.S_ISREG(mode):
            message = f"`{path}` is not a regular file"
            raise DiagnosticError([Diagnostic("E202", message, span, "pipes are not read")])
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        message = f"there is no file `{path}`"
        raise DiagnosticError([Diagnostic("E201", message, hint=_nearby(path))]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DiagnosticError([Diagnostic("E201", f"`{path}` cannot be read: {reason}")]) from None


def _nearby(path: Path) -> str | None:
    from rftspec.spec.suggest import nearest

    parent = path.parent
    if not parent.is_dir():
        return f"the folder `{parent}` does not exist"
    names = [entry.name for entry in parent.iterdir() if entry.suffix in (".yaml", ".yml")]
    close = nearest(path.name, names)
    if close is not None:
        return f"did you mean `{parent / close}`?"
    return f"specs here: {', '.join(sorted(names)[:8])}" if names else None


def _refuse_empty(document: Document, path: Path) -> None:
    root = document.root
    if root is None or (root.kind == "scalar" and root.value is None):
        hint = "a spec begins with `version: 1`; the shipped specs/ are good examples"
        collector = Collector()
        collector.add(Diagnostic("E110", "the file is empty", Span(str(path), 1, 1, 1, 2), hint))
        collector.raise_errors()
