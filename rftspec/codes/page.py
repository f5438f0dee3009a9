"""What is said about one code: a title, an explanation, and an example that a test runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodePage:
    """The page of a code, for `rftspec explain` and for docs/errors.md."""

    code: str
    title: str
    text: str
    good: str = ""
    """A part of the sample spec (or of one of its files) as it should be."""
    bad: str = ""
    """The same part with the mistake: putting it in the place of `good` gives this code."""
    file: str = "ranking.yaml"
    """The sample's file that the example is of."""

    def meaning(self) -> str:
        """The page as plain text: title, explanation, example."""
        parts = [f"{self.title}.", self.text]
        if self.bad:
            parts += ["For example:", _indented(self.bad)]
        if self.bad and self.good:
            parts += ["Instead:", _indented(self.good)]
        return "\n\n".join(part for part in parts if part)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip("\n").split("\n"))
