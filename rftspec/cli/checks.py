"""The checks of `rftspec doctor`: each looks at one thing and says how to mend it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

from rftspec.cli.checks_engine import check_engine
from rftspec.cli.checks_hub import check_hub
from rftspec.cli.finding import Finding

NEEDED = ("torch", "transformers", "peft", "bitsandbytes")
"""Named with their versions."""
PYTHON = (3, 11)
DISK_FREE = 2 << 30
MEMORY_FREE = 2 << 30
MEMINFO = Path("/proc/meminfo")
CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where a container's memory limit stands, in version 2 and 1."""
OWN_EXTRAS = frozenset({"dev", "rebuild"})
"""For those who work on rftspec itself."""
SLOW = ("torch", "hub")
"""Checks that wait for others; they are begun first, and --quick leaves them out."""


def check_python() -> list[Finding]:
    """The interpreter and the processor."""
    version = ".".join(map(str, sys.version_info[:3]))
    told = f"{version} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    if sys.version_info[:2] < PYTHON:
        fix = f"make an environment with Python {PYTHON[0]}.{PYTHON[1]} or newer"
        return [Finding("python", "wrong", told, fix)]
    return [Finding("python", "ok", told)]


def check_packages() -> list[Finding]:
    """The packages that rftspec stands on: there, and in the ranges that it asks for."""
    wrong = []
    for line in metadata.requires("rftspec") or ():
        name, extra = re.split(r"[<>=!~ ;\[]", line, maxsplit=1)[0], "extra ==" in line
        if extra:
            continue
        problem = _version_problem(name, line)
        if problem:
            wrong.append(problem)
    if wrong:
        fix = "install rftspec again into a clean environment: `pip install rftspec`"
        return [Finding("packages", "wrong", "; ".join(wrong), fix)]
    shown = ", ".join(f"{name} {metadata.version(name)}" for name in NEEDED)
    return [Finding("packages", "ok", shown)]


def check_extras() -> list[Finding]:
    """Packages that some graders, data formats and trackers need; a plain installation has none."""
    extras: dict[str, list[str]] = {}
    for line in metadata.requires("rftspec") or ():
        extra = re.search(r"extra == ['\"]([^'\"]+)", line)
        if extra and extra.group(1) not in OWN_EXTRAS:
            name = re.split(r"[<>=!~ ;\[]", line, maxsplit=1)[0]
            problem = _version_problem(name, line)
            extras.setdefault(extra.group(1), []).extend([problem] if problem else [])
    there = [name for name, problems in extras.items() if not problems]
    lacking = [name for name, problems in extras.items() if problems]
    told = ", ".join(there) or "none"
    if lacking:
        told += f"; not here: {', '.join(lacking)}"
        fix = f"where a spec needs one: pip install 'rftspec[{','.join(lacking)}]'"
        return [Finding("extras", "ok", told, fix)]
    return [Finding("extras", "ok", told)]


def check_sandbox() -> list[Finding]:
    """The layers that hold Python graders in, as this machine offers them."""
    from rftspec.sandbox.pool import Pool

    with Pool(sandbox="reduced") as pool:  # the full one refuses to start where a layer lacks
        problems = pool.check("def grade(sample, item):\n    return 1.0\n")
        layers = pool.layers()
    missing = [layer for layer in layers if not layer.active]
    if problems:
        return [Finding("sandbox", "wrong", problems[0].message, "use `--sandbox reduced`")]
    held = ", ".join(layer.name for layer in layers if layer.active)
    if missing:
        lacking = ", ".join(f"{layer.name} ({layer.note})" for layer in missing)
        told = f"held in by {held}; missing: {lacking}"
        if any(layer.required for layer in missing):
            fix = "use `--sandbox reduced` for graders that you trust, or another machine"
            return [Finding("sandbox", "wrong", told, fix)]
        return [Finding("sandbox", "note", told)]
    return [Finding("sandbox", "ok", f"a Python grader compiles; held in by {held}")]


