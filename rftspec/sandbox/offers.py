"""Which modules a worker offers: those that every one has, and those that a script asks for.

A module must be imported before the lock-down, and `rapidfuzz` and `datetime` cost a worker's start
more than most scripts need. So the parent looks for their names in a script's text, and gives it
a worker that has them. The parent imports nothing of what it looks for.
"""

from __future__ import annotations

import importlib
import re

ALWAYS: tuple[str, ...] = ("re",)
WHEN_NAMED: tuple[str, ...] = ("datetime", "rapidfuzz")
_HOMES = {
    "re": "rftspec.sandbox.regex",
    "datetime": "rftspec.sandbox.dates",
    "rapidfuzz": "rftspec.sandbox.fuzzy",
}
PACKAGES: tuple[str, ...] = ("RestrictedPython", "re2", "rapidfuzz")
"""The installed packages that a worker imports."""
_NAMED = re.compile(rf"\b(?:{'|'.join(WHEN_NAMED)})\b")


def named_in(source: str) -> frozenset[str]:
    """The modules that a script's text names and not every worker has."""
    return frozenset(_NAMED.findall(source))


def load(names: frozenset[str]) -> None:
    """Give this process's scripts the modules of every worker and these."""
    from rftspec.sandbox import facades, guards

    for name in (*ALWAYS, *sorted(names)):
        home = importlib.import_module(_HOMES[name])
        facades.add(home.FACADES)
        guards.admit(home.ATTRIBUTES, home.CLASS_ATTRIBUTES, home.EXCEPTIONS)
