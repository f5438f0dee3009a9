"""What a person sees when rftspec itself is wrong: one block to paste into a report.

User mistakes never come here (they are Diagnostics), nor do bad rollouts (they are data).
"""

from __future__ import annotations

import platform
import shlex
import sys
import traceback
from importlib import metadata
from pathlib import Path

from rftspec import __version__
from rftspec.cli.visible import visible

ISSUES = "https://github.com/rftspec/rftspec/issues"
PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "numpy", "click")
_HERE = Path(__file__).resolve().parent.parent


def versions() -> dict[str, str]:
    """Versions of rftspec, Python and the packages that matter, without importing any of them."""
    found = {"rftspec": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    found["system"] = f"{platform.system()} {platform.machine()}"
    return found


def bug_report(error: BaseException) -> str:
    """The block: what was typed, what went wrong and where, and the versions."""
    typed = " ".join(["rftspec", *(shlex.quote(word) for word in sys.argv[1:])])
    lines = [
        "",
        "This is a bug in rftspec, not in your spec. Please report it, with this block:",
        f"  {ISSUES}",
        "----------------------------------------------------------------------",
        f"command   {visible(typed)}",
        f"error     {type(error).__name__}: {visible(str(error))[:500]}",
        *(f"at        {place}" for place in _places(error)),
        "versions  " + ", ".join(f"{name} {value}" for name, value in versions().items()),
        "----------------------------------------------------------------------",
    ]
    return "\n".join(lines)


def _places(error: BaseException) -> list[str]:
    """The frames, newest first, with paths that say nothing about the person's folders."""
    places = []
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_HERE):
            shown = "rftspec/" + str(path.relative_to(_HERE))
        else:
            shown = "/".join(path.parts[-2:])
        places.append(f"{shown}:{frame.lineno} in {frame.name}")
    return places[:12]
