"""Judges behind `transformers serve`: a real OpenAI-compatible server, killed and started again.

It takes `response_format` and does not follow it, which is one of the cases.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rftspec.graders.remote import retry
from rftspec.graders.score import Sample
from rftspec.resources import resource
from tests.graders.judges import ROW, label_model, opened, score_model, scores
from tests.speaking import make_speaking_judge

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
START_SECONDS = 120
SERVE = "from transformers.cli.transformers import app; app()"


class Served:
    """A model behind `transformers serve`, on a port that stays the same over restarts."""

    def __init__(self, model: Path, log: Path) -> None:
        self.model = str(model)
        self._log = log
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The `base_url` of judges."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Begin to start; `wait` until it answers."""
        words = ["serve", self.model, "--host", "127.0.0.1", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE, *words, "--device", "cpu"],
                stdout=log, stderr=log,
                env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
            )  # fmt: skip

    def wait(self) -> None:
        """Wait until it answers, or skip the test and say why it does not."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        self.kill()
        pytest.skip(f"`transformers serve` does not start: {self._log.read_text()[-500:]}")

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A judge whose every reply is the verdict 0.25."""
    folder = tmp_path_factory.mktemp("served")
    model = make_speaking_judge(folder / "judge", '{"steps": [], "result": 0.25}')
    served = Served(model, folder / "log")
    served.start()
    served.wait()
    yield served
    served.kill()


def judged(served: Served, **changes: Any) -> dict[str, Any]:
    sampling = {"temperature": 0, "max_completion_tokens": 40}
    settings = {"model": served.model, "timeout_s": 60, "sampling_params": sampling, **changes}
    return score_model(served.url, **settings)


def test_verdicts_come_from_a_real_server(speaking: Served) -> None:
    with opened(judged(speaking)) as (made, grader):
        graded = made.grade([Sample(t) for t in "abc"], [ROW] * 3)
        assert [g.scores["g"].value for g in graded] == [0.25] * 3
        used = grader.usage()
        assert (used["calls"], used["retries"]) == (3, 0)
        assert used["prompt_tokens"] > 0
        assert used["completion_tokens"] > 0


def test_model_that_the_server_does_not_have_is_not_paid(speaking: Served) -> None:
    (found,) = scores(judged(speaking, model="nobody/nothing"), ["a"])
    assert (found.value, found.error) == (None, "other_error")
    assert "nobody/nothing" in (found.detail or "")


def test_server_that_is_killed_and_comes_back_loses_no_sample(
    speaking: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(judged(speaking, retries=12, concurrency=2)) as (made, grader):
        pending = made.submit([Sample(str(i)) for i in range(30)], [ROW] * 30)
        while grader.usage()["calls"] < 5:
            time.sleep(0.01)
        speaking.kill()
        speaking.start()
        graded = pending.result()
        assert [g.scores["g"].value for g in graded] == [0.25] * 30
        assert grader.usage()["retries"] > 0
        speaking.wait()


def test_server_that_stays_away_pays_nothing(
    speaking: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE_S", 0.05)
    speaking.kill()
    try:
        found = scores(judged(speaking, retries=2), ["a", "b", "c"])
        assert {s.error for s in found} == {"model_grader_server_error"}
    finally:
        speaking.start()
        speaking.wait()


def test_built_in_model_is_asked_in_words_and_still_gives_no_verdict(tmp_path: Path) -> None:
    served = Served(resource("models", "case-reader"), tmp_path / "log")
    served.start()
    try:
        served.wait()
        with opened(judged(served)) as (made, grader):
            (graded,) = made.grade([Sample("a")], [ROW])
            assert graded.scores["g"].error == "model_grader_parse_error"
            assert graded.reward == made.reward_range[0]
            # once with `response_format`, which it lets pass, and once in words
            assert grader.usage()["calls"] == 2
        labelled = label_model(served.url, model=served.model, answer_format="text")
        (found,) = scores(labelled, ["a"])
        assert found.error == "model_grader_parse_error"
    finally:
        served.kill()
