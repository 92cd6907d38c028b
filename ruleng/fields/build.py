"""An event from the fields that somebody gave: what `record.from_fields` does.

First every field is put where it is stored; then what follows from the others is worked out, the bases of derived fields
first. A field that can be stored nowhere is a claim, which must hold in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

from ruleng.abi.words import capability_bits, error_number, signal_number
from ruleng.errors import InputError
from ruleng.event import (
    NO_ARGS,
    NO_FD,
    NO_PATHS,
    NO_PROCESS,
    NO_TASK,
    Container,
    Event,
    Fd,
    Group,
    Mount,
    Namespaces,
    Paths,
    Process,
    Signal,
    Task,
    User,
)
from ruleng.fields import params, signal, words
from ruleng.fields.catalogue import standard
from ruleng.fields.extra import of_event, of_process
from ruleng.fields.params import Param
from ruleng.fields.proc import DEEPEST
from ruleng.fields.reading import expression, find, value
from ruleng.fields.stored import ANCESTORS, CAPABILITIES, LEADERS, PARENT, PARTS, STORED
from ruleng.fields.types import Field, FieldType
from ruleng.fields.values import Json, bytes_of, from_json, reader, text_of, texts_of, time_of

Claim = tuple[str, Field, str | None, Any]
"""A field as it was named, its row, its argument, and the value that it must have."""

_NS = 1_000_000_000
_OTHER_PARTS = ("session", "leader")


class Draft:
    """The slots of an event, part by part, as far as they are known."""

    __slots__ = ("above", "args", "claims", "extra", "parts", "proc_extra", "type")

    def __init__(self, event_type: str) -> None:
        self.type = event_type
        self.parts: dict[str, dict[str, Any]] = {part: {} for part in (*PARTS, *_OTHER_PARTS)}
        self.above: list[dict[str, Any]] = []
        self.args: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}
        self.proc_extra: dict[str, Any] = {}
        self.claims: list[Claim] = []

    def get(self, part: str, slot: str) -> Any:
        return self.parts[part].get(slot)

    def default(self, part: str, slot: str, value: Any) -> None:
        """Sets a slot that nothing was given for."""
        self.parts[part].setdefault(slot, value)

    def ancestor(self, level: int) -> dict[str, Any]:
        """The slots of the process so many generations up; 0 is the process itself."""
        if level == 0:
            return self.parts["proc"]
        while len(self.above) < level:
            self.above.append({})
        return self.above[level - 1]


def build(mapping: Mapping[str, Json], *, strict: bool) -> Event:
    """See `record.from_fields`. Raises InputError."""
    draft = Draft(_event_type(mapping))
    parts, places = draft.parts, _places()
    later: dict[str, Any] = {}
    for name, given in mapping.items():
        if given is None:
            continue
        try:
            if place := places.get(name):
                part, slot, read = place
                parts[part][slot] = read(given)
            elif special := _SPECIAL.get(name):
                special(draft, given)
            elif name.startswith("evt.rawarg."):
                _argument(draft, _parameter(draft.type, name[11:], raw=True), given, raw=True)
            elif name.startswith("evt.arg."):
                _argument(draft, _parameter(draft.type, name[8:], raw=False), given, raw=False)
            elif name in _FOLLOWS:
                field = standard().fields[name]
                _require_type(draft, field)
                later[name] = from_json(given, field.type)
            else:
                _other(draft, name, given)
        except ValueError as problem:
            raise InputError(f"`{name}` {problem}") from None
    if later:
        _work_out(draft, later)
    _finish_command_line(parts["proc"])
    for slots in draft.above:
        if "args" in slots:
            _finish_command_line(slots)
    _finish_fd(parts["fd"])
    event = _assemble(draft)
    return event if _settle(draft, event, strict=strict) else _assemble(draft)


def _settle(draft: Draft, event: Event, *, strict: bool) -> bool:
    """Whether the event reads as claimed; where it has nothing, a claim is kept in `extra` if the field falls back to that.

    Raises InputError, if `strict`, for a claim that does not hold.
    """
    settled = True
    for name, field, arg, claimed in draft.claims:
        reads = value(event, field, arg)
        if reads == claimed:
            continue
        if reads is None and (extra := _fallback(draft, field)) is not None:
            extra[field.name] = claimed
            settled = False
        elif strict:
            shown = "is missing" if reads is None else f"is {reads!r}"
            raise InputError(f"`{name}` is given as {claimed!r}, but with the other fields it {shown}")
    return settled


def _fallback(draft: Draft, field: Field) -> dict[str, Any] | None:
    """Where the field is read from when nothing can be made of other fields; None for a field that falls back to nothing."""
    if not (field.read or "").startswith("given("):
        return None
    return draft.proc_extra if (field.read or "").endswith(f", p.extra, {field.name!r})") else draft.extra


def _event_type(mapping: Mapping[str, Json]) -> str:
    name = mapping.get("evt.type", mapping.get("syscall.type"))
    if not isinstance(name, str):
        raise InputError("`evt.type` is required: the kind of the event, like open")
    if name not in params.EVENT_TYPES:
        near = get_close_matches(name, params.EVENT_TYPES, n=1)
        raise InputError(f"unknown event type `{name}`{f'; did you mean `{near[0]}`?' if near else ''}")
    return name


@cache
def _places() -> Mapping[str, tuple[str, str, Callable[[Json], Any]]]:
    """(part, slot, how to read the value) of the fields that a slot holds as they are."""
    fields = standard().fields
    rows = {**STORED, **LEADERS}
    return {name: (part, slot, reader(fields[name].type)) for name, (part, slot) in rows.items() if not fields[name].is_list}


# --- fields whose values are written in a way of their own --------------------------------------------------------------


def _args(draft: Draft, given: Json) -> None:
    if isinstance(given, list):
        draft.parts["proc"]["args"] = texts_of(given)
    else:
        text = text_of(given)
        draft.parts["proc"] |= {"args": tuple(text.split()), "args_text": text}


def _env(draft: Draft, given: Json) -> None:
    draft.parts["proc"]["env"] = _environment(given)


def _environment(given: Json) -> tuple[str, ...]:
    """A list, or a text in which every word with an equals sign begins a variable."""
    if isinstance(given, list):
        return texts_of(given)
    lines: list[str] = []
    for word in text_of(given).split(" "):
        if "=" in word or not lines:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return tuple(lines)


def _ancestors(slot: str, type: FieldType) -> Callable[[Draft, Json], None]:
    """A list is one value an ancestor, the parent first; a text alone is the parent's."""

    def put(draft: Draft, given: Json) -> None:
        values = given if isinstance(given, list) else [given]
        if len(values) > DEEPEST:
            raise ValueError(f"has {len(values)} ancestors, more than {DEEPEST}")
        for level, one in enumerate(values, 1):
            if one is not None:
                draft.ancestor(level)[slot] = _environment(one) if slot == "env" else from_json(one, type)

    return put


