"""Packages that only some graders need: whether they are there, and how to get them."""

from __future__ import annotations

from importlib.util import find_spec

from rftspec.diagnostics import Diagnostic
from rftspec.graders.building import Builder

REQUIREMENTS = {
    "sacrebleu": "sacrebleu>=2.5,<3",
    "nltk": "nltk>=3.9,<4",
    "rouge_score": "rouge-score>=0.1.2,<0.2",
}
"""By the name that is imported; the same as in the extra `similarity` of pyproject.toml."""


def package_missing(builder: Builder, package: str, what: str, setting: str) -> Diagnostic | None:
    """A diagnostic when the package that `what` needs is not installed."""
    try:
        if find_spec(package) is not None:
            return None
    except (ImportError, ValueError):
        pass  # blocked or half removed: as good as missing
    message = f"{what} needs the package {package.replace('_', '-')}, which is not installed"
    hint = f"run: pip install '{REQUIREMENTS[package]}' (the extra `similarity` has it too)"
    return builder.problem("E420", message, setting, hint=hint)
