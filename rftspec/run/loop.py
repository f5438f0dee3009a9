"""The whole run on one page: measure the base, train with reinforcement, measure what came of it.

    measure base → references → (sample → grade → learn)* with checkpoints between → best → measure

A run is a list of units (`run.program`). Each writes to the record and is committed; a run that was
stopped anywhere goes on at the first unit that is not committed. Nothing here prints, and nothing
here imports torch: the engine is opened when it is needed, or passed in.
"""

from __future__ import annotations

import contextlib
import math
import platform
import shlex
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rftspec import __version__
from rftspec.engine.types import Engine, Group
from rftspec.plan.model import Plan
from rftspec.record import events
from rftspec.record.errors import RecordError
from rftspec.record.folder import Record
from rftspec.record.metrics import split_streams
from rftspec.record.writer import RecordWriter
from rftspec.run.evaluate import failed_message, measure, reference, rows_of
from rftspec.run.grade import error_share, step_metrics
from rftspec.run.health import findings
from rftspec.run.history import History
from rftspec.run.interrupt import Interrupt, Interrupted
from rftspec.run.job import Job, Stopped
from rftspec.run.observer import Observer, Outcome, PhaseName, Silent, StepSeen
from rftspec.run.program import Unit, program
from rftspec.run.progress import Meter
from rftspec.run.rows import read_splits, step_rows
from rftspec.run.scoring import check_gates, open_grading
from rftspec.run.summary import adapter_page, summarise
from rftspec.run.track import track

_DECIDING = ("torch", "transformers", "peft", "bitsandbytes", "tokenizers", "numpy")


def run_plan(
    plan: Plan,
    folder: Path,
    *,
    observer: Observer | None = None,
    engine: Engine | None = None,
    resume: bool = False,
) -> Outcome:
    """Run a plan into a folder, or go on with one; raises DiagnosticError before anything began.

    Once the run has begun, what stops it is told in the Outcome: a full disk, too many failed
    samples, a loss that is not finite (exit code 3), a signal (130). Errors of the engine pass
    through; the record stays at its last commit.
    """
    observer = observer or Silent()
    rows = read_splits(plan.data, plan.seed)
    units = program(plan, rows)
    writer = RecordWriter.resume(folder) if resume else RecordWriter.create(folder, plan)
    with writer, Interrupt(lambda: observer.on_notice(_STOPPING)) as interrupt:
        history = History.of(Record(folder, plan).events())
        if history.summary is not None:
            return _finished(folder, history.summary)
        if writer.notice:
            observer.on_notice(writer.notice)
        meter = Meter(observer, units)
        try:
            with open_grading(plan, rows) as grading:
                engine = engine or _open_engine(plan, meter)
                job = Job(plan, rows, engine, grading, writer, history, observer, interrupt, meter)
                return _go(job, units)
        except (Stopped, Interrupted, RecordError) as reason:
            return _stopped(writer, reason)
        finally:
            track(plan, Record(folder, plan), observer)


def _go(job: Job, units: list[Unit]) -> Outcome:
    """Do the units that are not committed yet, one after the other."""
    _restore(job)
    first = job.writer.done
    if first == 0:
        job.tell(events.run_started(job.plan.name, job.plan.hash, _versions()))
    phase = ""
    for position in range(first, len(units)):
        unit = units[position]
        job.meter.at(position)
        phase = _announce(job, units, position, phase)
        _DO[unit.kind](job, unit)
        last = position + 1 == len(units)
        due = unit.step % max(1, job.plan.train.checkpoint_every) == 0
        if unit.kind != "step" or due or units[position + 1].kind != "step" or job.interrupt.asked:
            job.commit(position + 1)
        if not last:
            job.interrupt.check()
    assert job.history.summary is not None  # the last unit tells it
    return _finished(job.folder, job.history.summary)


def _restore(job: Job) -> None:
    """Put the engine and the memory where the last commit left them."""
    state = job.writer.state_folder
    if state is not None:
        job.engine.load_state(state)
        job.learned = job.saved = int(state.name.removeprefix("step-"))
    job.written = {(row["split"], row["row"]) for row in Record(job.folder, job.plan).rows()}
    job.writer.timing(
        phase="session", started=round(time.time(), 3), done=job.writer.done, step=job.learned
    )


def _measure(job: Job, unit: Unit) -> None:
    """The base or the tuned model on a split."""
    if unit.model == "base":
        measure(job, unit, policy="base", step=0)
    else:
        step = job.load_best()
        measure(job, unit, policy="tuned", step=step)


