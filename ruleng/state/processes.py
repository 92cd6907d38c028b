"""The tree of processes: what is known of each, kept current from events, from /proc when live.

In: what records say (`seen`, `fork`, `exec`, `exit`). Out: immutable snapshots, the very same one as long as nothing has
changed. Each pid of the table stands for one process at a time; a process is (pid, start_ns), and when a record shows
that the pid has been given away again, a new node takes its place while the children of the old one keep theirs.

Without a Looker (replay) nothing of the host is read: an unknown parent is a node with only a pid, until a record tells
more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ruleng.event import HOST, NO_CONTAINER, NO_TASK, Container, Process, Task, evolve
from ruleng.ports import Clock, Ledger
from ruleng.state.containers import Containers
from ruleng.state.limits import Limits
from ruleng.state.lineage import Node, link
from ruleng.state.look import DELETED, Looker, command
from ruleng.state.membership import membership
from ruleng.state.table import Counters, Table
from ruleng.state.users import Users

_WHERE = "state.processes"
_UNKNOWN_AFTER_EXEC: dict[str, Any] = {
    "env": None,
    "cap_permitted": None,
    "cap_effective": None,
    "cap_inheritable": None,
    "exe_ino": None,
    "exe_ctime_ns": None,
    "exe_mtime_ns": None,
    "exe_writable": None,
    "exe_upper_layer": None,
    "exe_lower_layer": None,
    "extra": None,
}
_COMM_CHARACTERS = 15  # TASK_COMM_LEN of linux/sched.h, without the NUL
_PER_IMAGE = ("exe", "args", "args_text", "cmdline", *_UNKNOWN_AFTER_EXEC)


class Processes:
    """`looker` None is replay. Times are those of the records; only where nothing tells one the clock is asked."""

    def __init__(
        self,
        looker: Looker | None,
        users: Users,
        containers: Containers,
        *,
        clock: Clock,
        limits: Limits,
        ledger: Ledger,
    ) -> None:
        self.looker = looker
        self.counted = Counters()
        self._users = users
        self._containers = containers
        self._clock = clock
        self._limits = limits
        self._ledger = ledger
        self._table = Table(limits, self.counted, self._evicted)
        self._pidns_start: dict[int, int] = {}

    # --- asking -------------------------------------------------------------------------------------------------------

    def get(self, pid: int) -> Process:
        """What is known of a pid now; of an unknown one what /proc says, in replay a Process with only the pid."""
        node = self._table.get(pid)
        if node is None:
            if self.looker is None or self.looker.start_ns(pid) is None:
                return Process(pid=pid)
            node = self._ensure(pid, self._clock.now_ns())
        node.asked = True
        return node.now

    def task(self, pid: int) -> Task:
        """The place of a process in the tree; one is made for an unknown pid."""
        return self._ensure(pid, self._clock.now_ns())

    def knows(self, pid: int) -> bool:
        """Whether it is a process that is in the table; a thread of one never is."""
        return self._table.get(pid) is not None

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Process]:
        """All that have not exited."""
        return (node.now for _, node in self._table.living())

    def counters(self) -> Mapping[str, int]:
        return {"known": len(self._table), **asdict(self.counted)}

    # --- telling ------------------------------------------------------------------------------------------------------

    def seen(
        self,
        pid: int,
        time_ns: int,
        *,
        ppid: int | None = None,
        name: str | None = None,
        exepath: str | None = None,
        uid: int | None = None,
        gid: int | None = None,
        euid: int | None = None,
        egid: int | None = None,
        loginuid: int | None = None,
        tty: int | None = None,
        cwd: str | None = None,
        **more: Any,
    ) -> Process:
        """What a record of this process says of it; None says nothing. `more`: any other attribute of Process.

        The very same snapshot when nothing is new: this runs for every event.
        """
        node = self._table.get(pid)
        if node is not None:
            now = node.now
            if (
                (name is None or name == now.name)
                and (exepath is None or exepath == now.exepath)
                and (ppid is None or ppid == node.kernel_ppid)
                and (uid is None or uid == now.uid)
                and (gid is None or gid == now.gid)
                and (euid is None or euid == now.euid)
                and (egid is None or egid == now.egid)
                and (loginuid is None or loginuid == now.loginuid)
                and (tty is None or tty == now.tty)
                and (cwd is None or cwd == now.cwd)
                and not more
                and node.exited_ns is None
            ):
                node.asked = True
                return now
        says = {"name": name, "exepath": exepath, "uid": uid, "gid": gid, "euid": euid, "egid": egid, "loginuid": loginuid}
        return self._told(pid, time_ns, ppid, _known(says | {"tty": tty, "cwd": cwd} | more)).now

    def fork(self, parent_pid: int, child_pid: int, time_ns: int, **more: Any) -> Process:
        """A process was made. Its record may come after the child's own (vfork): then it only tells the parent."""
        self.counted.forks += 1
        parent = self._ensure(parent_pid, time_ns)
        node = self._table.get(child_pid)
        if node is not None:
            known_since_ns = node.now.start_ns if node.now.start_ns is not None else node.first_ns
            if known_since_ns >= time_ns - self._limits.reuse_slack_ns:
                return self._adopt(node, parent)
            self._table.remove(child_pid, node)
        now = parent.now
        fresh: dict[str, Any] = {
            "vpid": None,
            "vpgid": None,
            "extra": None,
            "pid": child_pid,
            "ppid": parent_pid,
            "start_ns": time_ns,
        }
        node = Node(evolve(now, **fresh, parent=NO_TASK), time_ns)
        self._table.insert(child_pid, node)
        node.now = evolve(node.now, parent=self._link(node, parent), **self._resolved(more, node))
        return node.now

    def exec(
        self,
        pid: int,
        time_ns: int,
        *,
        name: str | None,
        argv: Sequence[str] | None,
        exepath: str | None,
        ppid: int | None = None,
        **more: Any,
    ) -> Process:
        """A process runs a new program now. argv None is not known."""
        self.counted.execs += 1
        says = _known(more)
        if argv is not None:
            argv = self._bounded(argv)
        if name is None and exepath is not None:
            name = exepath.rpartition("/")[2][:_COMM_CHARACTERS]
        image = {**command(name, argv), "name": name, "exepath": exepath, "exec_ns": time_ns}
        node = self._table.get(pid)
        if node is None or self._is_other(pid, node, time_ns, ppid):
            node = self._create(pid, time_ns, ppid, _known(image) | says)
        else:
            self._reparented(node, ppid, time_ns)
            place, found = self._look_after_exec(pid, node, exepath)
            if place is not None and not self._is_same_start(node.now.start_ns, place["start_ns"]):
                self.counted.reused += 1
                node = self._create(pid, time_ns, ppid, _known(image) | says)
            else:
                changes = _UNKNOWN_AFTER_EXEC | found | image | says
                node.now = evolve(node.now, **self._resolved(changes, node))
        node.asked = True
        return node.now

    def exit(self, pid: int, time_ns: int) -> None:
        """The process has ended; it can still be asked for, for a while, and its children see it for as long as they live."""
        node = self._table.get(pid)
        if node is None or node.exited_ns is not None:
            return
        self.counted.exits += 1
        self._table.exited(pid, node, time_ns)

    # --- /proc --------------------------------------------------------------------------------------------------------

    def seed(self) -> None:
        """Read every process there is. About 0.1 ms each."""
        for _ in self.repair():
            pass

    def repair(self, batch: int = 64) -> Iterator[int]:
        """Compare everything with /proc, as after lost events: who has gone, who is new, who runs something else.

        Yields how many processes it has looked at, after each batch, so that the caller can see to events in between.
        Does nothing in replay.
        """
        if self.looker is None:
            return
        pids = self.looker.reader.pids()
        self._gone(pids)
        for index, pid in enumerate(sorted(pids), 1):
            self._reread(pid)
            if index % batch == 0:
                yield index
        yield len(pids)

    def refresh(self, pid: int) -> None:
        """Compare one process with /proc, as after a call that changed its users, namespaces or directories. Not in replay."""
        self._reread(pid)

    def sweep(self) -> None:
        """Note who has exited, by one listing of /proc. For sources that report no exits: every few seconds is enough."""
        if self.looker is not None:
            self._gone(self.looker.reader.pids())

    def _gone(self, present: Sequence[int]) -> None:
        time_ns, there = self._clock.now_ns(), set(present)
        for pid, _ in self._table.living():
            if pid not in there:
                self.exit(pid, time_ns)
        self._table.purge(time_ns)

    def _reread(self, pid: int) -> None:
        looker = self.looker
        if looker is None:
            return
        time_ns = self._clock.now_ns()
        node = self._table.get(pid)
        if node is None or node.exited_ns is not None:
            before = self.counted.vanished
            self._create(pid, time_ns, None, {})
            self.counted.seeded += self.counted.vanished == before
            return
        with looker.reader.process(pid) as directory:
            found = looker.whole(directory, pid) if directory is not None else None
            if found is None or directory is None:
                self.counted.vanished += 1
                self.exit(pid, time_ns)
                return
            self.counted.seeded += 1
            if not self._is_same_start(node.now.start_ns, found["start_ns"]):
                self.counted.reused += 1
                self._create(pid, time_ns, None, {})
                return
            found |= membership(looker, self._containers, directory, node.now.container, node.now.parent)
        self._reparented(node, found.pop("ppid"), time_ns)
        changes = self._resolved(found, node)
        if any(getattr(node.now, attribute) != value for attribute, value in changes.items()):
            node.now = evolve(node.now, **changes)

    def _look_after_exec(self, pid: int, node: Node, exepath: str | None) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """(where the process stands, what the exec changed); (None, {}) when it cannot be seen any more."""
        looker = self.looker
        if looker is None:
            return None, {}
        with looker.reader.process(pid) as directory:
            place = looker.place(directory) if directory is not None else None
            if place is None or directory is None:
                self.counted.vanished += 1
                return None, {}
            found = looker.after_exec(directory, exepath)
            found |= {attribute: place[attribute] for attribute in ("start_ns", "sid", "pgid", "tty")}
            found |= membership(looker, self._containers, directory, node.now.container, node.now.parent)
        return place, found

    # --- the table ----------------------------------------------------------------------------------------------------

    def _told(self, pid: int, time_ns: int, ppid: int | None, says: dict[str, Any]) -> Node:
        node = self._table.get(pid)
        if node is None or self._is_other(pid, node, time_ns, ppid, says.get("exepath")):
            return self._create(pid, time_ns, ppid, says)
        node.asked = True
        if node.exited_ns is not None:
            return node  # a late record: what it says was so before
        self._reparented(node, ppid, time_ns)
        now = node.now
        exepath = says.get("exepath")
        if exepath is not None and now.exepath is not None:
            if _same_file(exepath, now.exepath):
                del says["exepath"]  # its file was deleted since, that is all
            else:
                says = self._missed_exec(pid, exepath) | says
        if "name" in says and says["name"] != now.name and "cmdline" not in says and now.cmdline is not None:
            says["cmdline"] = f"{says['name']} {now.args_text}" if now.args else says["name"]
        if any(getattr(now, attribute) != value for attribute, value in says.items()):
            node.now = evolve(now, **self._resolved(says, node))
        return node

    def _missed_exec(self, pid: int, exepath: str) -> dict[str, Any]:
        """Another program than the one we know: its exec was lost, or not asked for. /proc may know its arguments."""
        unknown = dict.fromkeys(_PER_IMAGE)
        found = self.looker.whole_of(pid) if self.looker is not None else None
        if found is None or found["exepath"] != exepath:
            return unknown
        return unknown | {attribute: value for attribute, value in found.items() if attribute in _PER_IMAGE}

    def _is_other(self, pid: int, node: Node, time_ns: int, ppid: int | None, exepath: str | None = None) -> bool:
        """Whether a record at this time is of another process than the node's: the pid was given away again."""
        now = node.now
        if node.exited_ns is not None:
            other = time_ns > node.exited_ns + self._limits.reuse_slack_ns
        else:
            other_parent = ppid is not None and node.kernel_ppid is not None and ppid != node.kernel_ppid
            other_program = exepath is not None and now.exepath is not None and not _same_file(exepath, now.exepath)
            if not (other_parent or other_program):
                return False
            start_ns = self.looker.start_ns(pid) if self.looker is not None else None
            if start_ns is not None and now.start_ns is not None:
                other = not self._is_same_start(now.start_ns, start_ns)
            else:  # one of them alone is an orphan, or a process whose exec we missed
                other = other_parent and other_program
        if other:
            self.counted.reused += 1
        return other

    def _is_same_start(self, one_ns: int | None, other_ns: int) -> bool:
        """A fork's record is stamped when the call begins, /proc counts ticks: they differ by milliseconds."""
        return one_ns is None or abs(one_ns - other_ns) <= self._limits.reuse_slack_ns

    def _ensure(self, pid: int, time_ns: int, depth: int = 0) -> Node:
        """The node of a pid that was alive at that time."""
        node = self._table.get(pid)
        if node is not None and (node.exited_ns is None or time_ns <= node.exited_ns + self._limits.reuse_slack_ns):
            return node
        return self._create(pid, time_ns, None, {}, depth)

    def _create(self, pid: int, time_ns: int, ppid: int | None, says: dict[str, Any], depth: int = 0) -> Node:
        """A new node, from /proc and from what the record says; the record wins."""
        looker = self.looker
        if looker is None or pid <= 0:
            return self._fill(self._place(pid, time_ns, None), ppid, says, time_ns, depth)
        with looker.reader.process(pid) as directory:
            found = looker.whole(directory, pid) if directory is not None else None
            if found is None or directory is None:
                self.counted.vanished += 1
                return self._fill(self._place(pid, time_ns, None), ppid, says, time_ns, depth)
            node = self._place(pid, time_ns, found["start_ns"])
            found_ppid = found.pop("ppid")
            parent = self._parent(found_ppid, time_ns, depth)
            found |= membership(looker, self._containers, directory, parent.now.container, parent)
        exepath = says.get("exepath")
        if exepath is not None and found["exepath"] != exepath:
            for attribute in _PER_IMAGE:  # it runs something else by now
                found.pop(attribute, None)
        return self._fill(node, found_ppid if ppid is None else ppid, found | says, time_ns, depth)

    def _place(self, pid: int, time_ns: int, start_ns: int | None) -> Node:
        """A node in the table for a process that started then; the old one when it turns out not to have exited."""
        old = self._table.get(pid)
        if old is not None:
            if start_ns is not None and old.exited_ns is not None and old.now.start_ns == start_ns:
                old.exited_ns = None
                return old
            self._table.remove(pid, old)
        node = Node(Process(pid=pid, start_ns=start_ns), time_ns)
        self._table.insert(pid, node)
        return node

    def _fill(self, node: Node, ppid: int | None, attributes: dict[str, Any], time_ns: int, depth: int) -> Node:
        changes = self._resolved(attributes, node, time_ns, depth)
        if ppid is not None:
            changes |= self._descent(node, ppid, changes.get("container", node.now.container), time_ns, depth)
        node.now = evolve(node.now, **changes)
        return node

    def _parent(self, ppid: int, time_ns: int, depth: int) -> Task:
        """NO_TASK above the first process, and where a chain that was never seen before is too long."""
        if ppid <= 0 or depth >= self._limits.lineage:
            return NO_TASK
        return self._ensure(ppid, time_ns, depth + 1)

    def _descent(self, node: Node, ppid: int, container: Container, time_ns: int, depth: int = 0) -> dict[str, Any]:
        """The attributes that follow from a parent that is heard of for the first time."""
        node.kernel_ppid = ppid
        parent = self._parent(ppid, time_ns, depth)
        task = self._link(node, parent) if isinstance(parent, Node) else parent
        return {"parent": task, "ppid": ppid, "container": parent.now.container if container is NO_CONTAINER else container}

    def _reparented(self, node: Node, ppid: int | None, time_ns: int) -> None:
        """The kernel gives orphans another parent; the lineage stays what it was."""
        if ppid is None or ppid == node.kernel_ppid:
            return
        if node.now.parent is NO_TASK:
            changes = self._descent(node, ppid, node.now.container, time_ns)
            node.now = evolve(node.now, **changes)
        node.kernel_ppid = ppid

    def _adopt(self, node: Node, parent: Node) -> Process:
        """The fork's record of a process that is known already."""
        if node.now.parent is not parent and node is not parent:
            node.now = evolve(node.now, parent=self._link(node, parent), ppid=parent.now.pid)
        if node.now.container is NO_CONTAINER:
            node.now = evolve(node.now, container=parent.now.container)
        return node.now

    def _link(self, child: Node, parent: Node) -> Task:
        task, cut = link(child, parent, self._limits.lineage)
        self.counted.lineages_cut += cut
        return task

    def _resolved(self, attributes: dict[str, Any], node: Node, time_ns: int | None = None, depth: int = 0) -> dict[str, Any]:
        """Attributes with what follows from them: names of users, leaders' tasks, the start of the pid namespace."""
        changes = dict(attributes)
        changes.pop("ppid", None)
        if "uid" in changes:
            changes["user"] = self._users.user(changes["uid"])
        if "gid" in changes:
            changes["group_of"] = self._users.group(changes["gid"])
        if "loginuid" in changes:
            changes["login"] = self._users.user(changes["loginuid"])
        if changes.get("exepath") is not None:
            changes["exe_from_memfd"] = changes["exepath"].startswith("/memfd:")
        at_ns = time_ns if time_ns is not None else node.first_ns
        for number, task in (("sid", "session"), ("pgid", "group")):
            if changes.get(number) is not None:
                changes[task] = self._leader(changes[number], node, at_ns, depth)
        if "namespaces" in changes or "vpid" in changes:
            changes |= self._pid_namespace(changes, node.now)
        return changes

    def _leader(self, pid: int, node: Node, time_ns: int, depth: int) -> Task:
        """The leader of a session or group. One that has exited long ago is gone; its number stays in use until the last
        member goes, so no other process can be mistaken for it."""
        if pid == node.now.pid:
            return node
        known = self._table.get(pid)
        if known is not None:
            return known
        if pid <= 0 or depth >= self._limits.lineage:
            return NO_TASK
        return self._ensure(pid, time_ns, depth + 1)

    def _pid_namespace(self, changes: dict[str, Any], now: Process) -> dict[str, Any]:
        start_ns = changes.get("start_ns", now.start_ns)
        inode = changes.get("namespaces", now.namespaces).pid
        if changes.get("vpid", now.vpid) == 1 and start_ns is not None:
            container = changes.get("container", now.container)
            if container is not HOST and container is not NO_CONTAINER:
                container.start_ns = start_ns
            if inode is not None:
                if len(self._pidns_start) >= self._limits.pid_namespaces and inode not in self._pidns_start:
                    del self._pidns_start[next(iter(self._pidns_start))]
                self._pidns_start[inode] = start_ns
        return {} if inode is None else {"pidns_start_ns": self._pidns_start.get(inode)}

    def _bounded(self, argv: Sequence[str]) -> Sequence[str]:
        left = self._limits.args_bytes
        for index, arg in enumerate(argv):
            left -= len(arg) + 1
            if left < 0:
                self.counted.args_cut += 1
                self._ledger.lost(_WHERE, "an argument list was cut at its limit")
                return (*argv[:index], arg[: max(0, left + len(arg) + 1)])
        return argv

    def _evicted(self) -> None:
        if self.looker is not None:  # in a log it may well have exited: most tell of no exits
            self._ledger.lost(_WHERE, "the table of processes is full: one that was not heard of for long went")


def _known(says: Mapping[str, Any]) -> dict[str, Any]:
    return {attribute: value for attribute, value in says.items() if value is not None}


def _same_file(one: str, other: str) -> bool:
    return one.removesuffix(DELETED) == other.removesuffix(DELETED)
