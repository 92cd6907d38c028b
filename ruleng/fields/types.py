"""What a field is: its type, how rules may use it, and how the compiled rules read it.

`Field.read` is a Python expression over `e` (the Event), `p` (its Process), `f` (its Fd) and `c` (the process's Container),
plus the functions of `ruleng.fields.read`. The compiler puts it into the generated code as it stands; the interpreter and
the output formatter evaluate the same expression. A field that needs its argument gives `read_arg`, which makes the
expression from it, or raises ValueError saying what the argument must be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal


class FieldType(Enum):
    """Types of values. The value is libsinsp's name (ppm_param_type), which Falco's messages and data use."""

    STRING = "CHARBUF"  # str
    PATH = "FSPATH"  # str, compared as STRING
    BYTES = "BYTEBUF"  # bytes
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    PORT = "PORT"  # int, 0..65535
    BOOL = "BOOL"
    DOUBLE = "DOUBLE"
    RELTIME = "RELTIME"  # int, nanoseconds
    ABSTIME = "ABSTIME"  # int, nanoseconds since the epoch
    IPADDR = "IPADDR"  # int, see ruleng.fields.address
    IPNET = "IPNET"  # the field reads an address, the literal is a network
    DYNAMIC = "DYN"  # evt.rawarg: the type of the event's parameter

    @property
    def label(self) -> str:
        """For people: `string`, `uint32`, `address`."""
        return _LABELS.get(self, self.name.lower())

    @property
    def integer(self) -> tuple[int, bool] | None:
        """(bits, signed) of the integer types, else None."""
        return _INTEGERS.get(self)


_LABELS = {FieldType.IPADDR: "address", FieldType.IPNET: "network", FieldType.RELTIME: "duration", FieldType.ABSTIME: "time"}
_INTEGERS = {
    FieldType.INT8: (8, True),
    FieldType.INT16: (16, True),
    FieldType.INT32: (32, True),
    FieldType.INT64: (64, True),
    FieldType.UINT8: (8, False),
    FieldType.UINT16: (16, False),
    FieldType.UINT32: (32, False),
    FieldType.UINT64: (64, False),
    FieldType.PORT: (16, False),
    FieldType.RELTIME: (64, False),
    FieldType.ABSTIME: (64, False),
}

Quantifier = Literal["one", "any", "either"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A row of the catalogue."""

    name: str
    type: FieldType
    doc: str
    read: str | None = None  # None: known to rules, filled by no source yet
    read_arg: Callable[[str], str] | None = None
    argument: Literal["none", "optional", "required"] = "none"
    argument_doc: str = ""
    dotted: bool = False  # the argument may follow a dot as well: evt.arg.flags, container.label.app
    is_list: bool = False
    nullable: bool = True  # False: never None while its event type carries it
    quantifier: Quantifier = "one"
    """How a check sees `read`: `one` value; `any`: an iterable, of which some value must satisfy the operator (`proc.aname`
    without index: `!= x` means that some ancestor differs); `either`: a tuple of two ends, of which = and the like need one
    and != needs both (`fd.ip`)."""
    event_types: frozenset[str] | None = None  # the types that carry it; None: every type
    sources: frozenset[str] = frozenset()  # the sources that can fill it
    filter_only: bool = False  # not in outputs
    print_only: bool = False  # not in conditions
    right_side: bool = True  # may stand on the right, in val()
    transformable: bool = True
    deprecated: str | None = None  # what to use instead
    unit: str | None = None
    json_read: str | None = None  # what JSON outputs hold instead: Falco prints evt.time as text there and as a number here
    cost: float = 1.0  # of reading, in attribute look-ups; the planner puts the cheap first
    ecs: str | None = None
    ocsf: str | None = None
    falco: bool = True  # Falco has it too


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The fields and event types that rules may name."""

    fields: Mapping[str, Field]
    event_types: frozenset[str]

    @classmethod
    def of(cls, fields: Iterable[Field], event_types: Iterable[str]) -> Catalogue:
        table: dict[str, Field] = {}
        for field in fields:
            if field.name in table:
                raise ValueError(f"field {field.name} is in the catalogue twice")
            table[field.name] = field
        return cls(table, frozenset(event_types))

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields.values())

    def get(self, name: str) -> Field | None:
        return self.fields.get(name)

    def find(self, name: str) -> tuple[Field, str | None] | None:
        """The field of a name as a rule writes it before any bracket, and the argument that followed a dot.

        `evt.arg.flags` is the field `evt.arg` with `flags`, `k8s.pod.label.app.kubernetes.io/name` is `k8s.pod.label` with the
        rest. None when there is no such field.
        """
        if field := self.fields.get(name):
            return field, None
        stem = name
        while "." in stem:
            stem, _, _ = stem.rpartition(".")
            if (field := self.fields.get(stem)) and field.dotted:
                return field, name[len(stem) + 1 :]
        return None
