"""Why modules that people reach for are not offered, and what to write in their place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_NO_CHANCE = "a reward is a function of sample and item"
_NO_CLASSES = "graders have no classes; use dicts and tuples"
_NO_OUTSIDE = "a grader has no files, network, processes or threads"
_NUMBERS = "use math, statistics and lists"
_JUDGE = "a grader of type `score_model` asks a model"

REFUSED_MODULES: Mapping[str, str] = MappingProxyType(
    {
        "numpy": f"{_NUMBERS}: np.mean -> statistics.fmean, np.std -> statistics.pstdev, "
        "np.clip(x, a, b) -> min(max(x, a), b), np.exp -> math.exp",
        "pandas": "use lists and dicts",
        "scipy": f"{_NUMBERS}: spearmanr -> statistics.correlation of the ranks",
        "sklearn": "compute the measure with sets and sums; the `expression` grader has "
        "precision, recall, f1, jaccard, ndcg_at",
        "nltk": "BLEU, METEOR and ROUGE are graders of type `text_similarity`; words -> re.findall",
        "rouge_score": "ROUGE is a grader of type `text_similarity`",
        "sacrebleu": "BLEU is a grader of type `text_similarity`",
        "evaluate": "such measures are graders of type `text_similarity`",
        "sympy": "parse numbers with fractions.Fraction or decimal.Decimal; the grader "
        "`number_match` compares numbers",
        "regex": "use `re`, which runs on RE2",
        "re2": "use `re`, which runs on RE2",
        "Levenshtein": "use `from rapidfuzz.distance import Levenshtein`",
        "thefuzz": "use `from rapidfuzz import fuzz`",
        "fuzzywuzzy": "use `from rapidfuzz import fuzz`",
        "jellyfish": "use `from rapidfuzz import distance`",
        "rdkit": "chemistry is not offered",
        "jsonschema": "a grader of type `json_schema` validates; or test the keys you need",
        "pydantic": _NO_CLASSES,
        "dataclasses": _NO_CLASSES,
        "enum": _NO_CLASSES,
        "abc": _NO_CLASSES,
        "yaml": "answers are parsed by json.loads",
        "textwrap": "use strip and splitlines",
        "random": _NO_CHANCE,
        "secrets": _NO_CHANCE,
        "uuid": _NO_CHANCE,
        "time": f"{_NO_CHANCE}; datetime parses dates",
        "calendar": "use datetime",
        "hashlib": "compare the texts themselves",
        "inspect": "graders see no internals of Python",
        "sys": "graders see no internals of Python",
        "gc": "graders see no internals of Python",
        "importlib": "graders see no internals of Python",
        "logging": "a grader has nobody to talk to; print(...) is dropped too",
        "contextlib": "write try/except",
        **dict.fromkeys(("openai", "anthropic", "transformers", "torch", "tiktoken"), _JUDGE),
        **dict.fromkeys(
            ("os", "subprocess", "pathlib", "shutil", "tempfile", "socket", "requests", "httpx",
             "urllib", "http", "io", "threading", "asyncio", "multiprocessing", "concurrent"),
            _NO_OUTSIDE,
        ),
    }
)  # fmt: skip
"""By the name of the package: what a diagnostic says after "the module `x` is not offered"."""
