"""The system calls of a locked-down worker, as a seccomp filter for x86_64 and aarch64.

An allow-list: reading one descriptor, writing another, memory without the right to execute,
signals, timers, and the end of the process. Looking a path up is answered "no such file", so that
an import that comes late fails as an import does. Everything else ends the process.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping

_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_ERRNO = 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_PROT_EXEC = 4
_X32 = 0x40000000

_PLAIN = (
    "brk", "clock_getres", "clock_gettime", "close", "exit", "exit_group", "futex", "getitimer",
    "getpid", "getrandom", "getrusage", "gettid", "gettimeofday", "madvise", "mremap", "munmap",
    "restart_syscall", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_yield",
    "setitimer", "sigaltstack", "time",
)  # fmt: skip
_LOOK_UPS = (
    "access", "faccessat", "faccessat2", "getcwd", "lstat", "newfstatat", "open", "openat",
    "openat2", "readlink", "readlinkat", "stat", "statx",
)  # fmt: skip

_X86_64 = {
    "access": 21, "brk": 12, "clock_getres": 229, "clock_gettime": 228, "close": 3, "exit": 60,
    "exit_group": 231, "faccessat": 269, "faccessat2": 439, "futex": 202, "getcwd": 79,
    "getitimer": 36, "getpid": 39, "getrandom": 318, "getrusage": 98, "gettid": 186,
    "gettimeofday": 96, "lstat": 6, "madvise": 28, "mmap": 9, "mprotect": 10, "mremap": 25,
    "munmap": 11, "newfstatat": 262, "open": 2, "openat": 257, "openat2": 437, "read": 0,
    "readlink": 89, "readlinkat": 267, "restart_syscall": 219, "rseq": 334, "rt_sigaction": 13,
    "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "setitimer": 38,
    "sigaltstack": 131, "stat": 4, "statx": 332, "time": 201, "write": 1,
}  # fmt: skip
_AARCH64 = {
    "brk": 214, "clock_getres": 114, "clock_gettime": 113, "close": 57, "exit": 93,
    "exit_group": 94, "faccessat": 48, "faccessat2": 439, "futex": 98, "getcwd": 17,
    "getitimer": 102, "getpid": 172, "getrandom": 278, "getrusage": 165, "gettid": 178,
    "gettimeofday": 169, "madvise": 233, "mmap": 222, "mprotect": 226, "mremap": 216,
    "munmap": 215, "newfstatat": 79, "openat": 56, "openat2": 437, "read": 63, "readlinkat": 78,
    "restart_syscall": 128, "rseq": 293, "rt_sigaction": 134, "rt_sigprocmask": 135,
    "rt_sigreturn": 139, "sched_yield": 124, "setitimer": 103, "sigaltstack": 132, "statx": 291,
    "write": 64,
}  # fmt: skip
TABLES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "x86_64": (0xC000003E, _X86_64),
    "aarch64": (0xC00000B7, _AARCH64),
}
"""The audit number of each architecture, and its system calls by name."""


def filter_program(machine: str, read_fd: int, write_fd: int) -> bytes | None:
    """The filter in classic BPF, None for a machine that has no table.

    Filters see numbers and arguments only, never memory, so nothing can change under them.
    """
    if machine not in TABLES:
        return None
    architecture, numbers = TABLES[machine]
    program = [
        _op(_LOAD, k=_ARCHITECTURE),
        _op(_EQUAL, k=architecture, if_true=1),
        _op(_RETURN, k=_KILL),
        _op(_LOAD, k=_NUMBER),
        _op(_AT_LEAST, k=_X32, if_false=1),
        _op(_RETURN, k=_KILL),
    ]
    for name in _PLAIN:
        program += _when(numbers.get(name), [_op(_RETURN, k=_ALLOW)])
    for name in _LOOK_UPS:
        program += _when(numbers.get(name), [_op(_RETURN, k=_ERRNO | errno.ENOENT)])
    program += _when(numbers["read"], _first_argument_is(read_fd))
    program += _when(numbers["write"], _first_argument_is(write_fd))
    program += _when(numbers["mmap"], _not_executable())
    program += _when(numbers["mprotect"], _not_executable())
    program.append(_op(_RETURN, k=_KILL))
    return b"".join(program)


def _op(code: int, *, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, k)


def _when(number: int | None, then: list[bytes]) -> list[bytes]:
    """`then`, which ends in a return, for one system call; nothing where it does not exist."""
    return [] if number is None else [_op(_EQUAL, k=number, if_false=len(then)), *then]


def _argument(index: int) -> int:
    """The offset of an argument's lower half (both machines are little-endian)."""
    return _ARGUMENTS + 8 * index


def _first_argument_is(fd: int) -> list[bytes]:
    return [
        _op(_LOAD, k=_argument(0)),
        _op(_EQUAL, k=fd, if_false=1),
        _op(_RETURN, k=_ALLOW),
        _op(_RETURN, k=_KILL),
    ]


def _not_executable() -> list[bytes]:
    """The third argument of mmap and mprotect is the protection."""
    return [
        _op(_LOAD, k=_argument(2)),
        _op(_BITS, k=_PROT_EXEC, if_false=1),
        _op(_RETURN, k=_ERRNO | errno.EPERM),
        _op(_RETURN, k=_ALLOW),
    ]
