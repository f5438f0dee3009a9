"""The files that rftspec ships (grammars, specs, models), wherever it is installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """The path of a shipped file or folder, such as `resource("grammars", "score.lark")`.

    A wheel carries them inside the package; an editable install and a plain checkout have them
    beside it. Raises FileNotFoundError, naming both places, when it is in neither.
    """
    places = [_PACKAGE / "_shipped", _PACKAGE.parent]
    for place in places:
        path = place.joinpath(*parts)
        if path.exists():
            return path
    tried = " or ".join(str(place.joinpath(*parts)) for place in places)
    raise FileNotFoundError(f"a file that rftspec ships is missing: {tried}; install rftspec again")
