"""The user's cache folder: what was counted and measured before, in small files.

Everything in it can be thrown away. A file that is damaged is as good as none, one that cannot be
written is not: neither ever stops a plan or a run.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CACHE_VARIABLE = "RFTSPEC_CACHE"
_OFF = frozenset({"", "off", "none"})


def cache_folder() -> Path | None:
    """Where caches are: RFTSPEC_CACHE, else the user's cache folder (XDG).

    RFTSPEC_CACHE=off keeps none; so does a system that has no home folder.
    """
    given = os.environ.get(CACHE_VARIABLE)
    if given is not None:
        return None if given.strip().lower() in _OFF else Path(given).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME", "")
    # the XDG specification: a relative path is to be ignored
    if Path(caches).is_absolute():
        return Path(caches) / "rftspec"
    try:
        return Path.home() / ".cache" / "rftspec"
    except RuntimeError:
        return None


def read_kept(name: str, form: str) -> dict[str, Any] | None:
    """A file of the cache, if it is there and says that it is of this form."""
    folder = cache_folder()
    if folder is None:
        return None
    try:
        found = json.loads((folder / name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("format") == form else None


def keep(name: str, form: str, content: Mapping[str, Any]) -> Path | None:
    """Write a file of the cache, whole or not at all; None where it could not be written."""
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / name
    text = json.dumps({"format": form, **content}, ensure_ascii=False) + "\n"
    partial = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=path.name, suffix=".partial", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        Path(partial).replace(path)
    except OSError:
        if partial is not None:
            Path(partial).unlink(missing_ok=True)
        return None
    return path
