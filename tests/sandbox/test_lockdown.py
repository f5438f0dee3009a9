"""What a locked-down process can still do: compute, and answer on its own descriptor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from rftspec.sandbox.syscalls import TABLES, filter_program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")

SET_UP = """
import ctypes, mmap, os, resource, signal, socket, sys, time
from rftspec.sandbox.lockdown import lock_down
libc = ctypes.CDLL(None, use_errno=True)
layers = lock_down(read_fd=0, write_fd=1, memory_mb=512)
def say(value):
    os.write(1, str(value).encode())
"""


def locked(code: str) -> tuple[int, str]:
    """Return code and output of code run in a locked-down process."""
    done = subprocess.run(
        [sys.executable, "-c", SET_UP + code], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "code",
    [
        "open('/etc/hostname')",
        "open('/proc/self/environ')",
        "os.listdir('/')",
        "os.stat('/etc/passwd')",
        "open('/tmp/rftspec_pwned', 'w')",
    ],
)
def test_no_path_exists(code: str) -> None:
    told = f"try:\n    {code}\n    say('open')\nexcept FileNotFoundError:\n    say('none')\n"
    assert locked(told) == (0, "none")


@pytest.mark.parametrize(
    "code",
    [
        "socket.socket()",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 9)",
        "os.write(2, b'x')",
        "os.read(5, 1)",
        "os.pipe()",
        "os.dup(1)",
        "os.unlink('/tmp/x')",
        "os.setuid(0)",
        "libc.prctl(22, 0, 0, 0, 0)",
        "libc.ptrace(0, 0, 0, 0)",
        "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "time.sleep(0.01)",
    ],
)
def test_forbidden_system_call_ends_the_process(code: str) -> None:
    status, output = locked(f"say('before')\n{code}\nsay('after')\n")
    assert output == "before"
    assert status == -signal.SIGSYS


def test_memory_cannot_be_made_executable() -> None:
    code = "try:\n    mmap.mmap(-1, 4096, prot=4 | 1)\nexcept OSError as e:\n    say(e.errno)\n"
    assert locked(code) == (0, "1")


def test_memory_is_limited() -> None:
    code = "try:\n    bytearray(2 << 30)\nexcept MemoryError:\n    say('limit')\n"
    assert locked(code) == (0, "limit")


def test_arithmetic_clocks_and_timers_work() -> None:
    code = (
        "signal.setitimer(signal.ITIMER_PROF, 10)\nsignal.setitimer(signal.ITIMER_PROF, 0)\n"
        "say(sum(range(1000)) + int(time.time() > 0) + len('x' * 10 ** 7))\n"
    )
    assert locked(code) == (0, str(499500 + 1 + 10**7))


def test_every_layer_is_told_and_root_is_dropped() -> None:
    code = "say([(l.name, l.active) for l in layers if not l.active] or os.getpid() > 0)\n"
    assert locked(code) == (0, "True")
    if os.getuid() == 0:
        status, output = locked("say([l.note for l in layers][0])\n")
        assert (status, output) == (0, "uid 65534, dropped from root")


def test_filter_exists_for_both_architectures_and_no_other() -> None:
    for machine in ("x86_64", "aarch64"):
        program = filter_program(machine, 3, 4)
        assert program is not None
        assert len(program) % 8 == 0
        assert len(program) // 8 < 200
    assert filter_program("riscv64", 3, 4) is None


def test_every_allowed_number_is_unique_in_its_table() -> None:
    for _architecture, numbers in TABLES.values():
        assert len(set(numbers.values())) == len(numbers)
