"""The value of a field by its name, for those who read a few: records, tests, outputs. Rules compile `Field.read` themselves."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from types import CodeType
from typing import Any

from ruleng.errors import InputError
from ruleng.event import Event
from ruleng.fields import read
from ruleng.fields.catalogue import standard
from ruleng.fields.types import Field

_NAMESPACE: dict[str, Any] = {name: getattr(read, name) for name in read.__all__}


def find(name: str) -> tuple[Field, str | None]:
    """The field of a name as rules write it, `proc.aname[2]`, and its argument. Raises InputError for a name that is none."""
    stem, bracket, arg = name.partition("[")
    found = standard().find(stem)
    if found is None or (bracket and not arg.endswith("]")):
        near = get_close_matches(stem, standard().fields, n=1, cutoff=0.75)
        raise InputError(
            f"unknown field `{name}`{f'; did you mean `{near[0]}`?' if near else ''}", hint="`ruleng fields` prints all fields"
        )
    field, after_dot = found
    return field, arg[:-1] if bracket else after_dot


def value(event: Event, field: Field, arg: str | None = None) -> Any:
    """What the event has for the field, None when it is missing. Raises InputError for an argument that the field cannot take."""
    code = _code(expression(field, arg))
    if field.event_types is not None and event.type not in field.event_types:
        return None
    names = {"e": event, "p": event.proc, "f": event.fd, "c": event.proc.container}
    return eval(code, _NAMESPACE | names)  # noqa: S307  # an expression of the catalogue, never of a rule


def expression(field: Field, arg: str | None) -> str:
    """The expression that reads the field. Raises InputError for an argument that it cannot take."""
    if arg is None:
        if field.argument == "required":
            raise InputError(f"`{field.name}` wants an argument: {field.argument_doc}")
        return field.read or "None"
    if field.read_arg is None:
        raise InputError(f"`{field.name}` takes no argument")
    try:
        return field.read_arg(arg)
    except ValueError as problem:
        raise InputError(f"`{field.name}`: {problem}") from None


@lru_cache(maxsize=2048)  # of a pure function
def _code(text: str) -> CodeType:
    return compile(text, "<field>", "eval")