def _step(job: Job, unit: Unit) -> None:
    """One step of reinforcement learning: sample groups, grade them, learn from the rewards."""
    plan, started = job.plan, time.perf_counter()
    train = plan.train
    picked = step_rows(unit.step, len(job.rows.train), train.prompts_per_step, seed=plan.seed)
    rows = [job.rows.train[position] for position in picked]
    # A row that stands twice in a step (few rows, many prompts) draws different samples each time.
    streams = [f"train/{picked[:n].count(position)}" for n, position in enumerate(picked)]
    prompts = [job.prompt(r, s, unit.step) for r, s in zip(rows, streams, strict=True)]
    completions = job.engine.sample(
        prompts,
        samples=train.samples_per_prompt,
        temperature=plan.response.temperature,
        max_tokens=plan.response.max_tokens,
        policy="tuned",
    )
    sampled = time.perf_counter()
    graded = job.grading.completions(rows, completions)
    share = error_share(graded)
    if share > plan.stop_above:
        raise Stopped(f"step {unit.step}: {failed_message(graded, share, plan.stop_above)}")
    ready = time.perf_counter()
    size = train.samples_per_prompt
    rewards = [s.graded.reward for s in graded]
    groups = [
        Group(prompt, group, rewards[n * size : (n + 1) * size])
        for n, (prompt, group) in enumerate(zip(prompts, completions, strict=True))
    ]
    learned = job.engine.learn(groups, step=unit.step)
    if not math.isfinite(learned.get("loss", 0.0)):
        raise Stopped(
            f"step {unit.step}: the loss is not a finite number. Going on from the last commit "
            "leads to the same place: lower train.learning_rate and start a new run"
        )
    job.learned, job.holds_best = unit.step, False
    told, measured = split_streams({**step_metrics(graded, plan), **learned})
    job.write_rows(rows)
    origin = events.Origin("rollout", "tuned", "train", unit.step)
    lines = [s.line(origin, group=n // size) for n, s in enumerate(graded)]
    job.writer.samples(lines)
    job.tell(events.step(unit.step, told))
    for warning in findings(job.history, plan):
        job.tell(warning)
        job.observer.on_warning(warning.fields["code"], warning.fields["message"], unit.step)
    ended = time.perf_counter()
    seconds = {
        "sampling": sampled - started,
        "grading": ready - sampled,
        "training": ended - ready,
        "full_iteration": ended - started,
    }
    tokens = sum(s.tokens for s in graded)
    rates = {"sampling_tokens_per_second": tokens / max(1e-9, seconds["sampling"])}
    job.writer.timing(phase="train", step=unit.step, **{**seconds, **rates, **measured})
    job.observer.on_step(StepSeen(unit.step, train.steps, told, seconds, lines[-1]))
    job.meter.advance(len(graded), seconds["full_iteration"], training=True)


def _checkpoint(job: Job, unit: Unit) -> None:
    """Save the adapter, and measure it where there are validation rows."""
    path = job.writer.checkpoint(unit.step, job.engine.save_adapter)
    value = measure(job, unit, policy="tuned", step=unit.step) if unit.completions else None
    job.tell(events.checkpoint(unit.step, path, value))
    if unit.step == job.plan.train.steps:
        job.tell(events.best(*job.history.best))


def _finish(job: Job, unit: Unit) -> None:
    """Publish the best adapter, check the gates, and write the last event."""
    split = job.rows.headline
    samples = list(Record(job.folder, job.plan).samples(kind="evaluation", split=split))
    samples = [line for line in samples if line["model"] in ("base", "tuned")]
    gates = check_gates(job.plan, job.history, split)
    rows = rows_of(job, split)
    summary = summarise(job.plan, job.history, split, rows, samples, gates)
    step, _ = job.history.best
    job.writer.publish_adapter(step, {"README.md": adapter_page(job.plan, summary)})
    job.tell(events.finished(summary))


def _finished(folder: Path, summary: Mapping[str, Any]) -> Outcome:
    """The outcome of a run whose last event is written."""
    failed = [gate["expression"].strip() for gate in summary["gates"] if not gate["passed"]]
    if failed:
        return Outcome(4, folder, f"a gate failed: {'; '.join(failed)}", summary=summary)
    return Outcome(0, folder, "the run is finished", summary=summary)


def _stopped(writer: RecordWriter, reason: Exception) -> Outcome:
    """The outcome of a run that can be resumed; drops what is not committed."""
    writer.roll_back()
    resume = f"rftspec resume {shlex.quote(str(writer.folder))}"
    if isinstance(reason, Interrupted):
        return Outcome(130, writer.folder, "interrupted; what was done is safe", resume)
    found = reason.diagnostics if isinstance(reason, RecordError) else ()
    message = found[0].message if found else str(reason)
    return Outcome(3, writer.folder, message, resume, diagnostics=found)


def _open_engine(plan: Plan, meter: Meter) -> Engine:
    """The engine of this machine: here torch is imported, the first time in a run."""
    meter.begin("open", f"opening {plan.model.base}")
    from rftspec.engine.local import LocalEngine

    return LocalEngine.open(plan)


def _announce(job: Job, units: list[Unit], position: int, phase: str) -> str:
    """Tell the observer of a new phase; steps and the checkpoints between them are one each."""
    unit = units[position]
    if unit.kind == "step":
        if phase != "train":
            job.meter.begin("train", "training", job.plan.train.steps, steps=True)
            job.meter.resume_phase(unit.step - 1)
        return "train"
    name: PhaseName = "finish"
    title = "writing what is left"
    if unit.kind == "measure":
        name = "base" if unit.model == "base" else "tuned"
    elif unit.kind == "reference":
        name = "reference"
    elif unit.kind == "checkpoint":
        name = "validate"
    if unit.kind == "reference":
        title = f"reference {unit.model}"
    elif unit.kind != "finish":
        samples = unit.samples + unit.ballots
        rows = unit.completions // max(1, samples)
        title = f"{unit.model} model on {rows} {unit.split} rows × {samples}"
    job.meter.begin(name, title, unit.completions)
    return name


def _versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    found = {"rftspec": __version__, "python": platform.python_version()}
    for name in _DECIDING:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


_STOPPING = (
    "stopping where it is safe: after this step, or at once inside an evaluation; press Ctrl-C "
    "again to stop now"
)

_DO: Mapping[str, Callable[[Job, Unit], None]] = {
    "measure": _measure,
    "reference": reference,
    "step": _step,
    "checkpoint": _checkpoint,
    "finish": _finish,
}
