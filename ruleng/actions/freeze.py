"""Freezing a container: its cgroup's freezer, version 2 (cgroup-v2.rst, "cgroup.freeze"), which stops all of it at once.

A frozen container holds still, with its memory and its connections, for somebody to look at. Only a cgroup that is the
container's own is frozen: elsewhere other processes would stop with it.
"""

from __future__ import annotations

import os
from pathlib import Path

from ruleng.errors import InputError
from ruleng.state.cgroups import prefix_of
from ruleng.state.procfs import parse_cgroup, parse_mountinfo
from ruleng.state.procfs_io import ProcReader


def cgroup2_mount(reader: ProcReader) -> Path | None:
    """Where the unified hierarchy is mounted; None without one."""
    with reader.process("self") as directory:
        data = directory.read("mountinfo", 1_048_576) if directory is not None else None
    try:
        mounts = parse_mountinfo(data) if data is not None else ()
    except InputError:
        return None
    return next((Path(mount.point) for mount in mounts if mount.fs_type == "cgroup2" and mount.root == "/"), None)


def freezer_of(mount: Path, cgroup: bytes, full_id: str) -> Path | str:
    """The container's own cgroup directory, from a cgroup file of one of its processes; or why there is none."""
    try:
        lines = parse_cgroup(cgroup)
    except InputError as error:
        return str(error)
    unified = [line.path for line in lines if line.hierarchy == 0 and not line.controllers]
    if not unified:
        return "the process is in no cgroup of version 2"
    prefix = prefix_of(unified[0], full_id)
    if prefix is None:
        return f"its cgroup of version 2, {unified[0]}, is not its container's own"
    directory = mount / prefix.lstrip("/")
    if not (directory / "cgroup.freeze").exists():
        return f"{directory} has no freezer"
    return directory


def processes_in(directory: Path) -> frozenset[int]:
    """Every pid in the cgroup and in those below it. Raises OSError."""
    found: set[int] = set()
    for path, _, files in os.walk(directory):
        if "cgroup.procs" in files:
            found.update(int(pid) for pid in (Path(path) / "cgroup.procs").read_text().split())
    return frozenset(found)


def freeze(directory: Path) -> None:
    """Raises OSError. The kernel freezes at its leisure: `cgroup.events` says when all have stopped."""
    (directory / "cgroup.freeze").write_text("1")


def thaw(directory: Path) -> None:
    """Raises OSError."""
    (directory / "cgroup.freeze").write_text("0")
