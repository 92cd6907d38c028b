"""Fields of the thread that made the event (`thread`)."""

from __future__ import annotations

from ruleng.fields.extra import event_or, of_event, of_process
from ruleng.fields.filled import ANY, SOCKETS
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T


def _cgroup(arg: str) -> str:
    return f'subsystem((p.extra or EMPTY).get("thread.cgroups"), {arg!r})'


# fmt: off
FIELDS = (
    Field(
        name="thread.tid", type=T.INT64, doc="Thread id.", read="e.tid", sources=ANY, ecs="process.thread.id",
        ocsf="actor.process.tid",
    ),
    Field(
        name="thread.ismain", type=T.BOOL, doc="Whether it is the process's main thread.",
        read=event_or("thread.ismain", "same(e.tid, p.pid)"), cost=3, sources=ANY,
    ),
    Field(
        name="thread.vtid", type=T.INT64, doc="Thread id as its own pid namespace counts.",
        read=event_or("thread.vtid", "own_pid(e)"), cost=5, sources=ANY,
    ),
    Field(
        name="thread.nametid", type=T.STRING, doc="`proc.name` and the thread id, written together.",
        read=event_or("thread.nametid", "chained(p.name, e.tid, '')"), cost=6, sources=ANY,
    ),
    Field(
        name="thread.cap_permitted", type=T.STRING,
        doc="Capabilities that it may take up: CAP_CHOWN CAP_KILL ..., see capabilities(7).",
        read="capabilities(p.cap_permitted)", cost=6, sources=ANY, ecs="process.thread.capabilities.permitted",
    ),
    Field(
        name="thread.cap_effective", type=T.STRING, doc="Capabilities that count now.", read="capabilities(p.cap_effective)",
        cost=6, sources=ANY, ecs="process.thread.capabilities.effective",
    ),
    Field(
        name="thread.cap_inheritable", type=T.STRING, doc="Capabilities that an exec may keep.",
        read="capabilities(p.cap_inheritable)", cost=6, sources=ANY,
    ),
    Field(
        name="thread.cgroups", type=T.STRING, doc="Its control groups, subsystem=path with blanks between.",
        read=of_process("thread.cgroups"), cost=2, sources=ANY,
    ),
    Field(
        name="thread.cgroup", type=T.STRING, doc="Its control group in one hierarchy.", argument="required", dotted=True,
        read_arg=_cgroup, argument_doc="the subsystem: `thread.cgroup.cpuacct`", cost=8, sources=ANY,
    ),
    Field(
        name="thread.exectime", type=T.RELTIME, doc="Processor time that the thread last scheduled used.", unit="ns",
        read=of_event("thread.exectime"), cost=2,
    ),
    Field(
        name="thread.totexectime", type=T.RELTIME, doc="Processor time of the thread in this run.", unit="ns",
        read=of_event("thread.totexectime"), cost=2,
    ),
    Field(
        name="thread.cpu", type=T.DOUBLE, doc="Processor use in the last second.", unit="percent", read=of_event("thread.cpu"),
        cost=2,
    ),
    Field(
        name="thread.cpu.user", type=T.DOUBLE, doc="Processor use in user mode.", unit="percent",
        read=of_event("thread.cpu.user"), cost=2,
    ),
    Field(
        name="thread.cpu.system", type=T.DOUBLE, doc="Processor use in the kernel.", unit="percent",
        read=of_event("thread.cpu.system"), cost=2,
    ),
    Field(
        name="thread.pfmajor", type=T.UINT64, doc="Page faults that read a disk.", read=of_event("thread.pfmajor"), cost=2,
        sources=SOCKETS,
    ),
    Field(
        name="thread.pfminor", type=T.UINT64, doc="Page faults that did not.", read=of_event("thread.pfminor"), cost=2,
        sources=SOCKETS,
    ),
    Field(
        name="thread.vmsize", type=T.UINT64, doc="Virtual memory of the process; 0 but for the main thread.", unit="kB",
        read=event_or("thread.vmsize", "memory(e, 'proc.vmsize')"), cost=5, sources=ANY,
    ),
    Field(
        name="thread.vmrss", type=T.UINT64, doc="Memory not swapped out; 0 but for the main thread.", unit="kB",
        read=event_or("thread.vmrss", "memory(e, 'proc.vmrss')"), cost=5, sources=ANY,
    ),
    Field(
        name="thread.vmsize.b", type=T.UINT64, doc="Virtual memory of the process; 0 but for the main thread.", unit="bytes",
        read=event_or("thread.vmsize.b", "in_bytes(memory(e, 'proc.vmsize'))"), cost=5, sources=ANY,
    ),
    Field(
        name="thread.vmrss.b", type=T.UINT64, doc="Memory not swapped out; 0 but for the main thread.", unit="bytes",
        read=event_or("thread.vmrss.b", "in_bytes(memory(e, 'proc.vmrss'))"), cost=5, sources=ANY,
    ),
)
# fmt: on
