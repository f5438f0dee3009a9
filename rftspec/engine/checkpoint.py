"""The learner's state on disk: adapter, optimiser moments and step, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rftspec.engine import adapter
from rftspec.engine.adapter import write_whole
from rftspec.engine.learner import Learner
from rftspec.engine.problems import problem

MOMENTS = "optimizer.safetensors"
PROGRESS = "engine.json"


def save_state(wrapped: Any, learner: Learner, folder: Path) -> None:
    """Write the adapter (PEFT's format), the optimiser's moments and the step.

    There is no generator to save: every random number is a function of the seed and the sample.
    """
    from safetensors.torch import save as to_bytes

    adapter.save(wrapped, folder)
    optimizer = learner.optimizer
    tensors = {name: tensor.to("cpu") for name, tensor in optimizer.moments().items()}
    write_whole(folder / MOMENTS, to_bytes(tensors))
    progress = {
        "format": "engine/1",
        "steps_taken": learner.steps_taken,
        "updates": optimizer.updates,
    }
    write_whole(folder / PROGRESS, (json.dumps(progress) + "\n").encode())


def load_state(wrapped: Any, learner: Learner, folder: Path) -> None:
    """Read what `save_state` wrote, exactly; M212 when it is missing or damaged."""
    from safetensors.torch import load_file

    try:
        progress = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
        tensors = load_file(folder / MOMENTS)
        steps, updates = int(progress["steps_taken"]), int(progress["updates"])
    except Exception as error:
        raise problem("M212", f"{folder} holds no readable state ({error})") from error
    optimizer = learner.optimizer
    moments = optimizer.moments()
    if {n: t.shape for n, t in tensors.items()} != {n: t.shape for n, t in moments.items()}:
        raise problem("M212", f"the optimiser's state in {folder} is of another adapter")
    adapter.load(wrapped, folder)
    for name, moment in moments.items():
        moment.copy_(tensors[name])
    optimizer.updates = updates
    learner.steps_taken = steps
