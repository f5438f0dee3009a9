"""The commit: how far a run has come, written in one atomic step, and all that a resume trusts."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rftspec.record.errors import RecordError, disk_full, from_os_error, is_disk_full

FORMAT = "commit/1"


@dataclass(frozen=True, slots=True)
class State:
    """A folder of engine state, with the checksum of each of its files."""

    path: str
    """Relative to the run folder."""
    files: Mapping[str, str]

    def intact(self, folder: Path) -> bool:
        """True when every file is there and unchanged."""
        try:
            return checksums(folder / self.path) == dict(self.files)
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Commit:
    """Units of work done, the length of each stream then, and the engine's state then."""

    done: int
    offsets: Mapping[str, int]
    state: State | None
    previous: Commit | None = None
    """The last commit that named another state: what a resume falls back to."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the format stands on the outermost."""
        state = self.state and {"path": self.state.path, "files": dict(self.state.files)}
        return {
            "format": FORMAT,
            "done": self.done,
            "offsets": dict(self.offsets),
            "state": state,
            "previous": self.previous and self.previous.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Commit:
        """Read what `to_json` gave; raises KeyError, TypeError or ValueError for anything else."""
        if value["format"] != FORMAT:
            raise ValueError(f"format {value['format']!r} is not {FORMAT!r}")
        state, previous = value["state"], value["previous"]
        return cls(
            int(value["done"]),
            {str(name): int(offset) for name, offset in value["offsets"].items()},
            None if state is None else State(str(state["path"]), dict(state["files"])),
            None if previous is None else cls.from_json(previous),
        )

    def usable(self, folder: Path, streams: Mapping[str, Path]) -> bool:
        """True when every stream reaches as far as the commit says and the state is intact."""
        for name, offset in self.offsets.items():
            path = streams[name]
            if offset > (path.stat().st_size if path.exists() else 0):
                return False
        return self.state is None or self.state.intact(folder)


def read_commit(path: Path) -> Commit | None:
    """The commit in a file; None when there is none or it cannot be read."""
    try:
        return Commit.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_atomically(path: Path, text: str) -> None:
    """Replace a file in one step: after a crash it holds the old text or the new, whole."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise from_os_error(error, path) from error


def write_folder(target: Path, write: Callable[[Path], None], *, replace: bool = True) -> None:
    """Let `write` fill a new folder, then put it at `target` in one step, or leave no trace."""
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        write(temporary)
        for file in sorted(temporary.rglob("*")):
            if file.is_file():
                with file.open("rb") as handle:
                    os.fsync(handle.fileno())
        if replace:
            shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
        sync_folder(target.parent)
    except Exception as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise _as_record_error(error, target) from error


def _as_record_error(error: Exception, target: Path) -> Exception:
    """Libraries report a full disk in their own ways; the rest of their errors stay theirs."""
    if isinstance(error, RecordError):
        return error
    if is_disk_full(error, target.parent):
        return disk_full(target)
    return from_os_error(error, target) if isinstance(error, OSError) else error


def sync_folder(folder: Path) -> None:
    """Put a folder's entries (names of new and renamed files) on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by relative path; raises OSError."""
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as handle:
            found[file.relative_to(folder).as_posix()] = hashlib.file_digest(
                handle, "sha256"
            ).hexdigest()
    return found
