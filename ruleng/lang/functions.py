"""The transformers: what each takes and gives. A table, which the checker reads.

What they do to values is in ruleng.engine. Types are Falco's (libsinsp sinsp_filter_transformers/ and
sinsp_filtercheck_multivalue_transformer.cpp), their texts ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ruleng.fields.types import FieldType

Shape = Literal["value", "list", "either"]

_TEXT = frozenset({FieldType.STRING, FieldType.PATH})
_DATA = _TEXT | {FieldType.BYTES}


@dataclass(frozen=True, slots=True)
class Parameter:
    """`types` None: any type."""

    wanted: str  # for people: "a text"
    types: frozenset[FieldType] | None
    shape: Shape = "value"
    list_types: frozenset[FieldType] | None = None
    """Of a list's items, with shape `either` or `list`; None: any type."""


@dataclass(frozen=True, slots=True)
class Function:
    """`result` None: the type and list-ness of the first argument."""

    name: str
    signature: str
    doc: str
    parameters: tuple[Parameter, ...]
    result: FieldType | None = None
    result_is_list: bool = False
    variadic: bool = False  # the last parameter may be repeated
    selects: bool = False  # takes one letter in brackets, which makes the list a single value


_A_TEXT = Parameter("a text", _TEXT)
_TEXT_OR_TEXTS = Parameter("a text", _TEXT, "either", _TEXT)

_ROWS = (
    Function("tolower", "tolower(text)", "ASCII letters in lower case.", (_TEXT_OR_TEXTS,)),
    Function("toupper", "toupper(text)", "ASCII letters in upper case.", (_TEXT_OR_TEXTS,)),
    Function("basename", "basename(text)", "What follows the last slash.", (_TEXT_OR_TEXTS,)),
    Function(
        "b64",
        "b64(text)",
        "Decoded from Base64, padded or not; missing when it is none.",
        (Parameter("a text or bytes", _DATA, "either", _DATA),),
    ),
    Function(
        "len",
        "len(text or list)",
        "Number of bytes of a text, or of values of a list.",
        (Parameter("a text, bytes or a list", _DATA, "either"),),
        FieldType.UINT64,
    ),
    Function(
        "join",
        "join(separator, list)",
        "The values of a list with the separator between them.",
        (_A_TEXT, Parameter("a list", None, "list")),
        FieldType.STRING,
    ),
    Function(
        "concat", "concat(text, text, ...)", "The texts one after another.", (_A_TEXT, _A_TEXT), FieldType.STRING, variadic=True
    ),
    Function(
        "getopt",
        "getopt(list, options)",
        "The options of a command line as getopt(3) finds them, and their values; with a letter in brackets that option's value.",
        (Parameter("a list of texts", None, "list", _TEXT), _A_TEXT),
        FieldType.STRING,
        result_is_list=True,
        selects=True,
    ),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType({row.name: row for row in _ROWS})

VAL = "val"
"""The identity, on the right of an operator only: `val(proc.exepath)` is the field and not a text."""
