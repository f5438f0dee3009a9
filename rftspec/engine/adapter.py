"""LoRA through peft: attach it, switch it off, save and load it in peft's own format."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rftspec.engine.problems import problem
from rftspec.plan.model import ModelPlan

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


def attach(model: nn.Module, plan: ModelPlan, *, seed: int, place: str) -> Any:
    """The model with a fresh LoRA: A drawn from the seed, B zero, both in fp32 (M208)."""
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    targets: str | list[str] = list(plan.lora_targets)
    if targets == ["all-linear"]:
        targets = "all-linear"
    config = LoraConfig(
        r=plan.lora_rank,
        lora_alpha=plan.lora_alpha,
        target_modules=targets,
        lora_dropout=0.0,
        fan_in_fan_out=any(isinstance(m, Conv1D) for m in model.modules()),
        bias="none",
        task_type="CAUSAL_LM",
    )
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            # peft asks transformers by a name that transformers has renamed
            warnings.filterwarnings("ignore", category=FutureWarning)
            torch.manual_seed(seed)
            wrapped = get_peft_model(model, config, autocast_adapter_dtype=False)
    except ValueError as error:
        raise problem(
            "M208", f"LoRA cannot be attached: {error}", path="model.lora.targets"
        ) from error
    wrapped.peft_config["default"].base_model_name_or_path = place
    for _, parameter in parameters(wrapped):
        parameter.data = parameter.data.float()
    return wrapped.eval()


def parameters(wrapped: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """The adapter's parameters by name, in the model's order: all that is trained."""
    return [(n, p) for n, p in wrapped.named_parameters() if p.requires_grad]


@contextmanager
def switched_off(wrapped: Any, off: bool) -> Iterator[None]:
    """Inside, with `off`, the model is its own base."""
    if not off:
        yield
        return
    with wrapped.disable_adapter():
        yield


def save(wrapped: Any, folder: Path) -> None:
    """Write adapter_config.json and adapter_model.safetensors, each whole or not at all."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save as to_bytes

    folder.mkdir(parents=True, exist_ok=True)
    tensors = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    plain = {n: t.detach().to("cpu").contiguous() for n, t in sorted(tensors.items())}
    config = wrapped.peft_config["default"].to_dict()
    config["inference_mode"] = True
    config["target_modules"] = sorted(config["target_modules"])
    text = json.dumps(config, indent=2, sort_keys=True, default=str) + "\n"
    write_whole(folder / WEIGHTS, to_bytes(plain, metadata={"format": "pt"}))
    write_whole(folder / CONFIG, text.encode())


def load(wrapped: Any, folder: Path) -> None:
    """Put saved weights in place; M212 when they are missing, damaged or of another shape."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file

    try:
        tensors = load_file(folder / WEIGHTS)
    except Exception as error:
        raise problem("M212", f"{folder} has no readable {WEIGHTS} ({error})") from error
    wanted = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    if {n: t.shape for n, t in tensors.items()} != {n: t.shape for n, t in wanted.items()}:
        raise problem("M212", f"the adapter in {folder} is of another model, rank or targets")
    set_peft_model_state_dict(wrapped, tensors)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one, on disk."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
