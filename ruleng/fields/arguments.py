"""Parameters of an event: their values, and their values in words (`evt.arg`, `evt.rawarg`, `evt.args`, `evt.buffer`).

In: an event. Out: the value that the kernel has, or Falco's text for it. A text that a recording or a source gave for a
parameter (`Event.extra["evt.arg.uid"]`) goes before the one made here.
"""

from __future__ import annotations

from collections.abc import Sequence

from ruleng.abi.words import capability_names, error_name, signal_name
from ruleng.event import Arg, Event
from ruleng.fields import params, words
from ruleng.fields.params import Param

AT_FDCWD = -100  # linux/fcntl.h
_NO_ID = (1 << 32) - 1  # a uid of -1 leaves the id as it is, setresuid(2)


def arg_raw(e: Event, name: str) -> Arg | None:
    """The value of a parameter: of Event.args, else from where its kind says."""
    value = e.args.get(name)
    if value is not None:
        return value
    param = params.event_type(e.type).get(name)
    return None if param is None else _elsewhere(e, param)


def arg_text(e: Event, name: str) -> str | None:
    """The value of a parameter in words; None when the event has none."""
    if e.extra is not None and (given := e.extra.get(f"evt.arg.{name}")) is not None:
        return str(given)
    param = params.event_type(e.type).get(name)
    if param is None:
        value = e.args.get(name)
        return None if value is None else _plain(value)
    return _text(e, param)


def arg_at(e: Event, index: int) -> str | None:
    """The parameter at a place of the event type's table, in words."""
    table = params.event_type(e.type).params
    return arg_text(e, table[index].name) if index < len(table) else None


def args_text(e: Event) -> str:
    """All parameters: `res=-2(ENOENT) name=/etc/x flags=4096(O_CLOEXEC)`; those that are missing are left out."""
    if e.extra is not None and (given := e.extra.get("evt.args")) is not None:
        return str(given)
    parts = []
    for param in params.event_type(e.type).params:
        text = arg_text(e, param.name)
        if text is None:
            continue
        raw = arg_raw(e, param.name)
        number = _number_text(param, raw)
        parts.append(f"{param.name}={text}" if number in (None, text) else f"{param.name}={number}({text})")
    return " ".join(parts)


def buffer(e: Event) -> bytes | None:
    """The bytes read or written."""
    data = e.args.get("data")
    return data if isinstance(data, bytes) else None


def _elsewhere(e: Event, param: Param) -> Arg | None:
    match param.kind.role:
        case "result" | "newfd":
            return e.result
        case "fd":
            return e.fd_num
        case "path" if param.kind.slot is not None:
            raw: str | None = getattr(e.paths, f"{param.kind.slot}raw")
            return raw if raw is not None else getattr(e.paths, param.kind.slot)
        case _:
            return e.open_flags if param.kind.words == "open" else None


def _text(e: Event, param: Param) -> str | None:
    value = arg_raw(e, param.name)
    match value:
        case None:
            return None
        case int():
            return _number_in_words(e, param, value)
        case str() if param.kind.role == "path":
            return _path_text(e, param, value)
        case _:
            return _plain(value)


def _plain(value: Arg) -> str:
    match value:
        case bytes():
            return printable(value)
        case tuple():
            return listed(value)
        case _:
            return str(value)


def printable(data: bytes) -> str:
    """Bytes as Falco shows them: what is not printable ASCII is a dot."""
    return "".join([chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data])


def listed(values: Sequence[str]) -> str:
    """Strings as Falco shows them: a dot after each, where the kernel has a NUL."""
    return "".join([f"{value}." for value in values])


def _path_text(e: Event, param: Param, given: str) -> str:
    """The absolute path where the event knows it, else the path against the working directory, as Falco resolves it."""
    known: str | None = getattr(e.paths, param.kind.slot) if param.kind.slot is not None else None
    if known is not None:
        return known
    if given.startswith("/") or not given or e.proc.cwd is None or any(name.endswith("dirfd") for name in e.args):
        return given
    return f"{e.proc.cwd.rstrip('/')}/{given}"


def _number_in_words(e: Event, param: Param, number: int) -> str:
    kind = param.kind
    match kind.role:
        case "result" | "newfd" if number < 0:
            return error_name(-number)
        case "newfd" | "fd":
            return descriptor_text(e, number)
        case _:
            pass
    match kind.words:
        case None:
            return str(number)
        case "hex":
            return f"{number & 0xFFFFFFFFFFFFFFFF:X}"
        case "octal":
            return f"{number:o}"
        case "dirfd":
            return "AT_FDCWD" if number == AT_FDCWD else str(number)
        case "error":
            return error_name(-number) if number < 0 else str(number)
        case "signal":
            return signal_name(number)
        case "capabilities":
            return capability_names(number)
        case "pid":
            return _process_name(e, number) or str(number)
        case "uid":
            return _user_name(e, number) or str(number)
        case "gid":
            return (e.proc.group_of.name if number == e.proc.gid else None) or _id_text(number)
        case table:
            return words.table(table).text(number)


def descriptor_text(e: Event, number: int) -> str:
    """`<f>/etc/passwd`, `<4t>10.0.0.2:4711->10.0.0.1:443`: letter of the kind, of the transport, name. The number when unknown."""
    fd = e.fd
    if number != e.fd_num or fd.typechar is None:
        return str(number)
    transport = fd.l4proto[0] if fd.l4proto and fd.typechar in ("4", "6") else ""
    return f"<{fd.typechar}{transport}>{fd.name or ''}"


def _process_name(e: Event, pid: int) -> str | None:
    """The name of a process that the event knows: its own, its parent, the one that gets its signal."""
    if pid in (e.proc.pid, e.tid):
        return e.proc.name
    if pid == e.proc.ppid:
        return e.proc.parent.now.name
    return e.signal.target.name if e.signal is not None and pid == e.signal.target.pid else None


def _user_name(e: Event, uid: int) -> str | None:
    if uid == e.proc.uid:
        return e.proc.user.name
    return e.proc.login.name if uid == e.proc.loginuid else _id_text(uid)


def _id_text(number: int) -> str:
    return "-1" if number == _NO_ID else str(number)


def _number_text(param: Param, raw: Arg | None) -> str | None:
    """What stands before the words in `evt.args`; None when the words are all."""
    if not isinstance(raw, int) or param.kind.words in ("hex", "capabilities"):
        return None
    return f"{raw:o}" if param.kind.words in ("mode", "octal", "mknod") else str(raw)