def check_disk() -> list[Finding]:
    """Room and the right to write where runs go."""
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    told = f"{free / (1 << 30):.1f} GiB free in {here}"
    try:
        with tempfile.TemporaryDirectory(dir=here):
            pass
    except OSError as error:
        fix = "run in a folder that you may write to, or give `--out FOLDER`"
        return [Finding("disk", "wrong", f"{here}: {error.strerror}", fix)]
    if free < DISK_FREE:
        return [Finding("disk", "note", told, "free some space: checkpoints and samples need room")]
    return [Finding("disk", "ok", told)]


def check_memory() -> list[Finding]:
    """The memory that the machine, or the container, has and has left."""
    try:
        text = MEMINFO.read_text(encoding="ascii")
    except OSError:
        return []
    sizes = {key: int(value) << 10 for key, value in re.findall(r"(\w+):\s+(\d+) kB", text)}
    total, free = sizes.get("MemTotal", 0), sizes.get("MemAvailable", 0)
    told = f"{free / (1 << 30):.1f} of {total / (1 << 30):.1f} GiB available"
    limit = _container_limit()
    if limit is not None and limit < total:
        told += f"; this container may use {limit / (1 << 30):.1f} GiB"
        free = min(free, limit)
    if free < MEMORY_FREE:
        return [Finding("memory", "note", told, "the demo needs about 2 GiB; close something big")]
    return [Finding("memory", "ok", told)]


def _container_limit() -> int | None:
    """Bytes that a control group allows; None where there is no limit to be read."""
    for path in CGROUP_LIMITS:
        try:
            return int(path.read_text(encoding="ascii"))
        except (OSError, ValueError):  # `max` where there is none
            continue
    return None


def check_shipped() -> list[Finding]:
    """The files that rftspec ships: grammar, specs, the built-in models."""
    from rftspec.resources import resource

    try:
        models = (("models", "case-reader"), ("models", "toy"))
        for parts in (("grammars", "score.lark"), ("specs",), *models):
            resource(*parts)
    except FileNotFoundError as error:
        return [Finding("files", "wrong", str(error), "install rftspec again")]
    return [Finding("files", "ok", "grammar, specs and the built-in models are in place")]


CHECKS: dict[str, Callable[[], list[Finding]]] = {
    "python": check_python,
    "packages": check_packages,
    "extras": check_extras,
    "files": check_shipped,
    "disk": check_disk,
    "memory": check_memory,
    "sandbox": check_sandbox,
    "torch": check_engine,
    "hub": check_hub,
}


def examine_all(names: Sequence[str]) -> Iterator[list[Finding]]:
    """The findings of each check, in this order; slow checks run beside the others."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(SLOW)) as pool:
        begun = {name: pool.submit(examine, name) for name in names if name in SLOW}
        for name in names:
            yield begun[name].result() if name in begun else examine(name)


def examine(check: str) -> list[Finding]:
    """Run one check; whatever it raises becomes its finding."""
    try:
        return CHECKS[check]()
    except Exception as error:
        told = f"the check itself failed: {type(error).__name__}: {error}"
        return [
            Finding(check, "wrong", told[:300], "please report this with `rftspec doctor --json`")
        ]


def _version_problem(name: str, requirement: str) -> str | None:
    """`lark 0.9 (needs >=1.2,<2)`, or that it is missing; None when it fits."""
    ranges = re.findall(r"(>=|<)\s*([\d.]+)", requirement.split(";")[0])
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is not installed"
    have = _release(version)
    fits = all(
        have >= _release(bound) if sign == ">=" else have < _release(bound)
        for sign, bound in ranges
    )
    asked = ",".join(sign + bound for sign, bound in ranges)
    return None if fits else f"{name} {version} (needs {asked})"


def _release(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in (match.group(0) if match else "0").split("."))
