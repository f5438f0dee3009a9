"""One evaluation by itself: the rows, graders and sampling of a run, without the training.

Each row's answers are graded and written as soon as they are there, beside the sampling. What is
in the folder is not done again: after `kill -9` the same command goes on. With other graders the
completions that were sampled before are read from the cache.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.engine.types import Completion, Engine
from rftspec.plan.model import Plan, ReferencePlan
from rftspec.record.errors import RecordError
from rftspec.record.evaluations import GREEDY, EvalHead, EvalWriter
from rftspec.record.events import Origin, row_line
from rftspec.run.candidate import sampling_key
from rftspec.run.completions import KeptCompletions, prompt_of
from rftspec.run.grade import Answer, GradedSample, Grading
from rftspec.run.interrupt import Interrupt, Interrupted
from rftspec.run.observer import Observer, Silent
from rftspec.run.outputs import read_outputs
from rftspec.run.program import TRAIN_ROWS, Unit
from rftspec.run.progress import Meter
from rftspec.run.rows import Row, read_splits, subset
from rftspec.run.scoring import open_grading

CHUNK = 512
"""Completions that are sampled, or outputs that are graded, between two looks at the clock."""
OpenEngine = Callable[[], Engine]


@dataclass(frozen=True, slots=True)
class Done:
    """How an evaluation ended."""

    folder: Path
    whole: bool
    """False where it was interrupted or the disk is full: the same command goes on."""
    graded: int
    """Samples that this process graded."""
    sampled: int
    """Completions that this process sampled."""
    kept: int
    """Samples that stood in the folder already."""
    missing: int
    """Rows without any output, of a file of outputs."""
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(slots=True)
class _Work:
    """An evaluation while it goes."""

    head: EvalHead
    rows: Sequence[Row]
    writer: EvalWriter
    grading: Grading
    interrupt: Interrupt
    observer: Observer
    open_engine: OpenEngine
    cache: Path | None
    there: Mapping[str, set[tuple[int, int]]]
    """For each label, the (row, index) that are graded."""
    graded: int = 0
    sampled: int = 0
    engine: Engine | None = None
    _tokens: dict[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        return self.head.plan


def open_local(plan: Plan, adapter: Path | None) -> Engine:
    """The engine of this machine: the plan's base, or that with an adapter. Here torch begins."""
    if adapter is None:
        from rftspec.engine.local import LocalEngine

        return LocalEngine.open(plan)
    from rftspec.engine.saved import open_saved

    return open_saved(plan, adapter)


def measured_rows(plan: Plan, rows: Sequence[Row], split: str) -> Sequence[Row]:
    """The rows of a split that are measured: all, but a seeded part of the training rows."""
    return subset(rows, TRAIN_ROWS, seed=plan.seed) if split == "train" else rows


def evaluate(
    head: EvalHead,
    folder: Path,
    open_engine: OpenEngine,
    *,
    observer: Observer | None = None,
    cache: Path | None = None,
) -> Done:
    """Evaluate into a folder, or go on with what is there. Raises DiagnosticError.

    `open_engine` is called when something has to be sampled; `cache` is the folder of kept
    completions.
    """
    observer = observer or Silent()
    plan = head.plan
    splits = read_splits(plan.data, plan.seed)
    rows = measured_rows(plan, splits.of(head.split), head.split)
    outputs = _outputs(head, rows)
    with (
        EvalWriter.open(folder, head) as writer,
        Interrupt(lambda: observer.on_notice("stopping: what is graded is kept")) as interrupt,
        open_grading(plan, splits) as grading,
    ):
        there = _there(writer)
        work = _Work(head, rows, writer, grading, interrupt, observer, open_engine, cache, there)
        _write_rows(work)
        kept = sum(map(len, there.values()))
        try:
            if outputs is not None:
                _grade_all(work, head.subject.label, _absent(work, head.subject.label, outputs))
            else:
                _sample_all(work)
        except DiagnosticError as reason:
            if not isinstance(reason, RecordError):  # the model is not there, say
                if not kept + work.graded:
                    writer.discard()
                raise
            return Done(folder, False, work.graded, work.sampled, kept, 0, reason.diagnostics)
        except Interrupted:
            return Done(folder, False, work.graded, work.sampled, kept, 0)
        answered = rows if outputs is None else {answer.row.index for answer in outputs}
        missing = len(rows) - len(answered)
        writer.finish(rows=len(rows), missing=missing)
    return Done(folder, True, work.graded, work.sampled, kept, missing)


def _outputs(head: EvalHead, rows: Sequence[Row]) -> list[Answer] | None:
    if head.subject.kind != "outputs":
        return None
    subject = head.subject
    return read_outputs(ReferencePlan(subject.label, "outputs", subject.place, 0, None, None), rows)


def _there(writer: EvalWriter) -> dict[str, set[tuple[int, int]]]:
    found: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for line in writer.graded():
        row, index = line.get("row"), line.get("index")
        if isinstance(row, int) and isinstance(index, int):
            found[str(line.get("model"))].add((row, index))
    return found


def _write_rows(work: _Work) -> None:
    written = work.writer.written_rows()
    work.writer.rows(
        row_line(row.split, row.index, row.item, row.messages)
        for row in work.rows
        if row.index not in written
    )


def _absent(work: _Work, label: str, answers: Iterable[Answer]) -> list[Answer]:
    there = work.there.get(label, set())
    return [answer for answer in answers if (answer.row.index, answer.index) not in there]


