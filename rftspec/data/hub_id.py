"""How a Hugging Face data set is named: `hf:owner/name?config=main&split=train&revision=…`.

The id takes the place of a path wherever one is meant: a `Path` that begins with `hf:`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PREFIX = "hf:"
FORM = "hf:owner/name?config=main&split=train&revision=COMMIT; all after the name may be left out"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?\Z")
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}\Z")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*\Z")
_OPTIONS = ("config", "split", "revision")


@dataclass(frozen=True, slots=True)
class HubSource:
    """What of which data set; the split is known once the field that names it is."""

    name: str
    config: str | None = None
    split: str | None = None
    revision: str | None = None

    def as_path(self) -> Path:
        """The source in the place of a path, always written the same way."""
        options = [f"{o}={v}" for o in _OPTIONS if (v := getattr(self, o)) is not None]
        return Path(PREFIX + self.name + ("?" + "&".join(options) if options else ""))


def is_hub(path: Path | str) -> bool:
    """True where a path is the id of a hub data set."""
    return str(path).startswith(PREFIX)


def parse_hub(text: str) -> HubSource:
    """The source that an id names. Raises ValueError with a sentence where it is malformed."""
    name, mark, query = text.removeprefix(PREFIX).partition("?")
    if not _ID.match(name) or ".." in name or "--" in name or name.endswith((".", "-")):
        raise ValueError(f"`{name[:80]}` is not the id of a Hugging Face data set")
    options: dict[str, str] = {}
    for part in query.split("&") if mark else ():
        option, _, value = part.partition("=")
        if option not in _OPTIONS:
            raise ValueError(f"`{option[:40]}` is none of config, split and revision")
        if option in options:
            raise ValueError(f"`{option}` stands twice")
        fits = (_REVISION if option == "revision" else _VALUE).match(value)
        if fits is None or ".." in value:
            raise ValueError(f"`{option}` has no usable value: `{value[:40]}`")
        options[option] = value
    return HubSource(name, **options)
