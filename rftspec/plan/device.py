"""The device that a run would use, asked without torch: its name, its memory, its speed.

A GPU is asked through NVML, the driver's own library, and only where torch was built for CUDA. The
memory of a CPU is what the kernel and the process's control group leave.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rftspec.plan.machine import cores

CPU_FLOPS_PER_CORE = 4e10
"""Multiply-adds of a current x86 core in fp32 as torch reaches them, counted as two each."""
CPU_BYTES_PER_SECOND = 2e10
GPU_BYTES_SHARE = 0.6
"""Of a card's bandwidth, what one decoding step reaches."""
GPU_FLOPS_SHARE = 0.35
"""Of a card's bfloat16 peak, what training reaches."""
# Dense bfloat16 FLOP/s and bytes/s from the makers' data sheets; T4 in float16.
_CARDS = (
    ("B200", 2250e12, 8.0e12), ("NVIDIA H200", 989e12, 4.8e12), ("GH200", 989e12, 4.0e12),
    ("NVIDIA H100", 989e12, 3.35e12),
    ("A100", 312e12, 2.0e12), ("L40S", 362e12, 0.864e12), ("L4", 121e12, 0.3e12),
    ("A10G", 70e12, 0.6e12), ("A10", 125e12, 0.6e12), ("T4", 65e12, 0.32e12),
    ("5090", 210e12, 1.79e12), ("4090", 165e12, 1.01e12), ("3090", 71e12, 0.936e12),
    ("V100", 112e12, 0.9e12), ("A6000", 155e12, 0.768e12),
)  # fmt: skip
_UNKNOWN_CARD = (70e12, 0.6e12)


@dataclass(frozen=True, slots=True)
class Device:
    """Where a run would compute."""

    kind: Literal["cpu", "cuda"]
    name: str
    total: int | None
    """Bytes of memory; None where it cannot be asked."""
    free: int | None
    """Bytes that are free now."""
    flops: float
    """Sustained operations per second in training."""
    bandwidth: float
    """Sustained bytes per second from its memory."""

    @property
    def key(self) -> str:
        """Equal for devices of equal speed: what measurements are kept by."""
        return f"{self.kind}:{self.name}"


def find_device(wanted: Literal["cpu", "cuda", "auto"]) -> Device:
    """The device that `device:` of a spec means on this machine."""
    card = None if wanted == "cpu" or not _torch_has_cuda() else _first_card()
    if card is None:
        return _cpu()
    name, total, free = card
    flops, bandwidth = next(
        ((f, b) for part, f, b in _CARDS if re.search(rf"\b{part}\b", name)), _UNKNOWN_CARD
    )
    return Device("cuda", name, total, free, flops * GPU_FLOPS_SHARE, bandwidth * GPU_BYTES_SHARE)


def _cpu() -> Device:
    count = cores()
    total, free = _memory()
    return Device(
        "cpu",
        f"{_processor()}, {count} {'core' if count == 1 else 'cores'}",
        total,
        free,
        CPU_FLOPS_PER_CORE * count,
        CPU_BYTES_PER_SECOND,
    )


def _processor() -> str:
    """The processor's name as its maker gives it, without the ornaments."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.machine() or "cpu"
    found = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    if found is None:
        return platform.machine() or "cpu"
    name = re.sub(r"\((R|TM)\)|\bCPU\b|\bProcessor\b|@.*$", "", found.group(1))
    return " ".join(name.split())


def _memory() -> tuple[int | None, int | None]:
    """Bytes of main memory, and those that are free, within the limits of the control group."""
    facts = _meminfo()
    total = facts.get("MemTotal") or _sysconf()
    free = facts.get("MemAvailable")
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        ),
    ):
        most, now = _number(limit), _number(used)
        if most is not None and total is not None and most < total:
            total = most
            left = most - (now or 0)
            free = left if free is None else min(free, left)
    return total, free


def _meminfo() -> dict[str, int]:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    found = (re.match(r"(\w+):\s+(\d+) kB", line) for line in lines)
    return {match.group(1): 1024 * int(match.group(2)) for match in found if match}


def _sysconf() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _torch_has_cuda() -> bool:
    """Whether the installed torch was built for CUDA: read from its version file, not imported."""
    found = importlib.util.find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return False
    try:
        text = Path(found.submodule_search_locations[0], "version.py").read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(r"^cuda(?::[^=]*)?\s*=\s*['\"]", text, flags=re.MULTILINE) is not None


class _Memory(ctypes.Structure):
    """NVML's nvmlMemory_t."""

    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


def _first_card() -> tuple[str, int, int] | None:
    """Name, bytes and free bytes of the first card that CUDA would see; None without one."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    first = "0" if seen is None else seen.split(",")[0].strip()
    if not first or first == "-1":
        return None
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    if nvml.nvmlInit_v2() != 0:
        return None
    try:
        handle = ctypes.c_void_p()
        if first.isdigit():
            code = nvml.nvmlDeviceGetHandleByIndex_v2(int(first), ctypes.byref(handle))
        else:
            code = nvml.nvmlDeviceGetHandleByUUID(first.encode(), ctypes.byref(handle))
        name, memory = ctypes.create_string_buffer(96), _Memory()
        if code or nvml.nvmlDeviceGetName(handle, name, 96):
            return None
        if nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)):
            return None
        return name.value.decode("utf-8", "replace"), memory.total, memory.free
    finally:
        nvml.nvmlShutdown()
