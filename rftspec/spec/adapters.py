"""A saved LoRA adapter that training goes on with: what its configuration says; no torch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CONFIG = "adapter_config.json"
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")


@dataclass(frozen=True, slots=True)
class SavedAdapter:
    """The part of a PEFT adapter that a plan shows."""

    folder: Path
    rank: int
    alpha: float
    targets: tuple[str, ...]
    """Names, sorted; one pattern where PEFT's own configuration has one."""
    variant: Literal["lora", "rslora", "dora"]
    sha256: str
    """Of configuration and weights."""


def read_adapter(folder: Path) -> SavedAdapter:
    """Read an adapter's configuration; ValueError says in words what is wrong with it."""
    config_file = folder / CONFIG
    weights = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if not config_file.is_file() or weights is None:
        missing = CONFIG if not config_file.is_file() else WEIGHTS[0]
        raise ValueError(f"holds no adapter: `{missing}` is missing")
    try:
        config = json.loads(config_file.read_text("utf-8"))
        kind = str(config["peft_type"])
        rank, alpha = int(config.get("r") or 0), float(config.get("lora_alpha") or 0)
        targets = config.get("target_modules") or []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"has no readable `{CONFIG}` ({type(error).__name__})") from error
    if kind != "LORA" or rank < 1:
        raise ValueError(f"holds an adapter of kind {kind[:20]}, and only LoRA is trained on")
    digest = hashlib.sha256(config_file.read_bytes() + weights.read_bytes())
    return SavedAdapter(
        folder,
        rank,
        alpha,
        (targets,) if isinstance(targets, str) else tuple(sorted(map(str, targets))),
        "dora" if config.get("use_dora") else "rslora" if config.get("use_rslora") else "lora",
        digest.hexdigest(),
    )
