"""Outputs: a template compiled to a function that gives the text and the fields of an alert.

The text has <NA> for what is missing, the fields None. evt.time is always the first of them, as nanoseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ruleng.engine import operands, shown
from ruleng.engine.subjects import MANY_DEEP, depth, expression, in_parentheses, shape
from ruleng.event import Event
from ruleng.fields.types import FieldType
from ruleng.lang.checked import FieldUse, Operand, Output, OutputField

Format = Callable[[Event], tuple[str, dict[str, Any]]]

_AS_TEXT = frozenset({FieldType.STRING, FieldType.PATH})
_TEXT_IN_JSON = frozenset({FieldType.BYTES, FieldType.IPADDR, FieldType.IPNET, FieldType.DYNAMIC})
"""Types whose values JSON has no form for."""


def compile_output(output: Output) -> Format:
    """A function of an event: (text, value of each field by its name in the template, in order)."""
    writer = _Writer()
    texts = [repr(part) if isinstance(part, str) else writer.text(part) for part in output.parts]
    source = writer.function(texts)
    names = {**operands.namespace(), "printed": shown.printed, "FieldType": FieldType, "MISSING": shown.MISSING, **writer.bound}
    exec(compile(source, "<output>", "exec"), names)  # noqa: S102  # of the catalogue's expressions and of literals
    result: Format = names["output"]
    return result


class _Writer:
    def __init__(self) -> None:
        self.bound: dict[str, Any] = {}
        self._values: dict[str, str] = {}  # expression: the local that has its value
        self._fields: dict[str, str] = {"evt.time": "e.time_ns"}
        self._names: set[str] = set()

    def function(self, texts: list[str]) -> str:
        prelude = ["    p = e.proc"] if self._names & {"p", "c"} else []
        prelude += ["    f = e.fd"] if "f" in self._names else []
        prelude += ["    c = p.container"] if "c" in self._names else []
        values = [f"    {name} = {text}" for text, name in self._values.items()]
        fields = [f"        {name!r}: {text}," for name, text in self._fields.items()]
        joined = f"''.join(({', '.join(texts)},))" if texts else "''"
        return "\n".join(["def output(e):", *prelude, *values, f"    return {joined}, {{", *fields, "    }"])

    def text(self, part: OutputField) -> str:
        """The code of a field's text; notes the field."""
        type, value = part.operand.type, self._value(part.operand)
        if _many(part.operand):
            text = f"' '.join(map(printed, {value} or (None,)))"
        elif part.operand.is_list or type not in _AS_TEXT:
            kind = f", FieldType.{type.name}" if type in _TEXT_IN_JSON else ""
            text = f"printed({value}{kind})"
        else:
            text = f"MISSING if {value} is None else {value}"
        self._fields.setdefault(part.text, self._json(part.operand, value))
        return text if part.width is None else f"({text})[:{part.width}].ljust({part.width})"

    def _json(self, operand: Operand, value: str) -> str:
        if isinstance(operand, FieldUse) and operand.field.json_read is not None:
            return self._local(operand.field.json_read, operand)
        if _many(operand):
            return f"' '.join(map(printed, {value})) if {value} else None"
        if operand.type in _TEXT_IN_JSON or operand.is_list:
            return f"None if {value} is None else printed({value}, FieldType.{operand.type.name})"
        return value

    def _value(self, operand: Operand) -> str:
        if depth(operand) <= MANY_DEEP:
            return self._local(expression(operand), operand)
        name = f"value_{len(self.bound)}"
        self.bound[name] = lambda event: operands.value(operand, event)
        return self._local(f"{name}(e)", operand)

    def _local(self, text: str, operand: Operand) -> str:
        self._names |= shape(text).names
        carriers = {use.field.event_types for use in operands.fields(operand)} - {None}
        if carriers:
            name = f"carriers_{len(self.bound)}"
            self.bound[name] = frozenset.intersection(*(types for types in carriers if types is not None))
            text = f"{in_parentheses(text)} if e.type in {name} else None"
        return self._values.setdefault(text, f"v{len(self._values)}")


def _many(operand: Operand) -> bool:
    """Fields of all ancestors print them one after the other."""
    return isinstance(operand, FieldUse) and operands.quantifier(operand) != "one"
