"""Which processes a scope means now, ancestors first: all that descends from one, or all of a container."""

from __future__ import annotations

from collections.abc import Iterator

from ruleng.actions.grip import START_SLACK_NS, start_of
from ruleng.event import HOST, NO_CONTAINER, NO_TASK, Process
from ruleng.state import ProcReader, State


def tree(state: State, reader: ProcReader, root: Process) -> list[tuple[int, int]]:
    """(pid, start_ns) of a process and its descendants: its children's children as the kernel has them now, and those that
    the kernel gave to init when their parent exited, as the lineage knows them."""
    present = dict(_present(reader))
    children: dict[int, list[int]] = {}
    for pid, (ppid, _) in present.items():
        children.setdefault(ppid, []).append(pid)
    queue = [proc.pid for proc in (root, *_descendants(state, root)) if proc.pid in present and _is(proc, present[proc.pid][1])]
    found: dict[int, None] = {}
    for pid in queue:
        if pid is not None and pid not in found:
            found[pid] = None
            queue.extend(children.get(pid, ()))
    return [(pid, present[pid][1]) for pid in found]


def container(state: State, reader: ProcReader, full_id: str) -> list[tuple[int, int]]:
    """(pid, start_ns) of every process in the container, by its cgroup now or by what is known of it."""
    found = []
    for pid, (_, start_ns) in _present(reader):
        if _container_now(state, reader, pid, start_ns) == full_id:
            found.append((pid, start_ns))
    return sorted(found, key=lambda one: one[1])


def _container_now(state: State, reader: ProcReader, pid: int, start_ns: int) -> str | None:
    known = state.processes.get(pid).container if _is(state.processes.get(pid), start_ns) else NO_CONTAINER
    with reader.process(pid) as directory:
        cgroup = directory.read("cgroup") if directory is not None else None
    found = state.containers.of_cgroup(cgroup, lambda: known.id not in (None, "host")) if cgroup is not None else None
    return known.full_id if found is None or found[0] is HOST else found[0].full_id


def _descendants(state: State, root: Process) -> Iterator[Process]:
    """As the lineage knows them."""
    if root.pid is None:
        return
    ancestor = state.processes.task(root.pid)
    for proc in state.processes:
        up = proc.parent
        while up is not NO_TASK:
            if up is ancestor:
                yield proc
                break
            up = up.now.parent


def _is(proc: Process, start_ns: int) -> bool:
    """Whether the process with that start is the known one, and not another with its pid."""
    return proc.start_ns is not None and abs(proc.start_ns - start_ns) <= START_SLACK_NS


def _present(reader: ProcReader) -> Iterator[tuple[int, tuple[int, int]]]:
    """(pid, (ppid, start_ns)) of everything that has not exited."""
    for pid in reader.pids():
        with reader.process(pid) as directory:
            found = start_of(reader, directory) if directory is not None else None
        if found is not None:
            yield pid, (found[0].ppid, found[1])
