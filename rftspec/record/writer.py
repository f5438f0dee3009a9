"""The record of a run, for writing: append, commit, and go back to the last commit.

Everything between two commits is one unit of work: after a crash, a full disk or an interrupt the
streams are cut back to the last commit, and the unit is done again. As engine and graders give the
same for the same plan, the streams of a resumed run end byte for byte as those of one left alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rftspec.plan.model import Plan
from rftspec.record.commit import (
    Commit,
    State,
    checksums,
    read_commit,
    write_atomically,
    write_folder,
)
from rftspec.record.errors import RecordError, from_os_error
from rftspec.record.events import Event
from rftspec.record.folder import folder_state, read_plan
from rftspec.record.layout import Layout
from rftspec.record.streams import StreamReader, StreamWriter

Save = Callable[[Path], None]

_LOCK_TRIES = 5
_LOCK_WAIT = 0.05
"""Seconds between two tries."""


class RecordWriter:
    """The one writer of a run folder; holds its lock until it is closed."""

    def __init__(self, folder: Path, plan: Plan, commit: Commit | None, lock: int) -> None:
        """Use `create` or `resume`."""
        self.notice: str | None = None
        """What a person should know about how the run was resumed."""
        self.folder = folder
        self.plan = plan
        self.layout = Layout(folder)
        self.commit_state: Commit = commit or Commit(0, {}, None)
        self._lock = lock
        self._made_parent = False
        offsets = self.commit_state.offsets
        self._streams = {
            name: StreamWriter(path, keep=offsets.get(name, 0))
            for name, path in self.layout.streams.items()
        }
        self._timings = StreamWriter(self.layout.timings)
        self._seq = self._count_events()

    @classmethod
    def create(cls, folder: Path, plan: Plan) -> RecordWriter:
        """Make a run folder; it appears whole or not at all. Raises RecordError."""
        state = folder_state(folder)
        made_parent = not folder.parent.exists()
        if state == "absent":
            _make(folder, plan)
        elif state == "foreign":
            raise RecordError(
                "R401",
                f"`{folder}` exists and holds something that is no run",
                path=folder,
                hint="give an empty or new folder with `--out FOLDER`",
            )
        else:
            raise RecordError(
                "R401",
                f"`{folder}` already holds a run ({state})",
                path=folder,
                hint=f"go on with it: `rftspec resume {folder}`, or give a new folder with "
                "`--out FOLDER`",
            )
        writer = cls._open(folder, plan, lambda: (None, None))
        writer._made_parent = made_parent
        writer.commit(0)
        return writer

    @classmethod
    def resume(cls, folder: Path) -> RecordWriter:
        """Open a run folder at its last good commit; raises RecordError."""
        plan = read_plan(folder)
        return cls._open(folder, plan, lambda: _good_commit(Layout(folder)))

    @classmethod
    def _open(
        cls, folder: Path, plan: Plan, commit: Callable[[], tuple[Commit | None, str | None]]
    ) -> Self:
        lock = take_lock(Layout(folder).lock)
        try:
            found, notice = commit()
            writer = cls(folder, plan, found, lock)
        except BaseException:
            os.close(lock)
            raise
        writer.notice = notice
        return writer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def done(self) -> int:
        """Units of work that the last commit holds."""
        return self.commit_state.done

    @property
    def state_folder(self) -> Path | None:
        """The engine's state at the last commit."""
        state = self.commit_state.state
        return None if state is None else self.folder / state.path

    def event(self, event: Event) -> dict[str, Any]:
        """Append an event and give it back as written."""
        line = {"seq": self._seq, "event": event.kind, **event.fields}
        self._streams["events"].append([line])
        self._seq += 1
        return line

    def samples(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append sample lines."""
        self._streams["samples"].append(lines)

    def rows(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append rows of the data."""
        self._streams["rows"].append(lines)

    def timing(self, **fields: Any) -> None:
        """Append measured values; never cut back."""
        self._timings.append([fields])

    def checkpoint(self, step: int, save: Save) -> str:
        """Have an adapter saved for a step; gives its path relative to the run folder."""
        target = self.layout.checkpoint(step)
        write_folder(target, save)
        return target.relative_to(self.folder).as_posix()

    def publish_adapter(self, step: int, files: Mapping[str, str]) -> None:
        """Copy a checkpoint to `adapter/`, with text files (a README) beside the weights."""

        def fill(target: Path) -> None:
            shutil.copytree(self.layout.checkpoint(step), target, dirs_exist_ok=True)
            for name, text in files.items():
                (target / name).write_text(text, encoding="utf-8")

        write_folder(self.layout.adapter, fill)

    def commit(self, done: int, *, state: tuple[str, Save] | None = None) -> None:
        """Make everything so far safe: `done` units, with a new engine state if one is given."""
        last = self.commit_state
        kept, previous = last.state, last.previous
        if state is not None:
            name, save = state
            write_folder(self.layout.states / name, save)
            kept = State(f"state/{name}", checksums(self.layout.states / name))
            previous = Commit(last.done, last.offsets, last.state)
        for stream in (*self._streams.values(), self._timings):
            stream.sync()
        offsets = {name: stream.offset for name, stream in self._streams.items()}
        commit = Commit(done, offsets, kept, previous)
        write_atomically(self.layout.commit, json.dumps(commit.to_json(), indent=1) + "\n")
        self.commit_state = commit
        self._drop_old_states()

    def roll_back(self) -> None:
        """Cut the deterministic streams back to the last commit."""
        for name, stream in self._streams.items():
            stream.truncate(self.commit_state.offsets.get(name, 0))
        self._seq = self._count_events()

    def discard_if_new(self) -> None:
        """Remove the run folder when nothing was ever committed to it; else roll back."""
        if self.done == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            if self._made_parent:
                with suppress(OSError):  # another run may have come to stand beside it
                    self.folder.parent.rmdir()
        else:
            self.roll_back()

    def close(self) -> None:
        """Close the files and give the lock back; closing twice is fine."""
        for stream in (*self._streams.values(), self._timings):
            stream.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _count_events(self) -> int:
        return sum(1 for _ in StreamReader(self.layout.streams["events"]))

    def _drop_old_states(self) -> None:
        commits = (self.commit_state, self.commit_state.previous)
        kept = {commit.state.path for commit in commits if commit and commit.state}
        for path in sorted(self.layout.states.glob("*")):
            if path.relative_to(self.folder).as_posix() not in kept:
                shutil.rmtree(path, ignore_errors=True)


def _make(folder: Path, plan: Plan) -> None:
    """A new run folder with its plan, put in place in one step."""
    text = json.dumps(plan.to_json(), indent=1, ensure_ascii=False) + "\n"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.is_dir():
            folder.rmdir()  # empty: `absent` says so
    except OSError as error:
        raise from_os_error(error, folder) from error
    write_folder(folder, lambda new: _write_text(new / "plan.json", text), replace=False)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def take_lock(path: Path) -> int:
    """Take a folder's lock and give its file descriptor; RecordError R406 where another has it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise from_os_error(error, path) from error
    for _ in range(_LOCK_TRIES):  # a reader that asks who writes holds it for an instant
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_WAIT)
        else:
            return handle
    os.close(handle)
    raise RecordError(
        "R406",
        f"another process is writing `{path.parent}`",
        path=path,
        hint="wait for it, or stop it; then resume",
    )


def _good_commit(layout: Layout) -> tuple[Commit, str | None]:
    """The newest commit whose streams and state are whole, and a notice if it is an older one."""
    newest = commit = read_commit(layout.commit)
    while commit is not None:
        if commit.usable(layout.folder, layout.streams):
            damaged = "the newest commit was damaged: going on from the one before it"
            return commit, None if commit is newest else damaged
        commit = commit.previous
    if not layout.commit.exists():  # killed before the first commit: nothing had been done
        return Commit(0, {}, None), None
    raise RecordError(
        "R405",
        f"`{layout.folder}` cannot be resumed: its commits or the states they name are damaged",
        path=layout.commit,
        hint="start the run anew in another folder with `--out FOLDER`; what was recorded can "
        "still be read with `rftspec report`",
    )
