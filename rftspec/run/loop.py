"""The whole run on one page: measure the base, train with reinforcement, measure what came of it.

    measure base → references → (sample → grade → learn)* with checkpoints between → best → measure

A run is a list of units (`run.program`). Each writes to the record and is committed; a run that was
stopped anywhere goes on at the first unit that is not committed. Nothing here prints, and nothing
here imports torch: the engine is opened when it is needed, or passed in.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rftspec.diagnostics import DiagnosticError
from rftspec.engine.types import Engine
from rftspec.plan.model import Plan
from rftspec.record import events
from rftspec.record.errors import RecordError
from rftspec.record.folder import Record
from rftspec.record.metrics import split_streams
from rftspec.record.writer import RecordWriter
from rftspec.run.evaluate import failed_message, measure, reference, rows_of
from rftspec.run.fitting import refuse_long_prompts
from rftspec.run.forecast import Watch
from rftspec.run.headroom import before_training
from rftspec.run.health import findings, stale_evaluations
from rftspec.run.history import History
from rftspec.run.interrupt import Interrupt, Interrupted
from rftspec.run.job import Job, Stopped
from rftspec.run.measures import error_share, latencies, step_metrics
from rftspec.run.observer import Observer, Outcome, Silent, StepSeen
from rftspec.run.outcome import STOPPING, finished, note_stop, stopped, versions
from rftspec.run.outputs import check_outputs
from rftspec.run.program import Unit, program
from rftspec.run.progress import Meter
from rftspec.run.rehearsal import differing
from rftspec.run.rollout import Rollouts, roll_out
from rftspec.run.rows import read_splits
from rftspec.run.scoring import check_gates, open_grading
from rftspec.run.summary import adapter_page, summarise
from rftspec.run.timing import step_rates, step_seconds
from rftspec.run.track import track


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
    check_outputs(plan, rows.of(rows.headline))
    units = program(plan, rows)
    writer = RecordWriter.resume(folder) if resume else RecordWriter.create(folder, plan)
    record = Record(folder, plan)
    with writer, Interrupt(lambda: observer.on_notice(STOPPING)) as interrupt:
        history = History.of(record.events(), keep_best=plan.train.keep_best)
        if history.summary is not None:
            return finished(folder, history.summary)
        if writer.notice:
            observer.on_notice(writer.notice)
        meter, watch = Meter(observer, units), Watch()
        try:
            with open_grading(plan, rows) as grading:
                engine = engine or _open_engine(plan, meter)
                job = Job(plan, rows, engine, grading, writer, history, observer, interrupt, meter)
                return _go(job, units, watch)
        except (Stopped, Interrupted, RecordError) as reason:
            return stopped(writer, reason)
        except DiagnosticError:  # the base model is not there, say: nothing was begun
            writer.roll_back() if resume else writer.discard_if_new()
            raise
        except Exception as error:  # the engine's, or a bug: told by who called, kept in the record
            note_stop(writer, 3, f"{type(error).__name__}: {error}")
            raise
        finally:
            track(plan, record, observer)


def _open_engine(plan: Plan, meter: Meter) -> Engine:
    """The engine of this machine: here torch is imported, the first time in a run."""
    meter.opening(f"opening {plan.model.base}")
    from rftspec.engine.local import LocalEngine

    return LocalEngine.open(plan)


def _go(job: Job, units: Sequence[Unit], watch: Watch) -> Outcome:
    """Do the units that are not committed yet, one after the other."""
    _restore(job)
    watch.opened(job, refuse_long_prompts(job))
    if job.writer.done == 0:
        job.tell(events.run_started(job.plan.name, job.plan.hash, versions()))
    for position in range(job.writer.done, len(units)):
        unit = units[position]
        if job.history.stopped and unit.kind in ("step", "checkpoint"):
            continue  # stopped early
        job.meter.at(position)
        _DO[unit.kind](job, unit)
        # An engine state is written with the commit: not after every step, but before anything
        # that is no step, so that what interrupts a measurement costs no training.
        due = unit.step % max(1, job.plan.train.checkpoint_every) == 0
        if unit.kind != "step" or due or units[position + 1].kind != "step" or job.interrupt.asked:
            job.commit(position + 1)
        if unit.kind != "finish":
            job.interrupt.check()
    watch.finished(job)
    return finished(job.folder, job.history.summary or {})


def _restore(job: Job) -> None:
    """Put the engine and the memory where the last commit left them."""
    state = job.writer.state_folder
    if state is not None:
        job.engine.load_state(state)
        job.learned = job.saved = int(state.name.removeprefix("step-"))
    job.written = {(row["split"], row["row"]) for row in Record(job.folder, job.plan).rows()}
    now = round(time.time(), 3)
    job.writer.timing(phase="session", started=now, done=job.writer.done, step=job.learned)


def _measure(job: Job, unit: Unit) -> None:
    """The base, or the best checkpoint, on a split."""
    if unit.model == "base":
        measure(job, unit, policy="base", step=0)
    else:
        measure(job, unit, policy="tuned", step=job.load_best())


def _step(job: Job, unit: Unit) -> None:
    """One step of reinforcement learning: sample groups, grade them, learn from the rewards."""
    if unit.step == 1:
        _look_before(job)
    rollouts = roll_out(job, unit.step)
    graded = rollouts.first + rollouts.refilled
    share = error_share(graded)
    if share > job.plan.stop_above:
        raise Stopped(f"step {unit.step}: {failed_message(graded, share, job.plan.stop_above)}")
    learned = _learn(job, unit.step, rollouts)
    rollouts.times.append(time.perf_counter())
    job.write_rows(rollouts.rows)
    _tell_step(job, unit.step, rollouts, learned)
    times = rollouts.times
    job.meter.spent(len(graded), times[-1] - times[0], training=True)


def _look_before(job: Job) -> None:
    """Say it where the base model leaves nothing to learn."""
    found = before_training(job.history, job.plan)
    if found is not None:
        job.tell(found)
        job.observer.on_warning(found.fields["code"], found.fields["message"], 0)


def _learn(job: Job, step: int, rollouts: Rollouts) -> dict[str, float]:
    """The updates of a step; a loss that is not finite stops the run at its last commit."""
    groups = rollouts.groups()
    learned = job.engine.learn(differing(groups) if job.plan.smoke else groups, step=step)
    if not math.isfinite(learned.get("loss", 0.0)):
        raise Stopped(
            f"step {step}: the loss is not a finite number. Going on from the last commit leads "
            "to the same place: lower train.learning_rate and start a new run"
        )
    job.learned = step
    if job.plan.train.refill > 0:  # of what the step drew: what the learner got all has signal
        learned.pop("groups_no_signal_share", None)
        size = job.plan.train.samples_per_prompt
        learned["groups_refilled"] = float(len(rollouts.refilled) // size)
    return learned


def _tell_step(job: Job, step: int, rollouts: Rollouts, learned: Mapping[str, float]) -> None:
    """Record a step: its rollouts, its event, what the health rules find, its timings."""
    plan, size = job.plan, job.plan.train.samples_per_prompt
    graded = rollouts.first + rollouts.refilled
    waits = {
        f"graders/{grader}/train_latency_{name}": value
        for grader, found in latencies(graded).items()
        for name, value in found.items()
    }
    told, measured = split_streams({**step_metrics(rollouts.first, plan), **learned, **waits})
    origin = events.Origin("rollout", "tuned", "train", step)
    lines = [s.line(origin, group=n // size) for n, s in enumerate(graded)]
    job.writer.samples(lines)
    job.tell(events.step(step, told))
    for warning in findings(job.history, plan):
        job.tell(warning)
        job.observer.on_warning(warning.fields["code"], warning.fields["message"], step)
    seconds = step_seconds(rollouts.times)
    rates = step_rates(seconds, sum(s.tokens for s in graded), learned.get("tokens_trained"))
    rates["peak_memory"] = float(job.engine.peak_memory() or rates["peak_memory"])
    job.writer.timing(phase="train", step=step, **{**seconds, **rates, **measured})
    job.observer.on_step(StepSeen(step, plan.train.steps, told, seconds, lines[-1]))


def _checkpoint(job: Job, unit: Unit) -> None:
    """Save the adapter, and measure it where there are validation rows."""
    path = job.writer.checkpoint(unit.step, job.engine.save_adapter)
    value = measure(job, unit, policy="tuned", step=unit.step) if unit.completions else None
    job.tell(events.checkpoint(unit.step, path, value))
    stale = stale_evaluations(job.history, job.plan)
    if stale is not None and unit.step < job.plan.train.steps:
        job.tell(events.early_stop(unit.step, stale))
        job.observer.on_notice(f"step {unit.step}: {stale}; training ends here")
    if job.history.stopped or unit.step == job.plan.train.steps:
        job.tell(events.best(*job.history.best))


def _finish(job: Job, unit: Unit) -> None:
    """Publish the best adapter, check the gates, and write the last event."""
    split, rows = job.rows.headline, rows_of(job, job.rows.headline)
    lines = Record(job.folder, job.plan).samples(kind="evaluation", split=split)
    samples = [line for line in lines if line["model"] in ("base", "tuned")]
    gates = check_gates(job.plan, job.history, split)
    summary = summarise(job.plan, job.history, split, rows, samples, gates)
    page = adapter_page(job.plan, summary)
    job.writer.publish_adapter(job.history.best[0], {"README.md": page})
    job.tell(events.finished(summary))


_DO: Mapping[str, Callable[[Job, Unit], None]] = {
    "measure": _measure,
    "reference": reference,
    "step": _step,
    "checkpoint": _checkpoint,
    "finish": _finish,
}
