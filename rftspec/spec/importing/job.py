"""A hosted fine-tuning job: its method, hyperparameters and surroundings, key by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rftspec.spec.importing.imported import DEFAULT_BASE, Work
from rftspec.spec.importing.ledger import Given
from rftspec.spec.importing.rows import put_file
from rftspec.spec.importing.scoring import import_scoring

FACTS = (
    "id", "object", "created_at", "finished_at", "estimated_finish", "fine_tuned_model",
    "organization_id", "result_files", "status", "trained_tokens", "error", "usage_metrics",
    "shared_with_openai", "eval_id", "events", "checkpoints",
)  # fmt: skip
"""What a response tells about a job that ran."""
_SURROUNDINGS: Mapping[str, str] = {
    "trainingType": "where the hosted product trains",
    "training_type": "where the hosted product trains",
    "tier": "where the hosted product trains",
    "$schema": "about the file, not about the job",
    "extra_body": "",
}
KNOWN_IN_JOBS = (
    "model", "training_file", "validation_file", "method", "reinforcement", "grader",
    "response_format", "hyperparameters", "n_epochs", "batch_size", "learning_rate_multiplier",
    "eval_interval", "eval_samples", "compute_multiplier", "reasoning_effort", "suffix", "seed",
    "metadata", "integrations", "tools", "max_episode_steps", "name", "description",
)  # fmt: skip
_GROUP = 8
"""Completions per prompt that a compute_multiplier of 1 stands for."""


def import_job(root: Given, work: Work) -> None:
    """The whole job."""
    for key, take in _JOB.items():
        found = root.get(key)
        if found is not None:
            take(found, work)
    for key in FACTS:
        found = root.get(key)
        if found is not None:
            work.ledger.without(found, "a fact about the hosted job")
    for key, why in _SURROUNDINGS.items():
        found = root.get(key)
        if found is not None and why:
            work.ledger.without(found, why)
    body = root.get("extra_body")
    if body is not None and body.get("method") is not None:
        import_method(body.at("method"), work)
    method = root.get("method")
    if method is not None:
        import_method(method, work)
    elif body is None:
        message = "this job has no `method`"
        hint = "a job of `method: { type: reinforcement, … }` is meant"
        raise work.ledger.rejection(root, message, hint)
    _top_level(root, work)


def import_method(given: Given, work: Work) -> None:
    """`{type: reinforcement, reinforcement: {grader, …}}`, or the inside alone."""
    kind = given.get("type")
    if kind is not None and kind.value in ("supervised", "dpo", "preference"):
        message = f"the job's method is {kind.value}; rftspec does reinforcement fine-tuning"
        raise work.ledger.rejection(kind, message, "nothing was imported")
    if kind is not None and kind.value == "reinforcement":
        work.ledger.mapped(kind, "train", "reinforcement is what rftspec does")
    inner = given.get("reinforcement") or given
    if given.get("reinforcement") is not None and given.get("grader") is not None:
        work.ledger.refused(given.at("grader"), "a second grader beside `reinforcement`")
    for key, take in _METHOD.items():
        found = inner.get(key)
        if found is not None:
            take(found, work)
    if inner.get("hyperparameters") is None and given.get("hyperparameters") is not None:
        _hyperparameters(given.at("hyperparameters"), work)
    grader = inner.get("grader")
    if grader is None:
        work.ledger.refused(inner, "this method has no `grader`", "without one there is no reward")
        work.sketch.values.setdefault("graders", {})
        return
    import_scoring(grader, work.sketch, work.ledger)


def _top_level(root: Given, work: Work) -> None:
    """`response_format`, `tools` and `hyperparameters` that stand beside `method`."""
    for key in ("response_format", "tools", "max_episode_steps"):
        found = root.get(key)
        if found is not None:
            _METHOD[key](found, work)
    found = root.get("hyperparameters")
    if found is not None:
        if work.sketch.has("train"):
            work.ledger.without(found, "deprecated there; the method's own were taken")
        elif found.is_mapping:
            _hyperparameters(found, work)
        else:
            work.ledger.without(found, "it is empty")


def _model(given: Given, work: Work) -> None:
    base = work.wishes.base
    note = f"{given.value} cannot be had: an open model stands for it"
    if base is None:
        note += "; choose yours (--base)"
    work.sketch.put("model.base", base or DEFAULT_BASE, note)
    work.ledger.mapped(given, "model.base", note)


def _suffix(given: Given, work: Work) -> None:
    if work.sketch.has("name") or not isinstance(given.value, str) or not given.value:
        why = "it is null" if given.value is None else "the name is taken from elsewhere"
        work.ledger.without(given, why)
        return
    work.field(given, "name", work.name(given.value))


def _description(given: Given, work: Work) -> None:
    work.about = work.about or str(given.value)
    work.ledger.mapped(given, "(first comment)", "the spec's first line")


def _seed(given: Given, work: Work) -> None:
    work.field(given, "seed", given.value)


def _integrations(given: Given, work: Work) -> None:
    if not given.node.value:
        work.ledger.without(given, "it is empty")
        return
    why = "Weights & Biases is not written to; `track: [tensorboard]` is, and the record has it all"
    work.ledger.without(given, why)


_JOB: Mapping[str, Callable[[Given, Work], None]] = {
    "description": _description,
    "name": _suffix,
    "suffix": _suffix,
    "user_provided_suffix": _suffix,
    "model": _model,
    "training_file": lambda given, work: put_file(given, "train", work),
    "validation_file": lambda given, work: put_file(given, "validation", work),
    "seed": _seed,
    "metadata": lambda given, work: work.keep_metadata(given),
    "integrations": _integrations,
}


def _response_format(given: Given, work: Work) -> None:
    value = given.value
    if value is None:
        work.ledger.without(given, "it is null")
        return
    if not isinstance(value, dict):
        work.ledger.refused(given, "`response_format` is a mapping with a `type`")
        return
    kind = value.get("type")
    if kind is None and ("schema" in value or "json_schema" in value):
        kind = "json_schema"
        work.ledger.say("W706", given, "`type: json_schema` was missing")
    if kind != "json_schema":
        work.field_as_it_is(given, "response.format", value)
        return
    inner = value.get("json_schema")
    if not isinstance(inner, dict):
        inner = {
            key: value[key] for key in ("name", "description", "strict", "schema") if key in value
        }
    note = "" if "json_schema" in value else "the flat spelling, nested"
    known = {k: v for k, v in inner.items() if k in ("name", "description", "strict", "schema")}
    whole = {"type": kind, "json_schema": {k: v for k, v in known.items() if v is not None}}
    work.field_as_it_is(given, "response.format", whole, note)


def _tools(given: Given, work: Work) -> None:
    if not given.node.value:
        work.ledger.without(given, "it is empty")
        return
    why = (
        "tools are not called while a run trains; rows may have `tools`, and graders read the "
        "calls that the model makes in `sample.output_tools`"
    )
    work.ledger.without(given, why, warn=True)


def _episode_steps(given: Given, work: Work) -> None:
    why = "an answer is one turn: tools are not called while a run trains"
    work.ledger.without(given, why)


def _hyperparameters(given: Given, work: Work) -> None:
    if not given.is_mapping or not given.node.value:
        work.ledger.without(given, "it is empty")
        return
    for key, take in _HYPERPARAMETERS.items():
        found = given.get(key)
        if found is None:
            continue
        if found.value == "auto":
            work.ledger.without(found, "auto: left to rftspec, whose `plan` shows what it became")
        elif found.value is None:
            work.ledger.without(found, "it is null")
        else:
            take(found, work)


def _compute(given: Given, work: Work) -> None:
    value = given.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 10:
        work.ledger.refused(given, "`compute_multiplier` is a number above 0, up to 10")
        return
    samples = max(2, round(_GROUP * value))
    note = f"compute_multiplier {value:g} × {_GROUP}; its meaning there is not published"
    work.field(given, "train.samples_per_prompt", samples, note)


def _learning_rate(given: Given, work: Work) -> None:
    value = given.value
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        work.ledger.refused(given, "`learning_rate_multiplier` is a number above 0")
        return
    note = (
        f"learning_rate_multiplier {value:g}: of a rate that is not published; `rftspec plan` "
        "shows what auto becomes"
    )
    if value != 1:
        note += f", to be multiplied by {value:g} if you like"
    work.sketch.put("train.learning_rate", "auto", note)
    work.ledger.mapped(given, "train.learning_rate", note)


def _effort(given: Given, work: Work) -> None:
    why = "open models have no such knob: `response.max_tokens` is the room that they reason in"
    work.ledger.without(given, why)


def _eval_samples(given: Given, work: Work) -> None:
    note = f"eval_samples {given.node.value}: answers per validation row, at every evaluation"
    if work.field(given, "evaluate.samples", given.value, note):
        work.sketch.put("evaluate.samples_between", work.sketch.values["evaluate"]["samples"])


def _beta(given: Given, work: Work) -> None:
    why = "reinforcement jobs have no beta in the hosted schema; a weight on KL is `train.kl`"
    work.ledger.without(given, why, warn=True)


def _plain(target: str, note: str) -> Callable[[Given, Work], None]:
    def take(given: Given, work: Work) -> None:
        work.field(given, target, given.value, note)

    return take


_HYPERPARAMETERS: Mapping[str, Callable[[Given, Work], None]] = {
    "n_epochs": _plain("train.epochs", "n_epochs"),
    "epochs": _plain("train.epochs", "epochs, Azure's name of n_epochs"),
    "batch_size": _plain("train.prompts_per_step", "batch_size: rows of one step"),
    "learning_rate_multiplier": _learning_rate,
    "eval_interval": _plain("evaluate.every", "eval_interval: steps between evaluations"),
    "eval_samples": _eval_samples,
    "compute_multiplier": _compute,
    "reasoning_effort": _effort,
    "beta": _beta,
}
_METHOD: Mapping[str, Callable[[Given, Work], Any]] = {
    "response_format": _response_format,
    "hyperparameters": _hyperparameters,
    "tools": _tools,
    "max_episode_steps": _episode_steps,
}
