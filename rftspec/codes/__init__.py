"""Every code that a diagnostic of spec, data, language or grader can have, with its page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rftspec.codes import document, importing, judges, language, rows, scoring, structure
from rftspec.codes.page import CodePage

PAGES: Mapping[str, CodePage] = MappingProxyType(
    {
        page.code: page
        for shelf in (document, structure, rows, language, scoring, judges, importing)
        for page in shelf.PAGES
    }
)
"""The pages by code. Codes with W, and the E34x, E408 and E409, are warnings."""

CODES: Mapping[str, str] = MappingProxyType({code: page.meaning() for code, page in PAGES.items()})
"""Each page as plain text, for `rftspec explain`."""

__all__ = ["CODES", "PAGES", "CodePage"]
