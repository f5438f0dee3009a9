"""Where the files of a base model lie on this machine: shipped, a folder, or the hub's cache.

Nothing is downloaded and no hub is asked. The cache's layout is that of `huggingface_hub`
(models--OWNER--NAME/refs and /snapshots); a test holds this to what that library finds.
"""

from __future__ import annotations

import os
from pathlib import Path

from rftspec.spec.paths import model_folder, model_kind


def files_of(base: str, revision: str | None, folder: Path = Path("/")) -> Path | None:
    """The folder with a base model's config and tokenizer; None where it is not on this machine.

    `folder` is what a relative path in a spec is relative to.
    """
    if model_kind(base) == "hub":
        return _snapshot(base, revision or "main")
    return model_folder(base, folder)


def hub_cache() -> Path:
    """The hub's cache folder, as `huggingface_hub` chooses it."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(name):
            return Path(os.environ[name]).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser() / "huggingface" / "hub"


def _snapshot(name: str, revision: str) -> Path | None:
    store = hub_cache() / f"models--{name.replace('/', '--')}"
    try:
        commit = (store / "refs" / revision).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        commit = revision
    found = store / "snapshots" / commit
    try:
        return found if (found / "config.json").is_file() else None
    except (OSError, ValueError):
        return None
