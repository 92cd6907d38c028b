"""Who did it: the end of a SYSCALL record, ` ppid=` and what follows, -> the Process in `ruleng.state`.

For most events of a process this text is the same as for its last one, so it is compared as it stands and parsed only when
it differs. A fork is applied when the child first shows itself: a thread never does (audit's pid is the thread group's), and
what clone returned in a container is not the pid that the rest of the host sees.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any, NamedTuple

from ruleng.event import Process, Task
from ruleng.normalise.audit.company import Company
from ruleng.normalise.audit.event import AuditEvent
from ruleng.normalise.audit.paths import encode_device
from ruleng.normalise.audit.syscall import Syscall
from ruleng.normalise.audit.text import ENRICHED, enriched, integer, raw, untrusted
from ruleng.ports import Ledger
from ruleng.state import State
from ruleng.state.look import command

UNSET = 0xFFFFFFFF
"""(uid_t)-1: no login; include/linux/uidgid.h."""

_TTYS = {
    # Documentation/admin-guide/devices.txt: name without its number -> (major, minor of number 0)
    "pts": (136, 0), "tty": (4, 0), "ttyS": (4, 64), "ttyUSB": (188, 0), "ttyACM": (166, 0), "ttyAMA": (204, 64),
    "hvc": (229, 0), "console": (5, 1), "ttyp": (3, 0), "vport": (241, 0), "ttysclp": (4, 64), "xvc": (204, 191),
}  # fmt: skip
_OTHER_TTY = encode_device(5, 0)  # /dev/tty: a terminal, no telling which


def tty_number(name: str | None) -> int | None:
    """Device number of a terminal by its name: pts0 or pts/0, tty1, ttyS0; 0 without one."""
    if name is None:
        return None
    if name == "(none)":
        return 0
    name = name.removeprefix("/dev/").replace("/", "")
    base = name.rstrip("0123456789")
    place = _TTYS.get(base)
    number = name[len(base) :]
    if place is None or len(number) > 6:
        return _OTHER_TTY
    return encode_device(place[0], place[1] + int(number or 0))


def signed_id(text: str) -> int:
    """A login uid: 4294967295 is -1, unset."""
    number = integer(text)
    return -1 if number == UNSET else number


class Known(NamedTuple):
    """What the last record of a process said."""

    task: bytes  # the end of its SYSCALL record, from ppid=
    tail: bytes  # of that, up to exe= and subj=: what does not change from call to call
    place: Task
    now: Process
    cwd: bytes | None  # body of the CWD record


class Identities:
    """Bounded: forgets the oldest when it is full, which costs a parse and no knowledge."""

    def __init__(self, state: State, ledger: Ledger, *, limit: int = 8192) -> None:
        self._processes = state.processes
        self._users = state.users
        self._ledger = ledger
        self._limit = limit
        self.known: dict[bytes, Known] = {}
        """By pid, as text. For a look before `of` is asked."""
        self._ids: dict[bytes, dict[str, Any]] = {}  # what `auid=... ses=...` says
        self._learned = b""
        self._forked: OrderedDict[int, tuple[int, int]] = OrderedDict()  # child -> (parent, time)

    def of(self, syscall: Syscall, company: Company, audit: AuditEvent) -> Process:
        """The process as it is now. Raises ValueError when the record cannot be read."""
        task, cwd = syscall.task, company.cwd
        known = self.known.get(syscall.pid)
        tail = known.tail if known is not None and known.task == task else _tail(task)
        if known is not None and known.tail == tail:
            if known.place.now is known.now and (cwd is None or cwd == known.cwd):
                self.known[syscall.pid] = Known(task, tail, known.place, known.now, known.cwd)
                return known.now
            if cwd is None:
                cwd = known.cwd
        says = self._says(syscall, tail, company.cwd)
        pid = says.pop("pid")
        self._born(pid, says.get("ppid"))
        if known is None:
            self._copied(pid, says, audit.time_ns)
        process = self._processes.seen(pid, audit.time_ns, **says)
        if process.args is None and audit.title is not None and (argv := title(audit.title, process)):
            process = self._processes.seen(pid, audit.time_ns, **command(process.name, argv))
        return self._remember(syscall, tail, cwd, process)

    def started(
        self, syscall: Syscall, company: Company, time_ns: int, argv: tuple[str, ...] | None, more: dict[str, Any]
    ) -> Process:
        """The process after a successful exec. `more`: other attributes of Process that records tell."""
        tail = _tail(syscall.task)
        says = self._says(syscall, tail, company.cwd)
        says.update(more)
        pid = says.pop("pid")
        self._born(pid, says.get("ppid"))
        name, exepath = says.pop("name", None), says.pop("exepath", None)
        process = self._processes.exec(pid, time_ns, name=name, argv=argv, exepath=exepath, **says)
        return self._remember(syscall, tail, company.cwd, process)

    def changed(self, syscall: Syscall, process: Process, time_ns: int, **more: Any) -> Process:
        """The process after a call that changed what its SYSCALL record does not tell: cwd, capabilities."""
        if process.pid is None:
            return process
        return self._remember(syscall, _tail(syscall.task), None, self._processes.seen(process.pid, time_ns, **more))

    def forked(self, parent: int, child: int, time_ns: int) -> None:
        """A call said that it made a process of this number, as its caller sees it."""
        if b"%d" % child in self.known and self._processes.get(child).ppid == parent:
            self._processes.fork(parent, child, time_ns)  # the child was faster; vfork lets it be
            return
        if len(self._forked) >= self._limit:
            self._forked.popitem(last=False)
        self._forked[child] = (parent, time_ns)
        self._forked.move_to_end(child)

    def exited(self, syscall: Syscall, process: Process, time_ns: int) -> None:
        self.known.pop(syscall.pid, None)
        if process.pid is not None:
            self._processes.exit(process.pid, time_ns)

    def other(self, pid: int, time_ns: int, **says: Any) -> Process:
        """Another process that a record speaks of."""
        self._born(pid, None)
        return self._processes.seen(pid, time_ns, **says)

    def learn(self, names: dict[str, str], ids: dict[str, int]) -> None:
        """Names of users and groups that auditd wrote beside their numbers."""
        for key, number in ids.items():
            name = names.get(key)
            if name is None or name == "unset" or name.startswith("unknown("):
                continue
            if key.endswith("GID"):
                self._users.learn_group(number, name)
            else:
                self._users.learn_user(number, name)

    def _says(self, syscall: Syscall, tail: bytes, cwd: bytes | None) -> dict[str, Any]:
        """What records say of their process, as attributes of Process. Raises ValueError."""
        match = _TAIL(tail)
        if match is None:
            found = _irregular(tail)
        else:
            ppid, pid, ids_text, comm, exe = match.groups()
            ids = self._ids.get(ids_text)
            if ids is None:
                ids = _ids(ids_text)
                if len(self._ids) >= _MAX_IDS:
                    self._ids.clear()
                self._ids[ids_text] = ids
            found = {"pid": int(pid), "ppid": int(ppid), **ids, "name": untrusted(comm), "exepath": untrusted(exe)}
        if len(tail) < len(syscall.task) and ENRICHED in syscall.task:
            self._learn(syscall.task)
        if cwd is not None:
            found["cwd"] = directory(cwd)
        return found

    def _learn(self, body: bytes) -> None:
        text = body.partition(ENRICHED)[2]
        start = text.find(b"AUID=")
        text = text[max(0, start) :]  # what comes before names the call
        if text == self._learned:
            return
        self._learned = text
        names = enriched(body)
        numbers = {key: raw(body, key.lower().encode()) for key in names if key.endswith(("UID", "GID"))}
        self.learn(names, {key: int(value) for key, value in numbers.items() if value is not None and value.isdigit()})

    def _born(self, pid: int, ppid: int | None, depth: int = 0) -> None:
        """Apply the fork that made this process, and the one that made its parent."""
        forked = self._forked.get(pid)
        if ppid is not None and ppid in self._forked and depth < 16 and self._processes.get(ppid).name is None:
            self._born(ppid, None, depth + 1)
        if forked is None or (ppid is not None and ppid != forked[0]):
            return
        del self._forked[pid]
        self._processes.fork(forked[0], pid, forked[1])

    def _copied(self, pid: int, says: dict[str, Any], time_ns: int) -> None:
        """An unknown process that runs what its parent runs is the parent's copy, also when nobody recorded the fork."""
        ppid = says.get("ppid")
        if ppid is None or self._processes.get(pid).name is not None:
            return
        exepath = self._processes.get(ppid).exepath
        if exepath is not None and exepath == says.get("exepath"):
            self._processes.fork(ppid, pid, time_ns)

    def _remember(self, syscall: Syscall, tail: bytes, cwd: bytes | None, process: Process) -> Process:
        if process.pid is not None:
            if len(self.known) >= self._limit and syscall.pid not in self.known:
                del self.known[next(iter(self.known))]
            self.known[syscall.pid] = Known(syscall.task, tail, self._processes.task(process.pid), process, cwd)
        return process


