"""Fields that somebody gave, put where an event holds them: those written in a way of their own, and those with an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ruleng.abi.words import capability_bits
from ruleng.event import Container, Mount
from ruleng.fields.draft import Draft
from ruleng.fields.extra import of_event, of_process
from ruleng.fields.given_arguments import parameter, put_argument
from ruleng.fields.proc import DEEPEST
from ruleng.fields.reading import expression, find
from ruleng.fields.stored import ANCESTORS, CAPABILITIES, PARENT
from ruleng.fields.types import Field, FieldType
from ruleng.fields.values import Json, bytes_of, from_json, text_of, texts_of, time_of


def command_arguments(draft: Draft, given: Json) -> None:
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

    def put_value(draft: Draft, given: Json) -> None:
        values = given if isinstance(given, list) else [given]
        if len(values) > DEEPEST:
            raise ValueError(f"has {len(values)} ancestors, more than {DEEPEST}")
        for level, one in enumerate(values, 1):
            if one is not None:
                draft.ancestor(level)[slot] = _environment(one) if slot == "env" else from_json(one, type)

    return put_value


def _parent(slot: str) -> Callable[[Draft, Json], None]:
    def put_value(draft: Draft, given: Json) -> None:
        draft.ancestor(1)[slot] = text_of(given)

    return put_value


def _capabilities(slot: str) -> Callable[[Draft, Json], None]:
    def put_value(draft: Draft, given: Json) -> None:
        bits = capability_bits(text_of(given))
        if bits is None:
            raise ValueError(f"wants names of capabilities(7) with blanks between, got {given!r}")
        draft.parts["proc"][slot] = bits

    return put_value


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
    def put_value(draft: Draft, given: Json) -> None:
        if isinstance(given, Mapping):
            labels = {name: text_of(value) for name, value in given.items()}
        else:
            pairs = (pair.strip().partition(":") for pair in text_of(given).split(",") if pair.strip())
            labels = {name: value for name, _, value in pairs}
        draft.parts["container"][slot] = {**(draft.get("container", slot) or {}), **labels}

    return put_value


def _texts(part: str, slot: str) -> Callable[[Draft, Json], None]:
    def put_value(draft: Draft, given: Json) -> None:
        draft.parts[part][slot] = texts_of(given)

    return put_value


def _container_of(end: str) -> Callable[[Draft, Json], None]:
    def put_value(draft: Draft, given: Json) -> None:
        draft.parts[end]["container"] = Container(id=text_of(given))

    return put_value


def _time(draft: Draft, given: Json) -> None:
    """Any of the fields that show the time: ISO 8601, or nanoseconds as JSON outputs have them."""
    moment = time_of(given) if isinstance(given, str) else from_json(given, FieldType.ABSTIME)
    draft.default("event", "time_ns", moment)


def _type(draft: Draft, given: Json) -> None:
    if given != draft.type:
        raise ValueError(f"is {given!r}, but `evt.type` is {draft.type!r}")


def _buffer(draft: Draft, given: Json) -> None:
    draft.args["data"] = bytes_of(given)


def _all_arguments(draft: Draft, given: Json) -> None:
    draft.extra["evt.args"] = text_of(given)


def _end(part: str, slots: Sequence[str], type: FieldType) -> Callable[[Draft, Json], None]:
    """fd.ip and the like, which mean either end: the server's, or the client's when that is known."""

    def put_value(draft: Draft, given: Json) -> None:
        value = from_json(given, type)
        free = next((slot for slot in slots if draft.get(part, slot) is None), None)
        if free is not None and value not in (draft.get(part, slot) for slot in slots):
            draft.parts[part][free] = value

    return put_value


def _network(slot: str) -> Callable[[Draft, Json], None]:
    return _end("fd", (slot,), FieldType.IPNET)


SPECIAL: Mapping[str, Callable[[Draft, Json], None]] = {
    "evt.type": _type,
    "syscall.type": _type,
    "proc.args": command_arguments,
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
    **dict.fromkeys(("evt.args", "evt.info"), _all_arguments),
    "fd.ip": _end("fd", ("sip", "cip"), FieldType.IPADDR),
    "fd.port": _end("fd", ("sport", "cport"), FieldType.PORT),
    "fd.proto": _end("fd", ("sport", "cport"), FieldType.PORT),
    "fd.net": _end("fd", ("sip", "cip"), FieldType.IPNET),
    **{f"fd.{end}net": _network(f"{end}ip") for end in "cslr"},
}


# --- fields with an argument, and fields that no slot holds -------------------------------------------------------------


def require_type(draft: Draft, field: Field) -> None:
    if field.event_types is not None and draft.type not in field.event_types:
        raise ValueError(f"is no field of `{draft.type}` events")


def put(draft: Draft, name: str, given: Json) -> None:
    field, arg = find(name)
    require_type(draft, field)
    match field.name:
        case "evt.arg" | "evt.rawarg" if arg is not None:
            raw = field.name == "evt.rawarg"
            put_argument(draft, parameter(draft.type, arg, raw=raw), given, raw=raw)
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
            _one_argument(draft, int(arg), given)
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


def _one_argument(draft: Draft, place: int, given: Json) -> None:
    """proc.args[2]; the arguments before it that were not given are empty."""
    if place > _MOST_ARGUMENTS:
        raise ValueError(f"is too far: at most {_MOST_ARGUMENTS} arguments are kept")
    args = list(draft.get("proc", "args") or ())
    args += [""] * (place + 1 - len(args))
    args[place] = text_of(given)
    draft.parts["proc"]["args"] = tuple(args)


_MOST_ARGUMENTS = 4096
"""Falco keeps 4096 bytes of them; a recording must not ask for more memory than it is long."""


def _one_mount(draft: Draft, part: str, key: str, given: Json) -> None:
    """container.mount.dest[/proc*]: a mount of that source, at the destination that was given."""
    mounts = list(draft.get("container", "mounts") or ())
    by = "dest" if part == "source" else "source"
    value: Any = text_of(given) == "true" if part == "rdwr" else text_of(given)
    slots: dict[str, Any] = {"source": "", "dest": "", by: "" if key.isdecimal() else key, part: value}
    draft.parts["container"]["mounts"] = (*mounts, Mount(**slots))
