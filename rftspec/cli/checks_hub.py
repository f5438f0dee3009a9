"""Whether models and data can come from the Hugging Face hub, and what is here already."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from rftspec.cli.finding import Finding

TIMEOUT_S = 4.0
"""For the whole check: name look-up has no time limit of its own."""
ENDPOINT = "https://huggingface.co"
_NO = {"", "0", "no", "off", "false"}


def check_hub() -> list[Finding]:
    """The hub answers or not, an account is known or not, so many models are on this disk.

    A machine without a network is no fault: the built-in models and what is kept need none.
    """
    kept = kept_models()
    here = f"{kept} {'model' if kept == 1 else 'models'} on disk"
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(name, "").lower() not in _NO:
            fix = f"unset {name} to download from the hub"
            return [Finding("hub", "note", f"not asked: {name} is set; {here}", fix)]
    endpoint = os.environ.get("HF_ENDPOINT", ENDPOINT).rstrip("/")
    problem = _reach(endpoint)
    if problem is not None:
        told = f"{endpoint} cannot be reached ({problem}); {here}"
        fix = "connect, or set HTTPS_PROXY or HF_ENDPOINT; built-in models need no hub"
        return [Finding("hub", "note", told, fix)]
    account = "a token is there" if has_token() else "no token: gated models need `hf auth login`"
    return [Finding("hub", "ok", f"{endpoint} answers; {account}; {here}")]


def has_token() -> bool:
    """Whether a token is set or kept; it is neither read nor sent."""
    if os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN"):
        return True
    kept = os.environ.get("HF_TOKEN_PATH")
    path = Path(kept) if kept else _home() / "token"
    return path.is_file() and path.stat().st_size > 0


def kept_models() -> int:
    """Models in the hub's cache on this disk."""
    cache = os.environ.get("HF_HUB_CACHE")
    folder = Path(cache) if cache else _home() / "hub"
    return sum(1 for _ in folder.glob("models--*")) if folder.is_dir() else 0


def _home() -> Path:
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "huggingface"


def _reach(endpoint: str) -> str | None:
    """None where the endpoint answers at all, else why not."""
    answer: list[str | None] = []
    asking = threading.Thread(target=lambda: answer.append(_ask(endpoint)), daemon=True)
    asking.start()
    asking.join(TIMEOUT_S)
    return answer[0] if answer else f"no answer within {TIMEOUT_S:.0f} s"


def _ask(endpoint: str) -> str | None:
    """One HEAD request through whatever proxies the environment names."""
    import urllib.error
    import urllib.request

    if not endpoint.startswith(("http://", "https://")):
        return "HF_ENDPOINT is no http address"
    request = urllib.request.Request(endpoint, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):
            return None
    except urllib.error.HTTPError as error:  # it answered, if only to say no
        return None if error.code < 500 else f"it says {error.code}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return str(getattr(reason, "strerror", None) or reason)[:100]
