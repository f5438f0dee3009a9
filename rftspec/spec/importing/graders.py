"""Hosted graders → grader settings of a spec, kind by kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rftspec.graders.kinds import KINDS
from rftspec.graders.schema_match import compile_schema
from rftspec.sandbox.pool import Pool, SandboxUnavailable
from rftspec.sandbox.protocol import Problem
from rftspec.spec.importing.formula import variable
from rftspec.spec.importing.judges import judge_input, judge_sampling
from rftspec.spec.importing.ledger import Given, Ledger
from rftspec.spec.importing.ranges import range_of_source
from rftspec.spec.importing.secrets import (
    holds_secret,
    is_secret_header,
    variable_for,
    without_secrets,
)
from rftspec.spec.suggest import nearest
from rftspec.template import TemplateError, parse_template

Interval = tuple[float, float]
SPELLINGS = {"neq": "ne", "!=": "ne", "==": "eq", "equals": "eq", "contains": "like"}
"""Operations as guides and other tools spell them."""
HOSTED_KINDS = (
    "string_check", "text_similarity", "score_model", "label_model", "python", "multi", "endpoint",
)  # fmt: skip
_FUNCTION_KEY = re.compile(r"\.azurewebsites\.net(?::[0-9]+)?/[^?]*\?(?:.*&)?code=")
_JUDGES_NOTE = "asks OpenAI's endpoint; `base_url` names another, `local: true` a model here"


@dataclass(slots=True)
class Made:
    """A grader of the spec: its settings, what it can give, and the threshold that it had."""

    settings: dict[str, Any]
    range: Interval = (0.0, 1.0)
    threshold: float | None = None
    comments: dict[str, str] = field(default_factory=dict)
    label: str | None = None
    """What the hosted product called it, where that is not its key here."""


def import_grader(given: Given, target: str, ledger: Ledger) -> Made | None:
    """One grader that is no multi; None when it is refused, which has been said."""
    kind = _kind(given, ledger)
    if kind is None:
        return None
    ledger.mapped(given.at("type"), f"{target}.type")
    made = Made({"type": kind})
    name = given.get("name")
    if name is not None:
        label = name.value
        ledger.mapped(name, target, "the key, or a comment beside it")
        if isinstance(label, str) and variable(label) != target.split(".")[-1]:
            made.label = label
    _threshold(given, target, made, ledger)
    if _KINDS[kind](given, target, made, ledger):
        return made
    ledger.dropped(given, "the grader as a whole was left out")
    return None


def _kind(given: Given, ledger: Ledger) -> str | None:
    if not given.is_mapping:
        ledger.refused(given, f"a grader is a mapping; this is {given.node.describe()}")
        return None
    kind = given.get("type")
    if kind is None:
        hint = f"add `type`: {', '.join(HOSTED_KINDS)}"
        ledger.refused(given, "this grader has no `type`", hint)
        return None
    if kind.text not in _KINDS:
        near = nearest(kind.text, HOSTED_KINDS)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(HOSTED_KINDS)}"
        ledger.refused(given, f"{kind.node.describe()} is no type of grader", hint)
        return None
    return kind.text


def _threshold(given: Given, target: str, made: Made, ledger: Ledger) -> None:
    threshold = given.get("pass_threshold")
    if threshold is None:
        return
    value = threshold.value
    if value is None:
        ledger.without(threshold, "it is null")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        ledger.refused(threshold, "`pass_threshold` is a number")
    else:
        made.threshold = float(value)
        note = "the share that passes is recorded; it never enters the reward, here or there"
        ledger.mapped(threshold, f"{target}.pass_threshold", note)


def take(
    given: Given, key: str, target: str, made: Made, ledger: Ledger, *, required: bool = False
) -> Any:
    """Copy a setting as it is, if its value is what the setting takes; its value, or None."""
    found = given.get(key)
    if found is None:
        if required:
            message = f"this {made.settings['type']} grader has no `{key}`"
            ledger.refused(given, message, "it was left out of the spec")
        return None
    value = found.value
    schema = KINDS[made.settings["type"]].schema["properties"][key]
    if value is None and not required:
        ledger.without(found, "it is null")
        return None
    if not compile_schema(schema)(value):
        choices = f"; one of: {', '.join(schema['enum'])}" if "enum" in schema else ""
        told = schema["description"].rstrip(".")
        message = f"`{key}` is not as it should be: {told}{choices}"
        ledger.refused(found, message)
        return None
    made.settings[key] = value
    ledger.mapped(found, f"{target}.{key}")
    return value


def _template(given: Given, key: str, target: str, made: Made, ledger: Ledger) -> bool:
    text = take(given, key, target, made, ledger, required=True)
    if text is None:
        return False
    try:
        parse_template(text)
    except TemplateError as error:
        ledger.say("E703", given.at(key), error.message, "write a path without filters and calls")
    return True


def _string_check(given: Given, target: str, made: Made, ledger: Ledger) -> bool:
    whole = [_template(given, key, target, made, ledger) for key in ("input", "reference")]
    operation = given.get("operation")
    if operation is not None and operation.text in SPELLINGS:
        meant = SPELLINGS[operation.text]
        note = f"`{operation.text}` is spelt `{meant}`"
        ledger.changed(operation, f"{target}.operation", note)
        made.settings["operation"] = meant
        return all(whole)
    found = take(given, "operation", target, made, ledger, required=True)
    return all(whole) and found is not None


def _text_similarity(given: Given, target: str, made: Made, ledger: Ledger) -> bool:
    whole = [_template(given, key, target, made, ledger) for key in ("input", "reference")]
    metric = take(given, "evaluation_metric", target, made, ledger, required=True)
    if metric == "cosine":
        message = "the hosted product's embedding model cannot be had"
        hint = "add `model: sentence-transformers/all-MiniLM-L6-v2`, or another that you have"
        ledger.say("E703", given.at("evaluation_metric"), message, hint)
    if metric == "fuzzy_match":
        note = "rapidfuzz's WRatio; which function the hosted product calls is not published"
        made.comments["evaluation_metric"] = note
    return all(whole) and metric is not None


def _judge(given: Given, target: str, made: Made, ledger: Ledger) -> bool:
    model = take(given, "model", target, made, ledger, required=True)
    if model is not None:
        made.comments["model"] = _JUDGES_NOTE
    asked = judge_input(given, f"{target}.input", ledger)
    if asked is None:
        return False
    made.settings["input"] = asked
    sampling = judge_sampling(given, f"{target}.sampling_params", ledger)
    if sampling:
        made.settings["sampling_params"] = sampling
    return model is not None


def _score_model(given: Given, target: str, made: Made, ledger: Ledger) -> bool:
    whole = _judge(given, target, made, ledger)
    limits = take(given, "range", target, made, ledger)
    if limits is not None:
        if not limits[0] < limits[1]:
            message = f"the range {limits} is empty: the lower end comes first"
            ledger.say("E703", given.at("range"), message)
        else:
            made.range = (float(limits[0]), float(limits[1]))
    return whole


def _label_model(given: Given, target: str, made: Made, ledger: Ledger) -> bool:
    whole = _judge(given, target, made, ledger)
    labels = take(given, "labels", target, made, ledger, required=True)
    passing = take(given, "passing_labels", target, made, ledger, required=True)
    for label in passing or []:
        if labels is not None and label not in labels:
            message = f"the passing label `{label}` is none of the labels"
            ledger.say("E703", given.at("passing_labels"), message, "put it right in the spec")
    return whole and labels is not None and passing is not None


def _python(given: Given, target: str, made: Made, ledger: Ledger) -> bool:
    tag = given.get("image_tag")
    if tag is not None:
        why = "graders run in the sandbox, with its own modules (`rftspec explain W430`)"
        ledger.without(tag, why)
    source = take(given, "source", target, made, ledger, required=True)
    if source is None:
        return False
    for problem in _problems_of(source):
        message = f"line {problem.line} of the source: {problem.message}"
        ledger.say("E703", given.at("source"), message, problem.hint)
    if holds_secret(source):
        message = "the source seems to hold a key or a token; it stands in the spec now"
        ledger.say("W707", given.at("source"), message, "take it out, and revoke the key")
    made.range, note = range_of_source(source, made.threshold)
    made.settings["range"] = [_plain(end) for end in made.range]
    made.comments["range"] = note
    return True


def _problems_of(source: str) -> Sequence[Problem]:
    """Why the sandbox refuses a source; where there is no sandbox, `validate` says that."""
    pool = Pool()
    try:
        return pool.check(source)
    except SandboxUnavailable:
        return ()
    finally:
        pool.close()


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) else number


def _endpoint(given: Given, target: str, made: Made, ledger: Ledger) -> bool:
    url = take(given, "url", target, made, ledger, required=True)
    if url is None:
        return False
    bare = without_secrets(url)
    if bare != url:
        made.settings["url"] = bare
        hint = "send it as a header, by `headers_env: { NAME: THE_VARIABLE }`"
        if _FUNCTION_KEY.search(url):
            name = variable_for(target.split(".")[-1], "functions_key")
            made.settings["headers_env"] = {"x-functions-key": name}
            hint = f"it is sent as the header x-functions-key: export {name}=…"
        ledger.say("W707", given.at("url"), "the address holds a key: it was taken out", hint)
    _headers(given, target, made, ledger)
    take(given, "rate_limit", target, made, ledger)
    if made.threshold is not None and made.threshold > 1:
        made.range = (0.0, made.threshold)
        made.settings["range"] = [0, made.threshold]
    made.comments["url"] = "its score lies in `range` (default [0, 1]); outside is an error"
    return True


def _headers(given: Given, target: str, made: Made, ledger: Ledger) -> None:
    headers = given.get("headers")
    if headers is None:
        return
    if not headers.is_mapping:
        if headers.value is None:
            ledger.without(headers, "it is null")
        else:
            ledger.refused(headers, "`headers` is a mapping of names to texts")
        return
    kept: dict[str, str] = {}
    moved: dict[str, str] = {}
    for header in headers.entries():
        if is_secret_header(header.name):
            name = variable_for(target.split(".")[-1], header.name)
            moved[header.name] = name
            ledger.moved(header, f"{target}.headers_env", name)
        else:
            kept[header.name] = str(header.value)
            ledger.mapped(header, f"{target}.headers")
    if not headers.node.value:
        ledger.without(headers, "it is empty")
    made.settings.update({"headers": kept} if kept else {})
    moved = {**made.settings.pop("headers_env", {}), **moved}
    made.settings.update({"headers_env": moved} if moved else {})


_KINDS: Mapping[str, Callable[[Given, str, Made, Ledger], bool]] = {
    "string_check": _string_check,
    "text_similarity": _text_similarity,
    "score_model": _score_model,
    "label_model": _label_model,
    "python": _python,
    "endpoint": _endpoint,
}
