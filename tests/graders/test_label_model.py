"""label_model: the judge chooses from the labels, and only a passing one counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graders.fake_server import Seen, chat, error, serving, verdict
from tests.graders.judges import label_model, score, scores


def test_passing_label_is_one_and_every_other_label_is_zero() -> None:
    with serving(lambda seen: verdict(seen.said)) as server:
        settings = label_model(server.url, passing_labels=["good", "poor"])
        found = scores(settings, ["good", "poor", "bad"])
    assert [s.value for s in found] == [1.0, 1.0, 0.0]


def test_judge_is_held_to_the_labels() -> None:
    with serving(lambda seen: verdict("good")) as server:
        score(label_model(server.url))
        schema = server.seen[0].json["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["result"] == {"type": "string", "enum": ["good", "poor", "bad"]}


@pytest.mark.parametrize(
    "result", ["great", "Good", "good ", "", 1, 1.0, True, None, ["good"], {"good": 1}]
)
@pytest.mark.parametrize("way", ["json_schema", "text"])
def test_label_outside_the_list_has_no_score(result: Any, way: str) -> None:
    with serving(lambda seen: verdict(result)) as server:
        found = score(label_model(server.url, answer_format=way))
    assert (found.value, found.error) == (None, "model_grader_parse_error")


def test_bare_label_is_not_a_verdict() -> None:
    with serving(lambda seen: chat("good")) as server:
        assert score(label_model(server.url)).error == "model_grader_parse_error"


def test_judge_without_schemas_is_told_the_labels() -> None:
    def script(seen: Seen) -> Any:
        return error(422) if "response_format" in seen.json else verdict("good")

    with serving(script) as server:
        assert score(label_model(server.url)).value == 1.0
        assert '`result` is one of "good", "poor", "bad".' in server.seen[1].said


def test_refusals_and_dead_servers_do_not_pay() -> None:
    with serving(lambda seen: chat(None, refusal="no")) as server:
        assert score(label_model(server.url)).error == "model_grader_refusal_error"
        url = server.url
    assert score(label_model(url, retries=0)).error == "model_grader_server_error"
