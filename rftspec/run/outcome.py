"""How runs end: finished, a gate failed, or stopped where they can be resumed."""

from __future__ import annotations

import contextlib
import platform
import shlex
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rftspec import __version__
from rftspec.record.errors import RecordError
from rftspec.record.writer import RecordWriter
from rftspec.run.interrupt import Interrupted
from rftspec.run.observer import Outcome

_DECIDING = ("torch", "transformers", "peft", "bitsandbytes", "tokenizers", "numpy")

LONGEST_REASON = 300
STOPPING = (
    "stopping where it is safe: after this step, or at once inside an evaluation; press Ctrl-C "
    "again to stop now"
)
"""What a person is told at the first signal."""


def finished(folder: Path, summary: Mapping[str, Any]) -> Outcome:
    """The outcome of a run whose last event is written."""
    failed = [gate["expression"].strip() for gate in summary["gates"] if not gate["passed"]]
    if failed:
        return Outcome(4, folder, f"a gate failed: {'; '.join(failed)}", summary=summary)
    return Outcome(0, folder, "the run is finished", summary=summary)


def stopped(writer: RecordWriter, reason: Exception) -> Outcome:
    """The outcome of a run that can be resumed; drops what is not committed."""
    writer.roll_back()
    resume = resume_command(writer.folder)
    if isinstance(reason, Interrupted):
        note_stop(writer, 130, "interrupted")
        return Outcome(130, writer.folder, "interrupted; what was done is safe", resume)
    found = reason.diagnostics if isinstance(reason, RecordError) else ()
    message = found[0].message if found else str(reason)
    note_stop(writer, 3, message)
    return Outcome(3, writer.folder, message, resume, diagnostics=found)


def note_stop(writer: RecordWriter, code: int, reason: str) -> None:
    """Leave word of why a run stopped, for `rftspec ls`; a full disk may have no room for it.

    It stands with the timings: a run that is resumed keeps the same events as one left alone.
    """
    with contextlib.suppress(RecordError):
        writer.timing(phase="stopped", code=code, reason=reason[:LONGEST_REASON])


def resume_command(folder: Path) -> str:
    """What to type to go on with a run."""
    return f"rftspec resume {shlex.quote(str(folder))}"


def versions() -> dict[str, str]:
    """Versions of what decides a run's numbers."""
    found = {"rftspec": __version__, "python": platform.python_version()}
    for name in _DECIDING:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
