"""Names of user and group ids.

Live they come from /etc/passwd and /etc/group, read again when those change (looked at once a second at most, and only
when somebody asks). In replay they come from what the records say (`learn_user`, `learn_group`: auditd's ENRICHED
format), and nothing of the host is read. A user of a container is looked up in the host's files, as the kernel knows but
the number; names of network directories (LDAP) are not looked up, since that may take seconds.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ruleng.event import NO_GROUP, NO_USER, Group, User
from ruleng.ports import Clock, Ledger
from ruleng.state.limits import SECOND_NS, Limits
from ruleng.state.procfs import UNSET_ID, text

_CHECK_NS = SECOND_NS
_T = TypeVar("_T")


def parse_passwd(data: bytes) -> tuple[dict[int, User], int]:
    """(users by uid, how many lines are broken). See passwd(5); of two lines with one uid the first counts, as for getpwuid(3)."""
    users: dict[int, User] = {}
    broken = 0
    for line in data.splitlines():
        parts = line.split(b":")
        if _is_comment(line):
            continue
        if len(parts) < 7 or not _is_id(parts[2]):
            broken += 1
            continue
        uid = int(parts[2])
        users.setdefault(uid, User(uid=uid, name=text(parts[0]), home=text(parts[5]), shell=text(parts[6])))
    return users, broken


def parse_group(data: bytes) -> tuple[dict[int, Group], int]:
    """(groups by gid, how many lines are broken). See group(5)."""
    groups: dict[int, Group] = {}
    broken = 0
    for line in data.splitlines():
        parts = line.split(b":")
        if _is_comment(line):
            continue
        if len(parts) < 3 or not _is_id(parts[2]):
            broken += 1
            continue
        gid = int(parts[2])
        groups.setdefault(gid, Group(gid=gid, name=text(parts[0])))
    return groups, broken


def _is_comment(line: bytes) -> bool:
    """Also the +/- lines of the compat mode of nsswitch.conf(5)."""
    return not line.strip() or line[:1] in (b"#", b"+", b"-")


def _is_id(number: bytes) -> bool:
    return number.isdigit() and len(number) <= 10


class _File:
    """A file that is read again when it has changed."""

    __slots__ = ("_seen", "failed", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failed: int | None = None  # errno of the last look
        self._seen: tuple[int, int, int, int] | None = None

    def changed(self, limit_bytes: int) -> bytes | None:
        """Its content, or None when it is as it was. Raises OSError."""
        status = self.path.stat()
        seen = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
        if seen == self._seen:
            return None
        if status.st_size > limit_bytes:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        self._seen = seen
        return self.path.read_bytes()


class Users:
    """Give `root` (a directory that holds etc/passwd) to read the host's; None reads nothing."""

    def __init__(self, root: Path | None, clock: Clock, limits: Limits, ledger: Ledger) -> None:
        self._users: dict[int, User] = {}
        self._groups: dict[int, Group] = {}
        self._limits = limits
        self._ledger = ledger
        self._clock = clock
        self._checked_ns: int | None = None
        self._files = None if root is None else (_File(root / "etc/passwd"), _File(root / "etc/group"))

    def user(self, uid: int | None) -> User:
        """NO_USER for an unset id; a User without a name for an id that has no row."""
        if uid is None or uid in (-1, UNSET_ID):
            return NO_USER
        self._refresh()
        user = self._users.get(uid)
        if user is None:
            user = self._keep(self._users, uid, User(uid=uid))
        return user

    def group(self, gid: int | None) -> Group:
        if gid is None or gid in (-1, UNSET_ID):
            return NO_GROUP
        self._refresh()
        group = self._groups.get(gid)
        if group is None:
            group = self._keep(self._groups, gid, Group(gid=gid))
        return group

    def learn_user(self, uid: int, name: str) -> None:
        """A record says what a uid is called."""
        known = self._users.get(uid)
        if known is None or known.name != name:
            self._keep(self._users, uid, User(uid=uid, name=name))

    def learn_group(self, gid: int, name: str) -> None:
        known = self._groups.get(gid)
        if known is None or known.name != name:
            self._keep(self._groups, gid, Group(gid=gid, name=name))

    def _keep(self, table: dict[int, _T], key: int, value: _T) -> _T:
        if len(table) >= self._limits.users and key not in table:
            del table[next(iter(table))]
            self._ledger.lost("state.users", "the table of users or groups is full: the oldest entry went")
        table[key] = value
        return value

    def _refresh(self) -> None:
        if self._files is None:
            return
        now_ns = self._clock.monotonic_ns()
        if self._checked_ns is not None and now_ns - self._checked_ns < _CHECK_NS:
            return
        self._checked_ns = now_ns
        passwd, group = self._files
        self._users = self._reread(passwd, parse_passwd) or self._users
        self._groups = self._reread(group, parse_group) or self._groups

    def _reread(self, file: _File, parse: Callable[[bytes], tuple[dict[int, _T], int]]) -> dict[int, _T] | None:
        try:
            data = file.changed(self._limits.database_bytes)
        except OSError as error:
            if error.errno != file.failed:
                self._ledger.lost("state.users", f"{file.path} cannot be read: {error.strerror}")
            file.failed = error.errno
            return None
        file.failed = None
        if data is None:
            return None
        table, broken = parse(data)
        if broken:
            self._ledger.lost("state.users", f"{file.path} has lines that cannot be read", broken)
        return table
