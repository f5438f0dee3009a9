"""The page: numbers, words and charts laid into the templates of `page/`, as one offline file."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

import rftspec
from rftspec.report.browser import Embedded
from rftspec.report.evidence import Evidence
from rftspec.report.visible import finalize, visible

_PAGE = files("rftspec.report") / "page"
_TICKS = re.compile(r"`([^`]+)`")


def render(evidence: Evidence, embedded: Embedded, view: dict[str, Any]) -> str:
    """The whole page; `view` holds what the templates of the sections name."""
    script = _page_file("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            **view,
            name=evidence.plan.name,
            folder=evidence.folder_name,
            plan_hash=evidence.plan.hash,
            version=rftspec.__version__,
            csp=_policy(script),
            css=Markup(_page_file("report.css")),
            js=Markup(script),
            data=embedded.json,
        )
    )


def _policy(script: str) -> str:
    """A policy that lets nothing in but this one script, by its hash, and inline styles."""
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_page_file),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ticks"] = _ticks
    return environment


def _ticks(text: str) -> Markup:
    """Words between backticks as code; everything escaped and made visible."""
    return Markup(_TICKS.sub(r"<code>\1</code>", str(escape(visible(text)))))


@cache
def _page_file(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")
