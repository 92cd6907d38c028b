"""The encodings by name, for sinks that let the user choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from ruleng.alert import Alert
from ruleng.fields.types import Catalogue

Encode = Callable[[Alert], bytes]
FORMATS: Mapping[str, str] = {
    "falco": "Falco's JSON, with `uuid`, `actions` and `suppressed` besides",
    "ecs": "Elastic Common Schema 8.11",
    "ocsf": "Open Cybersecurity Schema Framework 1.5, Detection Finding",
}


def encoder(name: str, catalogue: Callable[[], Catalogue]) -> Encode:
    """`catalogue` is asked only by those that need the fields' names."""
    match name:
        case "falco":
            from ruleng.sinks.encode import falco

            return falco.encode
        case "ecs":
            from ruleng.sinks.encode import ecs

            return ecs.encoder(names(catalogue(), "ecs"))
        case "ocsf":
            from ruleng.sinks.encode import ocsf

            return ocsf.encoder(names(catalogue(), "ocsf"))
        case _:
            raise ValueError(name)


def names(catalogue: Catalogue, schema: Literal["ecs", "ocsf"]) -> dict[str, str]:
    """Catalogue field -> path in that schema, as `ruleng.sinks.encode.nested.find` reads it."""
    found: dict[str, str] = {}
    for field in catalogue:
        path = field.ecs if schema == "ecs" else field.ocsf
        if path:
            found[field.name] = path
            if field.dotted:
                found[f"{field.name}."] = path
    return found
