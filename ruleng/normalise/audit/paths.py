"""PATH records: which files a call names, and where they are.

In: the bodies of an event's PATH records, its working directory. Out: PathItems, absolute paths. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from posixpath import normpath

import msgspec

from ruleng.event import NO_FD, NO_PATHS, Arg, Fd, Paths
from ruleng.normalise.audit.text import number, raw, untrusted

S_IFMT, S_IFDIR = 0o170000, 0o040000  # linux/stat.h


class PathItem(msgspec.Struct, gc=False):
    """One PATH record."""

    item: int
    nametype: bytes
    name: str | None  # as the program gave it
    path: str | None  # absolute and normalised; None when `name` is not absolute
    mode: int | None
    dev: int | None
    ino: int | None
    fd: Fd = NO_FD  # of an open by an absolute name, made once; likewise the following
    failed: Fd = NO_FD  # of an open that failed
    args: dict[str, Arg] | None = None  # parameters of an open that cannot make it
    paths: Paths = NO_PATHS


_PATH = re.compile(
    rb"item=([0-9]{1,5}+) name=([^ ]++)"
    rb"(?: inode=([0-9]{1,19}+) dev=([0-9a-f]{1,8}+:[0-9a-f]{1,8}+) mode=([0-7]{1,8}+)"
    rb" ouid=[0-9]++ ogid=[0-9]++ rdev=[^ ]++(?: obj=[^ ]++)?)? nametype=([A-Z]++)"
).match
"""As audit_log_name of kernel/auditsc.c writes it."""


def parse_path(body: bytes) -> PathItem:
    """Raises ValueError."""
    match = _PATH(body)
    if match is None:
        return _irregular(body)
    item, value, ino, device, mode, nametype = match.groups()
    name = untrusted(value)
    path = absolute(name) if name is not None and name.startswith("/") else None
    if ino is None:
        return PathItem(int(item), nametype, name, path, None, None, None)
    return PathItem(int(item), nametype, name, path, int(mode, 8), _device(device), int(ino))


def _irregular(body: bytes) -> PathItem:
    """The same, of a record that is not as today's kernels write it. Raises ValueError."""
    value = raw(body, b"name")
    name = None if value is None else untrusted(value)
    return PathItem(
        number(body, b"item") or 0,
        raw(body, b"nametype") or b"",
        name,
        absolute(name) if name is not None and name.startswith("/") else None,
        number(body, b"mode", 8),
        _device(raw(body, b"dev")),
        number(body, b"inode"),
    )


def _device(value: bytes | None) -> int | None:
    """MAJOR:MINOR in hex -> as stat(2) gives it to programs (new_encode_dev, linux/kdev_t.h)."""
    if value is None:
        return None
    major, colon, minor = value.partition(b":")
    if not colon:
        raise ValueError("a device is not MAJOR:MINOR")
    return encode_device(int(major, 16), int(minor, 16))


def encode_device(major: int, minor: int) -> int:
    """new_encode_dev of linux/kdev_t.h, as in /proc/PID/stat and in struct stat."""
    return minor & 0xFF | (major & 0xFFF) << 8 | (minor & 0xFFF00) << 12


def absolute(name: str, directory: str = "/") -> str:
    """`name` against `directory`, without `.`, `..` and double slashes; links are not resolved."""
    path = name if name.startswith("/") else f"{directory}/{name}"
    if "/." not in path and "//" not in path and not path.endswith("/"):
        return path
    path = normpath(path)
    return path[1:] if path.startswith("//") else path


def in_order(items: Sequence[PathItem]) -> list[PathItem]:
    """As the call named them, each once, without the parent directories that the kernel adds."""
    if len(items) == 1:
        return [] if items[0].nametype == b"PARENT" else [items[0]]
    found: dict[int, PathItem] = {}
    for item in items:
        if item.nametype != b"PARENT":
            found.setdefault(item.item, item)
    return [found[number] for number in sorted(found)]


def first(items: Sequence[PathItem], nametype: bytes) -> PathItem | None:
    return next((item for item in items if item.nametype == nametype), None)


def pick(call: str, items: Sequence[PathItem]) -> tuple[PathItem | None, PathItem | None]:
    """(source, target) of a call with two paths, in the catalogue's sense; None where the kernel did not get that far.

    `items` as `in_order` gives them. rename: DELETE old, [DELETE what was there], CREATE new. link: NORMAL existing, CREATE
    new. symlink: UNKNOWN text, CREATE link. Others name them in the order of their arguments, mount the other way round.
    """
    if call.startswith("rename"):
        return first(items, b"DELETE"), first(items, b"CREATE")
    if call.startswith("link"):
        return first(items, b"CREATE"), first(items, b"NORMAL")
    if call.startswith("symlink"):
        return first(items, b"CREATE"), first(items, b"UNKNOWN")
    one = items[0] if items else None
    two = items[1] if len(items) > 1 else None
    return (two, one) if call == "mount" else (one, two)
