"""From flat catalogue fields to the nested documents of ECS and OCSF.

Names -> paths is a mapping that is passed in: what the catalogue's rows say in `ecs` and `ocsf`, see
`ruleng.sinks.encode.formats`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ruleng.alert import Alert
from ruleng.event import Event
from ruleng.sinks.encode.values import Json

FACTS: Mapping[str, Callable[[Event], Json]] = {
    "proc.pid": lambda e: e.proc.pid,
    "proc.name": lambda e: e.proc.name,
    "proc.exepath": lambda e: e.proc.exepath,
    "proc.cmdline": lambda e: e.proc.cmdline,
    "proc.cwd": lambda e: e.proc.cwd,
    "proc.ppid": lambda e: e.proc.ppid,
    "proc.pname": lambda e: e.proc.parent.now.name,
    "user.uid": lambda e: e.proc.uid,
    "user.name": lambda e: e.proc.user.name,
    "container.id": lambda e: e.proc.container.id,
    "container.name": lambda e: e.proc.container.name,
    "container.image": lambda e: e.proc.container.image,
}
"""Who did it, for alerts whose rule's output does not say: fields of the catalogue, read from the alert's event."""


def known(alert: Alert) -> dict[str, Json]:
    """The alert's output fields, and the FACTS of its event that are not among them. Missing values are left out."""
    fields = {name: value for name, value in alert.output_fields.items() if value is not None}
    if alert.event is not None:
        for name, read in FACTS.items():
            if name not in fields and (value := read(alert.event)) is not None:
                fields[name] = value
    return fields


def put(tree: dict[str, Json], path: str, value: Json) -> bool:
    """Sets the value at a dotted path. False, and nothing changed, where something stands there already or in its way."""
    *parents, last = path.split(".")
    node = tree
    for depth, name in enumerate(parents):
        below = node.get(name)
        if below is None:
            for parent in parents[depth:]:
                node = node.setdefault(parent, {})
            break
        if not isinstance(below, dict):
            return False
        node = below
    if last in node:
        return False
    node[last] = value
    return True


def find(names: Mapping[str, str], name: str) -> tuple[str, str | None] | None:
    """(path, argument) of an output field: `proc.aname[2]` is `proc.aname` with `2`. None where `names` has no path for it.

    A name that ends with a dot stands for all that begin so: `container.label.` for `container.label.app`.
    """
    if path := names.get(name):
        return path, None
    stem, bracket, argument = name.partition("[")
    if bracket:
        path = names.get(stem)
        return (path, argument.removesuffix("]")) if path else None
    while "." in stem:
        stem = stem.rpartition(".")[0]
        if path := names.get(f"{stem}."):
            return path, name[len(stem) + 1 :]
    return None
