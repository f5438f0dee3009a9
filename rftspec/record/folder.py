"""The record of a run, for reading: the plan, and what happened, as far as it can be read.

A record may be unfinished, still growing, or damaged. Reading never fails for that: lines that are
torn or damaged are skipped and counted in `damaged`.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from rftspec.plan.model import Plan
from rftspec.record.commit import Commit, read_commit
from rftspec.record.errors import RecordError, from_os_error
from rftspec.record.layout import Layout
from rftspec.record.streams import StreamReader

FolderState = Literal["absent", "foreign", "unfinished", "running", "finished"]
"""No folder (or an empty one) · something that is no run · a run that can be resumed · a run that
a process is writing now · a run that is done."""

JSON = dict[str, Any]


class Record:
    """One run folder, read."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.layout = Layout(folder)
        paths = {**self.layout.streams, "timings": self.layout.timings}
        self._streams = {name: StreamReader(path) for name, path in paths.items()}

    @classmethod
    def open(cls, folder: Path) -> Record:
        """Read a run folder; raises RecordError R404 when it holds no run."""
        return cls(folder, read_plan(folder))

    @property
    def damaged(self) -> int:
        """Lines of all streams that could not be read so far, each counted once."""
        return sum(stream.damaged for stream in self._streams.values())

    @property
    def commit(self) -> Commit | None:
        """How far the run had come when it was last safe."""
        return read_commit(self.layout.commit)

    @property
    def state(self) -> FolderState:
        """Whether the run is finished, being written, or can be resumed."""
        return folder_state(self.folder)

    def events(self, kind: str | None = None) -> Iterator[JSON]:
        """The events in order, of one kind if named."""
        for event in self._streams["events"]:
            if kind is None or event.get("event") == kind:
                yield event

    def samples(
        self,
        *,
        kind: str | None = None,
        model: str | None = None,
        split: str | None = None,
        step: int | None = None,
    ) -> Iterator[JSON]:
        """Sample lines in order; `ballot` lines (completions that only voted) only when named."""
        wanted = {"model": model, "split": split, "step": step}
        asked = [(name, value) for name, value in wanted.items() if value is not None]
        for line in self._streams["samples"]:
            found = line.get("kind")
            if found != kind and (kind is not None or found == "ballot"):
                continue
            if all(line.get(name) == value for name, value in asked):
                yield line

    def rows(self, split: str | None = None) -> Iterator[JSON]:
        """Rows of the data as graders saw them, `{"split", "row", "id", "item"}`."""
        for line in self._streams["rows"]:
            if split is None or line.get("split") == split:
                yield line

    def timings(self) -> Iterator[JSON]:
        """Measured seconds; a step that was run again after a resume stands twice."""
        yield from self._streams["timings"]

    def checkpoints(self) -> list[Path]:
        """The checkpoint folders in order of their steps."""
        return sorted(self.layout.checkpoints.glob("step-*"))


def read_plan(folder: Path) -> Plan:
    """The plan of a run folder; raises RecordError R404 when there is none to read."""
    path = Layout(folder).plan
    try:
        return Plan.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a plan of rftspec"
        raise RecordError(
            "R404",
            f"`{folder}` holds no run: plan.json: {(reason or str(error)).lower()}",
            path=path,
            hint="name a folder that `rftspec run` made, such as one below `runs/`",
        ) from error


def folder_state(folder: Path) -> FolderState:
    """What stands in a folder, without reading all of it."""
    layout = Layout(folder)
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return "absent"
        if not layout.plan.is_file():
            return "foreign"
    except OSError as error:
        raise from_os_error(error, folder) from error
    if is_locked(layout.lock):
        return "running"
    return "finished" if _has_finished(layout.streams["events"]) else "unfinished"


def is_locked(path: Path) -> bool:
    """True when a process holds the lock file."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _has_finished(events: Path) -> bool:
    """True when the last whole line is the `finished` event."""
    last: JSON = {}
    for last in StreamReader(events):  # noqa: B007 - the last one is meant
        pass
    return last.get("event") == "finished"
