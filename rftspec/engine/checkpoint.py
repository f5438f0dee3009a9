"""The learner's state on disk: adapter, optimiser moments and step, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from rftspec.engine import adapter
from rftspec.engine.adapter import write_whole
from rftspec.engine.learner import Learner
from rftspec.engine.problems import problem

MOMENTS = "optimizer.safetensors"
PROGRESS = "engine.json"
_KINDS = ("exp_avg", "exp_avg_sq", "step")


def save_state(wrapped: Any, learner: Learner, folder: Path) -> None:
    """Write the adapter (PEFT's format), the optimiser's moments and the step.

    There is no generator to save: every random number is a function of the seed and the sample.
    """
    from safetensors.torch import save as to_bytes

    adapter.save(wrapped, folder)
    tensors: dict[str, torch.Tensor] = {}
    for name, parameter in adapter.parameters(wrapped):
        state = learner.optimizer.state.get(parameter, {})
        for kind in _KINDS:
            if kind in state:
                tensors[f"{kind}:{name}"] = state[kind].detach().to("cpu").contiguous()
    write_whole(folder / MOMENTS, to_bytes(tensors))
    progress = {"format": "engine/1", "steps_taken": learner.steps_taken}
    write_whole(folder / PROGRESS, (json.dumps(progress) + "\n").encode())


def load_state(wrapped: Any, learner: Learner, folder: Path) -> None:
    """Read what `save_state` wrote, exactly; M212 when it is missing or damaged."""
    from safetensors.torch import load_file

    try:
        progress = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
        tensors = load_file(folder / MOMENTS)
        steps = int(progress["steps_taken"])
    except Exception as error:
        raise problem("M212", f"{folder} holds no readable state ({error})") from error
    adapter.load(wrapped, folder)
    learner.optimizer.state.clear()
    for name, parameter in adapter.parameters(wrapped):
        found = {kind: tensors[f"{kind}:{name}"] for kind in _KINDS if f"{kind}:{name}" in tensors}
        if not found:
            continue
        if len(found) != len(_KINDS) or found["exp_avg"].shape != parameter.shape:
            raise problem("M212", f"the optimiser's state in {folder} is of another adapter")
        learner.optimizer.state[parameter] = {
            kind: value if kind == "step" else value.to(parameter.device)
            for kind, value in found.items()
        }
    learner.steps_taken = steps