def _parent(slot: str) -> Callable[[Draft, Json], None]:
    def put(draft: Draft, given: Json) -> None:
        draft.ancestor(1)[slot] = text_of(given)

    return put


def _capabilities(slot: str) -> Callable[[Draft, Json], None]:
    def put(draft: Draft, given: Json) -> None:
        bits = capability_bits(text_of(given))
        if bits is None:
            raise ValueError(f"wants names of capabilities(7) with blanks between, got {given!r}")
        draft.parts["proc"][slot] = bits

    return put


def _mounts(draft: Draft, given: Json) -> None:
    if isinstance(given, list):
        draft.parts["container"]["mounts"] = tuple(_mount(item) for item in given)
    else:
        draft.parts["container"]["mounts"] = tuple(_mount_of_text(text) for text in text_of(given).split())


def _mount_of_text(text: str) -> Mount:
    match text.split(":"):
        case [source, dest, mode, rdwr, propagation]:
            return Mount(source, dest, mode, rdwr == "true", propagation)
        case _:
            raise ValueError(f"wants source:dest:mode:rdwr:propagation, got {text!r}")


def _mount(given: Json) -> Mount:
    if not isinstance(given, Mapping) or not set(given) <= set(Mount.__struct_fields__) or not {"source", "dest"} <= set(given):
        raise ValueError(f"wants mounts with {', '.join(Mount.__struct_fields__)}, got {given!r}")
    slots: dict[str, Any] = {
        slot: from_json(value, FieldType.BOOL) if slot == "rdwr" else text_of(value) for slot, value in given.items()
    }
    return Mount(**slots)


