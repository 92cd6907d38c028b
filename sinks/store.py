"""The embedded alert store, an SQLite file: its schema, and reading it (`ruleng alerts`). `ruleng.sinks.sqlite` writes it.

Any number may read while one writes (write-ahead log). `json` holds Falco's JSON of the alert; the other columns are what
one looks for. Ids grow and are never used again, so a follower needs to remember only the last one it saw.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ruleng.alert import Alert, Priority
from ruleng.errors import InputError
from ruleng.sinks.encode import falco

APPLICATION_ID = 0x72756C65  # "rule"; file(1) and we ourselves tell by it whose the file is
MIGRATIONS = (
    """
    CREATE TABLE alerts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        uuid TEXT NOT NULL UNIQUE,
        time_ns INTEGER NOT NULL,
        stored_ns INTEGER NOT NULL,
        rule TEXT NOT NULL,
        priority INTEGER NOT NULL,
        source TEXT NOT NULL,
        hostname TEXT NOT NULL,
        container_id TEXT,
        container_name TEXT,
        pid INTEGER,
        json TEXT NOT NULL
    );
    CREATE INDEX alerts_time ON alerts (time_ns);
    CREATE INDEX alerts_rule ON alerts (rule, time_ns);
    CREATE INDEX alerts_priority ON alerts (priority, time_ns);
    CREATE INDEX alerts_container ON alerts (container_id) WHERE container_id IS NOT NULL;
    CREATE INDEX alerts_pid ON alerts (pid) WHERE pid IS NOT NULL;
    CREATE TABLE tags (
        tag TEXT NOT NULL,
        alert_id INTEGER NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
        PRIMARY KEY (tag, alert_id)
    ) WITHOUT ROWID;
    CREATE INDEX tags_alert ON tags (alert_id);
    """,
)
"""Number n brings a file of schema version n to n + 1; `PRAGMA user_version` says which it has. Append only."""

VERSION = len(MIGRATIONS)
_DOCKER_ID = 12  # characters of a container's id that alerts carry


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which alerts; what is None does not matter."""

    rule: str | None = None  # with * and ?
    priority: Priority | None = None  # at least so severe
    since_ns: int | None = None
    until_ns: int | None = None  # before
    tag: str | None = None  # with * and ?
    container: str | None = None  # an id, or a name with * and ?
    pid: int | None = None
    after_id: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    id: int
    time_ns: int
    json: bytes  # Falco's JSON, one line

    def alert(self) -> Alert:
        """Raises InputError when somebody else wrote the row."""
        try:
            return falco.decode(self.json)
        except ValueError as error:
            raise InputError(f"alert {self.id}: {error}") from error


class Reader:
    """Reads a store that may be written meanwhile. Raises InputError when the file is missing or is no store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            raise InputError("no such file", path=str(path), hint="run ruleng with --sink sqlite:FILE first")
        try:
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            version = check(self._db)
        except sqlite3.Error as error:
            raise InputError(str(error), path=str(path)) from error
        if version == 0:
            raise InputError("not a store of alerts", path=str(path))

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def select(
        self, wanted: Filter, *, limit: int | None = None, order: Literal["oldest", "newest", "stored"] = "oldest"
    ) -> Iterator[Stored]:
        """By the alerts' own time, or in the order in which they were stored."""
        conditions, values = _conditions(wanted)
        by = {"oldest": "time_ns, id", "newest": "time_ns DESC, id DESC", "stored": "id"}[order]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT id, time_ns, json FROM alerts{where} ORDER BY {by} LIMIT ?"  # noqa: S608 - only our own words
        try:
            for id_, time_ns, json in self._db.execute(query, (*values, -1 if limit is None else limit)):
                yield Stored(id_, time_ns, json.encode())
        except sqlite3.Error as error:
            raise InputError(str(error), path=str(self._path)) from error

    def last_id(self) -> int:
        """Of the alert stored last; 0 when there is none."""
        found: int | None = self._db.execute("SELECT max(id) FROM alerts").fetchone()[0]
        return found or 0

    def follow(self, wanted: Filter, wait: Callable[[], bool]) -> Iterator[Stored]:
        """Alerts as they are stored, those after `wanted.after_id` at once. `wait` passes the time between two looks and says
        whether to go on.
        """
        last = wanted.after_id if wanted.after_id is not None else self.last_id()
        seen: int | None = None
        while True:
            version: int = self._db.execute("PRAGMA data_version").fetchone()[0]  # changes with every commit of another
            if version != seen:
                seen = version
                for stored in self.select(replace(wanted, after_id=last), order="stored"):
                    last = stored.id
                    yield stored
            elif not wait():
                return


def check(db: sqlite3.Connection) -> int:
    """The file's schema version; 0 for a file that is empty. Raises sqlite3.DatabaseError for one that is not ours."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not tables:
        return 0
    if application != APPLICATION_ID:
        raise sqlite3.DatabaseError("the database of another program")
    if version > VERSION:
        raise sqlite3.DatabaseError(f"written by a newer ruleng (schema {version}, this one knows {VERSION})")
    return int(version)


def _conditions(wanted: Filter) -> tuple[list[str], list[object]]:
    rows: list[tuple[str, tuple[object, ...]]] = []
    if wanted.rule is not None:
        rows.append(("rule GLOB ?", (_glob(wanted.rule),)))
    if wanted.priority is not None:
        rows.append(("priority <= ?", (int(wanted.priority),)))
    if wanted.since_ns is not None:
        rows.append(("time_ns >= ?", (wanted.since_ns,)))
    if wanted.until_ns is not None:
        rows.append(("time_ns < ?", (wanted.until_ns,)))
    if wanted.tag is not None:
        rows.append(("id IN (SELECT alert_id FROM tags WHERE tag GLOB ?)", (_glob(wanted.tag),)))
    if wanted.container is not None:
        rows.append(("(container_id = ? OR container_name GLOB ?)", (wanted.container[:_DOCKER_ID], _glob(wanted.container))))
    if wanted.pid is not None:
        rows.append(("pid = ?", (wanted.pid,)))
    if wanted.after_id is not None:
        rows.append(("id > ?", (wanted.after_id,)))
    return [condition for condition, _ in rows], [value for _, values in rows for value in values]


def _glob(pattern: str) -> str:
    """Brackets mean nothing in ruleng's wildcards."""
    return pattern.replace("[", "[[]")
