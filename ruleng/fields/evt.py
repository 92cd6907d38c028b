"""Fields of the event itself: when, what, its parameters and its outcome (`evt`, `syscall`, `util`)."""

from __future__ import annotations

from ruleng.fields import params
from ruleng.fields.extra import of_event
from ruleng.fields.filled import ANY, BPF, GIVEN, NOBODY, OURS, TRACED
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T


def _type_is(arg: str) -> str:
    return f"int(e.type == {arg!r})"


def _arg(arg: str) -> str:
    if arg.isascii() and arg.isdecimal():
        return f"arg_at(e, {int(arg)})"
    params.require(arg)
    return f"arg_text(e, {arg!r})"


def _rawarg(arg: str) -> str:
    params.require(arg)
    return f"arg_raw(e, {arg!r})"


def _abspath(arg: str) -> str:
    match arg:
        case "src":
            return "e.paths.source"
        case "dst":
            return "e.paths.target"
        case _:
            raise ValueError("the argument of `evt.abspath` is `src` or `dst`")


def _count_error(category: str) -> str:
    return f"count_error(e, {category!r})"


# fmt: off
FIELDS = (
    # --- identity and kind
    Field(
        name="evt.num", type=T.UINT64, doc="Number of the event in this run, from 1.", read="e.num", nullable=False,
        sources=ANY, ecs="event.sequence", ocsf="metadata.sequence",
    ),
    Field(
        name="evt.type", type=T.STRING, doc="Kind of the event: the system call's name, or that of another kernel event.",
        read="e.type", nullable=False, sources=ANY, ecs="event.action", ocsf="api.operation",
    ),
    Field(
        name="evt.type.is", type=T.UINT32, doc="1 when the event is of the type that the argument names, else 0.",
        read_arg=_type_is, argument="required", argument_doc="an event type: `evt.type.is.open`", dotted=True, nullable=False,
        sources=ANY,
    ),
    Field(
        name="syscall.type", type=T.STRING, doc="The system call's name; missing for events that are no system call.",
        read="syscall_type(e)", cost=3, sources=ANY, ecs="event.action", ocsf="api.operation",
    ),
    Field(
        name="evt.category", type=T.STRING, cost=3, sources=ANY,
        doc="Class of the event: file, net, memory, process, signal, user, ipc, sleep, wait, time, scheduler, system, "
            "other, ...", read="category(e)",
    ),
    Field(
        name="evt.source", type=T.STRING, doc="Falco's event source, which rules choose with `source`: syscall.",
        read="e.source", nullable=False, sources=ANY, ecs="event.provider", ocsf="metadata.log_provider",
    ),
    Field(
        name="evt.origin", type=T.STRING, doc="The ruleng source that saw the event: audit, perf, bpf, replay, kafka.",
        read="e.origin", sources=OURS, ecs="event.module", ocsf="metadata.log_name", falco=False,
    ),
    Field(
        name="evt.hostname", type=T.STRING, doc="The host where it happened.", read="e.host", sources=ANY, ecs="host.name",
        ocsf="device.hostname",
    ),
    Field(
        name="evt.cpu", type=T.INT16, doc="Number of the CPU that it happened on.", read="e.cpu",
        sources=TRACED,
    ),
    Field(
        name="evt.dir", type=T.STRING, doc="Always `<`: ruleng reports a system call once, when it returns.", read='"<"',
        nullable=False, sources=ANY, deprecated="every event is an exit event; leave the check out",
    ),
    Field(
        name="evt.is_async", type=T.BOOL, doc="Whether the event was made beside the event stream. Always false.", read="False",
        nullable=False, sources=ANY,
    ),
    Field(
        name="evt.asynctype", type=T.STRING, doc="Kind of an event made beside the stream.", read=of_event("evt.asynctype"),
        cost=2,
    ),
    Field(
        name="evt.pluginname", type=T.STRING, doc="Name of the Falco plugin that made the event.",
        read=of_event("evt.pluginname"), cost=2,
    ),
    Field(
        name="evt.plugininfo", type=T.STRING, doc="The event as a Falco plugin sums it up.", read=of_event("evt.plugininfo"),
        cost=2,
    ),
    # --- time
    Field(
        name="evt.time", type=T.STRING, doc="Time of day in UTC: HH:MM:SS and nine digits of a second.", read="time_text(e)",
        nullable=False, cost=20, sources=ANY, json_read="e.time_ns", ecs="@timestamp", ocsf="time",
    ),
    Field(
        name="evt.time.s", type=T.STRING, doc="Time of day in UTC: HH:MM:SS.", read="time_text(e)[:8]", nullable=False, cost=20,
        sources=ANY, json_read="e.time_ns",
    ),
    Field(
        name="evt.time.iso8601", type=T.STRING, doc="Time in ISO 8601, UTC, with nanoseconds: 2016-08-04T16:17:57.881785348Z.",
        read="iso8601(e.time_ns)", nullable=False, cost=20, sources=ANY, json_read="e.time_ns", ecs="@timestamp", ocsf="time",
    ),
    Field(
        name="evt.datetime", type=T.STRING, doc="Date and time in UTC: YYYY-MM-DD HH:MM:SS and nine digits of a second.",
        read="datetime_text(e)", nullable=False, cost=20, sources=ANY, json_read="e.time_ns",
    ),
    Field(
        name="evt.datetime.s", type=T.STRING, doc="Date and time in UTC: YYYY-MM-DD HH:MM:SS.", read="datetime_text(e)[:19]",
        nullable=False, cost=20, sources=ANY, json_read="e.time_ns",
    ),
    Field(
        name="evt.outputtime", type=T.STRING, doc="The time as alerts print it.", read="time_text(e)", nullable=False, cost=20,
        sources=ANY, print_only=True, json_read="e.time_ns",
    ),
    Field(
        name="evt.rawtime", type=T.ABSTIME, doc="Time since the Unix epoch.", unit="ns", read="e.time_ns", nullable=False,
        sources=ANY, ecs="@timestamp", ocsf="time",
    ),
    Field(
        name="evt.rawtime.s", type=T.ABSTIME, doc="Whole seconds of `evt.rawtime`.", unit="s", read="e.time_ns // 1000000000",
        nullable=False, sources=ANY,
    ),
    Field(
        name="evt.rawtime.ns", type=T.ABSTIME, doc="What `evt.rawtime` has beyond whole seconds.", unit="ns",
        read="e.time_ns % 1000000000", nullable=False, sources=ANY,
    ),
    Field(
        name="evt.reltime", type=T.RELTIME, doc="Time since the first event of the run.", unit="ns",
        read=of_event("evt.reltime"), cost=2,
    ),
    Field(
        name="evt.reltime.s", type=T.RELTIME, doc="Whole seconds of `evt.reltime`.", unit="s", read='seconds(e, "evt.reltime")',
        cost=3,
    ),
    Field(
        name="evt.reltime.ns", type=T.RELTIME, doc="What `evt.reltime` has beyond whole seconds.", unit="ns",
        read='nanoseconds(e, "evt.reltime")', cost=3,
    ),
    Field(
        name="evt.deltatime", type=T.RELTIME, doc="Time since the event before.", unit="ns", read=of_event("evt.deltatime"),
        cost=2,
    ),
    Field(
        name="evt.deltatime.s", type=T.RELTIME, doc="Whole seconds of `evt.deltatime`.", unit="s",
        read='seconds(e, "evt.deltatime")', cost=3,
    ),
    Field(
        name="evt.deltatime.ns", type=T.RELTIME, doc="What `evt.deltatime` has beyond whole seconds.", unit="ns",
        read='nanoseconds(e, "evt.deltatime")', cost=3,
    ),
    Field(
        name="evt.latency", type=T.RELTIME, doc="Time between entering and leaving the system call.", unit="ns",
        read=of_event("evt.latency"), cost=2, deprecated="Falco removes it; there is no replacement",
    ),
    Field(
        name="evt.latency.s", type=T.RELTIME, doc="Whole seconds of `evt.latency`.", unit="s", read='seconds(e, "evt.latency")',
        cost=3, deprecated="Falco removes it; there is no replacement",
    ),
    Field(
        name="evt.latency.ns", type=T.RELTIME, doc="What `evt.latency` has beyond whole seconds.", unit="ns",
        read='nanoseconds(e, "evt.latency")', cost=3, deprecated="Falco removes it; there is no replacement",
    ),
    Field(
        name="evt.latency.quantized", type=T.UINT64, doc="Decimal logarithm of `evt.latency`.",
        read=of_event("evt.latency.quantized"), cost=2, deprecated="Falco removes it; there is no replacement",
    ),
    Field(
        name="evt.latency.human", type=T.STRING, doc="`evt.latency` for people: 10.3ms.", read=of_event("evt.latency.human"),
        cost=2, deprecated="Falco removes it; there is no replacement",
    ),
    Field(
        name="evt.wait_latency", type=T.RELTIME, doc="Time that the task waited in this call.", unit="ns",
        read=of_event("evt.wait_latency"), cost=2, deprecated="Falco removes it; there is no replacement",
    ),
    Field(
        name="evt.around", type=T.UINT64, unit="ms", argument="required", argument_doc="a time in nanoseconds since the epoch",
        doc="Meant to find events around a time. Use `evt.rawtime >= ... and evt.rawtime <= ...`.", filter_only=True,
        right_side=False, transformable=False, read_arg=params.instant,
    ),
    # --- parameters and data
    Field(
        name="evt.args", type=T.STRING, doc="All parameters in one text: res=0 fd=3(<f>/etc/passwd) ...", read="args_text(e)",
        nullable=False, cost=60, sources=ANY,
    ),
    Field(
        name="evt.info", type=T.STRING, doc="The same as `evt.args`.", read="args_text(e)", nullable=False, cost=60,
        sources=ANY,
    ),
    Field(
        name="evt.arg", type=T.STRING, cost=12, sources=ANY, argument="required", dotted=True, read_arg=_arg,
        doc="One parameter, in words where it has words: O_RDONLY|O_CLOEXEC, PTRACE_ATTACH, ENOENT, <f>/etc/passwd.",
        argument_doc="the parameter's name, `evt.arg.flags`, or its place from 0, `evt.arg[1]`",
    ),
    Field(
        name="evt.rawarg", type=T.DYNAMIC, cost=4, sources=ANY, argument="required", dotted=True, read_arg=_rawarg,
        right_side=False, transformable=False, doc="One parameter as the kernel has it; its type is the parameter's.",
        argument_doc="the parameter's name: `evt.rawarg.flags`",
    ),
    Field(
        name="evt.abspath", type=T.STRING, doc="The absolute path of the file that the call works on.", read="e.paths.name",
        read_arg=_abspath, argument="optional", dotted=True, sources=GIVEN, cost=2, ecs="file.path", ocsf="file.path",
        argument_doc="`src` or `dst` for calls with two paths: `evt.abspath.dst`",
    ),
    Field(
        name="evt.buffer", type=T.BYTES, doc="The bytes read or written, as many as the source keeps.", read="buffer(e)",
        cost=3, sources=BPF,
    ),
    Field(
        name="evt.buflen", type=T.UINT64, doc="Number of bytes read or written.", unit="bytes", read='buflen(e, "", "")',
        cost=5, sources=ANY,
    ),
    Field(
        name="evt.buflen.in", type=T.UINT64, doc="Bytes read.", unit="bytes", read='buflen(e, "", "read")', cost=5, sources=ANY,
    ),
    Field(
        name="evt.buflen.out", type=T.UINT64, doc="Bytes written.", unit="bytes", read='buflen(e, "", "write")', cost=5,
        sources=ANY,
    ),
    Field(
        name="evt.buflen.file", type=T.UINT64, doc="Bytes read from or written to a file.", unit="bytes",
        read='buflen(e, "file", "")', cost=5, sources=ANY,
    ),
    Field(
        name="evt.buflen.file.in", type=T.UINT64, doc="Bytes read from a file.", unit="bytes", read='buflen(e, "file", "read")',
        cost=5, sources=ANY,
    ),
    Field(
        name="evt.buflen.file.out", type=T.UINT64, doc="Bytes written to a file.", unit="bytes",
        read='buflen(e, "file", "write")', cost=5, sources=ANY,
    ),
    Field(
        name="evt.buflen.net", type=T.UINT64, doc="Bytes received or sent.", unit="bytes", read='buflen(e, "net", "")', cost=5,
        sources=ANY,
    ),
    Field(
        name="evt.buflen.net.in", type=T.UINT64, doc="Bytes received.", unit="bytes", read='buflen(e, "net", "read")', cost=5,
        sources=ANY,
    ),
    Field(
        name="evt.buflen.net.out", type=T.UINT64, doc="Bytes sent.", unit="bytes", read='buflen(e, "net", "write")', cost=5,
        sources=ANY,
    ),
    # --- outcome
    Field(
        name="evt.res", type=T.STRING, doc="SUCCESS, or the name of the error: EACCES.", read="res(e.result)", cost=3,
        sources=ANY, ecs="error.code", ocsf="status_code",
    ),
    Field(
        name="evt.rawres", type=T.INT64, doc="What the call returned: a negative errno when it failed.", read="e.result",
        sources=ANY, ocsf="api.response.code",
    ),
    Field(
        name="evt.failed", type=T.BOOL, doc="Whether the call failed.", read="failed(e.result)", cost=3, sources=ANY,
        ecs="event.outcome", ocsf="status_id",
    ),
    Field(name="evt.count", type=T.UINT32, doc="Always 1.", read="1", nullable=False, sources=ANY),
    Field(
        name="evt.count.error", type=T.UINT32, doc="1 when the call failed, else 0.", read=_count_error(""), cost=4,
        sources=ANY,
    ),
    Field(
        name="evt.count.error.file", type=T.UINT32, doc="1 when a call on files failed, 0 when one succeeded.",
        read=_count_error("file"), cost=5, sources=ANY,
    ),
    Field(
        name="evt.count.error.net", type=T.UINT32, doc="1 when a network call failed, 0 when one succeeded.",
        read=_count_error("net"), cost=5, sources=ANY,
    ),
    Field(
        name="evt.count.error.memory", type=T.UINT32, doc="1 when a memory call failed, 0 when one succeeded.",
        read=_count_error("memory"), cost=5, sources=ANY,
    ),
    Field(
        name="evt.count.error.other", type=T.UINT32, doc="1 when a call of another class failed, 0 when one succeeded.",
        read=_count_error("other"), cost=5, sources=ANY,
    ),
    Field(
        name="evt.count.exit", type=T.UINT32, doc="Always 1: ruleng reports a call when it returns.", read="1", nullable=False,
        sources=ANY,
    ),
    Field(
        name="evt.count.procinfo", type=T.UINT32, doc="1 for a main thread's entry of a process listing.",
        read=of_event("evt.count.procinfo"), cost=2, sources=NOBODY,
    ),
    Field(
        name="evt.count.threadinfo", type=T.UINT32, doc="1 for an entry of a process listing.",
        read=of_event("evt.count.threadinfo"), cost=2, sources=NOBODY,
    ),
    # --- classes
    Field(
        name="evt.is_io", type=T.BOOL, doc="Whether the call reads from or writes to a descriptor.", read="e.type in IO",
        cost=2, nullable=False, sources=ANY,
    ),
    Field(
        name="evt.is_io_read", type=T.BOOL, doc="Whether the call reads from a descriptor.", read="e.type in READS", cost=2,
        nullable=False, sources=ANY,
    ),
    Field(
        name="evt.is_io_write", type=T.BOOL, doc="Whether the call writes to a descriptor.", read="e.type in WRITES", cost=2,
        nullable=False, sources=ANY,
    ),
    Field(
        name="evt.io_dir", type=T.STRING, doc="`read` or `write` for calls that do so.", read="IO.get(e.type)", cost=2,
        sources=ANY,
    ),
    Field(
        name="evt.is_wait", type=T.BOOL, doc="Whether the call makes the task wait.", read="e.type in WAITS", cost=2,
        nullable=False, sources=ANY,
    ),
    Field(
        name="evt.is_syslog", type=T.BOOL, doc="Whether the event writes to /dev/log.", cost=3, nullable=False, sources=ANY,
        read='e.type in WRITES and f.name is not None and "/dev/log" in f.name',
    ),
    Field(
        name="evt.is_open_read", type=T.BOOL, doc="Whether open or one of its kin opens for reading.", read="opens_to_read(e)",
        cost=3, nullable=False, sources=ANY,
    ),
    Field(
        name="evt.is_open_write", type=T.BOOL, doc="Whether open or one of its kin opens for writing.",
        read="opens_to_write(e)", cost=3, nullable=False, sources=ANY,
    ),
    Field(
        name="evt.is_open_exec", type=T.BOOL, doc="Whether open or creat may make a file that can be executed.",
        read="opens_executable(e)", cost=4, nullable=False, sources=ANY,
    ),
    Field(
        name="evt.is_open_create", type=T.BOOL, doc="Whether open or creat made a file that was not there.",
        read="opens_new(e)", cost=4, nullable=False, sources=GIVEN,
    ),
    # --- events of a container daemon, and counting
    Field(
        name="evt.infra.docker.name", type=T.STRING, doc="Name of a docker event.", read=of_event("evt.infra.docker.name"),
        cost=2,
    ),
    Field(
        name="evt.infra.docker.container.id", type=T.STRING, doc="Container of a docker event.",
        read=of_event("evt.infra.docker.container.id"), cost=2,
    ),
    Field(
        name="evt.infra.docker.container.name", type=T.STRING, doc="Name of the container of a docker event.",
        read=of_event("evt.infra.docker.container.name"), cost=2,
    ),
    Field(
        name="evt.infra.docker.container.image", type=T.STRING, doc="Image of the container of a docker event.",
        read=of_event("evt.infra.docker.container.image"), cost=2,
    ),
    Field(
        name="util.cnt", type=T.UINT64, doc="A number that grows with each event; ruleng gives `evt.num`.", read="e.num",
        nullable=False, sources=ANY,
    ),
)
# fmt: on
