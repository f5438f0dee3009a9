"""The pool: workers that die, hang or lie take only their own call with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from rftspec.sandbox.pool import Pool, SandboxUnavailable
from rftspec.sandbox.process import Process
from rftspec.sandbox.protocol import Layer, Outcome, clean

CONSTANT = "def grade(sample, item):\n    return 0.5"
# a C loop that never looks at signals: only the kernel's timer ends it
STUCK = """
import itertools
def grade(sample, item):
    if sample["stuck"]:
        return -1 in itertools.count()
    return 0.5
"""


def calls(*flags: bool) -> list[tuple[Any, Any]]:
    return [({"stuck": flag}, {}) for flag in flags]


def test_uninterruptible_call_is_named_and_its_neighbours_keep_their_scores(pool: Pool) -> None:
    outcomes = pool.grade(STUCK, calls(False, True, False, True, False))
    assert [o.value for o in outcomes] == [0.5, None, 0.5, None, 0.5]
    assert {o.kind for o in outcomes if o.value is None} == {"timeout"}


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "try:\n        while True: pass\n    except Exception:\n        return 1.0",
        "try:\n        while True: pass\n    finally:\n        return 1.0",
        "try:\n        while True: pass\n    finally:\n        while True: pass",
        "return [1 for x in range(10**9) for y in range(10**9)][0]",
    ],
)
def test_endless_call_times_out_whatever_it_catches(loop: str, pool: Pool) -> None:
    source = f"def grade(sample, item):\n    {loop}\n    return 1.0"
    (outcome,) = pool.grade(source, [({}, {})])
    assert outcome.kind == "timeout"
    assert outcome.value is None


def test_globals_defaults_and_inputs_are_fresh_for_every_call(pool: Pool) -> None:
    source = (
        "seen = []\n"
        "def grade(sample, item, more=[]):\n"
        "    seen.append(1)\n    more.append(1)\n    item['list'].append(1)\n"
        "    return len(seen) + len(more) + len(item['list'])"
    )
    item: dict[str, Any] = {"list": []}
    outcomes = pool.grade(source, [({}, item)] * 5)
    assert [o.value for o in outcomes] == [3.0] * 5
    assert item == {"list": []}


def test_a_batch_of_any_size_keeps_its_order(pool: Pool) -> None:
    source = "def grade(sample, item):\n    return item['n']"
    outcomes = pool.grade(source, [({}, {"n": n}) for n in range(300)])
    assert [o.value for o in outcomes] == [float(n) for n in range(300)]
    assert pool.grade(source, []) == []


def test_two_workers_iterate_sets_in_the_same_order() -> None:
    source = (
        "def grade(sample, item):\n"
        "    order = list({'alpha', 'beta', 'gamma', 'delta', 'eta'})\n"
        "    return float(sum(10 ** i * ord(s[0]) for i, s in enumerate(order)))"
    )
    values = set()
    for _ in range(2):
        with Pool() as fresh:
            values.add(fresh.grade(source, [({}, {})])[0].value)
    assert len(values) == 1


def test_worker_killed_between_batches_is_replaced() -> None:
    with Pool() as pool:
        assert pool.grade(CONSTANT, [({}, {})]) == [Outcome("score", 0.5)]
        os.kill(worker_of(pool)._popen.pid, signal.SIGKILL)
        time.sleep(0.05)
        assert pool.grade(CONSTANT, [({}, {})] * 3) == [Outcome("score", 0.5)] * 3


def test_worker_that_cannot_start_yields_errors_and_no_score(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Pool() as pool:
        outcomes = pool.grade(CONSTANT, [({}, {})] * 2)
        assert {o.kind for o in outcomes} == {"server_error"}
        assert "cannot be compiled" in pool.check(CONSTANT)[0].message


def test_interpreter_that_is_not_there_yields_errors_and_no_score(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with Pool() as pool:
        assert {o.kind for o in pool.grade(CONSTANT, [({}, {})])} == {"server_error"}


@pytest.mark.parametrize(
    "out",
    [
        [["score", "1.0", None, None, 0.1]],
        [["score", None, None, None, 0.1]],
        [["great", 1.0, None, None, 0.1]],
        [["score", 1.0, None, None]],
        [[1.0]],
        ["score"],
        [{}],
        [["score", 1.0, None, None, 0.1]] * 2,
        [],
    ],
)
def test_reply_that_makes_no_sense_is_no_score(
    out: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Pool() as pool:
        pool.layers()
        real = Process._read

        def forged(self: Process, limit: float) -> Any:
            return {**real(self, limit), "out": out}

        monkeypatch.setattr(Process, "_read", forged)
        (outcome,) = pool.grade(CONSTANT, [({}, {})])
        assert outcome.value is None
        assert outcome.kind != "score"
        monkeypatch.undo()
        assert pool.grade(CONSTANT, [({}, {})]) == [Outcome("score", 0.5)]


def test_reply_with_another_nonce_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with Pool() as pool:
        pool.layers()
        real = Process._read
        monkeypatch.setattr(
            Process, "_read", lambda self, limit: {**real(self, limit), "nonce": "0" * 32}
        )
        (outcome,) = pool.grade(CONSTANT, [({}, {})])
        assert outcome.kind in ("server_error", "worker_killed")
        assert outcome.value is None


def test_full_sandbox_refuses_to_run_without_a_required_layer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lacking = (Layer("seccomp", False, "no table of system calls for z80", required=True),)
    monkeypatch.setattr(Process, "layers", property(lambda self: lacking))
    with Pool() as pool, pytest.raises(SandboxUnavailable, match="seccomp"):
        pool.grade(CONSTANT, [({}, {})])
    assert Pool().layers() == lacking, "they can be asked for all the same"


def test_reduced_sandbox_runs_without_a_required_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    with Pool(sandbox="reduced") as pool:
        pool.layers()
        lacking = (Layer("seccomp", False, "not here", required=True),)
        monkeypatch.setattr(Process, "layers", property(lambda self: lacking))
        assert pool.grade(CONSTANT, [({}, {})]) == [Outcome("score", 0.5)]


@pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")
def test_every_layer_holds_on_linux(pool: Pool) -> None:
    missing = [layer for layer in pool.layers() if not layer.active and layer.required]
    assert not missing


def test_input_that_is_not_json_fails_its_own_call_only(pool: Pool) -> None:
    outcomes = pool.grade(CONSTANT, [({}, {}), ({"x": float("nan")}, {}), ({}, {})])
    assert [o.value for o in outcomes] == [0.5, None, 0.5]


def test_lone_surrogates_are_replaced_before_they_enter(pool: Pool) -> None:
    source = "def grade(sample, item):\n    return sample['output_text'] == '?'"
    assert pool.grade(source, [({"output_text": "\ud800"}, {})])[0].value == 1.0


def test_pool_serves_several_threads() -> None:
    results: list[list[Outcome]] = []
    with Pool(2) as pool:
        threads = [
            threading.Thread(target=lambda: results.append(pool.grade(CONSTANT, [({}, {})] * 100)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [[Outcome("score", 0.5)] * 100] * 4


def test_closed_pool_leaves_no_process() -> None:
    pool = Pool()
    pool.layers()
    pid = worker_of(pool)._popen.pid
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_worker_imports_neither_the_trainer_nor_its_environment() -> None:
    code = (
        "import sys, rftspec.sandbox.worker\n"
        "heavy = {'torch', 'numpy', 'transformers', 'lark', 'jsonschema', 'subprocess'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_detail_is_one_printable_capped_line() -> None:
    assert clean("a\nb\x1b[2J\x00\ud800\u202e") == r"a\nb\x1b[2J\x00\ud800\u202e"
    assert len(clean("x" * 10_000)) == 200


def worker_of(pool: Pool) -> Process:
    worker = pool._slots.get()
    pool._slots.put(worker)
    assert worker is not None
    return worker
