"""Graded samples in the shape of the hosted evals' output items: one JSON object a line.

The names are those of `GET /evals/{eval}/runs/{run}/output_items`; the hosted product's own client
reads them. What it has no place for stands in further keys (`reward`, `error`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rftspec.record.evaluations import GREEDY, EvalHead, EvalRecord
from rftspec.report.evidence import Answer, Evidence, Source, read_evidence
from rftspec.report.numbers import passes

JSON = dict[str, Any]


def output_items(record: EvalRecord) -> Iterator[JSON]:
    """Every graded sample, row by row; what a greedy model wrote follows, as a run of its own."""
    head, evidence = record.head, read_evidence(record)
    for label in (head.subject.label, head.subject.label + GREEDY):
        source = Source(label, head.split, 0)
        for row, answers in sorted(evidence.answers.get(source, {}).items()):
            item = evidence.item(head.split, row)
            for answer in answers:
                yield _item(head, evidence, label, item, answer)


def write_items(record: EvalRecord, path: Path) -> int:
    """Write the items to a file, whole or not at all; gives how many there are."""
    count = 0
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for count, item in enumerate(output_items(record), 1):  # noqa: B007 - it is counted
            file.write(json.dumps(item, ensure_ascii=False, allow_nan=False) + "\n")
    partial.replace(path)
    return count


def _item(
    head: EvalHead, evidence: Evidence, label: str, item: Mapping[str, Any], answer: Answer
) -> JSON:
    run = f"evalrun_{head.key}" + ("_greedy" if label.endswith(GREEDY) else "")
    return {
        "object": "eval.run.output_item",
        "id": f"{run}_{answer.row}_{answer.index}",
        "created_at": head.created,
        "run_id": run,
        "eval_id": f"eval_{head.plan.name}",
        "status": "pass" if passes(evidence, answer) else "fail",
        "datasource_item_id": answer.row,
        "datasource_item": {k: v for k, v in item.items() if k != "messages" or v is not None},
        "results": _results(evidence, answer),
        "sample": _sample(head, label, item, answer),
        "reward": answer.reward,
    }


def _results(evidence: Evidence, answer: Answer) -> list[JSON]:
    """Each grader, and each metric that is a pass or a fail; a failed grader has the score 0."""
    found: list[JSON] = []
    for name, settings in evidence.plan.graders.items():
        score = answer.scores.get(name, {})
        value = score.get("value")
        value = float(value) if isinstance(value, int | float) else None
        threshold = settings.get("pass_threshold", 1.0)
        told: JSON = {
            "name": name,
            "type": str(settings.get("type", "")),
            "score": 0.0 if value is None else value,
            "passed": value is not None and value >= threshold,
        }
        for key in ("error", "detail"):
            if score.get(key):
                told[key] = str(score[key])
        found.append(told)
    for name, value in answer.metrics.items():
        score_ = 0.0 if value is None else value
        found.append({"name": name, "type": "metric", "score": score_, "passed": score_ >= 1.0})
    return found


def _sample(head: EvalHead, label: str, item: Mapping[str, Any], answer: Answer) -> JSON:
    messages = item.get("messages") or ()
    error = answer.error or {}
    greedy = label.endswith(GREEDY)
    return {
        "model": label.removesuffix(GREEDY),
        "input": [
            {"role": str(m.get("role", "")), "content": _content(m.get("content"))}
            for m in messages
            if isinstance(m, Mapping)
        ],
        "output": [{"role": "assistant", "content": answer.text}],
        "finish_reason": answer.finish,
        "error": {
            "code": str(error.get("kind") or ""),
            "message": str(error.get("detail") or ""),
        },
        "temperature": 0.0 if greedy else head.plan.response.temperature,
        "top_p": 1.0,
        "seed": head.plan.seed,
        "max_completion_tokens": head.plan.response.max_tokens,
        "usage": {
            "prompt_tokens": 0,
            "completion_tokens": answer.tokens,
            "total_tokens": answer.tokens,
            "cached_tokens": 0,
        },
    }


def _content(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
