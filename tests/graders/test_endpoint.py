"""endpoint against a real server: what is posted, what is taken for a score, and what is not."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rftspec.graders.remote import retry
from rftspec.graders.remote.post import MAX_BYTES
from rftspec.graders.score import INFRASTRUCTURE, Sample
from tests.graders.fake_server import Action, FakeServer, Seen, serving
from tests.graders.judges import ROW, opened, score, scores


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE_S", 0.02)


def endpoint(server: FakeServer, **changes: Any) -> dict[str, Any]:
    url = f"http://127.0.0.1:{server.port}/grade?v=1"
    return {"type": "endpoint", "url": url, "timeout_s": 5, "retries": 2, **changes}


def answer(value: Any, **action: Any) -> Action:
    return Action(body=json.dumps({"score": value}).encode(), **action)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(lambda seen: answer(0.75)) as running:
        yield running


def test_sample_row_and_trace_id_are_posted(server: FakeServer) -> None:
    with opened(endpoint(server)) as (made, grader):
        found = [made.grade([Sample("é", {"a": 1})], [ROW])[0].scores["g"] for _ in range(2)]
        assert [s.value for s in found] == [0.75, 0.75]
        assert found[0].seconds is not None
        assert grader.usage()["calls"] == 2
    first, second = server.seen
    assert first.path == "/grade?v=1"
    assert first.headers["content-type"] == "application/json"
    assert first.json["sample"]["output_text"] == "é"
    assert first.json["sample"]["output_json"] == {"a": 1}
    assert first.json["item"] == ROW
    assert first.json == second.json


def test_trace_id_differs_between_samples(server: FakeServer) -> None:
    scores(endpoint(server), ["a", "b", "c"])
    assert len({seen.json["trace_id"] for seen in server.seen}) == 3


BAD = {
    "out of range": answer(1.5), "below": answer(-0.1), "text": answer("1"), "true": answer(True),
    "null": answer(None), "list": Action(body=b"[1]"), "bare": Action(body=b"1"),
    "no score": Action(body=b'{"reward": 1}'), "nan": answer(math.nan), "inf": answer(math.inf),
    "big": Action(body=b'{"score": 1' + b"0" * 400 + b"}"), "not json": Action(body=b"1.0!"),
    "empty": Action(body=b""), "deep": Action(body=b"[" * 100_000), "bytes": Action(body=b"\xff"),
    "huge": Action(body=b'{"score": 1}' + b" " * (MAX_BYTES + 1)),
    "zipped": answer(1.0, headers={"Content-Encoding": "gzip"}, status=204),
}  # fmt: skip


@pytest.mark.parametrize("action", BAD.values(), ids=BAD.keys())
def test_answer_that_is_no_score_in_the_range_is_the_graders_fault(action: Action) -> None:
    with serving(lambda seen: action) as server:
        found = score(endpoint(server))
        assert (found.value, found.error) == (None, "other_error")
        assert found.detail
        assert len(server.seen) == 1


@pytest.mark.parametrize("status", [201, 204, 302, 307, 400, 401, 403, 404, 409, 413, 422])
def test_refusal_is_not_tried_again_and_may_not_be_dropped(status: int) -> None:
    action = answer(1.0, status=status, headers={"Location": "/elsewhere"})
    with serving(lambda seen: action) as server:
        found = score(endpoint(server))
        assert found.error == "other_error"
        assert found.error not in INFRASTRUCTURE
        assert [seen.path for seen in server.seen] == ["/grade?v=1"]


PASSING = {
    "500": Action(status=500, body=b"oops"), "429": answer(1.0, status=429),
    "cut": answer(1.0, cut=True),
    "slow": answer(1.0, wait=0.5), "drip": answer(1.0, drip=0.1),
    "503 without end": Action(status=503, body=b"x" * (3 << 20)),
}  # fmt: skip


@pytest.mark.parametrize("failing", PASSING.values(), ids=PASSING.keys())
def test_failure_that_passes_is_tried_again_and_one_that_stays_is_infrastructure(
    failing: Action,
) -> None:
    with serving(lambda seen: failing if seen.number < 2 else answer(0.5)) as server:
        assert score(endpoint(server, timeout_s=0.25)).value == 0.5
    with serving(lambda seen: failing) as server:
        found = score(endpoint(server, timeout_s=0.25))
        assert (found.value, found.error) == (None, "unresponsive_reward_error")
        assert len(server.seen) == 3


def test_dead_endpoint_is_infrastructure() -> None:
    with serving(lambda seen: answer(1.0)) as server:
        settings = endpoint(server)
    began = time.monotonic()
    found = scores(settings, [str(i) for i in range(100)])
    assert {s.error for s in found} == {"unresponsive_reward_error"}
    assert time.monotonic() - began < 5


def test_sample_over_the_limit_is_not_sent_and_its_neighbours_are(server: FakeServer) -> None:
    found = scores(endpoint(server), ["a", "x" * MAX_BYTES, "b"])
    assert [s.value for s in found] == [0.75, None, 0.75]
    assert found[1].error == "other_error"
    assert len(server.seen) == 2


def test_scores_keep_the_order_of_the_samples() -> None:
    def script(seen: Seen) -> Action:
        number = int(seen.json["sample"]["output_text"])
        return answer(number / 20, wait=0.03 * (5 - number % 5))

    with serving(script) as server:
        found = scores(endpoint(server, concurrency=6), [str(i) for i in range(20)])
        assert server.most_running <= 6
    assert [s.value for s in found] == [i / 20 for i in range(20)]


def test_rate_limit_holds_over_all_requests(server: FakeServer) -> None:
    scores(endpoint(server, rate_limit=20, concurrency=8), [str(i) for i in range(11)])
    times = sorted(seen.at for seen in server.seen)
    assert times[-1] - times[0] >= 0.45


def test_secret_header_is_sent_and_appears_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MY_TOKEN", "Bearer hush-hush")
    caplog.set_level(1)

    def script(seen: Seen) -> Action:
        said = seen.headers["authorization"]
        return Action(status=400, body=f"what is {said}? or {said[7:]}".encode())

    with serving(script) as server:
        settings = endpoint(
            server, headers={"X-Team": "blue"}, headers_env={"Authorization": "MY_TOKEN"}
        )
        found = score(settings)
        assert server.seen[0].headers["authorization"] == "Bearer hush-hush"
        assert server.seen[0].headers["x-team"] == "blue"
    assert "hush" not in repr(found) + caplog.text + str(settings)
    assert "[key]" in (found.detail or "")


def test_closing_ends_what_is_being_sent_at_once() -> None:
    with (
        serving(lambda seen: answer(1.0, wait=5.0)) as server,
        opened(endpoint(server, timeout_s=60)) as (made, grader),
    ):
        pending = made.submit([Sample("a")], [ROW])
        while not server.seen:
            time.sleep(0.01)
        began = time.monotonic()
        grader.close()
        assert pending.result()[0].error == "unresponsive_reward_error"
        assert time.monotonic() - began < 2


def test_range_may_be_wider(server: FakeServer) -> None:
    with serving(lambda seen: answer(-3)) as wide:
        assert score(endpoint(wide, range=[-5, 5])).value == -3.0