def _tail(task: bytes) -> bytes:
    end = task.rfind(b" key=")
    if end < 0:
        end = task.find(ENRICHED)
    return task if end < 0 else task[:end]


_MAX_IDS = 1024
_TAIL = re.compile(
    rb"ppid=([0-9]{1,10}+) pid=([0-9]{1,10}+) (auid=[^ ]++ uid=.*? tty=[^ ]++ ses=[^ ]++) comm=([^ ]++) exe=([^ ]++)(?: subj=.*)?"
).fullmatch
"""As audit_log_task_info of kernel/audit.c writes it."""
_IDS = {b"auid": "loginuid", b"uid": "uid", b"gid": "gid", b"euid": "euid", b"egid": "egid"}


def _ids(text: bytes) -> dict[str, Any]:
    """Users, groups and terminal of `auid=... tty=... ses=...`. Raises ValueError."""
    found: dict[str, Any] = {}
    for token in text.split():
        key, _, value = token.partition(b"=")
        if (attribute := _IDS.get(key)) is not None:
            found[attribute] = signed_id(value.decode())
        elif key == b"tty":
            found["tty"] = tty_number(value.decode("ascii", "replace"))
    return found


def _irregular(tail: bytes) -> dict[str, Any]:
    """The same, of a record that is not as today's kernels write it. Raises ValueError."""
    values = dict([_pair(token) for token in tail.split()])
    found = _ids(tail)
    if b"pid" not in values:
        raise ValueError("a record lacks pid=")
    found["pid"] = integer(values[b"pid"])
    if b"ppid" in values:
        found["ppid"] = integer(values[b"ppid"])
    for key, attribute in ((b"comm", "name"), (b"exe", "exepath")):
        if key in values:
            found[attribute] = untrusted(values[key])
    return found


def directory(body: bytes) -> str | None:
    """Of a CWD record. Raises ValueError."""
    return untrusted(body.removeprefix(b"cwd=").partition(ENRICHED)[0].rstrip())


def title(body: bytes, process: Process) -> tuple[str, ...]:
    """argv of a PROCTITLE record, at most its first 128 bytes; () unless it is surely this program's.

    The kernel keeps the title of the program that the task ran when it was first audited (audit_proctitle, kernel/auditsc.c),
    so after an exec it is another's.
    """
    try:
        text = untrusted(body.removeprefix(b"proctitle=").partition(ENRICHED)[0].rstrip())
    except ValueError:
        return ()
    argv = tuple((text or "").split("\0"))
    names = {arg.rpartition("/")[2].removeprefix("-") for arg in argv[:2]} - {""}
    is_same = (process.exepath or "").rpartition("/")[2] in names or process.name in {name[:15] for name in names}
    return argv if is_same else ()


def _pair(token: bytes) -> tuple[bytes, bytes]:
    key, _, value = token.partition(b"=")
    return key, value
