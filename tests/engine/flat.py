"""Fields whose values a test gives by name: a catalogue that reads `Event.extra`, and events for it.

What rules mean does not depend on where a value comes from, so the engine can be held against values that another engine saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ruleng.event import Event
from ruleng.fields.types import Catalogue, Field, FieldType

OF_THE_EVENT = frozenset({"evt.type", "evt.num", "evt.source"})
"""Fields that an Event has of its own in these tests too."""

ENDS = {"fd.ip": ("fd.cip", "fd.sip"), "fd.net": ("fd.cip", "fd.sip"), "fd.port": ("fd.cport", "fd.sport")}
"""Fields with two ends, and the fields that have one each."""


def extra(name: str) -> str:
    """The expression that reads a value by its name."""
    return f"e.extra.get({name!r})"


def with_argument(field: Field) -> Callable[[str], str]:
    def read(arg: str) -> str:
        if field.read_arg is not None:
            field.read_arg(arg)  # which says what an argument may be
        return extra(f"{field.name}.{arg}" if field.dotted and not arg.isdecimal() else f"{field.name}[{arg}]")

    return read


def flat_field(field: Field) -> Field:
    """The same field for rules, read from `Event.extra`; it may be missing from any event."""
    if field.name in OF_THE_EVENT:
        return field
    if field.quantifier == "either":
        one, other = ENDS.get(field.name, (f"{field.name}.0", f"{field.name}.1"))
        read: str | None = f"({extra(one)}, {extra(other)})"
    else:
        read = None if field.argument == "required" else extra(field.name)
    read_arg = None if field.argument == "none" else with_argument(field)
    return replace(field, read=read, read_arg=read_arg, nullable=True, event_types=None, json_read=None)


def flat_catalogue(catalogue: Catalogue, more: Iterable[Field] = (), types: Iterable[str] = ()) -> Catalogue:
    """All names of a catalogue, with further fields and event types; a further field stands for one of its name."""
    fields = {field.name: flat_field(field) for field in catalogue}
    fields |= {field.name: field for field in more}
    return Catalogue.of(fields.values(), catalogue.event_types | frozenset(types))


def flat_event(type: str, values: Mapping[str, Any], *, num: int = 1, time_ns: int = 0, source: str = "syscall") -> Event:
    return Event(type=type, time_ns=time_ns, num=num, source=source, extra=values)


def made_up(name: str, type: FieldType, *, is_list: bool = False, **more: Any) -> Field:
    """A field that no catalogue has."""
    return Field(name=name, type=type, doc="", read=extra(name), is_list=is_list, **more)
