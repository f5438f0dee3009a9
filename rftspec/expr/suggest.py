"""Did you mean: the known word that is nearest to a wrong one."""

from __future__ import annotations

from collections.abc import Sequence


def did_you_mean(word: str, known: Sequence[str], what: str | None) -> str | None:
    """A hint with the nearest known word, else (given `what` they are) a list of all of them."""
    from difflib import get_close_matches

    folded = {_fold(name): name for name in reversed(known)}
    if _fold(word) in folded:
        return f"did you mean `{folded[_fold(word)]}`?"
    close = get_close_matches(_fold(word), list(folded), n=1, cutoff=0.6)
    if close:
        return f"did you mean `{folded[close[0]]}`?"
    if what is None:
        return None
    if not known:
        return f"there are no {what} here"
    shown = ", ".join(f"`{name}`" for name in known[:12])
    return f"the {what} are {shown}{', …' if len(known) > 12 else ''}"


def _fold(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")
