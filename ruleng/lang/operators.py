"""Which operators which types have (libsinsp filter_compare.cpp, flt_is_comparable).

A list of values has only `exists`, `in` (all of them are in the list on the right) and `intersects` (one of them is).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ruleng.fields.types import FieldType
from ruleng.lang.checked import Op

LIST_RIGHT = frozenset({Op.IN, Op.INTERSECTS, Op.PMATCH})
"""Operators that take a list on the right without a modifier."""

ORDER = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})

MODIFIABLE = frozenset(Op) - LIST_RIGHT - ORDER - {Op.EXISTS}
"""Operators that oneof, anyof and allof go with."""

_ALL_TYPES = (Op.IN, Op.INTERSECTS, Op.EXISTS)
_EQUALITY = (Op.EQ, Op.NE, *_ALL_TYPES)
_NUMBER = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, *_ALL_TYPES)
_MATCHES = (Op.CONTAINS, Op.ICONTAINS, Op.STARTSWITH, Op.ENDSWITH, Op.GLOB, Op.IGLOB, Op.REGEX, Op.PMATCH)
_TEXT = (*_MATCHES, *_NUMBER)
_BYTES = (Op.CONTAINS, Op.STARTSWITH, Op.ENDSWITH, Op.BCONTAINS, Op.BSTARTSWITH, *_EQUALITY)

OF_LIST: tuple[Op, ...] = _ALL_TYPES

OF_TYPE: Mapping[FieldType, tuple[Op, ...]] = MappingProxyType(
    dict.fromkeys(FieldType, _NUMBER)
    | {
        FieldType.STRING: _TEXT,
        FieldType.PATH: _TEXT,
        FieldType.DYNAMIC: _TEXT,
        FieldType.BYTES: _BYTES,
        FieldType.BOOL: _EQUALITY,
        FieldType.IPADDR: _EQUALITY,
        FieldType.IPNET: _EQUALITY,
    }
)


def canonical(op: str) -> Op | None:
    """`==` is `=`; None for what is no operator."""
    if op == "==":
        return Op.EQ
    try:
        return Op(op)
    except ValueError:
        return None
