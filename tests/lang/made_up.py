"""A small catalogue with a field of every kind, so that tests say what they mean and do not move with the real one."""

from __future__ import annotations

from ruleng.fields.types import Catalogue, Field, FieldType


def _number(arg: str) -> str:
    if not arg.isdecimal():
        raise ValueError("the argument is a number")
    return f"read({arg})"


def _field(name: str, type: FieldType = FieldType.STRING, **more: object) -> Field:
    return Field(name=name, type=type, doc="", **more)  # type: ignore[arg-type]


CATALOGUE = Catalogue.of(
    [
        _field("evt.type"),
        _field("t.text"),
        _field("t.other"),
        _field("t.path", FieldType.PATH),
        _field("t.bytes", FieldType.BYTES),
        _field("t.int8", FieldType.INT8),
        _field("t.int64", FieldType.INT64),
        _field("t.uint8", FieldType.UINT8),
        _field("t.uint16", FieldType.UINT16),
        _field("t.uint32", FieldType.UINT32),
        _field("t.uint64", FieldType.UINT64),
        _field("t.port", FieldType.PORT),
        _field("t.bool", FieldType.BOOL),
        _field("t.double", FieldType.DOUBLE),
        _field("t.span", FieldType.RELTIME),
        _field("t.address", FieldType.IPADDR),
        _field("t.network", FieldType.IPNET, right_side=False, transformable=False, filter_only=True),
        _field("t.ends", FieldType.IPADDR, quantifier="either", right_side=False, transformable=False, filter_only=True),
        _field("t.texts", is_list=True),
        _field("t.numbers", FieldType.UINT64, is_list=True),
        _field("t.nth", argument="optional", argument_doc="how many up", read_arg=_number, quantifier="any"),
        _field("t.named", argument="required", argument_doc="a name", dotted=True),
        _field("t.printed", print_only=True),
        _field("t.old", deprecated="use `t.text`"),
    ],
    ["open", "openat", "execve"],
)
