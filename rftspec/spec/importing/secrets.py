"""Keys and tokens in foreign files: found, never echoed, moved to the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rftspec.diagnostics import Diagnostic
from rftspec.spec.document import Node

_TELLING = re.compile(
    r"(?i)header|authori[sz]ation|token|secret|passw(or)?d|api[-_]?key|credential|cookie|signature"
)
_SHAPES = re.compile(
    r"(?i)\bbearer\s+\S{4,}|\b(?:sk|pk|rk|hf|gsk|xai|ghp|ya29)[-_][A-Za-z0-9_*-]{6,}"
    r"|(?<=[?&])[A-Za-z_-]*(?:key|code|sig|token|secret)=[^&\s\"]+|(?<=://)[^/\s\"]+(?=@)"
)
_OPEN_HEADERS = frozenset(
    {"accept", "accept-charset", "accept-encoding", "accept-language", "content-type", "user-agent"}
)
"""Headers whose values are no secret; any other may hold one."""
_NOT_SECRET = frozenset({"", "auto", "none", "true", "false", "application/json"})
MASK = "•"
_SHORTEST = 4


class Mask:
    """Covers every secret of a file wherever something is said about it."""

    def __init__(self, root: Node) -> None:
        self._secrets = sorted(set(_secrets(root, telling=False)), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text with secrets covered, letter by letter, so that columns stay."""
        for secret in self._secrets:
            text = text.replace(secret, MASK * len(secret))
        return _SHAPES.sub(lambda found: MASK * len(found.group()), text)

    def diagnostic(self, one: Diagnostic) -> Diagnostic:
        """A diagnostic that can be shown."""
        hint = None if one.hint is None else self.text(one.hint)
        snippet = None if one.snippet is None else self.text(one.snippet)
        message = self.text(one.message)
        return Diagnostic(one.code, message, one.span, hint, one.severity, one.path, snippet)


def is_secret_header(name: str) -> bool:
    """Whether a header's value is kept out of the spec."""
    return name.lower() not in _OPEN_HEADERS


def holds_secret(text: str) -> bool:
    """Whether a text has a key or a token in it, by its shape."""
    return _SHAPES.search(text) is not None


def without_secrets(url: str) -> str:
    """An address without the user's name, and without its query where that has a key in it."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    bare = f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
    return bare.partition("?")[0] if holds_secret(bare) else bare


def variable_for(*parts: str) -> str:
    """The name of the environment variable that is to hold a secret: `QUALITY_AUTHORIZATION`."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(parts)).strip("_").upper()
    return name if name[:1].isalpha() else f"KEY_{name}"


def _secrets(node: Node, *, telling: bool) -> Iterator[str]:
    if node.kind == "mapping":
        for key, child in node.value.items():
            open_header = telling and not is_secret_header(key)
            yield from _secrets(
                child, telling=(telling and not open_header) or bool(_TELLING.search(key))
            )
    elif node.kind == "sequence":
        for child in node.value:
            yield from _secrets(child, telling=telling)
    elif telling and isinstance(node.value, str) and node.value.lower() not in _NOT_SECRET:
        # as it is, and as it stands in the file between its quotes
        written = node.source.text[slice(*node.offsets)].strip("\"'")
        yield from (text for text in (node.value, written) if len(text) >= _SHORTEST)
