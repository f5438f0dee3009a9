"""Torch, the GPU and bitsandbytes, tried for real in a process of their own.

A broken installation is a finding that way, and not a crash.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import Any

from rftspec.cli.finding import Finding

TIMEOUT_S = 180
NVIDIA_TIMEOUT_S = 10
NF4_GAP = 0.16
"""The widest gap between NF4's levels is 0.304 of a block's largest weight: half of it at most."""
FREE_SHARE = 0.8
"""Of a card's memory: below it somebody else is at work there."""
PROGRAM = """
import json, time
began = time.perf_counter()
import torch
out = {"torch": torch.__version__, "threads": torch.get_num_threads(), "gpu": None,
       "built_for": torch.version.cuda, "seconds": time.perf_counter() - began}
try:
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        free, total = torch.cuda.mem_get_info(0)
        out["gpu"] = {"name": card.name, "free": free, "total": total,
                      "count": torch.cuda.device_count(), "bf16": card.major >= 8}
        (torch.ones(64, 64, device="cuda") @ torch.ones(64, 64, device="cuda")).sum().item()
except Exception as error:
    out["gpu_problem"] = f"{type(error).__name__}: {error}"
try:
    import bitsandbytes.functional as F
    device = "cuda" if out["gpu"] and "gpu_problem" not in out else "cpu"
    weight = torch.linspace(-1, 1, 4096, device=device).reshape(64, 64)
    packed, state = F.quantize_4bit(weight, quant_type="nf4")
    out["nf4_error"] = float((F.dequantize_4bit(packed, state) - weight).abs().max())
    out["nf4_device"] = device
except Exception as error:
    out["nf4_problem"] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps(out))
"""


def check_engine() -> list[Finding]:
    """Torch, the accelerator and bitsandbytes, tried for real."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S,
        )  # fmt: skip
        told = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        fix = "see what `python -c 'import torch'` is waiting for"
        return [Finding("torch", "wrong", f"did not start within {TIMEOUT_S} s", fix)]
    except (ValueError, IndexError):
        last = (done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"])[-1]
        fix = "install torch again; for a machine without a GPU the CPU build is enough"
        return [Finding("torch", "wrong", last[:200], fix)]
    return engine_findings(told, driver())


def engine_findings(told: dict[str, Any], driver_version: str | None) -> list[Finding]:
    """What the program's answer means, beside the NVIDIA driver that is there, if one is."""
    build = f"built for CUDA {told['built_for']}" if told.get("built_for") else "CPU build"
    seconds = f"starts in {told.get('seconds', 0.0):.1f} s"
    torch = f"{told['torch']}, {build}, {told['threads']} threads, {seconds}"
    return [Finding("torch", "ok", torch), _gpu(told, driver_version), _nf4(told)]


def driver() -> str | None:
    """The version of the NVIDIA driver; None where there is none that answers."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "--query-gpu=driver_version", "--format=csv,noheader"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=NVIDIA_TIMEOUT_S,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError):
        return None
    version = re.search(r"\d+\.\d+", done.stdout)
    return version.group(0) if done.returncode == 0 and version else None


def _gpu(told: dict[str, Any], driver_version: str | None) -> Finding:
    card = told.get("gpu")
    if "gpu_problem" in told:
        fix = "restart what holds the card, or update its driver; `device: cpu` goes without it"
        return Finding("gpu", "wrong", told["gpu_problem"][:200], fix)
    if card is not None:
        return _card(card, told, driver_version)
    if driver_version is not None:
        what = f"driver {driver_version} is there, but this torch cannot use it"
        if told.get("built_for"):
            fix = f"update the driver to one for CUDA {told['built_for']}, or take an older torch"
        else:
            fix = "install a torch built for CUDA (this one is for the CPU): https://pytorch.org"
        return Finding("gpu", "note", what, fix)
    return Finding("gpu", "ok", "none: the built-in models train on the CPU")


def _card(card: dict[str, Any], told: dict[str, Any], driver_version: str | None) -> Finding:
    free, total = card["free"] / (1 << 30), card["total"] / (1 << 30)
    words = f"{card['count']} × {card['name']}, {free:.0f} of {total:.0f} GiB free"
    words += f", CUDA {told.get('built_for')}"
    words += f", driver {driver_version}" if driver_version else ""
    if free < FREE_SHARE * total:
        fix = "see with nvidia-smi who uses it; a plan counts on the whole card"
        return Finding("gpu", "note", words, fix)
    if not card["bf16"]:
        fix = "nothing to do: it works in float32 or float16, more slowly"
        return Finding("gpu", "note", words + "; it has no bfloat16", fix)
    return Finding("gpu", "ok", words)


def _nf4(told: dict[str, Any]) -> Finding:
    if "nf4_problem" in told:
        fix = "install bitsandbytes 0.50 or newer, or set `model.quantization: none`"
        return Finding("bitsandbytes", "wrong", told["nf4_problem"][:200], fix)
    if not told["nf4_error"] <= NF4_GAP:
        fix = "install bitsandbytes again"
        return Finding("bitsandbytes", "wrong", "NF4 gives wrong values back", fix)
    device = told.get("nf4_device", "cpu").replace("cuda", "GPU").replace("cpu", "CPU")
    return Finding("bitsandbytes", "ok", f"NF4 packs and unpacks on the {device}")
