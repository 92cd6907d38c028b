"""`sqlite:FILE`: the embedded alert store, see `ruleng.sinks.store`.

When it fails: a database that another process holds is waited for, `busy_s` at most, then the batch is refused with
SinkError, whole; the channel keeps it and tries again. An alert that comes twice (by its uuid) is stored once, so a retry
after a doubtful commit is harmless. A file that was moved or deleted meanwhile is opened anew.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ruleng.alert import Alert
from ruleng.errors import SinkError
from ruleng.sinks.encode import falco
from ruleng.sinks.encode.values import jsonable
from ruleng.sinks.store import APPLICATION_ID, MIGRATIONS, VERSION, check
from ruleng.sinks.tools import Tools

_INT64 = (-(2**63), 2**63 - 1)  # what a column holds
_EXPIRE_MAX = 2_000  # rows deleted at once, so that nobody waits long
_VACUUM_PAGES = 1_000
_IDLE_S = 60.0
_PRIMARY = 0xFF  # the primary result code is the low byte of an extended one, sqlite.org/rescode.html
_HINTS = {
    sqlite3.SQLITE_BUSY: "another process holds the database (fuser -v FILE shows which); alerts wait in memory meanwhile",
    sqlite3.SQLITE_FULL: "free some space; alerts wait in memory meanwhile",
    sqlite3.SQLITE_READONLY: "let ruleng's user write the file and its directory",
    sqlite3.SQLITE_CANTOPEN: "create the directory, and let ruleng's user write there",
    sqlite3.SQLITE_NOTADB: "this file is something else: name another one",
    sqlite3.SQLITE_CORRUPT: "move the file away (sqlite3 FILE .recover may save it); a new one is made at once",
}
_INSERT = """INSERT OR IGNORE INTO alerts
    (uuid, time_ns, stored_ns, rule, priority, source, hostname, container_id, container_name, pid, json)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


