"""Measure a model on rows: sample, grade, record; and the references beside base and tuned.

Base and tuned draw their samples of a row from the same random numbers, so that their answers are
paired; a checkpoint does so too, so that the curve moves by the model and less by luck.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from rftspec.graders.output import FinishReason
from rftspec.plan.model import ReferencePlan
from rftspec.record.events import Origin, evaluation
from rftspec.record.streams import StreamReader
from rftspec.run.grade import Answer, GradedSample
from rftspec.run.job import Job, Stopped
from rftspec.run.measures import error_share, evaluation_metrics, latencies
from rftspec.run.observer import EvaluationSeen
from rftspec.run.outputs import read_outputs
from rftspec.run.program import TRAIN_ROWS, Unit
from rftspec.run.rows import Row, subset

CHUNK = 512
"""Completions between two looks at a wish to stop."""


def rows_of(job: Job, split: str) -> Sequence[Row]:
    """The rows that a split is measured on: all, but a seeded part of the training rows."""
    if split == "train":
        return subset(job.rows.train, TRAIN_ROWS, seed=job.plan.seed)
    return job.rows.of(split)


def measure(job: Job, unit: Unit, *, policy: Literal["base", "tuned"], step: int) -> float:
    """Sample, grade and record one evaluation; gives its mean reward."""
    started = time.perf_counter()
    rows = rows_of(job, unit.split)
    job.write_rows(rows)
    measured = Origin("evaluation", unit.model, unit.split, step)
    ballot = Origin("ballot", unit.model, unit.split, step)
    kept: list[GradedSample] = []
    wanted = unit.samples + unit.ballots
    size = max(1, CHUNK // wanted)
    for start in range(0, len(rows), size):
        job.interrupt.check()
        chunk_started = time.perf_counter()
        graded = _sample(job, rows[start : start + size], wanted, policy)
        job.writer.samples(s.line(measured if s.index < unit.samples else ballot) for s in graded)
        kept += [s for s in graded if s.index < unit.samples]
        job.meter.spent(len(graded), time.perf_counter() - chunk_started)
    share = error_share(kept)
    if step == 0 and share > job.plan.stop_above:
        raise Stopped(failed_message(kept, share, job.plan.stop_above))
    return _tell(job, measured, kept, time.perf_counter() - started)


def _sample(
    job: Job, rows: Sequence[Row], samples: int, policy: Literal["base", "tuned"]
) -> list[GradedSample]:
    response = job.plan.response
    stream = job.grading.stream(rows)
    with job.meter.sampling(len(rows) * samples) as told:

        def finished(count: int) -> None:
            told(count)
            job.interrupt.check()  # an evaluation is dropped and done again: no need to wait

        groups = job.engine.sample(
            [job.prompt(row, row.split, 0) for row in rows],
            samples=samples,
            temperature=response.temperature,
            max_tokens=response.max_tokens,
            policy=policy,
            on_finished=finished,
            on_group=stream.put,
        )
    return stream.result(groups)


def failed_message(samples: Sequence[GradedSample], share: float, limit: float) -> str:
    """Why a run with too many failed samples stops: the share, the limit, the first failure."""
    first = next(s.graded for s in samples if s.graded.error is not None)
    detail = f": {first.error_detail}" if first.error_detail else ""
    return (
        f"{share:.0%} of the samples could not be graded, more than on_error.stop_above = "
        f"{limit:.0%}; the first failure is {first.error} in `{first.error_grader or 'reward'}`"
        f"{detail}"
    )


def reference(job: Job, unit: Unit) -> None:
    """Grade and record what the tuned model is compared with."""
    started = time.perf_counter()
    plan, rows = unit.reference, rows_of(job, unit.split)
    assert plan is not None  # a `reference` unit has one
    answers = read_outputs(plan, rows) if plan.kind == "outputs" else _vote(job, plan, unit, rows)
    graded = job.grading.answers(answers)
    origin = Origin("evaluation", unit.model, unit.split, 0)
    job.writer.samples(s.line(origin) for s in graded)
    _tell(job, origin, graded, time.perf_counter() - started)
    missing = len(rows) - len({s.row.index for s in graded})
    if missing:
        job.observer.on_notice(f"reference `{unit.model}` has no output for {missing} rows")


def _tell(job: Job, origin: Origin, graded: Sequence[GradedSample], seconds: float) -> float:
    """Record an evaluation's means, and tell the observer."""
    metrics = evaluation_metrics(graded, job.plan)
    rows = len({s.row.index for s in graded})
    where = {"model": origin.model, "split": origin.split, "step": origin.step}
    job.tell(
        evaluation(
            model=origin.model,
            split=origin.split,
            step=origin.step,
            rows=rows,
            samples=len(graded),
            metrics=metrics,
        )
    )
    waits = latencies(graded)
    job.writer.timing(phase="eval", **where, eval=seconds, completions=len(graded), latency=waits)
    job.observer.on_evaluation(
        EvaluationSeen(origin.model, origin.split, origin.step, rows, len(graded), metrics, seconds)
    )
    return metrics["reward"] or 0.0


def _vote(job: Job, plan: ReferencePlan, unit: Unit, rows: Sequence[Row]) -> list[Answer]:
    """The base model's majority: for each row, the first sample with the most frequent value.

    Reads the base's samples from the record, where the base evaluation put them.
    """
    by_row: dict[int, list[tuple[str, FinishReason, int]]] = {row.index: [] for row in rows}
    for line in StreamReader(job.writer.layout.streams["samples"]):
        base = line["kind"] in ("evaluation", "ballot") and line["model"] == "base"
        if base and line["split"] == unit.split and line["index"] < plan.samples:
            sample = (line["output_text"], line["finish_reason"], line["completion_tokens"])
            by_row[line["row"]].append(sample)
    answers = []
    for row in rows:
        samples = by_row[row.index]
        votes = [job.grading.ballot(plan.on or "", text, end, row) for text, end, _ in samples]
        text, end, tokens = samples[winner(votes)]
        answers.append(Answer(row, 0, text, end, tokens))
    return answers


def winner(votes: Sequence[str | None]) -> int:
    """The index of the first vote for the most frequent value; of equals, the earliest wins."""
    counts = Counter(vote for vote in votes if vote is not None)
    if not counts:
        return 0
    most = max(counts.values())
    return next(i for i, vote in enumerate(votes) if vote is not None and counts[vote] == most)
