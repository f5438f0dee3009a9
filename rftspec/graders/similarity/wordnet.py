"""WordNet, which METEOR needs and no package holds: whether nltk finds it, and how to get it."""

from __future__ import annotations

from rftspec.diagnostics import Diagnostic
from rftspec.graders.building import Builder

HOW = (
    "run: python -m nltk.downloader wordnet. Without a network: copy "
    "nltk_data/corpora/wordnet.zip from a machine that has it, and set NLTK_DATA to that nltk_data "
    "folder"
)


def wordnet_missing(builder: Builder, setting: str) -> Diagnostic | None:
    """A diagnostic when nltk cannot open WordNet; it looks in NLTK_DATA's folders first."""
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError:
        message = "meteor needs WordNet (the data `corpora/wordnet` of nltk), which is not there"
    except Exception as error:  # a file of another format fails in as many ways as it has lines
        message = f"meteor needs WordNet, and what nltk finds cannot be read ({error!r})"
    else:
        return None
    return builder.problem("E421", message, setting, hint=HOW)
