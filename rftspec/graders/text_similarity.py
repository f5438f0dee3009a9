"""`text_similarity`: how alike two texts are, by one of eleven metrics."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rftspec.diagnostics import Collector, Diagnostic, DiagnosticError
from rftspec.graders.building import Builder, Interval, Settings, template_values
from rftspec.graders.score import Item, Sample, Score
from rftspec.graders.similarity import overlap
from rftspec.graders.similarity.cosine import Cosine
from rftspec.graders.similarity.fuzzy import FUNCTIONS, fuzzy
from rftspec.graders.similarity.limits import TooLong, need_characters
from rftspec.graders.similarity.overlap import Metric
from rftspec.graders.similarity.packages import package_missing
from rftspec.graders.similarity.wordnet import wordnet_missing
from rftspec.graders.texts import (
    INPUT_SCHEMA,
    REFERENCE_SCHEMA,
    build_templates,
    variable_missing,
)
from rftspec.sandbox.protocol import clean
from rftspec.template import MissingVariable, Template

DOC = """\
Says how alike two texts are, from 0 to 1. `input` and `reference` are templates.

| metric | is |
|---|---|
| `fuzzy_match` | rapidfuzz's `WRatio` / 100, after `default_process` (lower case, letters and \
digits only); `fuzzy` names another of its functions, `process: false` leaves out the cleaning |
| `bleu` | sacrebleu's `sentence_bleu` / 100: 13a tokens, exponential smoothing, effective order |
| `gleu` | nltk's `sentence_gleu` over words set apart by blanks: n-grams of 1 to 4 words |
| `meteor` | nltk's `meteor_score` over words set apart by blanks; needs WordNet |
| `rouge_1` … `rouge_5` | rouge-score's F-measure of n-grams, without a stemmer |
| `rouge_l` | rouge-score's F-measure of the longest common subsequence |
| `cosine` | the cosine of the texts' embeddings by the local model that `model` names; below 0 \
counts as 0 |

Scores are those libraries' own. Which of rapidfuzz's functions the hosted product calls is not
published; `WRatio` with `default_process` is what its guide's Python example uses. The hosted
`cosine` uses a model of its own, here you name one. rouge-score keeps only the letters a to z and
digits: texts in other scripts score 0. An empty text scores 0, or what its library says.

A path that leads nowhere is an `invalid_variable_error`. A text of more than 200,000 characters, or
a pair that a quadratic metric would take seconds for, is an `other_error` and has no score:
`fuzzy_match` takes length × length up to 10¹⁰ and, where it looks for the best place of the shorter
text in the longer (`partial_…`, and `WRatio` when one is 1.5 times as long), longer × shorter² up
to 10¹¹; `rouge_l` takes tokens × tokens up to 10⁹ and `meteor` words × words up to 4·10⁶. An
embedding model that fails is an `other_error` too.

`bleu`, `gleu`, `meteor` and `rouge_…` need packages of the extra `similarity`; `validate` names the
command where one is missing.
"""

METRICS = (
    "fuzzy_match", "bleu", "gleu", "meteor",
    "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l", "cosine",
)  # fmt: skip

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "input": {k: v for k, v in INPUT_SCHEMA.items() if k != "default"},
        "reference": REFERENCE_SCHEMA,
        "evaluation_metric": {
            "type": "string",
            "enum": list(METRICS),
            "description": "How the two are compared.",
        },
        "fuzzy": {
            "type": "string",
            "enum": list(FUNCTIONS),
            "default": "WRatio",
            "description": "With `fuzzy_match`: the function of rapidfuzz.fuzz.",
        },
        "process": {
            "type": "boolean",
            "default": True,
            "description": "With `fuzzy_match`: compare in lower case, letters and digits only.",
        },
        "model": {
            "type": "string",
            "minLength": 1,
            "x-env": True,
            "description": "With `cosine`: a local embedding model, a folder or Hugging Face id.",
        },
    },
    "required": ["input", "reference", "evaluation_metric"],
}

_PACKAGES = {"bleu": "sacrebleu", "gleu": "nltk", "meteor": "nltk"}
_OWN = {"fuzzy": "fuzzy_match", "process": "fuzzy_match", "model": "cosine"}


class Comparison(Protocol):
    """A metric: it scores pairs of input and reference, and never raises."""

    def scores(self, pairs: Sequence[tuple[str, str]]) -> list[Score]:
        """One score per pair, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class TextSimilarity:
    """Two templates and a metric, ready to grade."""

    input: Template
    reference: Template
    comparison: Comparison
    range: Interval = (0.0, 1.0)

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Score]:
        """How alike input and reference of each sample are."""
        read = [self._texts(s, i) for s, i in zip(samples, items, strict=True)]
        pairs = [pair for pair in read if not isinstance(pair, Score)]
        scores = iter(self.comparison.scores(pairs))
        return [pair if isinstance(pair, Score) else next(scores) for pair in read]

    def close(self) -> None:
        """Nothing is held."""

    def _texts(self, sample: Sample, item: Item) -> tuple[str, str] | Score:
        values = template_values(sample, item)
        try:
            pair = self.input.render(values), self.reference.render(values)
            need_characters(*pair)
        except MissingVariable as missing:
            return variable_missing(missing)
        except TooLong as error:
            return Score(None, "other_error", str(error))
        return pair


