"""Events as mappings of field names to JSON values, and back: the format of `ruleng events`, of recordings and of tests.

`to_fields(event)` gives what an event stores, exactly: `from_fields` makes an equal event of it. Every field of the catalogue
reads the same from both. Beyond the values that fields have (see `ruleng.fields.values`) a record has

- proc.args and proc.env as lists, so that a blank within an argument is kept;
- fields of ancestors as lists, the parent first, null for what is unknown: "proc.aname": ["bash", "sshd", "systemd"];
- parameters as `evt.arg.NAME` in words where the words say it all, else as `evt.rawarg.NAME`;
- container.mounts as a list of objects, labels as objects.

`from_fields` takes any mix of fields, as an analyst writes them in a test: see there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from ruleng.event import (
    NO_CONTAINER,
    NO_FD,
    NO_GROUP,
    NO_NAMESPACES,
    NO_PATHS,
    NO_PROCESS,
    NO_TASK,
    NO_USER,
    Arg,
    Container,
    Event,
    Process,
)
from ruleng.fields import params, read, words
from ruleng.fields.build import build
from ruleng.fields.catalogue import standard
from ruleng.fields.reading import find, value
from ruleng.fields.stored import ANCESTORS, CAPABILITIES, LEADERS, PARTS, STORED
from ruleng.fields.types import FieldType
from ruleng.fields.values import Json, to_json

Record = dict[str, Json]

_NOTHING = frozenset(map(id, (NO_CONTAINER, NO_FD, NO_GROUP, NO_NAMESPACES, NO_PATHS, NO_PROCESS, NO_USER)))
"""The shared values that stand for what is not known."""


def to_fields(event: Event, names: Iterable[str] | None = None) -> Record:
    """What the event stores, or the fields of these names (with argument: `proc.aname[2]`) that it has a value for.

    Raises InputError for a name that is no field.
    """
    if names is not None:
        return {name: value for name in names if (value := _chosen(event, name)) is not None}
    record: Record = {"evt.type": event.type}
    for part, rows in _rows().items():
        holder = PARTS[part](event)
        if holder is None or id(holder) in _NOTHING:
            continue
        for name, slot, type in rows:
            value = getattr(holder, slot)
            if value is not None:
                record[name] = value if value.__class__ is int and type is not FieldType.IPADDR else to_json(value, type)
    for name, default in (("evt.num", 0), ("evt.source", "syscall")):
        if record[name] == default:
            del record[name]
    _add_process(record, event.proc)
    _add_container(record, event.proc.container)
    _add_ends_of_signal(record, event)
    _add_parameters(record, event)
    for extra in (event.proc.extra, event.extra):
        for name, value in (extra or {}).items():
            record[name] = to_json(value, FieldType.STRING)
    return record


def from_fields(mapping: Mapping[str, Any], *, strict: bool = True) -> Event:
    """The event that has these fields, and no others but those that follow from them.

    evt.type is required. A field that is made from others gets what it is made of: evt.is_open_write gives open flags,
    evt.res "EACCES" the result -13, proc.cmdline the name and the arguments, proc.duration the start. Fields may contradict
    each other (evt.type open and evt.is_io true): that is an error, unless `strict` is false; then what is stored wins.

    Raises InputError, its message naming the field: unknown (with the nearest known), of the wrong type, not of this event
    type, or in contradiction with the others.
    """
    return build(mapping, strict=strict)


def _chosen(event: Event, name: str) -> Json:
    field, arg = find(name)
    chosen = value(event, field, arg)
    if field.quantifier == "either":
        chosen = [end for end in chosen if end is not None] or None
    return to_json(chosen, field.type)


# --- writing ------------------------------------------------------------------------------------------------------------


@cache
def _rows() -> Mapping[str, list[tuple[str, str, FieldType]]]:
    """(field, slot, type) by part of an event."""
    rows: dict[str, list[tuple[str, str, FieldType]]] = {}
    for name, (part, slot) in STORED.items():
        rows.setdefault(part, []).append((name, slot, standard().fields[name].type))
    return rows


def _add_process(record: Record, p: Process) -> None:
    if p.cwd is not None:
        record["proc.cwd"] = to_json(read.slashed(p.cwd), FieldType.STRING)
    if p.args is not None:
        record["proc.args"] = to_json(p.args, FieldType.STRING)
    elif p.args_text is not None:
        record["proc.args"] = to_json(p.args_text, FieldType.STRING)
    if p.env is not None:
        record["proc.env"] = to_json(p.env, FieldType.STRING)
    for name, slot in CAPABILITIES.items():
        record |= {name: text} if (text := read.capabilities(getattr(p, slot))) is not None else {}
    if p.parent is not NO_TASK:
        above = read.ancestors(p)
        for name, slot in ANCESTORS.items():
            values = [getattr(ancestor, slot) for ancestor in above]
            while values and values[-1] is None:
                values.pop()
            if values:
                record[name] = to_json(values, FieldType.STRING)
    leaders = {"session": read.session_leader(p), "leader": read.group_leader(p)}
    for name, (leader, slot) in LEADERS.items():
        if (value := getattr(leaders[leader], slot)) is not None:
            record[name] = to_json(value, FieldType.STRING)


def _add_container(record: Record, c: Container) -> None:
    if c.mounts is not None:
        record["container.mounts"] = [
            {slot: to_json(getattr(mount, slot), FieldType.STRING) for slot in mount.__struct_fields__} for mount in c.mounts
        ]
    for name, labels in (("container.labels", c.labels), ("k8s.pod.labels", c.pod_labels)):
        if labels is not None:
            record[name] = {label: to_json(value, FieldType.STRING) for label, value in labels.items()}


def _add_ends_of_signal(record: Record, event: Event) -> None:
    if event.signal is None:
        return
    for end in ("sender", "target"):
        if (container := getattr(event.signal, end).container.id) is not None:
            record[f"signal.{end}.container.id"] = to_json(container, FieldType.STRING)


def _add_parameters(record: Record, event: Event) -> None:
    if event.created is not None:
        record["evt.is_open_create"] = event.created
    kinds = params.event_type(event.type)
    if event.open_flags is not None and "flags" not in event.args:
        record["evt.arg.flags"] = words.table("open").text(event.open_flags)
    for name, argument in event.args.items():
        param = kinds.get(name)
        text = _exact_words(param, argument) if param is not None else None
        if text is None:
            record[f"evt.rawarg.{name}"] = to_json(argument, FieldType.DYNAMIC)
        else:
            record[f"evt.arg.{name}"] = text


def _exact_words(param: params.Param, value: Arg) -> str | None:
    """The words of a number, if reading them gives the number again."""
    if not isinstance(value, int) or param.kind.words is None or not words.has_table(param.kind.words):
        return None
    table = words.table(param.kind.words)
    text = table.text(value)
    return text if table.number(text) == value else None
