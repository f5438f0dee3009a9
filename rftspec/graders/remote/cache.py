"""Replies of judges, kept on disk from one run to the next.

One SQLite file in write-ahead mode, safe to share between threads and processes. It holds hashes
of questions and the replies to them: no prompts, no keys. A cache that cannot be read or written
is given up with one notice, and the run goes on without it. It keeps the latest `MAX_ENTRIES`
replies of at most `MAX_TEXT` characters, and never takes more than `MAX_BYTES` of disk.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

FILE = "verdicts.sqlite3"
MAX_ENTRIES = 200_000
MAX_TEXT = 16_384
MAX_BYTES = 512 << 20
_PAGE = 4096
_WAIT_SECONDS = 2.0
_PRUNE_EVERY = 1000

_log = logging.getLogger("rftspec.cache")
_told: set[Path] = set()


def key_of(**parts: Any) -> str:
    """The hash of everything that a reply depends on."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256(text.encode("ascii")).hexdigest()


class ReplyCache:
    """The replies of a folder; opened at first use, and given up at the first failure."""

    def __init__(self, folder: Path, *, file: str = FILE, longest: int = MAX_TEXT) -> None:
        self._folder = folder
        self._file = file
        self._longest = longest
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._usable = True
        self._puts = 0

    @property
    def usable(self) -> bool:
        """False once the cache was given up."""
        return self._usable

    def get(self, key: str) -> str | None:
        """The reply of a key, or None."""
        with self._lock:
            try:
                found = self._open().execute("SELECT reply FROM replies WHERE key = ?", (key,))
                row = found.fetchone()
            except _Given:
                return None
            except (sqlite3.Error, OSError) as error:
                self._failed(error)
                return None
        return row[0] if row is not None and isinstance(row[0], str) else None

    def put(self, key: str, reply: str) -> None:
        """Keep a reply; one that is too long is not kept."""
        if len(reply) > self._longest:
            return
        with self._lock:
            try:
                connection = self._open()
                _insert(connection, key, reply)
                self._puts += 1
                if self._puts % _PRUNE_EVERY == 0:
                    _prune(connection)
            except _Given:
                return
            except (sqlite3.Error, OSError, UnicodeError) as error:
                self._failed(error)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._usable = False
            self._shut()

    def _open(self) -> sqlite3.Connection:
        if not self._usable:
            raise _Given
        if self._connection is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = _connect(self._folder / self._file)
        return self._connection

    def _failed(self, error: Exception) -> None:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            return  # another process is busy: this once without the cache
        self._usable = False
        self._shut()
        if self._folder / self._file not in _told:
            _told.add(self._folder / self._file)
            _log.warning("the cache %s is not used: %s", self._folder / self._file, error)

    def _shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


class _Given(Exception):
    """The cache was given up."""


def _connect(file: Path, tries: int = 50) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        # the change to WAL does not wait for another that makes it at the same moment
        if "locked" not in str(error) or tries <= 1:
            raise
        time.sleep(0.01)
        return _connect(file, tries - 1)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {_PAGE}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA max_page_count = {MAX_BYTES // _PAGE}")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS replies "
        "(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, reply TEXT NOT NULL)"
    )
    _prune(connection)


def _insert(connection: sqlite3.Connection, key: str, reply: str) -> None:
    """Write a reply; at the limit of the file's size, after forgetting the older half."""
    statement = "INSERT OR REPLACE INTO replies (key, reply) VALUES (?, ?)"
    try:
        connection.execute(statement, (key, reply))
    except sqlite3.OperationalError as error:
        if "full" not in str(error):
            raise
        half = "(SELECT (MIN(id) + MAX(id)) / 2 FROM replies)"
        connection.execute(f"DELETE FROM replies WHERE id <= {half}")
        connection.execute(statement, (key, reply))


def _prune(connection: sqlite3.Connection) -> None:
    """Forget the oldest replies beyond the limit."""
    last = "(SELECT id FROM replies ORDER BY id DESC LIMIT 1 OFFSET ?)"
    connection.execute(f"DELETE FROM replies WHERE id <= {last}", (MAX_ENTRIES,))
