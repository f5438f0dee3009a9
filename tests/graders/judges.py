"""Judges in tests: settings with short pauses, and one way to grade texts with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rftspec.expr.types import NUMBER, STRING, ListOf, RecordOf
from rftspec.graders.grading import GraderSet
from rftspec.graders.remote.judging import JudgeGrader
from rftspec.graders.score import Sample, Score
from rftspec.graders.services import Services

ITEM = RecordOf({"answer": STRING, "n": NUMBER, "list": ListOf(STRING)})
ROW = {"answer": "Blue", "n": 2, "list": ["x"]}
INPUT = [
    {"role": "system", "content": "You grade answers."},
    {"role": "user", "content": "{{ sample.output_text }}"},
]


def score_model(url: str = "http://127.0.0.1:9/v1", **changes: Any) -> dict[str, Any]:
    """A score_model grader that asks a server of a test; a change to None leaves a setting out."""
    settings: dict[str, Any] = {
        "type": "score_model", "model": "judge", "input": INPUT, "base_url": url, "timeout_s": 5,
        "retries": 2, "cache": False,
    }  # fmt: skip
    settings.update(changes)
    return {name: value for name, value in settings.items() if value is not None}


def label_model(url: str = "http://127.0.0.1:9/v1", **changes: Any) -> dict[str, Any]:
    """A label_model grader in the same way."""
    labels = {"type": "label_model", "labels": ["good", "poor", "bad"], "passing_labels": ["good"]}
    return score_model(url, **{**labels, **changes})


@contextmanager
def opened(
    settings: Mapping[str, Any], services: Services | None = None
) -> Iterator[tuple[GraderSet, Any]]:
    """A set with one grader, and the grader."""
    made = GraderSet.from_json(
        {"g": settings}, "clamp(1 - g, -9, 9)", {}, ITEM, None, services=services
    )
    with made:
        yield made, made.graders["g"]


def scores(
    settings: Mapping[str, Any], texts: Sequence[str], services: Services | None = None
) -> list[Score]:
    """The grader's scores of some answers; a failed one never pays."""
    with opened(settings, services) as (made, _):
        graded = made.grade([Sample(text) for text in texts], [ROW] * len(texts))
        for one in graded:
            if one.scores["g"].value is None:
                assert one.reward == made.reward_range[0]
                assert one.error == one.scores["g"].error
    return [one.scores["g"] for one in graded]


def score(settings: Mapping[str, Any], text: str = "an answer", **more: Any) -> Score:
    """The grader's score of one answer."""
    return scores(settings, [text], **more)[0]


def usage(grader: JudgeGrader) -> dict[str, int]:
    """What asking has cost."""
    return grader.usage()