def _grade_all(work: _Work, label: str, answers: Sequence[Answer]) -> None:
    """Grade and write answers that are at hand."""
    for start in range(0, len(answers), CHUNK):
        work.interrupt.check()
        _write(work, label, work.grading.answers(answers[start : start + CHUNK]))


def _write(work: _Work, label: str, graded: Sequence[GradedSample]) -> None:
    origin = Origin("evaluation", label, work.head.split, 0)
    work.writer.samples(sample.line(origin) for sample in graded)
    work.graded += len(graded)


def _sample_all(work: _Work) -> None:
    """Both ways of decoding, one after the other: first what the cache has, then the model."""
    label = work.head.subject.label
    passes = [(label, work.head.samples, work.plan.response.temperature)]
    if work.head.greedy:
        passes.append((label + GREEDY, 1, 0.0))
    todo: list[tuple[Unit, float, list[Row], KeptCompletions]] = []
    try:
        for name, samples, temperature in passes:
            model = sampling_key(work.plan, work.head.subject)
            kept = KeptCompletions.at(work.cache, model, temperature)
            rows = _from_cache(work, name, samples, kept)
            unit = Unit(
                "measure", model=name, split=work.head.split, samples=samples,
                completions=len(rows) * samples,
            )  # fmt: skip
            todo.append((unit, temperature, rows, kept))
        meter = Meter(work.observer, [unit for unit, *_ in todo])
        for position, (unit, temperature, rows, kept) in enumerate(todo):
            if rows:
                _sample(work, meter, position, unit, temperature, rows, kept)
    finally:
        for *_, kept in todo:
            kept.close()


def _from_cache(work: _Work, label: str, samples: int, kept: KeptCompletions) -> list[Row]:
    """Grade what was sampled before; gives the rows that the model has to answer."""
    there = work.there.get(label, set())
    found: list[Answer] = []
    rest: list[Row] = []
    for row in work.rows:
        wanted = [n for n in range(samples) if (row.index, n) not in there]
        cached = [answer for n in wanted if (answer := kept.find(row, n)) is not None]
        found += cached
        if len(cached) < len(wanted):
            rest.append(row)
    _grade_all(work, label, found)
    graded = {(answer.row.index, answer.index) for answer in found}
    work.there = {**work.there, label: there | graded}
    return rest


def _sample(
    work: _Work,
    meter: Meter,
    position: int,
    unit: Unit,
    temperature: float,
    rows: Sequence[Row],
    kept: KeptCompletions,
) -> None:
    """Sample whole rows; grade and write each as soon as all its completions are there."""
    if work.engine is None:
        meter.opening(f"opening {work.head.subject.label}")
        work.engine = work.open_engine()
    meter.at(position)
    size = max(1, CHUNK // unit.samples)
    with ThreadPoolExecutor(1, thread_name_prefix="record") as pool:
        for start in range(0, len(rows), size):
            work.interrupt.check()
            began = time.perf_counter()
            part = rows[start : start + size]
            stream = _Stream(work, unit.model, part, kept, pool)
            with meter.sampling(len(part) * unit.samples) as told:
                groups = _ask(work, part, unit.samples, temperature, told, stream.take)
            stream.finish(groups)
            seconds = time.perf_counter() - began
            count = len(part) * unit.samples
            meter.spent(count, seconds)
            work.writer.timing(phase="eval", model=unit.model, eval=seconds, completions=count)


@dataclass(slots=True)
class _Stream:
    """Takes groups while others are sampled: grading begins at once, a thread writes what is done.

    A judge is asked about many rows at a time, and a row is on the disk once it is graded.
    """

    work: _Work
    label: str
    rows: Sequence[Row]
    kept: KeptCompletions
    pool: ThreadPoolExecutor
    waits: dict[int, Future[None]] = field(default_factory=dict)

    def take(self, place: int, group: Sequence[Completion]) -> None:
        """Keep the completions of the row at `place`, and begin to grade the new ones."""
        row = self.rows[place]
        self.kept.keep(row, group)
        answers = [
            Answer(row, index, done.text, done.finish_reason, len(done.tokens))
            for index, done in enumerate(group)
        ]
        begun = self.work.grading.begin(_absent(self.work, self.label, answers))
        self.waits[place] = self.pool.submit(lambda: _write(self.work, self.label, begun.result()))

    def finish(self, groups: Sequence[Sequence[Completion]]) -> None:
        """Take what was not told of, and wait until all is written."""
        for place, group in enumerate(groups):
            if place not in self.waits:
                self.take(place, group)
        for wait in self.waits.values():
            wait.result()


def _ask(
    work: _Work,
    rows: Sequence[Row],
    samples: int,
    temperature: float,
    told: Callable[[int], None],
    take: Callable[[int, Sequence[Completion]], None],
) -> list[list[Completion]]:
    assert work.engine is not None

    def finished(count: int) -> None:
        told(count)
        work.interrupt.check()

    groups = work.engine.sample(
        [prompt_of(row, work.engine.encode(row.messages)) for row in rows],
        samples=samples,
        temperature=temperature,
        max_tokens=work.plan.response.max_tokens,
        policy="tuned" if work.head.subject.kind == "adapter" else "base",
        on_finished=finished,
        on_group=take,
    )
    work.sampled += sum(map(len, groups))
    return groups
