"""Every setting of the graders that ask a model or a service changes the scores in the record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.effects.table import DROP, Effect, Part
from tests.effects.world import BASE, World, changed, check

ASK = [{"role": "user", "content": "Is this good? {{ sample.output_text }}"}]
TELL = [{"role": "system", "content": "Grade: {{ sample.output_text }}"}, *ASK]
ANSWERS = ("red", "green", "blue", "black", "white", "grey")
BASES: dict[str, dict[str, Any]] = {
    "score_model": {},
    "label_model": {"labels": ["good", "bad", "ugly"], "passing_labels": ["good"]},
    "endpoint": {"type": "endpoint", "url": "{server}/score", "retries": 0},
}
HERE = {"base_url": DROP, "retries": DROP}
FEW = {"max_completion_tokens": 4}
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
JUDGE = {"model": "judge", "input": ASK, "base_url": "{server}", "cache": False, "retries": 0}


def asked(
    kind: str,
    setting: str,
    values: tuple[Any, ...],
    differs: tuple[Part, ...] = ("scores", "requests"),
    beside: dict[str, Any] | None = None,
    **changes: Any,
) -> Effect:
    """A row for a setting of a grader that asks the tests' server."""
    own = {} if kind == "endpoint" else JUDGE
    return Effect(
        f"graders.{kind}.{setting}",
        values,
        differs,
        base={
            "train.steps": 1,
            "train.prompts_per_step": 1,
            "train.samples_per_prompt": len(ANSWERS),
            "evaluate.samples": len(ANSWERS) if differs == ("means",) else 1,
            "data.train": "one.jsonl",
            "data.validation": "other.jsonl",
            "on_error.stop_above": 1,
            "graders": {kind: {"type": kind, **own, **BASES[kind], **changes}},
        },
        beside={f"graders.{kind}.{name}": value for name, value in (beside or {}).items()},
        answers=ANSWERS,
    )


def judge(kind: str) -> tuple[Effect, ...]:
    """The rows that both kinds of judges have."""
    sampling: dict[str, tuple[Any, ...]] = {
        "seed": (1, 2), "temperature": (0.5, 0), "top_p": (0.5,), "max_completion_tokens": (50, 60),
        "max_completions_tokens": (50,), "reasoning_effort": EFFORTS,
    }  # fmt: skip
    return (
        asked(kind, "model", ("other",)),
        asked(kind, "input", (TELL,)),
        *(asked(kind, f"sampling_params.{name}", given) for name, given in sampling.items()),
        asked(kind, "base_url", ("{server}/two",)),
        asked(kind, "api_key_env", ("ONE_KEY", "OTHER_KEY")),
        asked(kind, "local", (True,), beside=HERE, model="./toy", sampling_params=FEW),
        asked(kind, "answer_format", ("text",), ("requests", "scores")),
        asked(kind, "answer_format", ("json_schema",), ("scores",), model="plain"),
        asked(kind, "timeout_s", (0.1,), ("scores",), model="slow"),
        asked(kind, "retries", (1,), ("scores",), model="flaky", concurrency=1),
        asked(kind, "max_tokens_total", (5000,), ("scores", "requests"), concurrency=1),
        asked(kind, "cache", (True,), ("requests",)),
        asked(kind, "pass_threshold", (0.5,), ("means",)),
    )


SCORE_MODEL = (*judge("score_model"), asked("score_model", "range", ([0, 0.1],), ("scores",)))
LABEL_MODEL = (
    *judge("label_model"),
    asked("label_model", "labels", (["good", "bad"],)),
    asked("label_model", "passing_labels", (["bad"], ["good", "ugly"]), ("scores",)),
)
ENDPOINT = (
    asked("endpoint", "url", ("{server}/other/score",)),
    asked("endpoint", "headers", ({"X-Team": "one"}, {"X-Team": "two"})),
    asked(
        "endpoint",
        "headers_env",
        ({"Authorization": "ONE_KEY"}, {"Authorization": "OTHER_KEY"}),
    ),
    asked("endpoint", "range", ([0, 0.5],), ("scores",)),
    asked("endpoint", "timeout_s", (0.1,), ("scores",), url="{server}/slow/score"),
    asked("endpoint", "retries", (1,), ("scores",), url="{server}/flaky/score", concurrency=1),
    asked("endpoint", "pass_threshold", (0.5,), ("means",)),
)
DROPPED = replace(
    asked("endpoint", "url", (), url="{server}/down/score"),
    field="on_error.infrastructure",
    values=("drop",),
    differs=("scores", "learning"),
)
TABLE = (DROPPED, *SCORE_MODEL, *LABEL_MODEL, *ENDPOINT)


@pytest.mark.parametrize("effect", TABLE, ids=str)
def test_changing_a_setting_changes_the_scores(world: World, effect: Effect) -> None:
    check(world, effect)


@pytest.mark.parametrize("kind", BASES)
def test_so_many_questions_are_asked_at_the_same_time(world: World, kind: str) -> None:
    def most(number: int) -> int:
        named = {"url": "{server}/slow/score"} if kind == "endpoint" else {"model": "slow"}
        world.server.most_running = 0
        row = asked(kind, "concurrency", (), concurrency=number, **named)
        world.run(changed(BASE, row.base), ANSWERS)
        return world.server.most_running

    assert most(1) == 1
    assert most(3) in (2, 3)
