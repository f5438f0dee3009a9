"""text_similarity: each metric is its library's own, bounded, and no failure of one pays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rftspec.graders.score import Score
from rftspec.graders.similarity import packages, wordnet
from rftspec.graders.similarity.fuzzy import FUNCTIONS
from tests.graders.grading import built, problems, score
from tests.graders.tiny_wordnet import write_tiny_wordnet

ROOT = Path(__file__).resolve().parents[2]
CAT = "The cat sat on the mat."
LONG = " ".join(f"word{i % 97} and {i % 13}" for i in range(150))
TEXTS = [
    ("", ""),
    ("", CAT),
    (CAT, ""),
    (" \n\t ", CAT),
    (" \n\t ", "  "),
    ("cat", "cat"),
    ("cat", "dog"),
    ("Cat", "cat"),
    (CAT, CAT),
    ("the cat sat on a mat", CAT),
    ("a b c d", "e f g h"),
    ("a b c d e f g h", "h g f e d c b a"),
    ("Ärger über Öl – naïve café", "ärger über öl naïve cafe"),
    ("дождь идёт сегодня", "сегодня идёт дождь"),
    ("猫が座った", "猫が座っている"),
    ("👍🏽 fine 👍", "👍 fine"),
    ("1,234.50 $", "1234.5 dollars"),
    ("the the the the the the", "the cat"),
    (LONG, LONG),
    (LONG, LONG[:700]),
    (LONG[200:], LONG[:-200]),
    ("x" * 3000, "x" * 2999 + "y"),
    ("e\u0301", "é"),
    ("null\x00byte \ud800", "null byte"),
]


def grader(metric: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "text_similarity",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.answer }}",
        "evaluation_metric": metric,
        **more,
    }


def library(metric: str, text: str, reference: str) -> float:
    """The value as a person gets it who calls the library."""
    if metric == "fuzzy_match":
        from rapidfuzz import fuzz, utils

        return fuzz.WRatio(text, reference, processor=utils.default_process) / 100
    if metric == "bleu":
        import sacrebleu

        return sacrebleu.sentence_bleu(text, [reference]).score / 100
    if metric == "gleu":
        from nltk.translate.gleu_score import sentence_gleu

        return sentence_gleu([reference.split()], text.split())
    from rouge_score.rouge_scorer import RougeScorer

    kind = "rouge" + metric.removeprefix("rouge_").upper()
    return RougeScorer([kind]).score(reference, text)[kind].fmeasure


METRICS = ["fuzzy_match", "bleu", "gleu", *(f"rouge_{n}" for n in (1, 2, 3, 4, 5, "l"))]


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_is_its_librarys_own(metric: str) -> None:
    made = built(grader(metric))
    for text, reference in TEXTS:
        found = score_of(made, text, reference)
        assert found.error is None, (text[:40], found)
        assert found.value == pytest.approx(library(metric, text, reference), abs=1e-9), text[:40]


def score_of(made: Any, text: str, reference: str) -> Score:
    from rftspec.graders.score import Sample

    return made.grade([Sample(text)], [{"answer": reference}])[0]


def test_values_stay_what_they_are() -> None:
    """Literals, so that a library that changes its mind is noticed."""
    known = {
        "fuzzy_match": 0.95,
        "bleu": 0.29059254080791846,
        "gleu": 0.3888888888888889,
        "rouge_1": 0.8333333333333334,
        "rouge_2": 0.6,
        "rouge_5": 0.0,
        "rouge_l": 0.8333333333333334,
    }
    for metric, value in known.items():
        found = score(grader(metric), "the cat sat on a mat", {"answer": CAT})
        assert found.value == pytest.approx(value, abs=1e-9), metric


@pytest.mark.parametrize("metric", METRICS)
def test_no_metric_leaves_its_range(metric: str) -> None:
    made = built(grader(metric))
    assert made.range == (0.0, 1.0)
    for text, reference in TEXTS:
        value = score_of(made, text, reference).value
        assert value is not None
        assert 0.0 <= value <= 1.0


@pytest.mark.parametrize("function", FUNCTIONS)
def test_fuzzy_names_a_function_of_rapidfuzz(function: str) -> None:
    from rapidfuzz import fuzz, utils

    for process in (True, False):
        made = built(grader("fuzzy_match", fuzzy=function, process=process))
        for text, reference in TEXTS[:17]:
            processor = utils.default_process if process else None
            wanted = getattr(fuzz, function)(text, reference, processor=processor) / 100
            assert score_of(made, text, reference).value == pytest.approx(wanted, abs=1e-9)


def test_process_decides_whether_case_counts() -> None:
    row = {"answer": "BLUE!"}
    assert score(grader("fuzzy_match", fuzzy="ratio"), "blue", row).value == 1.0
    assert score(grader("fuzzy_match", fuzzy="ratio", process=False), "blue", row).value == 0.0


@pytest.mark.parametrize("metric", METRICS)
def test_path_that_leads_nowhere_has_no_score(metric: str) -> None:
    assert score(grader(metric), "cat", {"other": 1}).error == "invalid_variable_error"


@pytest.mark.parametrize("metric", METRICS)
def test_text_of_a_megabyte_has_no_score_and_takes_no_time(metric: str) -> None:
    made = built(grader(metric))
    score_of(made, "a", "b")
    started = time.perf_counter()
    found = score_of(made, "ab " * 350_000, "ab " * 10)
    assert (found.value, found.error) == (None, "other_error")
    assert found.detail == "a text has 1,050,000 characters, over 200,000"
    assert time.perf_counter() - started < 1


HOSTILE = [
    ("a" * 199_999, "a" * 5000 + "b"),
    ("ab " * 60_000, "ba " * 60_000),
    ("1.," * 60_000,) * 2,
]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("pair", HOSTILE, ids=["letters", "words", "points"])
def test_texts_below_the_limit_are_scored_or_refused_within_seconds(
    metric: str, pair: Sequence[str]
) -> None:
    made = built(grader(metric))
    started = time.perf_counter()
    found = score_of(made, *pair)
    assert time.perf_counter() - started < 20, "seconds alone, more on a machine that is busy"
    assert (found.value is None) == (found.error == "other_error")


def test_quadratic_metrics_say_which_limit_they_met() -> None:
    row = {"answer": "a" * 40_000}
    assert "longer × shorter²" in str(score(grader("fuzzy_match"), "a" * 90_000, row).detail)
    same = score(grader("fuzzy_match", fuzzy="ratio"), "a" * 90_000, row)
    assert same.value == pytest.approx(2 * 40_000 / 130_000)
    words = {"answer": "a b " * 20_000}
    assert "tokens × tokens" in str(score(grader("rouge_l"), "a b " * 20_000, words).detail)


def test_over_the_limit_never_pays_more_than_below() -> None:
    """Identical texts score 1; identical texts that are too long have no score at all."""
    text = "a" * 200_001
    assert score(grader("rouge_1"), text[:-1], {"answer": text[:-1]}).value == 1.0
    assert score(grader("rouge_1"), text, {"answer": text}).value is None


def test_library_that_stumbles_costs_one_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    from rftspec.graders.score import Sample

    made: Any = built(grader("rouge_1"))

    def stumble(text: str, reference: str) -> float:
        if "bad" in text:
            raise ValueError("bad\ntext")
        return 0.5

    monkeypatch.setattr(made.comparison, "_open", lambda: stumble)
    scores = made.grade([Sample("x"), Sample("bad"), Sample("y")], [{"answer": "x"}] * 3)
    assert [s.value for s in scores] == [0.5, None, 0.5]
    assert scores[1] == Score(None, "other_error", r"ValueError: bad\ntext")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_value_that_is_no_number_is_an_error(bad: float, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = built(grader("rouge_1"))
    monkeypatch.setattr(made.comparison, "_open", lambda: lambda text, reference: bad)
    assert score_of(made, "x", "x").error == "other_error"


def test_sacrebleu_keeps_no_texts() -> None:
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
    from sacrebleu.tokenizers.tokenizer_re import TokenizerRegexp

    assert score(grader("bleu"), "some text", {"answer": CAT}).value is not None
    assert Tokenizer13a.__call__.cache_info().currsize == 0
    assert TokenizerRegexp.__call__.cache_info().currsize == 0


@pytest.mark.parametrize(
    ("settings", "name", "hint"),
    [
        (grader("bleu", fuzzy="ratio"), "fuzzy", "evaluation_metric: fuzzy_match"),
        (grader("rouge_l", process=False), "process", "evaluation_metric: fuzzy_match"),
        (grader("fuzzy_match", model="x"), "model", "evaluation_metric: cosine"),
        (grader("cosine"), "evaluation_metric", "model: "),
    ],
)
def test_settings_that_would_do_nothing_are_refused(
    settings: dict[str, Any], name: str, hint: str
) -> None:
    [found] = problems(settings)
    assert (found.code, found.path) == ("E422", f"graders.g.{name}")
    assert hint in str(found.hint)


def test_all_that_is_wrong_is_said_at_once() -> None:
    broken = grader("bleu", fuzzy="ratio") | {"input": "{{ smple.x }}", "reference": "{{"}
    assert [d.code for d in problems(broken)] == ["E422", "E401", "E401"]


def test_rouge_knows_latin_letters_and_digits_only() -> None:
    """As its library: texts in other scripts have no tokens, so that even equal ones score 0."""
    row = {"answer": "дождь идёт"}
    assert score(grader("rouge_1"), "дождь идёт", row).value == 0.0
    assert score(grader("rouge_l"), "дождь идёт", row).value == 0.0
    assert score(grader("fuzzy_match"), "дождь идёт", row).value == 1.0


# --- packages and data that may be missing


@pytest.mark.parametrize(
    ("metric", "package"), [("bleu", "sacrebleu"), ("gleu", "nltk"), ("rouge_l", "rouge_score")]
)
def test_missing_package_is_said_with_its_command(
    metric: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    [found] = problems(grader(metric))
    assert found.code == "E420"
    assert f"`evaluation_metric: {metric}` needs the package" in found.message
    assert f"pip install '{packages.REQUIREMENTS[package]}'" in str(found.hint)


def test_commands_name_the_versions_of_the_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extra = project["optional-dependencies"]["similarity"]
    assert sorted(extra) == sorted(packages.REQUIREMENTS.values())


def test_validating_a_metric_imports_none_of_its_packages() -> None:
    """Only METEOR asks nltk, for WordNet; the others are imported when the first pair is scored."""
    code = (
        "import sys; from tests.graders.grading import built;"
        "from tests.graders.test_text_similarity import METRICS, grader;"
        "[built(grader(m)) for m in METRICS];"
        "print(sorted({'nltk', 'sacrebleu', 'rouge_score', 'rapidfuzz'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def _without_wordnet(monkeypatch: pytest.MonkeyPatch, path: list[str]) -> None:
    import nltk.corpus
    from nltk.corpus.reader import CorpusReader, WordNetCorpusReader
    from nltk.corpus.util import LazyCorpusLoader

    fresh = LazyCorpusLoader(
        "wordnet", WordNetCorpusReader, LazyCorpusLoader("omw-1.4", CorpusReader, r".*/wn.*\.tab")
    )
    monkeypatch.setattr(nltk.corpus, "wordnet", fresh)
    monkeypatch.setattr("nltk.data.path", path)


def test_meteor_without_wordnet_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _without_wordnet(monkeypatch, [str(tmp_path)])
    [found] = problems(grader("meteor"))
    assert (found.code, found.path) == ("E421", "graders.g.evaluation_metric")
    assert "corpora/wordnet" in found.message
    assert "python -m nltk.downloader wordnet" in wordnet.HOW
    assert "NLTK_DATA" in wordnet.HOW
    assert found.hint == wordnet.HOW


def test_meteor_with_a_broken_wordnet_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = write_tiny_wordnet(tmp_path)
    (folder / "lexnames").write_text("what is this")
    _without_wordnet(monkeypatch, [str(tmp_path)])
    [found] = problems(grader("meteor"))
    assert found.code == "E421"
    assert "cannot be read" in found.message


METEOR = """
from nltk.translate.meteor_score import meteor_score
from tests.graders.grading import score
from tests.graders.test_text_similarity import TEXTS, grader
pairs = [*TEXTS, ("the doctor came by car", "the physician came by automobile")]
for text, reference in pairs:
    found = score(grader("meteor"), text, {"answer": reference})
    if len(text.split()) * len(reference.split()) > 4_000_000:
        assert found.error == "other_error"
        continue
    wanted = meteor_score([reference.split()], text.split())
    assert abs(found.value - wanted) < 1e-9, (text, found, wanted)
synonyms = score(grader("meteor"), "the doctor came", {"answer": "the physician came"}).value
others = score(grader("meteor"), "the plumber came", {"answer": "the physician came"}).value
long = score(grader("meteor"), "a " * 3000, {"answer": "a " * 3000})
print(f"{synonyms:.4f} {others:.4f} {long.error}")
"""


def test_meteor_reads_wordnet_from_the_folder_in_nltk_data(tmp_path: Path) -> None:
    """And needs nothing else of it: no tokenizer, no other language. Words may be synonyms."""
    write_tiny_wordnet(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", METEOR],
        cwd=ROOT,
        env={**os.environ, "NLTK_DATA": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["0.9815", "0.3333", "other_error"]