def _labels(slot: str) -> Callable[[Draft, Json], None]:
    def put(draft: Draft, given: Json) -> None:
        if isinstance(given, Mapping):
            labels = {name: text_of(value) for name, value in given.items()}
        else:
            pairs = (pair.strip().partition(":") for pair in text_of(given).split(",") if pair.strip())
            labels = {name: value for name, _, value in pairs}
        draft.parts["container"][slot] = {**(draft.get("container", slot) or {}), **labels}

    return put


def _texts(part: str, slot: str) -> Callable[[Draft, Json], None]:
    def put(draft: Draft, given: Json) -> None:
        draft.parts[part][slot] = texts_of(given)

    return put


def _container_of(end: str) -> Callable[[Draft, Json], None]:
    def put(draft: Draft, given: Json) -> None:
        draft.parts[end]["container"] = Container(id=text_of(given))

    return put


def _time(draft: Draft, given: Json) -> None:
    """Any of the fields that show the time: ISO 8601, or nanoseconds as JSON outputs have them."""
    moment = time_of(given) if isinstance(given, str) else from_json(given, FieldType.ABSTIME)
    draft.default("event", "time_ns", moment)


def _type(draft: Draft, given: Json) -> None:
    if given != draft.type:
        raise ValueError(f"is {given!r}, but `evt.type` is {draft.type!r}")


def _buffer(draft: Draft, given: Json) -> None:
    draft.args["data"] = bytes_of(given)


def _all_args(draft: Draft, given: Json) -> None:
    draft.extra["evt.args"] = text_of(given)


def _end(part: str, slots: Sequence[str], type: FieldType) -> Callable[[Draft, Json], None]:
    """fd.ip and the like, which mean either end: the server's, or the client's when that is known."""

    def put(draft: Draft, given: Json) -> None:
        value = from_json(given, type)
        free = next((slot for slot in slots if draft.get(part, slot) is None), None)
        if free is not None and value not in (draft.get(part, slot) for slot in slots):
            draft.parts[part][free] = value

    return put


def _network(slot: str) -> Callable[[Draft, Json], None]:
    return _end("fd", (slot,), FieldType.IPNET)


_SPECIAL: Mapping[str, Callable[[Draft, Json], None]] = {
    "evt.type": _type,
    "syscall.type": _type,
    "proc.args": _args,
    "proc.env": _env,
    **{name: _ancestors(slot, FieldType.INT64 if slot == "pid" else FieldType.STRING) for name, slot in ANCESTORS.items()},
    **{name: _parent(slot) for name, slot in PARENT.items()},
    **{name: _capabilities(slot) for name, slot in CAPABILITIES.items()},
    "proc.escape": _texts("proc", "escape"),
    "signal.pending": _texts("signal", "pending"),
    "signal.sender.container.id": _container_of("sender"),
    "signal.target.container.id": _container_of("target"),
    "container.mounts": _mounts,
    "container.labels": _labels("labels"),
    "k8s.pod.labels": _labels("pod_labels"),
    **dict.fromkeys(("evt.time", "evt.time.iso8601", "evt.datetime", "evt.outputtime"), _time),
    "evt.buffer": _buffer,
    **dict.fromkeys(("evt.args", "evt.info"), _all_args),
    "fd.ip": _end("fd", ("sip", "cip"), FieldType.IPADDR),
    "fd.port": _end("fd", ("sport", "cport"), FieldType.PORT),
    "fd.proto": _end("fd", ("sport", "cport"), FieldType.PORT),
    "fd.net": _end("fd", ("sip", "cip"), FieldType.IPNET),
    **{f"fd.{end}net": _network(f"{end}ip") for end in "cslr"},
}


