"""Every field that Falco lists exists here, with its type, list-ness and flags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruleng.fields.catalogue import standard
from ruleng.fields.types import Field
from tests.conformance.cases import Result

FLAGS = ("FILTER_ONLY", "PRINT_ONLY", "NO_RHS", "NO_TRANSFORMER", "IS_LIST", "ARG_REQUIRED", "ARG_ALLOWED", "DEPRECATED")
"""Those that a rule author meets. TABLE_ONLY, SUGGESTED_OUTPUT and NO_PTR_STABILITY tell other programs things."""


def run(data: Any, folder: Path) -> Iterator[Result]:
    for part in ("libsinsp", "container_plugin"):
        for row in data.get(part, ()):
            yield Result(row["name"], _problem(row))


def _problem(row: dict[str, Any]) -> str | None:
    field = standard().get(row["name"])
    if field is None:
        return "no such field"
    if field.type.value != row["type"]:
        return f"type {field.type.value}, want {row['type']}"
    have, want = _flags(field), _listed(row["flags"])
    if row["desc"].startswith("Deprecated"):
        want.add("DEPRECATED")
    if field.argument == "optional" and "ARG_REQUIRED" in want:  # evt.abspath: Falco's own tests use it without, too
        want = want - {"ARG_REQUIRED"} | {"ARG_ALLOWED"}
    return None if have == want else f"flags {sorted(have)}, want {sorted(want)}"


def _listed(flags: list[str]) -> set[str]:
    """The flags by name; one row of the data has them still wrapped in a C++ cast."""
    words = " ".join(flags).replace("(filtercheck_field_flags)", "").replace("(", " ").replace(")", " ").split()
    return set(words) & set(FLAGS)


def _flags(field: Field) -> set[str]:
    held = {
        "FILTER_ONLY": field.filter_only,
        "PRINT_ONLY": field.print_only,
        "NO_RHS": not field.right_side,
        "NO_TRANSFORMER": not field.transformable,
        "IS_LIST": field.is_list,
        "ARG_REQUIRED": field.argument == "required",
        "ARG_ALLOWED": field.argument == "optional",
        "DEPRECATED": field.deprecated is not None,
    }
    return {flag for flag, holds in held.items() if holds}
