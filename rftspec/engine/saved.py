"""Models opened to be measured only: a base with an adapter that PEFT has saved."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from torch import nn

from rftspec.engine import adapter
from rftspec.engine.local import LocalEngine, load_base
from rftspec.engine.problems import problem
from rftspec.plan.model import Plan


def open_saved(plan: Plan, folder: Path) -> LocalEngine:
    """The plan's base, with the saved adapter as its policy `tuned`.

    The adapter's own configuration counts, not the plan's LoRA settings. Raises DiagnosticError:
    M212 for an adapter of another model, M216 for a kind that cannot be sampled from here.
    """
    _refuse_prompt_learning(folder)
    model, tokenizer, place, device = load_base(plan)
    wrapped = _attach(model, folder)
    wrapped.peft_config["default"].base_model_name_or_path = place
    for _, parameter in adapter.parameters(wrapped):
        parameter.data = parameter.data.float()
    return LocalEngine(plan, wrapped.eval(), tokenizer, device)


def _attach(model: nn.Module, folder: Path) -> Any:
    from peft import PeftModel

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice to those who train or merge
            # weights that are not there: refused below, in words
            warnings.filterwarnings("error", message=".*missing adapter keys.*")
            return PeftModel.from_pretrained(
                model, str(folder), is_trainable=True, autocast_adapter_dtype=False
            )
    except Exception as error:
        told = " ".join(str(error).split())[:200]
        raise problem("M212", f"the adapter in {folder} does not fit the model: {told}") from error


def _refuse_prompt_learning(folder: Path) -> None:
    """Raise M216 for what adds to the prompt: our samplers do not carry that along."""
    from peft import PeftConfig

    try:
        config = PeftConfig.from_pretrained(str(folder))
    except Exception as error:
        told = " ".join(str(error).split())[:200]
        raise problem("M212", f"{folder} has no readable {adapter.CONFIG} ({told})") from error
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    if config.is_prompt_learning or kind == "ADAPTION_PROMPT":
        raise problem("M216", f"the adapter in {folder} is of kind {kind}")
