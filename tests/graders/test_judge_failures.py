"""Judges that fail: what is tried again, what is not, and that one failure stalls nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rftspec.graders.remote import retry
from rftspec.graders.score import Sample
from tests.graders.fake_server import Action, FakeServer, Seen, error, serving, verdict
from tests.graders.judges import ROW, opened, score, score_model, scores, usage


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE_S", 0.02)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(lambda seen: verdict(0.75)) as running:
        yield running


@pytest.mark.parametrize("status", [401, 403, 404])
def test_answer_that_no_retry_can_change_is_not_retried(status: int) -> None:
    with serving(lambda seen: error(status, "no such thing")) as server:
        found = score(score_model(server.url))
        assert found.error == "model_grader_server_error"
        assert found.detail == f"HTTP {status}: no such thing"
        assert len(server.seen) == 1


def after(failures: int, failing: Action) -> Any:
    return lambda seen: failing if seen.number < failures else verdict(0.5)


PASSING = {
    "500": error(500),
    "503": error(503),
    "429": error(429, headers={"Retry-After": "0.05"}),
    "html": Action(body=b"<html>a proxy's page</html>", headers={"Content-Type": "text/html"}),
    "list": Action(body=b"[]"),
    "no choices": Action(body=b'{"choices": []}'),
    "cut": verdict(0.9, cut=True),
    "slow": verdict(0.9, wait=0.6),
    "dripping": verdict(0.9, drip=0.1),
}


@pytest.mark.parametrize("failing", PASSING.values(), ids=PASSING.keys())
def test_failure_that_passes_is_tried_again(failing: Action) -> None:
    with (
        serving(after(2, failing)) as server,
        opened(score_model(server.url, timeout_s=0.3)) as (made, grader),
    ):
        (graded,) = made.grade([Sample("x")], [ROW])
        assert graded.scores["g"].value == 0.5
        assert (usage(grader)["calls"], usage(grader)["retries"]) == (3, 2)


@pytest.mark.parametrize("failing", PASSING.values(), ids=PASSING.keys())
def test_failure_that_stays_is_one_of_infrastructure(failing: Action) -> None:
    with serving(lambda seen: failing) as server:
        found = score(score_model(server.url, timeout_s=0.3, retries=1))
        assert len(server.seen) == 2
    assert (found.value, found.error) == (None, "model_grader_server_error")
    assert "(2 attempts)" in (found.detail or "")


def test_used_up_quota_is_not_waited_for() -> None:
    with serving(lambda seen: error(429, "pay first", "insufficient_quota")) as server:
        assert score(score_model(server.url)).error == "model_grader_server_error"
        assert len(server.seen) == 1


def test_retry_after_holds_back_every_question() -> None:
    def script(seen: Seen) -> Action:
        if seen.number == 1:
            return error(429, headers={"Retry-After": "0.4"})
        return verdict(0.5, wait=0.05)

    with serving(script) as server:
        texts = [str(i) for i in range(6)]
        assert [s.value for s in scores(score_model(server.url, concurrency=2), texts)] == [0.5] * 6
        times = [seen.at for seen in server.seen]
        # the one that was under way already is answered; nobody else is asked in the meantime
        assert times[3] - times[1] >= 0.35


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-1", None), ("soon", None), (None, None), ("inf", None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert retry.retry_after(header) == seconds


def test_pauses_grow_are_bounded_and_are_a_function_of_question_and_attempt() -> None:
    pauses = [retry.pause("question", attempt) for attempt in range(40)]
    assert pauses == [retry.pause("question", attempt) for attempt in range(40)]
    assert len({retry.pause(f"q{i}", 3) for i in range(50)}) == 50
    for attempt, found in enumerate(pauses):
        whole = min(retry.FIRST_PAUSE_S * 2**attempt, retry.LONGEST_PAUSE_S)
        assert whole / 2 <= found <= whole


def test_huge_reply_is_not_read_to_its_end() -> None:
    with serving(lambda seen: Action(body=b"x" * (6 << 20))) as server:
        found = score(score_model(server.url, retries=0))
    assert found.error == "model_grader_parse_error"
    assert "over 4 MB" in (found.detail or "")


def test_redirect_is_not_followed() -> None:
    with serving(lambda seen: verdict(1.0)) as elsewhere:
        moved = Action(status=307, headers={"Location": f"{elsewhere.url}/chat/completions"})
        with serving(lambda seen: moved) as server:
            assert score(score_model(server.url)).error == "model_grader_server_error"
        assert not elsewhere.seen


def test_dead_server_is_found_out_once_and_not_by_every_sample() -> None:
    with serving(lambda seen: verdict(1.0)) as server:
        url = server.url
    began = time.monotonic()
    found = scores(score_model(url, concurrency=2, retries=3), [str(i) for i in range(200)])
    assert time.monotonic() - began < 5
    assert {s.error for s in found} == {"model_grader_server_error"}
    assert "no connection" in (found[0].detail or "")
    assert "is down" in (found[-1].detail or "")


def test_server_that_comes_back_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "PROBE_S", 0.1)
    first = FakeServer(lambda seen: verdict(0.25))
    port = first.port
    with opened(score_model(first.url, retries=1)) as (made, _):
        assert made.grade([Sample("a")], [ROW])[0].scores["g"].value == 0.25
        first.stop()
        lost = made.grade([Sample("b")], [ROW])[0].scores["g"]
        assert lost.error == "model_grader_server_error"
        second = FakeServer(lambda seen: verdict(0.5), port)
        try:
            time.sleep(0.15)
            assert made.grade([Sample("b")], [ROW])[0].scores["g"].value == 0.5
        finally:
            second.stop()


def test_server_that_comes_back_between_attempts_loses_no_sample() -> None:
    first = FakeServer(lambda seen: verdict(0.25))
    port = first.port
    first.stop()
    second: list[FakeServer] = []
    timer = threading.Timer(0.3, lambda: second.append(FakeServer(lambda s: verdict(0.5), port)))
    timer.start()
    try:
        found = scores(score_model(first.url, retries=8), ["a", "b", "c"])
    finally:
        timer.join()
        second[0].stop()
    assert [s.value for s in found] == [0.5] * 3


def test_scores_keep_the_order_of_the_samples_whatever_the_order_of_answers() -> None:
    def script(seen: Seen) -> Action:
        number = int(seen.said)
        return verdict(number / 100, wait=0.05 * (7 - number % 8))

    with serving(script) as server:
        found = scores(score_model(server.url, concurrency=8), [str(i) for i in range(32)])
        assert [s.value for s in found] == [i / 100 for i in range(32)]
        assert 2 <= server.most_running <= 8


def test_one_slow_answer_stalls_nobody_else() -> None:
    def script(seen: Seen) -> Action:
        return verdict(1.0, wait=3.0) if seen.said == "slow" else verdict(0.5)

    with serving(script) as server:
        began = time.monotonic()
        texts = ["first", "slow", *(str(i) for i in range(20))]
        found = scores(score_model(server.url, timeout_s=0.5, retries=0, concurrency=2), texts)
        assert time.monotonic() - began < 2.5
    assert [s.value for s in found] == [0.5, None, *[0.5] * 20]
    assert "no answer within 0.5 s" in (found[1].detail or "")


def test_closing_ends_what_is_being_asked_at_once() -> None:
    with serving(lambda seen: verdict(1.0, wait=5.0)) as server:
        with opened(score_model(server.url, timeout_s=60)) as (made, grader):
            pending = made.submit([Sample("a"), Sample("b")], [ROW, ROW])
            while not server.seen:
                time.sleep(0.01)
            began = time.monotonic()
            grader.close()
            found = [g.scores["g"] for g in pending.result()]
            assert time.monotonic() - began < 2
        server.script = lambda seen: verdict(1.0)
    assert {s.error for s in found} == {"model_grader_server_error"}


def test_closed_grader_gives_errors_and_no_scores(server: FakeServer) -> None:
    with opened(score_model(server.url)) as (made, grader):
        grader.close()
        assert made.grade([Sample("a")], [ROW])[0].error == "model_grader_server_error"
    assert not server.seen


def test_token_budget_ends_asking_in_the_order_of_the_samples() -> None:
    with serving(lambda seen: verdict(0.5, tokens=(100, 100), wait=0.02)) as server:
        settings = score_model(
            server.url, max_tokens_total=1000, concurrency=8,
            sampling_params={"max_completion_tokens": 150},
        )  # fmt: skip
        runs = [scores(settings, [str(i) for i in range(20)]) for _ in range(3)]
    for found in runs:
        asked = [s.value is not None for s in found]
        assert asked == [True] * 5 + [False] * 15
        assert found[-1].error == "model_grader_server_error"
        assert found[-1].detail == "the token budget is used up: 1,000 of 1,000 tokens"


def test_budget_counts_a_request_of_unknown_cost() -> None:
    with serving(lambda seen: verdict(0.5, wait=1.0)) as server:
        settings = score_model(
            server.url, max_tokens_total=1000, timeout_s=0.1, retries=1,
            sampling_params={"max_completion_tokens": 400},
        )  # fmt: skip
        found = scores(settings, ["a", "b", "c"])
    assert "no answer" in (found[0].detail or "")
    assert "budget" in (found[-1].detail or "")
