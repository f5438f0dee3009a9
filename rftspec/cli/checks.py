"""The checks of `rftspec doctor`: each looks at one thing and says how to mend it.

What needs torch is asked in a process of its own, so that a broken installation is a finding and
not a crash.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

Status = Literal["ok", "note", "wrong"]
NEEDED = ("torch", "transformers", "peft", "bitsandbytes", "RestrictedPython", "lark", "pyyaml")
DISK_FREE = 2 << 30
ENGINE_TIMEOUT_S = 180
_ENGINE = """
import json, torch
out = {"torch": torch.__version__, "threads": torch.get_num_threads(), "gpu": None}
if torch.cuda.is_available():
    card = torch.cuda.get_device_properties(0)
    out["gpu"] = [card.name, card.total_memory, torch.version.cuda, torch.cuda.device_count()]
try:
    import bitsandbytes.functional as F
    device = "cuda" if out["gpu"] else "cpu"
    weight = torch.linspace(-1, 1, 4096, device=device).reshape(64, 64)
    packed, state = F.quantize_4bit(weight, quant_type="nf4")
    out["nf4_error"] = float((F.dequantize_4bit(packed, state) - weight).abs().max())
except Exception as error:
    out["nf4_problem"] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps(out))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `ok`, `note` (fine, but worth knowing) or `wrong`, and the fix."""

    name: str
    status: Status
    told: str
    fix: str | None = None

    def to_json(self) -> dict[str, Any]:
        """For `rftspec doctor --json`."""
        return {"check": self.name, "status": self.status, "told": self.told, "fix": self.fix}


def check_python() -> list[Finding]:
    """The interpreter and the processor."""
    told = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    cores = f", {os.cpu_count()} cores"
    return [Finding("python", "ok", told + cores)]


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
    shown = ", ".join(f"{name} {metadata.version(name)}" for name in NEEDED[:4])
    return [Finding("packages", "ok", shown)]


def check_engine() -> list[Finding]:
    """Torch, the accelerator and bitsandbytes, tried for real."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ENGINE],
            capture_output=True, text=True, timeout=ENGINE_TIMEOUT_S,
        )  # fmt: skip
        told = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        fix = "see what `python -c 'import torch'` is waiting for"
        return [Finding("torch", "wrong", "did not start within three minutes", fix)]
    except (ValueError, IndexError):
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        fix = "install torch again; for a machine without a GPU the CPU build is enough"
        return [Finding("torch", "wrong", last[:200], fix)]
    return [
        Finding("torch", "ok", f"{told['torch']}, {told['threads']} threads"),
        _gpu(told["gpu"]),
        _nf4(told),
    ]


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
    """The memory that the machine has and has left."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return []
    sizes = {key: int(value) for key, value in re.findall(r"(\w+):\s+(\d+) kB", text)}
    total, free = sizes.get("MemTotal", 0), sizes.get("MemAvailable", 0)
    told = f"{free / (1 << 20):.1f} of {total / (1 << 20):.1f} GiB available"
    if free < 2 << 20:
        return [Finding("memory", "note", told, "the demo needs about 2 GiB; close something big")]
    return [Finding("memory", "ok", told)]


def check_shipped() -> list[Finding]:
    """The files that rftspec ships: grammar, specs, the built-in model."""
    from rftspec.resources import resource

    try:
        for parts in (("grammars", "score.lark"), ("specs",), ("models", "case-reader")):
            resource(*parts)
    except FileNotFoundError as error:
        return [Finding("files", "wrong", str(error), "install rftspec again")]
    return [Finding("files", "ok", "grammar, specs and the built-in model are in place")]


CHECKS: dict[str, Callable[[], list[Finding]]] = {
    "python": check_python,
    "packages": check_packages,
    "files": check_shipped,
    "disk": check_disk,
    "memory": check_memory,
    "sandbox": check_sandbox,
    "torch": check_engine,
}


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


def _gpu(card: list[Any] | None) -> Finding:
    if card is not None:
        name, memory, cuda, count = card
        told = f"{count} × {name}, {memory / (1 << 30):.0f} GiB, CUDA {cuda}"
        return Finding("gpu", "ok", told)
    if shutil.which("nvidia-smi"):
        fix = "install the torch build for your driver's CUDA"
        return Finding(
            "gpu", "note", "there is an NVIDIA driver, but this torch cannot use it", fix
        )
    return Finding("gpu", "ok", "none: the built-in models train on the CPU")


def _nf4(told: dict[str, Any]) -> Finding:
    if "nf4_problem" in told:
        fix = "install bitsandbytes 0.50 or newer, or set `model.quantization: none`"
        return Finding("bitsandbytes", "wrong", told["nf4_problem"][:200], fix)
    # The widest gap between NF4's levels is 0.304 of a block's largest weight: half of it at most.
    if told["nf4_error"] > 0.16:
        fix = "install bitsandbytes again"
        return Finding("bitsandbytes", "wrong", "NF4 gives wrong values back", fix)
    return Finding("bitsandbytes", "ok", "NF4 packs and unpacks")
