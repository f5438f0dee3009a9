"""What can go wrong with a run folder, as diagnostics with a place and a fix (codes R4xx)."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from rftspec.diagnostics import Diagnostic, DiagnosticError, Span

CODES: dict[str, str] = {
    "R401": "The folder already holds a run: resume it, or give the new run another folder.",
    "R402": "The run folder cannot be written: permissions, or a read-only file system.",
    "R403": "The disk is full. What was committed is safe; free some space and resume.",
    "R404": "The folder holds no run: its plan.json is missing or cannot be read.",
    "R405": "The run cannot be resumed: its last commits, or the states they name, are damaged.",
    "R406": "Another process is writing this run at the moment.",
    "R407": "A data file has changed since the run was planned.",
    "R408": "A reference's file of outputs is malformed: each line needs `output_text`, and `id` "
    "or `row`.",
    "R409": "A file that the plan names is missing or cannot be read.",
    "R413": "The folder holds another evaluation: of another model, other rows, graders or "
    "settings. Give the new one its own folder with `--out FOLDER`.",
    "R414": "The folder is no adapter in PEFT's format: it needs adapter_config.json and the "
    "weights beside it.",
}
"""Every code of this module with its one-sentence meaning, for `rftspec explain`."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_NEARLY_NOTHING = 1 << 20


class RecordError(DiagnosticError):
    """The run folder could not be made, written or read; holds one diagnostic."""

    def __init__(self, code: str, message: str, *, path: Path, hint: str) -> None:
        place = Span(str(path), 1, 1, 1, 1)
        super().__init__([Diagnostic(code, message, span=place, hint=hint)])

    @property
    def code(self) -> str:
        """The diagnostic's code, such as `R403`."""
        return self.diagnostics[0].code


def from_os_error(error: OSError, path: Path) -> RecordError:
    """An OSError of the run folder as the RecordError that says what to do."""
    if error.errno in _FULL:
        return disk_full(path)
    reason = error.strerror or str(error)
    return RecordError(
        "R402",
        f"`{path}` cannot be written: {reason.lower()}",
        path=path,
        hint="give a folder that you may write to with `--out FOLDER`, or mend its permissions",
    )


def unreadable(error: OSError, path: Path) -> RecordError:
    """An OSError while reading a file of the plan as the RecordError that says so."""
    return RecordError(
        "R409",
        f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}",
        path=path,
        hint="put the file back, or plan again from the spec",
    )


def disk_full(path: Path) -> RecordError:
    """The error for a full disk."""
    return RecordError(
        "R403",
        f"the disk is full: `{path}` could not be written",
        path=path,
        hint="free some space, or give a folder on another disk with `--out FOLDER`; what was "
        "committed before is safe and can be resumed",
    )


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """True when an error of a library that wrote into `folder` comes from a full disk."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    try:
        return shutil.disk_usage(folder).free < _NEARLY_NOTHING
    except OSError:
        return False