class LibraryMetric:
    """A metric of a library, which is imported when the first pair is scored."""

    def __init__(self, open_metric: Callable[[], Metric]) -> None:
        self._open = open_metric
        self._metric: Metric | None = None
        self._lock = threading.Lock()

    def scores(self, pairs: Sequence[tuple[str, str]]) -> list[Score]:
        """The library's value for each pair."""
        # a grader is called from several threads; nltk's WordNet is one file that is sought in
        with self._lock:
            if self._metric is None:
                self._metric = self._open()
            return [_score(self._metric, *pair) for pair in pairs]


def _score(metric: Metric, text: str, reference: str) -> Score:
    try:
        value = metric(text, reference)
    except TooLong as error:
        return Score(None, "other_error", str(error))
    except Exception as error:
        # a library that stumbles over what the model wrote: a failure of this sample only
        return Score(None, "other_error", clean(f"{type(error).__name__}: {error}"))
    if not math.isfinite(value):
        return Score(None, "other_error", "the metric gave no finite number")
    # sacrebleu's perfect score is 100.00000000000004
    return Score(min(max(value, 0.0), 1.0))


def build(settings: Settings, builder: Builder) -> TextSimilarity:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    found = Collector()
    metric = settings["evaluation_metric"]
    found.extend(_misplaced(settings, metric, builder))
    found.extend(_lacking(settings, metric, builder))
    texts: list[Template] = []
    try:
        texts = build_templates(settings, builder, "input", "reference")
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    found.raise_errors()
    return TextSimilarity(texts[0], texts[1], _comparison(settings, metric, builder))


def _comparison(settings: Settings, metric: str, builder: Builder) -> Comparison:
    if metric == "cosine":
        return Cosine(settings["model"], builder.services.embedder)
    if metric == "fuzzy_match":
        function, process = settings.get("fuzzy", "WRatio"), settings.get("process", True)
        return LibraryMetric(lambda: fuzzy(function, process))
    named = {
        "bleu": overlap.bleu,
        "gleu": overlap.gleu,
        "meteor": overlap.meteor,
        "rouge_l": overlap.rouge_l,
    }
    if metric in named:
        return LibraryMetric(named[metric])
    return LibraryMetric(lambda: overlap.rouge_n(int(metric.removeprefix("rouge_"))))


def _misplaced(settings: Settings, metric: str, builder: Builder) -> list[Diagnostic]:
    """Settings that belong to another metric and would do nothing."""
    return [
        builder.problem(
            "E422",
            f"`{name}` has no effect with `evaluation_metric: {metric}`; it is for `{owner}`",
            name,
            hint=f"leave it out, or write `evaluation_metric: {owner}`",
        )
        for name, owner in _OWN.items()
        if name in settings and metric != owner
    ]


def _lacking(settings: Settings, metric: str, builder: Builder) -> list[Diagnostic]:
    """What the metric needs and is not there: a package, WordNet, the name of a model."""
    if metric == "cosine" and "model" not in settings:
        message = "`cosine` needs `model`, the embedding model that the texts are compared by"
        hint = "name a local one, for example `model: sentence-transformers/all-MiniLM-L6-v2`"
        return [builder.problem("E422", message, "evaluation_metric", hint=hint)]
    package = "rouge_score" if metric.startswith("rouge_") else _PACKAGES.get(metric)
    if package is None:
        return []
    setting = "evaluation_metric"
    missing = package_missing(builder, package, f"`evaluation_metric: {metric}`", setting)
    if missing is None and metric == "meteor":
        missing = wordnet_missing(builder, setting)
    return [] if missing is None else [missing]
