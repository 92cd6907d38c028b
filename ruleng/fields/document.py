"""The catalogue for people: Markdown for docs/fields.md, text for a terminal, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

from ruleng.fields.types import Catalogue, Field, FieldType

_CLASSES = {
    "evt": "The event",
    "syscall": "The event",
    "util": "The event",
    "proc": "The process and those above it",
    "thread": "The thread",
    "user": "The user and the group",
    "group": "The user and the group",
    "fd": "The descriptor",
    "fdlist": "The descriptor",
    "fs": "Paths",
    "container": "The container",
    "k8s": "The pod",
    "signal": "The signal",
    "ioctl": "The ioctl",
    "vm": "The virtual machine",
}
"""Headings by a name's first word."""

_HEAD = """\
<!-- Made by `ruleng fields --format markdown`; change the tables in ruleng/fields. -->
# Fields

What rules ask for and outputs print. A field that an event has no value for makes its check false, whatever the operator.

*Sources*: which of ruleng's sources can fill the field; an empty cell means that only recordings have it. *ECS*, *OCSF*: the name
in the Elastic Common Schema and in the Open Cybersecurity Schema Framework, where there is one. A type followed by `[]` is a list.
"""

_FOOT = """\
## Event types

The values of `evt.type`, with the parameters that `evt.arg.NAME` and `evt.rawarg.NAME` give, in order. Types without parameters
are listed at the end.
"""


def markdown(catalogue: Catalogue) -> str:
    """docs/fields.md, without its last line's end."""
    parts = [_HEAD]
    for heading, fields in _by_class(catalogue):
        parts.append(f"## {heading}\n\n| field | type | meaning | sources | ECS | OCSF |\n|---|---|---|---|---|---|")
        parts += [_row(field) for field in fields]
        parts.append("")
    parts.append(_FOOT)
    parts += _event_types(catalogue)
    return "\n".join(parts)


def text(catalogue: Catalogue) -> str:
    """A line a field: name, type, meaning."""
    rows = [(_usage(field), _type(field), _meaning(field)) for field in catalogue]
    name, type = (max(map(len, column)) for column in list(zip(*rows, strict=True))[:2])
    return "\n".join(f"{row[0]:{name}}  {row[1]:{type}}  {row[2]}" for row in rows)


def as_json(catalogue: Catalogue) -> str:
    """A list of objects, one a field, in the catalogue's order."""
    return json.dumps([_object(field) for field in catalogue], indent=2, ensure_ascii=False)


def _by_class(catalogue: Catalogue) -> Iterator[tuple[str, Iterator[Field]]]:
    order = list(dict.fromkeys(_CLASSES.values()))
    fields = sorted(catalogue, key=lambda field: order.index(_heading(field)))
    return groupby(fields, key=_heading)


def _heading(field: Field) -> str:
    return _CLASSES[field.name.partition(".")[0]]


def _row(field: Field) -> str:
    cells = (
        ", ".join(f"`{usage}`" for usage in _usage(field).split(", ")),
        _type(field),
        _meaning(field),
        ", ".join(sorted(field.sources)),
        field.ecs,
        field.ocsf,
    )
    return f"| {' | '.join((cell or '').replace('|', chr(92) + '|') for cell in cells)} |"


def _usage(field: Field) -> str:
    match field.argument:
        case "none":
            return field.name
        case "optional":
            return f"{field.name}, {field.name}[…]"
        case _:
            return f"{field.name}[…]"


def _type(field: Field) -> str:
    label = "of the parameter" if field.type is FieldType.DYNAMIC else field.type.label
    return f"{label}[]" if field.is_list else label


def _meaning(field: Field) -> str:
    """The meaning, its unit, its argument, and what is special about it."""
    parts = [field.doc]
    if field.unit is not None:
        parts.append(f"In {field.unit}.")
    if field.argument_doc:
        parts.append(f"Argument: {field.argument_doc}.")
    if field.filter_only:
        parts.append("Only in conditions.")
    if field.print_only:
        parts.append("Only in outputs.")
    if field.deprecated is not None:
        parts.append(f"Deprecated: {field.deprecated}.")
    if not field.falco:
        parts.append("Falco lacks it.")
    return " ".join(parts)


def _object(field: Field) -> dict[str, object]:
    row: dict[str, object] = {
        "name": field.name,
        "type": field.type.label,
        "falco_type": field.type.value,
        "list": field.is_list,
        "meaning": field.doc,
        "unit": field.unit,
        "argument": field.argument,
        "argument_meaning": field.argument_doc or None,
        "sources": sorted(field.sources),
        "event_types": None if field.event_types is None else sorted(field.event_types),
        "in_conditions": not field.print_only,
        "in_outputs": not field.filter_only,
        "on_the_right": field.right_side,
        "transformable": field.transformable,
        "deprecated": field.deprecated,
        "ecs": field.ecs,
        "ocsf": field.ocsf,
        "falco": field.falco,
    }
    return row


def _event_types(catalogue: Catalogue) -> Iterator[str]:
    from ruleng.fields import params

    bare = []
    yield "| type | class | parameters |\n|---|---|---|"
    for name in sorted(catalogue.event_types):
        event = params.event_type(name)
        if event.params:
            yield f"| `{name}` | {_class(event.category)} | {', '.join(param.name for param in event.params)} |"
        else:
            bare.append(f"`{name}`")
    yield f"\nWithout parameters: {', '.join(bare)}."


def _class(category: str) -> str:
    return "of its descriptor" if category in ("io", "read", "write") else category
