"""What a spec of another version, or written in another tool's words, is told.

There is one version so far, so there is nothing to migrate from: a newer one is refused alone, for
nothing else that would be said of it could be trusted. A field that is renamed within a version
gets a line in `NAMES` with `EARLIER` as its owner; docs/versions.md says when the number moves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rftspec.spec.document import Document
from rftspec.spec.model import SPEC_VERSION
from rftspec.spec.suggest import did_you_mean, nearest

EARLIER = "an earlier rftspec"
_TOOLS = {
    "OpenAI": {
        "n_epochs": "train.epochs",
        "batch_size": "train.prompts_per_step",
        "learning_rate_multiplier": "train.learning_rate",
        "compute_multiplier": "train.samples_per_prompt",
        "eval_interval": "evaluate.every",
        "eval_samples": "evaluate.samples",
        "training_file": "data.train",
        "validation_file": "data.validation",
        "response_format": "response.format",
        "grader": "graders",
        "suffix": "name",
    },
    "TRL": {
        "num_generations": "train.samples_per_prompt",
        "num_train_epochs": "train.epochs",
        "max_steps": "train.steps",
        "num_iterations": "train.updates_per_batch",
        "beta": "train.kl",
        "epsilon": "train.clip",
        "loss_type": "train.algorithm",
        "lr_scheduler_type": "train.schedule",
        "optim": "train.optimizer",
        "max_completion_length": "response.max_tokens",
        "eval_steps": "evaluate.every",
        "model_name_or_path": "model.base",
        "model_revision": "model.revision",
        "dataset_name": "data.train",
        "load_in_4bit": "model.quantization",
        "lora_r": "model.lora.rank",
        "lora_target_modules": "model.lora.targets",
        "reward_funcs": "graders",
        "report_to": "track",
    },
    "Axolotl": {
        "base_model": "model.base",
        "datasets": "data.train",
        "test_datasets": "data.validation",
        "num_epochs": "train.epochs",
        "optimizer_type": "train.optimizer",
        "evals_per_epoch": "evaluate.every",
    },
    "PEFT": {
        "r": "model.lora.rank",
        "lora_alpha": "model.lora.alpha",
        "target_modules": "model.lora.targets",
    },
    "verl": {
        "train_batch_size": "train.prompts_per_step",
        "rollout_n": "train.samples_per_prompt",
        "ppo_epochs": "train.updates_per_batch",
        "kl_coef": "train.kl",
        "kl_loss_coef": "train.kl",
        "clip_ratio": "train.clip",
        "entropy_coeff": "train.entropy_bonus",
        "max_response_length": "response.max_tokens",
        "test_freq": "evaluate.every",
        "total_training_steps": "train.steps",
        "total_epochs": "train.epochs",
    },
    "Tinker": {
        "group_size": "train.samples_per_prompt",
        "groups_per_batch": "train.prompts_per_step",
        "lora_rank": "model.lora.rank",
    },
    "transformers": {
        "max_new_tokens": "response.max_tokens",
        "lr": "train.learning_rate",
    },
    "others": {
        "rollouts_per_prompt": "train.samples_per_prompt",
        "valid": "data.validation",
        "dev": "data.validation",
        "gates": "require",
    },
}
"""What other tools call a field of ours, by the tool."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A name that is not ours for a field that is."""

    name: str
    field: str
    """Dotted, ours."""
    whose: str


NAMES = tuple(
    Elsewhere(name, field, whose)
    for whose, names in _TOOLS.items()
    for name, field in names.items()
)


def key_meant(name: str, section: tuple[str, ...], known: Iterable[str]) -> str | None:
    """A hint at what a key that is not known was most likely meant to be.

    Another tool's name as it is, in whatever section it stands; then a misspelt name of ours, and
    a misspelt name of another tool for a field of this section.
    """
    candidates, parent = list(known), ".".join(section)
    folded = name.strip().lower().replace("-", "_")
    exact = [one for one in NAMES if one.name == folded and one.name not in candidates]
    here = [one for one in NAMES if _split(one.field) in {(parent, k) for k in candidates}]
    if exact:
        return _told(next((one for one in exact if one in here), exact[0]), parent)
    ours = did_you_mean(name, candidates)
    if ours is not None:
        return ours
    meant = nearest(name, [one.name for one in here])
    return next((_told(one, parent) for one in here if one.name == meant), None)


def _told(found: Elsewhere, section: str) -> str:
    """`num_generations` (TRL) is called `samples_per_prompt` here."""
    parent, field = _split(found.field)
    whose = "elsewhere" if found.whose == "others" else found.whose
    shown = field if parent == section else found.field
    return f"`{found.name}` ({whose}) is called `{shown}` here."


def refuse_newer(document: Document) -> None:
    """Raise DiagnosticError E109, alone, for a spec of a version that is yet to come."""
    node = document.at("version")
    if node is None or node.kind != "scalar" or isinstance(node.value, bool):
        return
    if isinstance(node.value, int) and node.value > SPEC_VERSION:
        message, hint = other_version(node.value)
        document.collector.add(node.problem("E109", message, hint=hint, path="version"))
        document.collector.raise_errors()


def other_version(value: int) -> tuple[str, str]:
    """What is said of a version that is not ours, and how to mend it."""
    if value > SPEC_VERSION:
        message = (
            f"the spec is of version {value}, made for a newer rftspec: this one reads version "
            f"{SPEC_VERSION}"
        )
        return message, "upgrade: pip install -U rftspec"
    return f"there is no version {value} of specs", f"write `version: {SPEC_VERSION}`"


def _split(field: str) -> tuple[str, str]:
    """The section and the name of a field; the section is empty at the top."""
    parent, _, name = field.rpartition(".")
    return parent, name
