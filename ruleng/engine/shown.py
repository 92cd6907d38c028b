"""Values for people: as outputs print them, and as rules write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ruleng.engine import operands
from ruleng.fields.address import format_address, format_network
from ruleng.fields.types import FieldType
from ruleng.lang.checked import Op, Test

MISSING = "<NA>"
"""What Falco prints for a value that is not there."""

_PRINTABLE = bytes(byte if 0x20 <= byte < 0x7F else ord(".") for byte in range(256))  # ASCII without control characters
_BARE = re.compile(r"""[^()"'\s=,\\]+""")


def printed(value: Any, type: FieldType = FieldType.STRING) -> str:
    """A value as an output prints it; a list as `(a,b)`."""
    match value:
        case None:
            return MISSING
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case bytes():
            return value.translate(_PRINTABLE).decode("ascii")
        case tuple() | list():
            return f"({','.join(printed(item, type) for item in value)})"
        case int() if type in (FieldType.IPADDR, FieldType.IPNET):
            return format_address(value)
        case _:
            return str(value)


def written(value: Any, type: FieldType) -> str:
    """A literal as a rule writes it."""
    match value:
        case tuple():
            return format_network(value)
        case bytes():
            return value.hex()
        case str():
            text = readable(value)
            return text if _BARE.fullmatch(text) else '"' + text.replace('"', r"\"") + '"'
        case _:
            return printed(value, type)


def readable(text: str) -> str:
    """Text that any terminal and any JSON takes: control characters and bytes that are no UTF-8 as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def comparison(test: Test, most: int = 8) -> str:
    """A test as a rule writes it, of long lists the first literals."""
    left = operands.describe(test.left)
    if test.op is Op.EXISTS:
        return f"{left} exists"
    operator = f"{test.op} {test.modifier}" if test.modifier else str(test.op)
    if test.right is not None:
        return f"{left} {operator} val({operands.describe(test.right)})"
    literals = [written(value, test.left.type) for value in test.values]
    if test.modifier or test.op in (Op.IN, Op.INTERSECTS, Op.PMATCH):
        return f"{left} {operator} ({_shortened(literals, most)})"
    return f"{left} {operator} {literals[0]}" if literals else f"{left} {operator}"


def _shortened(texts: Sequence[str], most: int) -> str:
    more = len(texts) - most
    return ", ".join(texts if more <= 0 else [*texts[:most], f"and {more} more"])
