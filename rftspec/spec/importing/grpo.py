"""What TRL's and Axolotl's GRPO settings have in common: sizes, rewards, and what is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rftspec.spec.importing.formula import variable
from rftspec.spec.importing.imported import Work
from rftspec.spec.importing.ledger import Given

ENGINE = "how that trainer runs, not what is learnt: the engine here decides for itself"
LOGS = "the record keeps every answer, score and number"
HUB = "nothing is uploaded: the adapter lies in the run's folder"
SAVES = "a checkpoint is kept at every evaluation"
SCHEDULE = "AdamW with a linear warm-up and a constant rate is all that there is"
ONE_UPDATE = "each batch is learnt from once, so that the ratio is 1 and there is nothing to clip"
LOSSES: Mapping[str, str] = {
    "grpo": "an answer's tokens count alike over the whole batch here, not first within the answer",
    "bnpo": "the mean over the batch's tokens, as here",
    "dapo": "the mean over the batch's tokens, as here; no dynamic sampling",
}
"""Losses that `grpo` here stands for, with what is told of them."""
_SAVE_IT = "save the split as JSONL: datasets.load_dataset(…).to_json(…), then give --train"


def by_key(reasons: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    """A table of reasons with their keys, turned round: key → reason."""
    return {key: why for why, keys in reasons.items() for key in keys}


def take_all(given: Given, rules: Mapping[str, tuple[str, str]], work: Work) -> None:
    """Fields that are the same but for their name: key → (field, note)."""
    for key, (target, note) in rules.items():
        found = given.get(key)
        if found is not None:
            work.field(found, target, found.value, note)


def leave_out(given: Given, reasons: Mapping[str, str], work: Work) -> None:
    """Keys without a counterpart: an exact name, or the beginning of one that ends in `*`."""
    prefixes = [key[:-1] for key in reasons if key.endswith("*")]
    for one in given.entries():
        why = reasons.get(one.name)
        if why is None:
            prefix = next((start for start in prefixes if one.name.startswith(start)), None)
            why = None if prefix is None else reasons[f"{prefix}*"]
        if why is not None and not work.ledger.is_told(one):
            work.ledger.without(one, why)


def put_adapter(
    given: Given | None, field: str, *, trained: bool, name: str, base: Given | None, work: Work
) -> None:
    """What decides elsewhere whether an adapter is trained: the field `name`; here it always is."""
    told = "an adapter is always what is trained"
    if given is not None and trained:
        work.ledger.mapped(given, field, told)
    elif given is not None:
        work.ledger.without(given, told, warn=True)
    elif base is not None:
        message = f"without `{name}` every weight is trained there; here it is an adapter"
        work.ledger.say("W704", base, message)


def put_steps(steps: Given | None, epochs: Given | None, work: Work) -> None:
    """Steps where they are given, and above 0; else epochs."""
    counted = steps is not None and isinstance(steps.value, int) and steps.value > 0
    if steps is not None and counted:
        work.field(steps, "train.steps", steps.value)
    elif steps is not None:
        work.ledger.without(steps, "not above 0: the epochs count")
    if epochs is None:
        return
    if counted:
        work.ledger.without(epochs, "the steps count")
    else:
        work.field(epochs, "train.epochs", epochs.value)


def put_batch(
    sizes: Sequence[Given], generations: Given | None, work: Work, *, default: int = 8
) -> None:
    """Prompts per step: completions per step on one device, divided by those per prompt."""
    group = default
    if generations is not None and work.field(
        generations, "train.samples_per_prompt", generations.value
    ):
        group = generations.value
    completions = 1
    for one in sizes:
        if isinstance(one.value, bool) or not isinstance(one.value, int) or one.value < 1:
            work.ledger.refused(one, f"`{one.name}` is a whole number above 0")
            return
        completions *= one.value
    if not sizes:
        return
    prompts = max(1, round(completions / group))
    told = " × ".join(f"{one.name} {one.value}" for one in sizes)
    note = f"{told}, in groups of {group}, on one device"
    work.sketch.put("train.prompts_per_step", prompts, note)
    for one in sizes:
        work.ledger.mapped(one, "train.prompts_per_step", note)


def put_warmup(ratio: Given | None, work: Work) -> None:
    """A share of the steps, where the steps are known."""
    if ratio is None:
        return
    steps = work.sketch.values.get("train", {}).get("steps")
    share = ratio.value
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        work.ledger.refused(ratio, f"`{ratio.name}` is a number from 0 to 1")
    elif steps is None:
        why = "of how many steps is known when the rows are: set `train.warmup_steps`"
        work.ledger.without(ratio, why)
    else:
        note = f"{ratio.name} {share:g} of {steps} steps"
        work.sketch.put("train.warmup_steps", round(share * steps), note)
        work.ledger.mapped(ratio, "train.warmup_steps", note)


def put_loss(given: Given | None, work: Work) -> None:
    """The loss, where it is one that is here."""
    if given is None:
        return
    if given.text in LOSSES:
        work.sketch.put("train.algorithm", "grpo")
        work.ledger.mapped(given, "train.algorithm", LOSSES[given.text])
    else:
        why = "`train.algorithm` has grpo alone"
        work.sketch.put("train.algorithm", "grpo")
        work.ledger.without(given, why, warn=True)


def put_targets(given: Given, work: Work) -> None:
    """The layers that get an adapter."""
    value = given.value
    if isinstance(value, list) and len(value) == 1 and value[0] in ("all-linear", "all"):
        value = "all-linear"
    if value in ("all_linear", "all"):
        value = "all-linear"
    if isinstance(value, str) and re.search(r"[^A-Za-z0-9_.-]", value):
        message = "a pattern of layer names is not taken"
        work.ledger.refused(given, message, "list the names, or write all-linear")
        return
    if isinstance(value, str) and value != "all-linear":
        value = [value]
    work.field(given, "model.lora.targets", value)


def put_model(given: Given, work: Work) -> None:
    """The base model; a local folder as the spec writes it."""
    value = given.value
    if work.wishes.base is not None:
        work.sketch.put("model.base", work.wishes.base)
        work.ledger.mapped(given, "model.base", "`--base` stands for it")
        return
    if isinstance(value, str) and value.startswith(("./", "../", "/")):
        value = work.wishes.relative(work.wishes.source.parent / value)
        value = value if value.startswith(("../", "/")) else f"./{value}"
    work.field(given, "model.base", value)


def put_dataset(given: Given, work: Work, split: str = "train") -> None:
    """A local JSONL file; a data set of the hub has to be saved first."""
    value = given.value
    wanted = work.wishes.train if split == "train" else work.wishes.validation
    if wanted is not None:
        work.ledger.mapped(given, f"data.{split}", f"`--{split}` stands for it")
    elif isinstance(value, str) and value.endswith((".jsonl", ".json")) and "://" not in value:
        path = work.wishes.relative(work.wishes.source.parent / value)
        work.sketch.put(f"data.{split}", path)
        work.ledger.mapped(given, f"data.{split}")
    else:
        message = f"the data set {value} is not fetched"
        work.sketch.put(f"data.{split}", f"{split}.jsonl", f"save {value} here as JSONL")
        work.ledger.refused(given, message, _SAVE_IT)


def put_report(given: Given, work: Work) -> None:
    """Where numbers are written to beside the record."""
    value = given.value if isinstance(given.value, list) else [given.value]
    if "tensorboard" in value or "all" in value:
        work.sketch.put("track", ["tensorboard"])
        work.ledger.mapped(given, "track")
    else:
        work.ledger.without(given, LOGS)


def put_rewards(functions: Given | None, weights: Given | None, work: Work) -> None:
    """Reward functions: their names and weights; what they do has to be written as graders."""
    work.sketch.values.setdefault("graders", {})
    if functions is None:
        return
    value = functions.value if isinstance(functions.value, list) else [functions.value]
    if not value or not all(isinstance(one, str) and one.strip() for one in value):
        work.ledger.refused(functions, "the reward functions are names, in a list")
        return
    names: list[str] = []
    entries = list(functions.entries()) if functions.is_list else [functions]
    for one, text in zip(entries, value, strict=True):
        name = variable(text.rsplit(".", 1)[-1], names)
        names.append(name)
        message = f"the reward function `{text}` is Python that TRL imports; it is not read"
        work.ledger.refused(one, message, _advice(name))
    work.sketch.put("reward", _weighted(names, weights, work) + "\n")


def _advice(name: str) -> str:
    return (
        f"write the grader `{name}`: a built-in type, an expression, or `type: python` with "
        f"`file: graders/{name}.py` and `def grade(sample, item) -> float` for one answer "
        "(`rftspec explain graders.python`)"
    )


def _weighted(names: Sequence[str], weights: Given | None, work: Work) -> str:
    given: Any = weights.value if weights is not None else None
    if given is None:
        if weights is not None:
            work.ledger.without(weights, "it is null")
        return " + ".join(names)
    numbers = isinstance(given, list) and all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in given
    )
    assert weights is not None
    if not numbers or len(given) != len(names):
        message = f"there are {len(names)} reward functions, and not as many weights"
        work.ledger.refused(weights, message, "put the weights right in `reward`")
        return " + ".join(names)
    work.ledger.mapped(weights, "reward")
    parts = [f"{weight:g} * {name}" for weight, name in zip(given, names, strict=True)]
    return " + ".join(parts).replace("+ -", "- ")
