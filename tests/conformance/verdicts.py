"""What both engines, the interpreter and the compiled rules, say of a condition; shared by the runners of evaluated cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ruleng.alert import Priority
from ruleng.engine.compile import compile_rules
from ruleng.engine.interpret import holds
from ruleng.event import Event
from ruleng.fields.address import parse_address
from ruleng.fields.types import Catalogue, FieldType
from ruleng.lang.check import check_condition
from ruleng.lang.checked import Checked, Output, Rule
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source


def checked(text: str, catalogue: Catalogue) -> tuple[Checked | None, str]:
    """The checked condition, or None and the mistakes."""
    expr, diagnostics = parse_condition(Source("case", text))
    if expr is None:
        return None, "; ".join(diagnostic.message for diagnostic in diagnostics)
    condition, diagnostics = check_condition(expr, catalogue, dialect="falco")
    return condition, "; ".join(diagnostic.message for diagnostic in diagnostics if diagnostic.is_error)


def rule_of(condition: Checked, name: str = "case", **more: Any) -> Rule:
    return Rule(name, condition, Output(()), Priority.NOTICE, **more)


def disagreement(text: str, catalogue: Catalogue, event: Event, wanted: bool | None) -> str | None:
    """What is wrong with the verdict on a condition; None as `wanted` means that it must be refused."""
    condition, mistakes = checked(text, catalogue)
    if wanted is None:
        return "accepted" if condition is not None else None
    if condition is None:
        return f"refused: {mistakes}"
    if (said := holds(condition, event)) is not wanted:
        return f"the interpreter says {said}, wanted {wanted}"
    matches = compile_rules([rule_of(condition)], catalogue).match(event)
    return None if list(matches) == [0] * wanted else f"the compiled rule says {list(matches)}, wanted {wanted}"


_OTHER_TYPES = {"ERRNO": FieldType.INT64, "FD": FieldType.INT64, "PID": FieldType.INT64, "FLAGS32": FieldType.UINT32}
"""Types of parameters that fields show as numbers."""


def type_of(name: str) -> FieldType:
    """The type of a case's field, by libsinsp's name."""
    return _OTHER_TYPES.get(name) or FieldType(name)


def value_of(type: FieldType, given: Any, *, hexadecimal: bool = False) -> Any:
    """A case's JSON value as events hold it."""
    match type, given:
        case _, None:
            return None
        case _, list():
            return tuple(value_of(type, item, hexadecimal=hexadecimal) for item in given)
        case FieldType.IPADDR | FieldType.IPNET, str():
            return parse_address(given)
        case FieldType.BYTES, str():
            return bytes.fromhex(given) if hexadecimal else given.encode("utf-8", "surrogateescape")
        case _:
            return given


def values_of(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: value_of(type_of(field["type"]), field["value"]) for name, field in fields.items()}