# --- fields with an argument, and fields that no slot holds -------------------------------------------------------------


def _require_type(draft: Draft, field: Field) -> None:
    if field.event_types is not None and draft.type not in field.event_types:
        raise ValueError(f"is no field of `{draft.type}` events")


def _other(draft: Draft, name: str, given: Json) -> None:
    field, arg = find(name)
    _require_type(draft, field)
    match field.name:
        case "evt.arg" | "evt.rawarg" if arg is not None:
            raw = field.name == "evt.rawarg"
            _argument(draft, _parameter(draft.type, arg, raw=raw), given, raw=raw)
            return
        case "evt.abspath":
            slot = {None: "name", "src": "source", "dst": "target"}.get(arg, "name")
            draft.parts["paths"][slot] = text_of(given)
            return
        case "evt.around":
            raise ValueError("cannot be given; give `evt.rawtime`")
        case above if above in ANCESTORS and arg is not None:
            if _inherit(draft, above, arg, given):
                return
        case "proc.args" if arg is not None and arg.isdecimal():
            args = list(draft.get("proc", "args") or ())
            args += [""] * (int(arg) + 1 - len(args))
            args[int(arg)] = text_of(given)
            draft.parts["proc"]["args"] = tuple(args)
            return
        case "proc.env" if arg is not None:
            draft.parts["proc"]["env"] = (*(draft.get("proc", "env") or ()), f"{arg}={text_of(given)}")
            return
        case "container.label" | "k8s.pod.label" if arg is not None:
            _labels("labels" if field.name == "container.label" else "pod_labels")(draft, {arg: given})
            return
        case "thread.cgroup" if arg is not None:
            known = draft.proc_extra.get("thread.cgroups")
            draft.proc_extra["thread.cgroups"] = " ".join(filter(None, (known, f"{arg}={text_of(given)}")))
            return
        case mount if mount.startswith("container.mount."):
            _one_mount(draft, mount.removeprefix("container.mount."), arg or "", given)
            return
        case lost if lost.startswith("evt.lost."):
            draft.args[lost.removeprefix("evt.lost.")] = texts_of(given) if field.is_list else from_json(given, field.type)
            return
        case _:
            pass
    _keep_or_claim(draft, name, field, arg, given)


def _keep_or_claim(draft: Draft, name: str, field: Field, arg: str | None, given: Json) -> None:
    """Into `extra` when the field is read from there; a claim when it is made of others."""
    claimed = texts_of(given) if field.is_list else from_json(given, field.type)
    reads = expression(field, arg)
    key = field.name if arg is None else f"{field.name}[{arg}]"
    for make, extra in ((of_event, draft.extra), (of_process, draft.proc_extra)):
        for stored in (key, f"{field.name}.{arg}"):
            if reads == make(stored):
                extra[stored] = claimed
                return
    draft.claims.append((name, field, arg, claimed))


def _inherit(draft: Draft, name: str, arg: str, given: Json) -> bool:
    """A field of one ancestor: proc.aname[2]; or proc.aenv[HOME], which becomes the parent's."""
    slot = ANCESTORS[name]
    if arg.isdecimal() and int(arg) <= DEEPEST:
        level, one = int(arg), given
    elif slot == "env":
        level, one = 1, [*(draft.ancestor(1).get("env") or ()), f"{arg}={text_of(given)}"]
    else:
        return False
    if slot == "env":
        draft.ancestor(level)["env"] = _environment(one)
    else:
        draft.ancestor(level)[slot] = from_json(one, FieldType.INT64 if slot == "pid" else FieldType.STRING)
    return True


def _one_mount(draft: Draft, part: str, key: str, given: Json) -> None:
    """container.mount.dest[/proc*]: a mount of that source, at the destination that was given."""
    mounts = list(draft.get("container", "mounts") or ())
    by = "dest" if part == "source" else "source"
    value: Any = text_of(given) == "true" if part == "rdwr" else text_of(given)
    slots: dict[str, Any] = {"source": "", "dest": "", by: "" if key.isdecimal() else key, part: value}
    draft.parts["container"]["mounts"] = (*mounts, Mount(**slots))


