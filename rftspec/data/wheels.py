"""Packages that only some data formats need: imported when a file asks for them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rftspec.data.row import RowError


def need(package: str, what: str) -> Any:
    """The imported module. Raises RowError with the command that installs it."""
    try:
        return import_module(package)
    except ImportError:
        distribution = package.partition(".")[0]
        message = f"{what} needs the package `{distribution}`, which is not installed"
        hint = "run: pip install 'rftspec[data]'"
        raise RowError("E223", message, hint=hint) from None
