"""The later sections of the page: training, graders, samples, provenance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from rftspec.record.metrics import UndeclaredMetric, declared
from rftspec.report.browser import Embedded
from rftspec.report.curves import Curves, Series
from rftspec.report.evidence import Evidence, Failure, is_number
from rftspec.report.numbers import Numbers
from rftspec.report.reproduce import plan_rows
from rftspec.report.subjects import Subjects
from rftspec.report.words import change_text, level_text, plural

KINDS: Mapping[str, str] = {
    "sample_parse_error": "the answer is not the JSON that was asked for",
    "invalid_variable_error": "a field that the grader names is not there",
    "other_error": "none of the known kinds: most often a fault in the grader",
    "formula_parse_error": "the formula cannot be read",
    "python_grader_runtime_error": "the Python grader raised, ran too long, or gave no number",
    "python_grader_server_error": "the process that runs Python graders died",
    "truncated_observation_error": "the answer was cut off, and the grader needs its end",
    "unresponsive_reward_error": "no reward came",
    "model_grader_server_error": "the judge could not be reached",
    "model_grader_refusal_error": "the judge refused",
    "model_grader_parse_error": "the judge's answer has no score in it",
}
FAILURE_TEXT = 240


def training_section(evidence: Evidence, curves: Curves, numbers: Numbers) -> dict[str, Any]:
    """Everything about training but its charts."""
    return {
        "has_train": curves.train_reward is not None,
        "headline": numbers.headline,
        "splits": [
            {
                "name": f"{found.split} rows",
                "base": "—" if found.base is None else level_text(found.base, False),
                "tuned": "—" if found.tuned is None else level_text(found.tuned, False),
                "told": found.told,
            }
            for found in curves.splits
        ],
        "gap": _gap_text(curves),
        "checkpoints": _checkpoints(evidence, curves),
    }


def series_groups(curves: Curves, charts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The small multiples by section of `record/metrics.py`; what never moves is a sentence."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for series in curves.series:
        groups[series.section].append(
            {
                "name": series.name,
                "unit": "" if series.unit == "1" else series.unit,
                "meaning": series.meaning,
                "healthy": series.healthy,
                "flat": f"{series.values[0]:g}" if series.values else "",
                "chart": charts.get(series.name),
            }
        )
    return [{"title": title, "series": found} for title, found in groups.items()]


def drawn_series(curves: Curves) -> list[Series]:
    """The series that get a chart: those that move."""
    return [series for series in curves.series if not series.flat and len(series.values) > 1]


def graders_section(evidence: Evidence, subjects: Subjects, numbers: Numbers) -> dict[str, Any]:
    """The reward's formula, each grader's mean by model, and failures by kind."""
    low, high = evidence.plan.reward_range
    return {
        "reward_text": evidence.plan.reward.strip(),
        "reward_range": f"It lies between {low:g} and {high:g}. Where a grader that it uses fails, "
        f"it is {low:g}: an error never pays.",
        "split": numbers.split,
        "graders": [
            {
                "name": line.name,
                "kind": line.kind,
                "cells": [
                    {
                        "mean": _mean_text(line.means.get(column.key)),
                        "errors": line.errors.get(column.key, 0),
                    }
                    for column in subjects.columns
                ],
            }
            for line in numbers.graders
        ],
        "failures": _failures(evidence),
    }


def _failures(evidence: Evidence) -> list[dict[str, str]]:
    """Failures by kind and grader, where each happened, and the first example of all."""
    groups: dict[tuple[str, str], list[Failure]] = defaultdict(list)
    for failure in evidence.failures:
        groups[failure.kind, failure.grader].append(failure)
    return [
        {
            "kind": kind,
            "meaning": KINDS.get(kind, ""),
            "grader": grader,
            "count": f"{sum(failure.count for failure in found):,}",
            "where": ", ".join(f"{f.model} on {f.split} {f.count:,}" for f in found),
            "detail": found[0].detail,
            "text": found[0].text[:FAILURE_TEXT],
        }
        for (kind, grader), found in groups.items()
    ]


def samples_section(evidence: Evidence, embedded: Embedded) -> dict[str, Any]:
    """What the browser holds, and what it left out."""
    told = f"{embedded.answers:,} answers to {' and '.join(embedded.splits) or 'no'} rows are here."
    if evidence.rollouts:
        told += f" The {evidence.rollouts:,} rollouts of training are not: see samples.jsonl."
    if embedded.texts_left_out:
        left = plural(embedded.texts_left_out, "text")
        told += f" {left} of rows that changed least were left out to keep the file small."
    return {"embedded_note": told}


def provenance_section(evidence: Evidence) -> dict[str, Any]:
    """Spec, plan, hashes, versions, timings."""
    plan = evidence.plan
    versions = evidence.started.get("versions")
    facts = [
        ("plan", plan.hash),
        ("seed", str(plan.seed)),
        (
            "base model",
            plan.model.base + (f" @ {plan.model.revision}" if plan.model.revision else ""),
        ),
        ("quantization", plan.model.quantization),
        ("adapter", f"LoRA, rank {plan.model.lora_rank}, alpha {plan.model.lora_alpha:g}"),
        ("device", str(evidence.started.get("device") or plan.device)),
        ("sandbox", plan.sandbox),
        *((str(k), str(v)) for k, v in (versions if isinstance(versions, Mapping) else {}).items()),
    ]
    return {
        "facts": [{"name": name, "text": text} for name, text in facts],
        "data_facts": _data_facts(evidence),
        "timings": _timings(evidence),
        "plan_rows": plan_rows(evidence),
        "plan_open": False,
        "spec_lines": plan.spec_text.splitlines() or [""],
    }


def _data_facts(evidence: Evidence) -> list[dict[str, str]]:
    data = evidence.plan.data
    facts = []
    for name in ("train", "validation", "test"):
        split = getattr(data, name)
        if split is not None:
            file = split.path.replace("\\", "/").rpartition("/")[2]
            facts.append(
                {"name": name, "text": f"{split.rows:,} rows, {file}", "hash": split.sha256}
            )
    if data.disjoint:
        told = f"{', '.join(data.disjoint)}: no value stands in two splits"
        facts.append({"name": "disjoint", "text": told, "hash": ""})
    return facts


def _timings(evidence: Evidence) -> list[dict[str, str]]:
    """What was measured on the machine: seconds summed over the run, memory at its peak."""
    values: dict[str, list[float]] = defaultdict(list)
    for line in evidence.timings:
        for name, value in line.items():
            if is_number(value):
                values[name].append(float(value))
    rows = []
    for name, found in values.items():
        try:
            metric = declared(name)
        except UndeclaredMetric:
            continue
        if metric.stream == "timings":
            rows.append(
                {"name": name, "total": _measured(metric.unit, found), "meaning": metric.meaning}
            )
    return rows


def _measured(unit: str, values: list[float]) -> str:
    """Seconds are summed, bytes are at their peak, rates are means."""
    if unit == "s":
        return f"{sum(values):,.1f} s"
    if unit == "bytes":
        return f"{max(values) / 2**20:,.0f} MiB"
    return f"{sum(values) / len(values):,.0f} {unit}"


def _gap_text(curves: Curves) -> str:
    if curves.gap is None:
        return ""
    before = curves.base_gap
    before_text = "" if before is None else f" (base: {change_text(before, False)})"
    return (
        f"Tuned model, training less held-out rows: {change_text(curves.gap, False)}{before_text}. "
        "A large gap would mean that it has learned the rows, not the task."
    )


def _checkpoints(evidence: Evidence, curves: Curves) -> list[dict[str, Any]]:
    rows = []
    for found in evidence.checkpoints:
        value = found.get("valid_reward_mean")
        rows.append(
            {
                "step": found.get("step"),
                "reward": "—" if value is None else level_text(value, False),
                "path": str(found.get("path") or ""),
                "best": found.get("step") == curves.best,
            }
        )
    return rows


def _mean_text(value: float | None) -> str:
    return "—" if value is None else level_text(value, False)