# --- parameters ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)  # of a pure function, for every parameter of every event of a recording
def _parameter(event_type: str, arg: str, *, raw: bool) -> Param | str:
    """The parameter of a name or place; its name alone where a source may know more than the table: raw, and audit's own events."""
    table = params.event_type(event_type)
    if arg.isdecimal() and int(arg) < len(table.params):
        return table.params[int(arg)]
    if (param := table.get(arg)) is not None:
        return param
    if raw or event_type in params.AUDIT_TYPES:
        return arg
    near = get_close_matches(arg, [param.name for param in table.params], n=1)
    has = ", ".join(param.name for param in table.params)
    raise ValueError(f"is no parameter of `{event_type}`, {f'did you mean `{near[0]}`?' if near else f'which has {has}'}")


def _argument(draft: Draft, param: Param | str, given: Json, *, raw: bool) -> None:
    if isinstance(param, str):
        draft.args[param] = from_json(given, FieldType.DYNAMIC)
        return
    value = from_json(given, FieldType.DYNAMIC) if raw or not isinstance(given, str) else _read_words(draft, param, given)
    match param.kind.role:
        case _ if value is None:
            draft.extra[f"evt.arg.{param.name}"] = text_of(given)
        case "result" | "newfd" if isinstance(value, int):
            draft.default("event", "result", value)
        case "fd" if isinstance(value, int):
            draft.default("event", "fd_num", value)
        case "path" if isinstance(value, str) and not raw and value.startswith("/") and param.kind.slot is not None:
            draft.args.setdefault(param.name, value)
            draft.default("paths", param.kind.slot, value)
        case "bytes" if isinstance(value, str):
            draft.args[param.name] = value.encode("utf-8", "surrogateescape")
        case "number" | "result" | "newfd" | "fd" | "otherfd" if not isinstance(value, int):
            raise ValueError(f"wants a number, got {given!r}")
        case _:
            draft.args[param.name] = value


def _read_words(draft: Draft, param: Param, text: str) -> Any:
    """The value that the words of a parameter stand for; None for words from which it cannot be told: a user's name."""
    match param.kind.role:
        case "text" | "path" | "bytes":
            return text
        case "texts":
            return None
        case "result" | "newfd":
            number = error_number(text)
            return -number if number is not None else 0 if text == "SUCCESS" else _decimal(text)
        case "fd" | "otherfd" if param.kind.words is None:
            return _decimal(text)
        case _:
            return _number_of_words(param, text)


def _number_of_words(param: Param, text: str) -> int | None:
    match param.kind.words:
        case "hex":
            return _in_base(text, 16)
        case "octal":
            return _in_base(text, 8)
        case "dirfd":
            return -100 if text == "AT_FDCWD" else _decimal(text)
        case "error":
            number = error_number(text)
            return _decimal(text) if number is None else -number
        case "signal":
            return signal_number(text)
        case "capabilities":
            return capability_bits(text)
        case "pid" | "uid" | "gid" | None:
            return _decimal(text)
        case table:
            number = words.table(table).number(text)
            if number is None:
                raise ValueError(f"has a word that is unknown here: {text!r}")
            return number


def _decimal(text: str) -> int | None:
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None


