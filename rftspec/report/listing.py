"""The runs of a folder, newest first: how each stands, how far it is, what it gained.

Read from events and timings alone, so that many runs are listed at once. A record may be growing,
unfinished, damaged, or none at all: then the line says so, and no other line suffers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from rftspec.diagnostics import DiagnosticError
from rftspec.plan.model import Plan
from rftspec.record.folder import Record
from rftspec.report.evidence import is_number
from rftspec.report.subjects import BASE, SPLITS, TUNED

RunStatus = Literal["finished", "running", "interrupted", "failed", "damaged"]
"""Done · a process writes it now · ended by hand or without a word, can be resumed · stopped by an
error, can be resumed · its plan cannot be read."""
_MEASURED = ("sampling", "grading", "training", "eval")


@dataclass(frozen=True, slots=True)
class Progress:
    """How the pass metric of a run went, as far as it was measured."""

    metric: str
    split: str
    base: float | None
    tuned: float | None
    step: int | None
    """The step that `tuned` was measured after."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of the list."""

    folder: Path
    name: str
    status: RunStatus
    note: str = ""
    """Why it stopped, which gates failed, or what cannot be read."""
    steps_done: int = 0
    steps_planned: int | None = None
    progress: Progress | None = None
    seconds: float | None = None
    """Measured in sampling, grading, training and evaluation, over all sessions."""
    started: float | None = None
    """When it was begun, in seconds since 1970."""
    changed: float = 0.0
    """When its record last grew."""
    control: str | None = None
    damaged_lines: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "folder": str(self.folder)}


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands in a folder: its runs, and the names of other folders, which are none."""

    runs: tuple[RunLine, ...]
    foreign: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """What the streams of one run said."""

    step: int = 0
    evaluations: list[Mapping[str, Any]] = field(default_factory=list)
    best: Mapping[str, Any] = field(default_factory=dict)
    finished: Mapping[str, Any] | None = None
    started: float | None = None
    seconds: float = 0.0
    last_word: Mapping[str, Any] = field(default_factory=dict)
    """The last of the lines that tell that the run was begun, gone on with, or stopped."""


def list_runs(folder: Path) -> Listing:
    """The runs right below a folder, or the one that the folder is; raises OSError."""
    if (folder / "plan.json").is_file():
        return Listing((run_line(folder),), ())
    runs, foreign = [], []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_dir():
            continue
        if _is_run(path):
            runs.append(run_line(path))
        else:
            foreign.append(path.name)
    newest_first = sorted(runs, key=lambda run: -(run.started or run.changed))
    return Listing(tuple(newest_first), tuple(foreign))


def run_line(folder: Path) -> RunLine:
    """How one run stands; whatever is wrong with it becomes its note."""
    try:
        record = Record.open(folder)
        refuse_odd_files(record)
        seen = _read(record)
        running = record.state == "running"
    except (DiagnosticError, OSError) as error:
        return RunLine(folder, folder.name, "damaged", _reason(error), changed=_changed(folder))
    status, note = _status(seen, running=running)
    plan = record.plan
    return RunLine(
        folder=folder,
        name=plan.name,
        status=status,
        note=note,
        steps_done=seen.step,
        steps_planned=plan.train.steps,
        progress=_progress(plan, seen),
        seconds=seen.seconds,
        started=seen.started,
        changed=_changed(folder),
        control=plan.data.control,
        damaged_lines=record.damaged,
    )


def _is_run(path: Path) -> bool:
    """Whether a folder has a plan, readable or not; one that may not be looked into counts too."""
    try:
        return (path / "plan.json").is_file()
    except OSError:
        return True


def refuse_odd_files(record: Record) -> None:
    """A pipe or a device in the place of a stream would be waited for; raises OSError."""
    for path in (*record.layout.streams.values(), record.layout.timings):
        if path.exists() and not path.is_file():
            raise OSError(0, "is not a file", path.name)


def _reason(error: DiagnosticError | OSError) -> str:
    if isinstance(error, DiagnosticError):
        return error.diagnostics[0].message.partition(": ")[2] or str(error)
    return f"{Path(error.filename or '').name}: {error.strerror or error}"


def _changed(folder: Path) -> float:
    """When the newest of the record's files was written; 0 where nothing can be told."""
    times = [0.0]
    for name in ("events.jsonl", "timings.jsonl", "plan.json"):
        try:
            times.append((folder / name).stat().st_mtime)
        except OSError:
            continue
    return max(times)


def _read(record: Record) -> _Seen:
    seen = _Seen()
    for event in record.events():
        kind = event.get("event")
        if kind == "step" and isinstance(event.get("step"), int):
            seen.step = max(seen.step, event["step"])
        elif kind == "evaluation" and isinstance(event.get("metrics"), Mapping):
            seen.evaluations.append(event)
        elif kind == "best":
            seen.best = event
        elif kind == "finished":
            seen.finished = event
    for line in record.timings():
        seen.seconds += sum(float(line[k]) for k in _MEASURED if is_number(line.get(k)))
        if line.get("phase") in ("session", "stopped"):
            seen.last_word = line
        if seen.started is None and is_number(line.get("started")):
            seen.started = float(line["started"])
    return seen


def _status(seen: _Seen, *, running: bool) -> tuple[RunStatus, str]:
    """The status that the record and its lock bear out, and why."""
    if running:
        return "running", ""
    if seen.finished is not None:
        gates = [gate for gate in _list(seen.finished.get("gates")) if isinstance(gate, Mapping)]
        failed = [gate for gate in gates if gate.get("passed") is not True]
        told = f"{len(failed)} of {len(gates)} gates failed" if failed else ""
        return "finished", told
    word = seen.last_word
    if word.get("phase") != "stopped":
        return "interrupted", "ended without a word: killed, or the machine went down"
    if word.get("code") == 130:
        return "interrupted", ""
    return "failed", str(word.get("reason") or "")


def _progress(plan: Plan, seen: _Seen) -> Progress | None:
    """Base and tuned on the first split that has both, else whatever was measured of them."""
    name = plan.evaluate.pass_metric
    metric = name if any(name in e["metrics"] for e in seen.evaluations) else "reward"
    partial = None
    for split in SPLITS:
        measured = [e for e in seen.evaluations if e.get("split") == split]
        base = next(_values(measured, metric, BASE), None)
        tuned = _tuned(measured, metric, seen.best.get("step"))
        found = Progress(
            metric, split, base and base[1], tuned and tuned[1], tuned[0] if tuned else None
        )
        if base is not None and tuned is not None:
            return found
        if partial is None and (base is not None or tuned is not None):
            partial = found
    return partial


def _tuned(
    measured: list[Mapping[str, Any]], metric: str, best: object
) -> tuple[int, float] | None:
    """The model that the run ended with; before its end, the best checkpoint, else the last."""
    final = list(_values(measured, metric, TUNED))
    if final:
        return final[-1]
    steps = list(_values(measured, metric, "step-"))
    chosen = [one for one in steps if one[0] == best] or steps
    return chosen[-1] if chosen else None


def _values(
    measured: list[Mapping[str, Any]], metric: str, model: str
) -> Iterator[tuple[int, float]]:
    """(step, value) of a model's evaluations, or of every checkpoint's for `step-`."""
    for event in measured:
        name, value = str(event.get("model")), event["metrics"].get(metric)
        same = name.startswith(model) if model.endswith("-") else name == model
        if same and is_number(value):
            step = event.get("step")
            yield (step if isinstance(step, int) else 0), float(value)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
