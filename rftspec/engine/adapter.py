"""LoRA through peft: attach it, switch it off, save and load it in peft's own format."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rftspec.engine.problems import problem
from rftspec.plan.model import ModelPlan

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


def attach(model: nn.Module, plan: ModelPlan, *, seed: int, place: str) -> Any:
    """The model with the plan's saved adapter, or with a fresh one, in fp32 (M208, M212).

    A fresh one has A drawn from the seed and B zero.
    """
    wrapped = _fresh(model, plan, seed) if plan.adapter is None else _saved(model, plan.adapter)
    wrapped.peft_config["default"].base_model_name_or_path = place
    for _, parameter in parameters(wrapped):
        parameter.data = parameter.data.float()
    return wrapped.eval()


def _saved(model: nn.Module, folder: str) -> Any:
    """The model with an adapter that PEFT has saved, ours or another's, to be trained on."""
    from peft import PeftModel

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice to those who merge
            warnings.filterwarnings("error", message=".*missing adapter keys.*")
            return PeftModel.from_pretrained(
                model,
                folder,
                is_trainable=True,
                autocast_adapter_dtype=False,
            )
    except Exception as error:
        told = " ".join(str(error).split())[:200]
        raise problem(
            "M212", f"the adapter in {folder} does not fit the model: {told}", path="model.adapter"
        ) from error


def _fresh(model: nn.Module, plan: ModelPlan, seed: int) -> Any:
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    config = LoraConfig(
        r=plan.lora_rank,
        lora_alpha=plan.lora_alpha,
        target_modules=_targets(model, plan.lora_targets),
        use_rslora=plan.lora_variant == "rslora",
        use_dora=plan.lora_variant == "dora",
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
            return get_peft_model(model, config, autocast_adapter_dtype=False)
    except ValueError as error:
        raise problem(
            "M208", f"LoRA cannot be attached: {error}", path="model.lora.targets"
        ) from error


def _targets(model: nn.Module, wanted: Sequence[str]) -> str | list[str]:
    """Names as peft takes them: patterns become the whole names that they match (M208)."""
    if list(wanted) == ["all-linear"]:
        return "all-linear"
    found: list[str] = []
    for target in wanted:
        if not set(target) & set("*?["):
            found.append(target)
            continue
        names = [n for n in _linear_names(model) if fnmatchcase(f".{n}", f"*.{target}")]
        if not names:
            raise problem("M208", f"no linear layer matches `{target}`", path="model.lora.targets")
        found += names
    return found


def _linear_names(model: Any) -> list[str]:
    """Whole names of the linear layers, less the output layer."""
    from transformers.pytorch_utils import Conv1D

    output = model.get_output_embeddings()
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not output
    ]


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
    if not isinstance(config["target_modules"], str):  # a pattern of another's adapter
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
