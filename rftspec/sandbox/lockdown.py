"""What a worker may ask of the kernel: almost nothing. Limits, Landlock and seccomp by ctypes.

Applied once, after every import and before the first script. Nothing here needs privileges, and
nothing can be undone. Each layer is reported as active or missing; the parent decides whether
what is missing may be. The tables know x86_64 and aarch64; elsewhere seccomp is missing.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Callable

from rftspec.sandbox.protocol import Layer
from rftspec.sandbox.syscalls import filter_program

NOBODY = 65534
CPU_SECONDS = 3600
"""A backstop: the timers of each call are far below, and the parent replaces worn workers."""

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_FILTER = 4, 38, 22, 2
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_ACCESS_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""File-system rights that each version of Landlock's interface knows; later ones know all 16."""
_NET_SINCE, _SCOPE_SINCE = 4, 6


class _Missing(Exception):
    """A layer cannot be had here; the message says why."""


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def lock_down(*, read_fd: int, write_fd: int, memory_mb: int) -> list[Layer]:
    """Apply every layer that this system has, in the order that they need."""
    linux = sys.platform == "linux"
    return [
        _layer("unprivileged user", _drop_user),
        _layer("no new privileges", _no_new_privileges, required=linux),
        _layer("landlock", _landlock),
        _layer("resource limits", lambda: _limits(memory_mb), required=linux),
        _layer("not dumpable", _not_dumpable),
        _layer("seccomp", lambda: _seccomp(read_fd, write_fd), required=linux),
    ]


def _layer(name: str, apply: Callable[[], str], *, required: bool = False) -> Layer:
    try:
        return Layer(name, True, apply(), required)
    except (_Missing, OSError, ValueError) as error:
        return Layer(name, False, str(error), required)


def _drop_user() -> str:
    """Root passes the limit on processes, so it becomes nobody."""
    if os.getuid() != 0 and os.geteuid() != 0:
        return f"uid {os.getuid()}"
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    return f"uid {NOBODY}, dropped from root"


def _no_new_privileges() -> str:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    return "set"


def _not_dumpable() -> str:
    _prctl(_PR_SET_DUMPABLE, 0)
    return "set"


def _limits(memory_mb: int) -> str:
    memory = memory_mb << 20
    for name, value in (
        ("RLIMIT_CPU", CPU_SECONDS),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NOFILE", 0),
        ("RLIMIT_NPROC", 0),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_MEMLOCK", 0),
        ("RLIMIT_AS", memory),
    ):
        limit = getattr(resource, name, None)
        if limit is not None:
            resource.setrlimit(limit, (value, value))
    if sys.platform != "linux":
        raise _Missing("the limit on memory is not enforced on this system")
    return f"{memory_mb} MB of memory, no files, no processes"


def _landlock() -> str:
    """An empty rule set: no path, no TCP, no signals or sockets to the outside."""
    if sys.platform != "linux":
        raise _Missing("Linux only")
    version = _syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        raise _Missing("the kernel has no Landlock, or it is switched off")
    fields = [(1 << _ACCESS_BITS.get(version, 16)) - 1]
    if version >= _NET_SINCE:
        fields.append(0b11)
    if version >= _SCOPE_SINCE:
        fields.append(0b11)
    attributes = struct.pack(f"<{len(fields)}Q", *fields)
    rules = _syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0)
    if rules < 0:
        raise _Missing("no rule set could be made")
    applied = _syscall(_LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)
    if applied != 0:
        raise _Missing("the rule set could not be applied")
    return f"version {version}"


def _seccomp(read_fd: int, write_fd: int) -> str:
    if sys.platform != "linux":
        raise _Missing("Linux only")
    machine = os.uname().machine
    program = filter_program(machine, read_fd, write_fd)
    if program is None:
        raise _Missing(f"no table of system calls for {machine}")
    buffer = ctypes.create_string_buffer(program, len(program))
    wanted = _Filter(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, ctypes.addressof(wanted))
    return f"{len(program) // 8} instructions for {machine}"


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, first: int, second: int = 0) -> None:
    if sys.platform != "linux":
        raise _Missing("Linux only")
    arguments = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    if _libc().prctl(option, *arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result: int = _libc().syscall(ctypes.c_long(number), *converted)
    return result
