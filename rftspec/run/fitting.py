"""Prompts against the model's context, before anything is trained: a prompt is never cut."""

from __future__ import annotations

from pathlib import Path

from rftspec.diagnostics import Diagnostic, DiagnosticError, Span
from rftspec.plan.survey import MOST_ROWS
from rftspec.run.job import Job
from rftspec.run.rows import Row, step_rows

SHOWN = 5


def refuse_long_prompts(job: Job) -> tuple[float, int]:
    """Mean and longest prompt of the rows that the run will use, in tokens.

    Raises DiagnosticError M210 with the rows that leave no room for an answer. Prompts become
    tokens here once, for the whole run.
    """
    context, room = job.engine.context, job.plan.response.max_tokens
    rows = [*_trained(job), *job.rows.validation, *job.rows.test]
    counts = [len(job.prompt(row, row.split, 0).tokens) for row in rows]
    long = [
        (row, count)
        for row, count in zip(rows, counts, strict=True)
        if context is not None and count + room > context
    ]
    if long:
        told = [_told(job, row, count, context) for row, count in long[:SHOWN]]
        if len(long) > SHOWN:
            row, _ = long[-1]
            message = f"{len(long) - SHOWN:,} more prompts do not fit, the last one here"
            told.append(Diagnostic("M210", message, _place(job, row)))
        raise DiagnosticError(told)
    trained = counts[: len(counts) - len(job.rows.validation) - len(job.rows.test)]
    return sum(trained) / len(trained), max(counts)


def _trained(job: Job) -> list[Row]:
    """The training rows, or of very many those that the steps will draw."""
    rows, train = job.rows.train, job.plan.train
    if len(rows) <= MOST_ROWS:
        return list(rows)
    drawn: set[int] = set()
    for step in range(1, train.steps + 1):
        if len(drawn) >= MOST_ROWS:
            break  # the rest is checked when it is sampled
        drawn |= set(step_rows(step, len(rows), train.prompts_per_step, seed=job.plan.seed))
    return [rows[position] for position in sorted(drawn)]


def _told(job: Job, row: Row, count: int, context: int | None) -> Diagnostic:
    message = (
        f"row {row.index} of {row.split} has {count:,} prompt tokens: with "
        f"{job.plan.response.max_tokens:,} of the answer that is more than the model's {context:,}"
    )
    hint = "shorten the prompt, leave the row out, or lower `response.max_tokens`: a prompt is "
    return Diagnostic("M210", message, _place(job, row), hint + "never cut")


def _place(job: Job, row: Row) -> Span | None:
    """The row's line, in files that have a row in each line."""
    path = getattr(job.plan.data, row.split).path
    if ".jsonl" not in Path(path).suffixes:
        return None
    return Span(path, row.index + 1, 1, row.index + 1, 2)
