"""The page: numbers, words and charts laid into the templates of `page/`, as one offline file."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

import rftspec
from rftspec.report.browser import Embedded
from rftspec.report.evidence import Evidence
from rftspec.report.visible import finalize

_PAGE = files("rftspec.report") / "page"


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
            css=Markup(_page_file("report.css")),  # noqa: S704 - our own file
            js=Markup(script),  # noqa: S704 - our own file
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
    return Environment(
        loader=FunctionLoader(_page_file),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _page_file(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")