class SqliteSink:
    """A Blocking sink. `max_age_ns` counts from when an alert was stored; `full_sync` makes a commit survive a power cut."""

    def __init__(
        self,
        name: str,
        path: Path,
        tools: Tools,
        *,
        max_age_ns: int | None = None,
        max_rows: int | None = None,
        busy_s: float = 2.0,
        full_sync: bool = False,
    ) -> None:
        self.name = name
        self.idle_s = _IDLE_S if max_age_ns is not None else None
        self._path = path
        self._tools = tools
        self._max_age_ns = max_age_ns
        self._max_rows = max_rows
        self._busy_s = busy_s
        self._full_sync = full_sync
        self._db: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._reopen = False
        self._counts = dict.fromkeys(("alerts", "errors", "expired", "reopened"), 0)

    # --- Blocking -------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        self._attempt(lambda db: None)

    def write(self, alerts: Sequence[Alert]) -> None:
        rows = [(self._row(alert), sorted({jsonable(tag) for tag in alert.tags})) for alert in alerts]
        self._attempt(lambda db: self._store(db, rows))
        self._counts["alerts"] += len(alerts)

    def idle(self) -> None:
        self._attempt(lambda db: self._store(db, []))

    def close(self) -> None:
        self._drop()

    def reopen(self) -> None:
        self._reopen = True

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)

    # --- opening --------------------------------------------------------------------------------------------------------

    def _attempt(self, step: Callable[[sqlite3.Connection], None]) -> None:
        try:
            step(self._ready())
        except sqlite3.Error as error:
            self._counts["errors"] += 1
            code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
            self._drop()
            raise SinkError(self.name, f"{self._path}: {error}", hint=_HINTS.get(code)) from error

    def _ready(self) -> sqlite3.Connection:
        if self._db is not None and (self._reopen or self._moved()):
            self._counts["reopened"] += 1
            self._drop()
        if self._db is None:
            self._db = self._open()
        return self._db

    def _open(self) -> sqlite3.Connection:
        with suppress(OSError):  # alerts are not for everybody; what is really wrong SQLite says
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640))
        # one thread uses it, but another may be the one that closes it
        db = sqlite3.connect(self._path, timeout=self._busy_s, isolation_level=None, check_same_thread=False)
        try:
            version = check(db)
            if version == 0:
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"PRAGMA synchronous = {'FULL' if self._full_sync else 'NORMAL'}")
            db.execute("PRAGMA foreign_keys = ON")
            if version < VERSION:
                self._migrate(db)
            status = self._path.stat()
        except (sqlite3.Error, OSError) as error:
            db.close()
            if isinstance(error, OSError):
                raise sqlite3.OperationalError(str(error)) from error
            raise
        self._identity = (status.st_dev, status.st_ino)
        self._reopen = False
        return db

    def _migrate(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")  # of two processes that find the file empty, one waits and then finds it made
        version = check(db)
        for script in MIGRATIONS[version:]:
            for statement in filter(str.strip, script.split(";")):
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")

    def _moved(self) -> bool:
        try:
            status = self._path.stat()
        except OSError:
            return True
        return (status.st_dev, status.st_ino) != self._identity

    def _drop(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):  # what was written is committed, what was not is refused
                self._db.close()
            self._db = None

    # --- writing --------------------------------------------------------------------------------------------------------

    def _store(self, db: sqlite3.Connection, rows: Sequence[tuple[tuple[Any, ...], list[str]]]) -> None:
        db.execute("BEGIN IMMEDIATE")
        for row, tags in rows:
            cursor = db.execute(_INSERT, row)
            if cursor.rowcount:
                db.executemany("INSERT INTO tags VALUES (?, ?)", [(tag, cursor.lastrowid) for tag in tags])
        expired = self._expire(db)
        db.execute("COMMIT")
        self._counts["expired"] += expired
        if expired:
            db.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()

    def _row(self, alert: Alert) -> tuple[Any, ...]:
        fields, event = alert.output_fields, alert.event
        container = event.proc.container if event is not None else None
        pid = event.proc.pid if event is not None else fields.get("proc.pid")
        return (
            _text(alert.uuid),
            min(max(alert.time_ns, _INT64[0]), _INT64[1]),
            self._tools.clock.now_ns(),
            _text(alert.rule),
            int(alert.priority),
            _text(alert.source),
            _text(alert.hostname),
            _text(container.id if container is not None else fields.get("container.id")),
            _text(container.name if container is not None else fields.get("container.name")),
            pid if isinstance(pid, int) and _INT64[0] <= pid <= _INT64[1] else None,
            falco.encode(alert).decode(),
        )

    def _expire(self, db: sqlite3.Connection) -> int:
        """How many rows are gone: those beyond max_rows, and the old ones. The oldest come first, so no scan is needed."""
        expired = 0
        if self._max_rows is not None:
            oldest = "SELECT id FROM alerts WHERE id <= (SELECT max(id) FROM alerts) - ? ORDER BY id LIMIT ?"
            expired += _delete(db, oldest, (self._max_rows, _EXPIRE_MAX))
        if self._max_age_ns is not None:
            before_ns = self._tools.clock.now_ns() - self._max_age_ns
            first = db.execute("SELECT stored_ns FROM alerts ORDER BY id LIMIT 1").fetchone()
            if first is not None and first[0] < before_ns:
                oldest = "SELECT id FROM (SELECT id, stored_ns FROM alerts ORDER BY id LIMIT ?) WHERE stored_ns < ?"
                expired += _delete(db, oldest, (_EXPIRE_MAX, before_ns))
        return expired


def _delete(db: sqlite3.Connection, ids: str, values: tuple[int, int]) -> int:
    return db.execute(f"DELETE FROM alerts WHERE id IN ({ids})", values).rowcount  # noqa: S608 - only our own words


def _text(value: Any) -> str | None:
    return None if value is None else str(jsonable(value))
