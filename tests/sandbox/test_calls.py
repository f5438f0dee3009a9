"""Calls: their time, their limit, calls beside calls that hang, and memory that stays flat."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rftspec.sandbox.pool import CALLS_PER_WORKER, Pool
from rftspec.sandbox.process import Process
from rftspec.sandbox.protocol import Outcome

CONSTANT = "def grade(sample, item):\n    return 0.5"
BUSY = "def grade(sample, item):\n    while True: pass"
STUCK = "import itertools\ndef grade(sample, item):\n    return -1 in itertools.count()"
FORMAT = "from rapidfuzz import fuzz\ndef grade(sample, item):\n    return fuzz.ratio('ab', 'ab')"


def one(pool: Pool, source: str, timeout_s: float | None = None) -> Outcome:
    (outcome,) = pool.grade(source, [({}, {})], timeout_s)
    return outcome


def test_time_limit_of_a_call_reaches_the_worker_that_it_shares_with_others() -> None:
    with Pool(timeout_s=30) as pool:
        assert one(pool, CONSTANT).value == 0.5
        short = one(pool, BUSY, 0.2)
        assert (short.kind, short.detail) == ("timeout", "over its 0.2 s of processor time")
        assert one(pool, CONSTANT, 0.2).value == 0.5
        longer = one(pool, BUSY, 0.6)
        assert longer.detail == "over its 0.6 s of processor time"
        assert short.seconds is not None
        assert longer.seconds is not None
        assert short.seconds >= 0.2
        assert longer.seconds >= 0.6


def test_every_outcome_carries_how_long_it_took() -> None:
    with Pool(timeout_s=0.3) as pool:
        source = (
            "def grade(sample, item):\n"
            "    if item == 1: return 1 / 0\n    if item == 2: return ''\n"
            "    if item == 3:\n        while True: pass\n    return 1.0"
        )
        outcomes = pool.grade(source, [({}, n) for n in range(4)])
        kinds = [outcome.kind for outcome in outcomes]
        assert kinds == ["score", "runtime_error", "invalid_score", "timeout"]
        times = [outcome.seconds for outcome in outcomes]
        assert all(took is not None and took > 0 for took in times)
        assert times[3] is not None
        assert times[0] is not None
        assert times[3] > 0.25 > times[0]
        killed = one(pool, STUCK)
        assert killed.kind == "timeout"
        assert killed.seconds is not None
        assert killed.seconds > 0.3
        assert one(pool, "x = (").seconds == 0.0


def test_call_that_hangs_holds_up_its_own_worker_only() -> None:
    done: list[tuple[str, float]] = []

    def call(source: str, timeout_s: float) -> None:
        outcome = one(pool, source, timeout_s)
        done.append((outcome.kind, time.monotonic()))

    with Pool(2) as pool:
        pool.grade(CONSTANT, [({}, {})] * 130)
        hanging = threading.Thread(target=call, args=(STUCK, 3.0))
        hanging.start()
        for _ in range(20):
            call(CONSTANT, 3.0)
        hanging.join()
    kinds = [kind for kind, _ in sorted(done, key=lambda entry: entry[1])]
    assert kinds == ["score"] * 20 + ["timeout"]


def test_calls_queue_for_the_only_worker_and_all_end() -> None:
    results: list[str] = []
    with Pool(1, timeout_s=0.3) as pool:
        threads = [
            threading.Thread(target=lambda s=source: results.append(one(pool, s).kind))
            for source in (BUSY, CONSTANT, STUCK, CONSTANT)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results) == ["score", "score", "timeout", "timeout"]


def test_worker_has_the_modules_that_a_script_names_and_keeps_them() -> None:
    with Pool() as pool:
        assert one(pool, CONSTANT).value == 0.5
        first = worker_of(pool)
        assert one(pool, FORMAT).value == 100.0
        second = worker_of(pool)
        assert second is not first
        assert one(pool, CONSTANT).value == 0.5
        assert worker_of(pool) is second


def test_pool_is_warmed_with_the_modules_of_its_scripts() -> None:
    with Pool() as pool:
        pool.warm(CONSTANT, FORMAT)
        first = worker_of(pool)
        assert one(pool, FORMAT).value == 100.0
        assert worker_of(pool) is first


def test_worker_that_stands_still_is_killed_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rftspec.sandbox.process.WALL_SLACK_S", 0.5)
    monkeypatch.setattr("rftspec.sandbox.process.COMPILE_S", 0.0)
    with Pool(timeout_s=0.1) as pool:
        assert one(pool, CONSTANT).value == 0.5
        os.kill(worker_of(pool)._popen.pid, signal.SIGSTOP)
        outcome = one(pool, CONSTANT)
        # it stood still before any call: the request is sent again, to a new worker
        assert outcome == Outcome("score", 0.5)


def test_worker_that_closes_its_pipe_is_dead_though_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Pool() as pool:
        pool.layers()
        worker = worker_of(pool)
        monkeypatch.setattr(os, "read", lambda fd, count: b"")
        with pytest.raises(Exception, match=r"closed its pipe|ended"):
            worker.ask({"op": "check", "source": CONSTANT})
        monkeypatch.undo()
        assert worker._popen.poll() is not None, "it was killed and reaped"
        assert one(pool, CONSTANT).value == 0.5


def test_worker_that_dies_compiling_blames_the_script_and_not_the_infrastructure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Pool() as pool:
        pool.layers()

        def die(self: Process, limit: float) -> Any:
            self._mark(-2)
            raise self._died(stuck=False)

        monkeypatch.setattr(Process, "_read", die)
        assert one(pool, CONSTANT).kind == "worker_killed"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_pool_and_worker_stays_flat_over_100_000_calls() -> None:
    source = (
        "import re, json, collections\nseen = collections.defaultdict(list)\n"
        "def grade(sample, item):\n"
        "    f = lambda: f\n    seen['x'].append(f)\n"
        "    m = re.search(r'(\\d+)', sample['output_text'])\n"
        "    return json.loads(m.group(1)) / 10"
    )
    calls = [({"output_text": "answer: 5"}, {"n": n}) for n in range(1000)]
    with Pool() as pool:
        sizes = []
        for _ in range(100):
            assert {outcome.value for outcome in pool.grade(source, calls)} == {0.5}
            sizes.append((resident(os.getpid()), resident(worker_of(pool)._popen.pid)))
    # a worker lives for a quarter of these calls: the ends of the first and last life are alike
    life = CALLS_PER_WORKER // len(calls)
    assert len(sizes) == 4 * life
    for before, after in zip(sizes[life - 1], sizes[-1], strict=True):
        assert after < before + 8_000, sizes
    assert sizes[life - 1][1] < sizes[1][1] + 8_000, sizes


def resident(pid: int) -> int:
    """Kilobytes of memory that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def worker_of(pool: Pool) -> Process:
    worker = pool._slots.get()
    pool._slots.put(worker)
    assert worker is not None
    return worker


def test_corpus_file_is_one_case_a_line() -> None:
    lines = (Path(__file__).parent / "hostile.jsonl").read_text().splitlines()
    assert all(
        set(json.loads(line)) >= {"id", "category", "code", "expect", "why"} for line in lines
    )
