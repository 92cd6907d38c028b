"""Handlers of calls that open and name files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ruleng.event import NO_ARGS, NO_FD, NO_PATHS, Arg, Event, Fd, Paths
from ruleng.normalise.audit.arguments import Arguments, Numbers
from ruleng.normalise.audit.calls import RESULT, x86_open_flags
from ruleng.normalise.audit.hit import Context, Handler, Hit, returned
from ruleng.normalise.audit.paths import S_IFDIR, S_IFMT, PathItem, absolute, pick
from ruleng.normalise.audit.text import number

_CREATE, _TEMPORARY = 0o100, 0o20000000  # O_CREAT, __O_TMPFILE: asm-generic/fcntl.h
_CREAT_FLAGS = 0o1101  # O_CREAT | O_WRONLY | O_TRUNC: creat(2)
_MODE: dict[str, Numbers] = {name: (("mode", at, False, 0xFFFFFFFF),) for name, at in (("open", 2), ("openat", 3), ("creat", 1))}
"""The position of the mode."""
_NONE: Any = NO_ARGS
_NO_MODE: dict[str, Arg] = {"mode": 0}
"""Without O_CREAT the register of the mode holds anything; open(2)."""


def opened(context: Context, hit: Hit) -> Event | None:
    """open and its kin: the descriptor is the file's, also when they failed."""
    audit, plan, result, syscall = hit.audit, hit.plan, hit.result, hit.syscall
    name = plan.call.name
    numbers = plan.call.numbers
    more: Mapping[str, Arg] = _NO_MODE
    flags: int | None
    if name == "openat":
        flags = int(syscall.a2, 16) & 0xFFFFFFFF
    elif name == "open":
        flags = int(syscall.a1, 16) & 0xFFFFFFFF
    elif name == "creat":
        flags = _CREAT_FLAGS
    elif name == "openat2":
        flags, more = _openat2(hit)
    else:
        flags = int(syscall.a2, 16) & 0xFFFFFFFF
    if flags and name != "openat2":
        if plan.is_aarch64:
            flags = x86_open_flags(flags)
        if flags & (_CREATE | _TEMPORARY) and name in _MODE:
            numbers, more = numbers + _MODE[name], NO_ARGS
    company = hit.company
    files = company.files if company.announced == syscall.items else None
    if files is None:
        files = context.items(hit)
    fd_num = result if result is not None and result >= 0 else -1
    fd, paths, created, args = NO_FD, NO_PATHS, None, _NONE
    if files:
        item = files[0]
        created = item.nametype == b"CREATE"
        if item.path is None:
            path = context.absolute(hit, item, plan.call.directory)
            fd, paths = file_of(item, path, failed=fd_num < 0), Paths(name=path, nameraw=item.name)
        else:
            fd, paths = item.fd if fd_num >= 0 else item.failed, item.paths
            if fd is NO_FD:
                fd, paths = _remembered(item, failed=fd_num < 0)
        if fd_num >= 0 and context.remembers_files:
            context.keep(hit, fd_num, fd)
        if context.wants_args and item.ino is not None:
            if more is not _NO_MODE:
                more = {**more, "dev": item.dev or 0, "ino": item.ino}
            elif item.args is not None:
                more = item.args
            else:
                more = item.args = {**_NO_MODE, "dev": item.dev or 0, "ino": item.ino}
    if not plan.is_wanted:
        return None
    if context.wants_args:
        args = Arguments(numbers, syscall, more)
    return Event(
        type=name,
        time_ns=audit.time_ns,
        proc=hit.proc,
        num=next(context.numbers),
        result=result,
        fd_num=fd_num,
        fd=fd,
        open_flags=flags,
        created=created,
        args=args,
        paths=paths,
        host=audit.node,
        origin=context.origin,
    )


def _openat2(hit: Hit) -> tuple[int | None, dict[str, Arg]]:
    """(flags, parameters) of openat2, whose struct open_how is in a record of its own."""
    body = hit.company.other(b"OPENAT2")
    if body is None:
        return None, _NO_MODE
    flags, mode, resolve = number(body, b"oflag", 8), number(body, b"mode", 8), number(body, b"resolve", 16)
    return flags, {"mode": mode or 0, "resolve": resolve or 0}


def _remembered(item: PathItem, *, failed: bool) -> tuple[Fd, Paths]:
    fd = file_of(item, item.path, failed=failed)
    if item.paths is NO_PATHS:
        item.paths = Paths(name=item.path, nameraw=item.name)
    if failed:
        item.failed = fd
    else:
        item.fd = fd
    return fd, item.paths


def file_of(item: PathItem, path: str | None, *, failed: bool) -> Fd:
    """What an open of this file returns, or shows when it failed. Like Falco's, everything but a directory is a file."""
    is_directory = item.mode is not None and item.mode & S_IFMT == S_IFDIR
    before, _, filename = (path if path is not None else item.name or "").rpartition("/")
    return Fd(
        type=None if failed else "directory" if is_directory else "file",
        typechar="o" if failed else "d" if is_directory else "f",
        name=path,
        nameraw=item.name,
        directory=(before or "/") if path is not None else None,
        filename=filename,
        dev=item.dev,
        ino=item.ino,
    )


def plain(context: Context, hit: Hit) -> Event | None:
    """Calls of which nothing needs to be noted: their numbers, the descriptor and the paths that they work on."""
    at = hit.plan.call.fd
    fd_num, fd = None, NO_FD
    if at == RESULT:
        fd_num = returned(hit.result)
    elif at is not None:
        fd_num = hit.syscall.number(at)
        fd = context.descriptors.get(hit.proc, fd_num)
    paths, more = named(context, hit)
    return context.event(hit, more, fd_num=fd_num, fd=fd, paths=paths)


def named(context: Context, hit: Hit) -> tuple[Paths, dict[str, Arg]]:
    """(the paths that a call names, parameters that are texts)."""
    slots = hit.plan.call.paths
    if not slots or not hit.company.paths:
        return NO_PATHS, {}
    items = context.items(hit)
    if len(slots) == 1:
        if not items or items[0].name is None:
            return NO_PATHS, {}
        return Paths(name=context.absolute(hit, items[0], slots[0][1]), nameraw=items[0].name), {}
    name = hit.plan.call.name
    source, target = pick(name, items)
    found: dict[str, str | None] = {}
    for slot, directory_at in slots:
        item = source if slot == "source" else target
        if item is not None:
            found[slot] = context.absolute(hit, item, directory_at)
            found[f"{slot}raw"] = item.name
    text = found.get("targetraw") if name.startswith("symlink") else None
    if text is None:
        return Paths(**found), {}
    if not text.startswith("/"):  # it counts from where the link lies
        link = found.get("source")
        found["target"] = absolute(text, link.rpartition("/")[0]) if link is not None else None
    return Paths(**found), {"target": text}


HANDLERS: dict[str, Handler] = dict.fromkeys(("open", "openat", "openat2", "creat", "open_by_handle_at"), opened)
