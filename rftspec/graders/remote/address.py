"""The addresses of services: what a spec may say, and what it may not."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rftspec.diagnostics import Diagnostic, Severity
from rftspec.graders.building import Builder
from rftspec.graders.remote import keys

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOME = frozenset({"localhost", "127.0.0.1", "::1"})


def check_url(url: str, setting: str, builder: Builder, *, secret: bool) -> list[Diagnostic]:
    """What is wrong with a URL; `secret` says whether a key is sent to it."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return [builder.problem("E442", f"this is no URL: {error}", setting)]
    if parts.username is not None or parts.password is not None:
        message = "the URL has credentials in it: they would be in the plan and in the record"
        hint = "name an environment variable instead, with `api_key_env` or `headers_env`"
        return [builder.problem("E442", message, setting, hint=hint)]
    if parts.scheme not in ("http", "https") or not host or re.search(r"\s", url):
        message = "a URL of a service begins with `https://` or `http://`, and names a host"
        return [builder.problem("E442", message, setting, hint="http://localhost:8000/v1")]
    if parts.fragment or (setting == "base_url" and parts.query):
        message = "this URL has a part behind `?` or `#` that would not be used"
        return [builder.problem("E442", message, setting)]
    if secret and parts.scheme == "http" and host not in _HOME:
        message = f"a key would travel to {host} unencrypted"
        return [builder.problem("W447", message, setting, hint="use https", severity="warning")]
    return []


def check_variables(names: Mapping[str, str], builder: Builder) -> list[Diagnostic]:
    """Environment variables by the setting that names them: well formed, and set when it matters.

    While a spec is only checked, one that is not set is a warning: the run may be elsewhere.
    """
    out = []
    for setting, name in names.items():
        if not _NAME.fullmatch(name):
            message = "this is not the name of an environment variable"
            hint = "the variable's name stands here, such as MY_API_KEY; its value never does"
            out.append(builder.problem("E443", message, setting, hint=hint))
        elif keys.value_of(name) is None:
            message = f"the environment variable `{name}` is not set"
            hint = f"export {name}=… in the shell that starts the run"
            severity: Severity = "warning" if builder.services.checking else "error"
            out.append(builder.problem("E443", message, setting, hint=hint, severity=severity))
    return out


def check_package(name: str, builder: Builder) -> list[Diagnostic]:
    """Whether an optional package is installed; only a warning while a spec is only checked."""
    from importlib.util import find_spec

    if find_spec(name) is not None:
        return []
    message = f"this grader needs the package `{name}`, which is not installed"
    severity: Severity = "warning" if builder.services.checking else "error"
    hint = "pip install 'rftspec[judges]'"
    return [builder.problem("E444", message, "type", hint=hint, severity=severity)]
