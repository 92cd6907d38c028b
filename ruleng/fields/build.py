"""An event from the fields that somebody gave: what `record.from_fields` does.

First every field is put where it is stored; then what follows from the others is worked out, the bases of derived fields
first. A field that can be stored nowhere is a claim, which must hold in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

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
    Namespaces,
    Paths,
    Process,
    Signal,
    Task,
    User,
)
from ruleng.fields import params, signal
from ruleng.fields.catalogue import standard
from ruleng.fields.draft import Draft
from ruleng.fields.follow import FOLLOWS, finish_command_line, finish_fd, work_out
from ruleng.fields.given import SPECIAL, put, require_type
from ruleng.fields.given_arguments import parameter, put_argument
from ruleng.fields.reading import value
from ruleng.fields.stored import LEADERS, STORED
from ruleng.fields.types import Field
from ruleng.fields.values import Json, from_json, reader


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
            elif special := SPECIAL.get(name):
                special(draft, given)
            elif name.startswith("evt.rawarg."):
                put_argument(draft, parameter(draft.type, name[11:], raw=True), given, raw=True)
            elif name.startswith("evt.arg."):
                put_argument(draft, parameter(draft.type, name[8:], raw=False), given, raw=False)
            elif name in FOLLOWS:
                field = standard().fields[name]
                require_type(draft, field)
                later[name] = from_json(given, field.type)
            else:
                put(draft, name, given)
        except ValueError as problem:
            raise InputError(f"`{name}` {problem}") from None
    if later:
        work_out(draft, later)
    finish_command_line(parts["proc"])
    for slots in draft.above:
        if "args" in slots:
            finish_command_line(slots)
    finish_fd(parts["fd"])
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