def _in_base(text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise ValueError(f"wants a number of base {base}, got {text!r}") from None


# --- what follows from what ---------------------------------------------------------------------------------------------


def _work_out(draft: Draft, later: Mapping[str, Any]) -> None:
    """Bases of the derived fields that were given, in the order of the table."""
    for name, follow in _FOLLOWS.items():
        if name in later:
            follow(draft, later[name])
            draft.claims.append((name, standard().fields[name], None, later[name]))


def _result(draft: Draft, value: Any) -> None:
    number = None if value == "SUCCESS" else error_number(value)
    if value != "SUCCESS" and number is None:
        raise InputError(f"`evt.res` wants SUCCESS or the name of an error, got {value!r}")
    draft.default("event", "result", 0 if number is None else -number)


def _failed(draft: Draft, value: Any) -> None:
    draft.default("event", "result", -1 if value else 0)  # EPERM: the first of errno(3)


def _buflen(draft: Draft, value: Any) -> None:
    draft.default("event", "result", value)


def _flags(number: int) -> Callable[[Draft, Any], None]:
    """Open flags that make a field true; false asks for nothing."""

    def follow(draft: Draft, value: Any) -> None:
        if value and "flags" not in draft.args:
            draft.parts["event"]["open_flags"] = (draft.get("event", "open_flags") or 0) | number

    return follow


def _opens_to_read(draft: Draft, value: Any) -> None:
    flags = draft.get("event", "open_flags")
    if value and "flags" not in draft.args:
        draft.parts["event"]["open_flags"] = 0 if flags is None else flags & ~0o3 | 0o2  # O_RDWR when it opens to write, too


def _opens_executable(draft: Draft, value: Any) -> None:
    if value:
        _flags(0o100)(draft, value)  # O_CREAT
        draft.args.setdefault("mode", 0o755)


def _created(draft: Draft, value: Any) -> None:
    draft.parts["event"]["created"] = value
    _flags(0o100)(draft, value)


def _started(part: str, slot: str) -> Callable[[Draft, Any], None]:
    """A duration until the event gives a start."""

    def follow(draft: Draft, value: Any) -> None:
        slots = draft.ancestor(1) if part == "parent" else draft.parts[part]
        slots.setdefault(slot, draft.parts["event"].setdefault("time_ns", 0) - value)

    return follow


def _before(slot: str, later_slot: str) -> Callable[[Draft, Any], None]:
    """A duration between two times of the process gives the earlier one, and the later one if need be."""

    def follow(draft: Draft, value: Any) -> None:
        end = draft.parts["proc"].setdefault(later_slot, draft.parts["event"].setdefault("time_ns", 0))
        draft.default("proc", slot, end - value)

    return follow


def _part_of_time(name: str, unit: int) -> Callable[[Draft, Any], None]:
    """Whole seconds, or the rest, of a duration in `extra`."""

    def follow(draft: Draft, value: Any) -> None:
        draft.extra.setdefault(name, 0)
        if draft.extra[name] // _NS == 0 if unit == _NS else draft.extra[name] % _NS == 0:
            draft.extra[name] += value * unit

    return follow


def _part_of_moment(unit: int) -> Callable[[Draft, Any], None]:
    def follow(draft: Draft, value: Any) -> None:
        known = draft.get("event", "time_ns")
        if known is None or (unit == 1 and known % _NS == 0):
            draft.parts["event"]["time_ns"] = (known or 0) + value * unit

    return follow


def _same_slot(part: str, slot: str) -> Callable[[Draft, Any], None]:
    def follow(draft: Draft, value: Any) -> None:
        draft.default(part, slot, value)

    return follow


def _exeline(draft: Draft, value: Any) -> None:
    exe, _, rest = value.partition(" ")
    draft.default("proc", "exe", exe)
    if "args" not in draft.parts["proc"]:
        _args(draft, rest)


def _device(high: bool) -> Callable[[Draft, Any], None]:
    def follow(draft: Draft, value: Any) -> None:
        bits = (value & 0xFFF) << 8 if high else value & 0xFF | (value & ~0xFF) << 12  # new_encode_dev, linux/kdev_t.h
        draft.parts["fd"]["dev"] = (draft.get("fd", "dev") or 0) | bits

    return follow


def _port(slot: str) -> Callable[[Draft, Any], None]:
    """The text of a port; a service's name, whose port depends on the host, stays a text."""

    def follow(draft: Draft, value: Any) -> None:
        if value.isdecimal():
            draft.default("fd", slot, int(value))

    return follow


def _signal_number(draft: Draft, value: Any) -> None:
    number = signal_number(value)
    if number is None:
        raise InputError(f"`signal.name` wants the name of a signal, got {value!r}")
    draft.default("signal", "number", number)


def _command(shift: int) -> Callable[[Draft, Any], None]:
    """A part of an ioctl's number."""

    def follow(draft: Draft, value: Any) -> None:
        draft.args["request"] = draft.args.get("request", 0) | value << shift

    return follow


def _ioctl_name(draft: Draft, value: Any) -> None:
    from ruleng.abi.ioctls import IOCTL

    if value not in IOCTL:
        raise InputError(f"`ioctl.name` wants a command that ruleng knows by name, got {value!r}")
    draft.args.setdefault("request", IOCTL[value])


def _direction(draft: Draft, value: Any) -> None:
    bits = {"none": 0, "write": 1, "read": 2, "read|write": 3}.get(value)
    if bits is None:
        raise InputError(f"`ioctl.dir` is none, read, write or read|write, not {value!r}")
    _command(30)(draft, bits)


def _parameter_of(name: str) -> Callable[[Draft, Any], None]:
    def follow(draft: Draft, value: Any) -> None:
        draft.args.setdefault(name, value)

    return follow


_FOLLOWS: Mapping[str, Callable[[Draft, Any], None]] = {
    "evt.rawtime.s": _part_of_moment(_NS),
    "evt.rawtime.ns": _part_of_moment(1),
    **{f"evt.{kind}.s": _part_of_time(f"evt.{kind}", _NS) for kind in ("reltime", "deltatime", "latency")},
    **{f"evt.{kind}.ns": _part_of_time(f"evt.{kind}", 1) for kind in ("reltime", "deltatime", "latency")},
    "evt.res": _result,
    "evt.failed": _failed,
    **{f"evt.count.error{which}": _failed for which in ("", ".file", ".net", ".memory", ".other")},
    **{
        f"evt.buflen{which}": _buflen
        for which in ("", ".in", ".out", ".file", ".file.in", ".file.out", ".net", ".net.in", ".net.out")
    },
    "evt.is_open_write": _flags(0o1),
    "evt.is_open_read": _opens_to_read,
    "evt.is_open_exec": _opens_executable,
    "evt.is_open_create": _created,
    "util.cnt": _same_slot("event", "num"),
    "proc.duration": _started("proc", "start_ns"),
    "proc.ppid.duration": _started("parent", "start_ns"),
    "container.duration": _started("container", "start_ns"),
    "proc.exe_ino.ctime_duration_proc_start": _before("exe_ctime_ns", "start_ns"),
    "proc.exe_ino.ctime_duration_pidns_start": _before("pidns_start_ns", "exe_ctime_ns"),
    "proc.vpgid.name": _same_slot("leader", "name"),
    "proc.vpgid.exe": _same_slot("leader", "exe"),
    "proc.vpgid.exepath": _same_slot("leader", "exepath"),
    "proc.exeline": _exeline,
    "fd.dev.major": _device(high=True),
    "fd.dev.minor": _device(high=False),
    **{f"fd.{end}proto": _port(f"{end}port") for end in "cslr"},
    "k8s.pod.id": _same_slot("container", "pod_uid"),
    "k8s.pod.sandbox_id": _same_slot("container", "pod_sandbox_id"),
    "k8s.pod.ip": _same_slot("container", "ip"),
    "signal.name": _signal_number,
    "ioctl.cmd": _parameter_of("request"),
    "ioctl.name": _ioctl_name,
    "ioctl.dir": _direction,
    "ioctl.size": _command(16),
    "ioctl.type": _command(8),
    "ioctl.nr": _command(0),
    "ioctl.arg": _parameter_of("argument"),
    "ioctl.device": _same_slot("fd", "name"),
}
"""Derived fields, and how their bases come of them, in the order in which they are worked out. All are claims as well."""


def _finish_command_line(slots: dict[str, Any]) -> None:
    """Name, arguments and command line, each from the others where it was not given."""
    if "args" not in slots and "args_text" not in slots and "cmdline" in slots:
        name, _, rest = slots["cmdline"].partition(" ")
        if slots["cmdline"].startswith(slots.get("name", name)):
            name = slots.get("name", name)
            rest = slots["cmdline"][len(name) :].strip()
        slots.setdefault("name", name)
        slots |= {"args": tuple(rest.split()), "args_text": rest}
    if "args" in slots:
        slots.setdefault("args_text", " ".join(slots["args"]))
    if "args_text" in slots and "name" in slots:
        slots.setdefault("cmdline", f"{slots['name']} {slots['args_text']}".rstrip(" ") if slots["args_text"] else slots["name"])


_TYPE_OF_CHAR = {"f": "file", "d": "directory", "4": "ipv4", "6": "ipv6", "u": "unix", "p": "pipe", "e": "event", "s": "signalfd",
                 "l": "eventpoll", "i": "inotify", "t": "timerfd", "n": "netlink", "b": "bpf", "r": "io_uring", "m": "memfd",
                 "P": "pidfd"}  # fmt: skip
_CHAR_OF_TYPE = {word: char for char, word in _TYPE_OF_CHAR.items()} | {"userfaultfd": "u"}


def _finish_fd(slots: dict[str, Any]) -> None:
    """The kind from its letter and back, and a path's directory and file name."""
    if (char := slots.get("typechar")) is not None and char in _TYPE_OF_CHAR:
        slots.setdefault("type", _TYPE_OF_CHAR[char])
    elif (word := slots.get("type")) is not None and word in _CHAR_OF_TYPE:
        slots.setdefault("typechar", _CHAR_OF_TYPE[word])
    name = slots.get("name")
    if name is not None and name.startswith("/") and slots.get("typechar", "f") in "fd":
        directory, _, filename = name.rpartition("/")
        slots.setdefault("directory", directory or "/")
        slots.setdefault("filename", filename)


# --- putting together ---------------------------------------------------------------------------------------------------


def _assemble(draft: Draft) -> Event:
    parts = draft.parts
    event = {"time_ns": 0, **parts["event"]}
    if draft.type in params.OPENS and isinstance(flags := draft.args.get("flags"), int):
        event.setdefault("open_flags", flags)
    return Event(
        type=draft.type,
        proc=_process(draft),
        fd=Fd(**parts["fd"]) if parts["fd"] else NO_FD,
        paths=Paths(**parts["paths"]) if parts["paths"] else NO_PATHS,
        signal=_signal(draft),
        args=draft.args or NO_ARGS,
        extra=draft.extra or None,
        **event,
    )


def _process(draft: Draft) -> Process:
    parts = draft.parts
    if parts["parent"]:
        draft.ancestor(1).update(parts["parent"])
    parent = NO_TASK
    for slots in reversed(draft.above):
        parent = Task(Process(parent=parent, **slots))
    slots = parts["proc"]
    if parent is not NO_TASK:
        slots["parent"] = parent
    for part, slot in (("session", "session"), ("leader", "group")):
        if parts[part]:
            slots[slot] = Task(Process(**parts[part]))
    for part, slot, make in (
        ("user", "user", User),
        ("group", "group_of", Group),
        ("login", "login", User),
        ("namespaces", "namespaces", Namespaces),
        ("container", "container", Container),
    ):
        if parts[part]:
            slots[slot] = make(**parts[part])
    if draft.proc_extra:
        slots["extra"] = draft.proc_extra
    return Process(**slots) if slots else NO_PROCESS


def _signal(draft: Draft) -> Signal | None:
    parts = draft.parts
    if not (parts["signal"] or parts["sender"] or parts["target"]):
        return None
    if draft.type not in signal.TYPES:
        raise InputError(f"the `signal` fields are no fields of `{draft.type}` events")
    if "number" not in parts["signal"]:
        raise InputError("`signal.number` or `signal.name` is required with other `signal` fields")
    return Signal(sender=_of_signal(parts["sender"]), target=_of_signal(parts["target"]), **parts["signal"])


def _of_signal(slots: dict[str, Any]) -> Process:
    return Process(**slots) if slots else NO_PROCESS
