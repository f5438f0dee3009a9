"""OpenAI's and Azure's files: jobs, graders, evals, in all the shapes that they come in."""

from __future__ import annotations

from collections.abc import Sequence

from rftspec.spec.importing.graders import HOSTED_KINDS
from rftspec.spec.importing.imported import Imported, Wishes, Work
from rftspec.spec.importing.job import KNOWN_IN_JOBS, import_job, import_method
from rftspec.spec.importing.ledger import Given, Ledger
from rftspec.spec.importing.reading import read_file
from rftspec.spec.importing.rows import put_data
from rftspec.spec.importing.scoring import import_criteria, import_scoring

_KNOWN_IN_GRADERS = (
    "type", "name", "input", "reference", "operation", "evaluation_metric", "pass_threshold",
    "model", "range", "sampling_params", "labels", "passing_labels", "source", "image_tag",
    "graders", "calculate_output", "url", "headers", "rate_limit", "grader", "item",
    "temperature", "top_p", "seed", "reasoning_effort", "max_completion_tokens", "role", "content",
)  # fmt: skip
_KNOWN_IN_EVALS = ("testing_criteria", "data_source_config", "metadata", "name")
_ALIEN = "a fine-tuning job (method reinforcement), a grader, or an eval with `testing_criteria`"


def import_openai(wishes: Wishes) -> Imported:
    """The spec of a job's, grader's or eval's file.

    Raises DiagnosticError where the file cannot be read or is none of these.
    """
    ledger = Ledger.of(read_file(wishes.source))
    work = Work(wishes, ledger)
    _import(ledger.root, work)
    put_data(work)
    known = [*KNOWN_IN_JOBS, *_KNOWN_IN_GRADERS, *_KNOWN_IN_EVALS]
    return work.finish("openai", known)


def _import(root: Given, work: Work) -> None:
    if root.is_list:
        _import_list(root, work)
    elif root.get("testing_criteria") is not None:
        _import_eval(root, work)
    elif root.get("method") is not None or root.get("training_file") is not None:
        work.kind = "a fine-tuning job"
        import_job(root, work)
    elif root.get("data") is not None and root.get("object") is not None:
        _import_page(root, work)
    elif root.get("reinforcement") is not None or _is(root, "type", ("reinforcement",)):
        work.kind = "a job's method"
        import_method(root, work)
    elif root.get("grader") is not None:
        _import_body(root, work)
    elif root.get("type") is not None or root.get("calculate_output") is not None:
        work.kind = "a grader"
        _about_grader(root, work)
        import_scoring(root, work.sketch, work.ledger)
    else:
        _refuse(root, work)


def _is(given: Given, key: str, values: Sequence[str]) -> bool:
    found = given.get(key)
    return found is not None and found.value in values


def _about_grader(given: Given, work: Work) -> None:
    label = given.get("name")
    if label is not None and isinstance(label.value, str) and label.value.strip():
        work.about = f"Reinforcement fine-tuning with the grader {label.value}."


def _import_list(root: Given, work: Work) -> None:
    """A list of testing criteria; of jobs the only one."""
    entries = list(root.entries())
    if entries and all(_is(one, "type", HOSTED_KINDS) for one in entries):
        work.kind = "an eval's testing criteria"
        import_criteria(root, work.sketch, work.ledger)
    elif len(entries) == 1 and entries[0].is_mapping:
        _import(entries[0], work)
    else:
        _refuse(root, work)


def _import_page(root: Given, work: Work) -> None:
    """A page of a list endpoint: its only entry."""
    entries = list(root.at("data").entries())
    for key in ("object", "has_more", "first_id", "last_id"):
        found = root.get(key)
        if found is not None:
            work.ledger.without(found, "about the list, not about the job")
    if len(entries) != 1:
        count = len(entries)
        message = f"this is a list of {count}: one job at a time"
        raise work.ledger.rejection(root, message, "put the one that you mean in a file")
    _import(entries[0], work)


def _import_body(root: Given, work: Work) -> None:
    """`{grader, …}`: what the graders' endpoints take, or a method's inside."""
    for key in ("item", "model_sample", "model_sample_json", "sample"):
        found = root.get(key)
        if found is not None:
            why = "a try of the grader: `rftspec grade SPEC --item … --output …` does that here"
            work.ledger.without(found, why)
    work.kind = "a grader"
    if root.get("hyperparameters") is not None or root.get("response_format") is not None:
        work.kind = "a job's method"
        import_method(root, work)
        return
    _about_grader(root.at("grader"), work)
    import_scoring(root.at("grader"), work.sketch, work.ledger)


def _import_eval(root: Given, work: Work) -> None:
    ledger, sketch = work.ledger, work.sketch
    work.kind = "an eval"
    name = root.get("name")
    if name is not None and isinstance(name.value, str):
        work.about = f"The eval {name.value}, as rewards."
        work.field(name, "name", work.name(name.value))
    source = root.get("data_source_config")
    if source is not None:
        _data_source(source, work)
    metadata = root.get("metadata")
    if metadata is not None:
        work.keep_metadata(metadata)
    for key in ("id", "object", "created_at", "updated_at", "shared_with_openai"):
        found = root.get(key)
        if found is not None:
            ledger.without(found, "a fact about the hosted eval")
    criteria = root.at("testing_criteria")
    if not criteria.is_list:
        ledger.refused(criteria, "`testing_criteria` is a list of graders")
        return
    import_criteria(criteria, sketch, ledger)


def _data_source(given: Given, work: Work) -> None:
    kind = given.get("type")
    if kind is not None and kind.value in ("logs", "stored_completions"):
        why = "stored completions are with the hosted product: export them as rows"
        work.ledger.without(given, why, warn=True)
        return
    schema = given.get("item_schema")
    if schema is not None:
        work.ledger.without(schema, "the types of `item` are read from the rows themselves")
    included = given.get("include_sample_schema")
    if included is not None:
        work.ledger.without(included, "`sample` is always there")
    if kind is not None:
        why = "rows are `data.train`; an eval's own files have them under `item`: jq -c .item"
        work.ledger.mapped(kind, "data.train", why)


def _refuse(root: Given, work: Work) -> None:
    """Not one of ours: said with what it may be instead."""
    hint = f"`rftspec import openai` takes {_ALIEN}"
    message = "this is no job, grader or eval"
    if root.get("messages") is not None:
        message, hint = "this is a row of data", "rows run unchanged: name the file in `data.train`"
    elif root.get("schema") is not None:
        message = "this is a response format"
        hint = "paste it into `response.format`, in the spec"
    elif root.get("data_source") is not None:
        message = "this is a run of an eval, and not the eval"
        hint = "its graders are in the eval: GET /v1/evals/EVAL_ID"
    elif root.get("model_name_or_path") is not None:
        hint = "for TRL's settings use `rftspec import trl`"
    elif root.get("base_model") is not None:
        hint = "for Axolotl's settings use `rftspec import axolotl`"
    elif root.is_list and all(one.get("server_url") is not None for one in root.entries()):
        message, hint = "these are tools of an agent job", "tools are not called while a run trains"
    raise work.ledger.rejection(root, message, hint)
