"""What ioctl(2) asks a device for (`ioctl`). The command's number is taken apart as asm-generic/ioctl.h puts it together."""

from __future__ import annotations

from ruleng.fields.filled import ANY, BPF
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T

TYPES = frozenset({"ioctl"})


def _member(arg: str) -> str:
    return f"(e.extra or EMPTY).get({f'ioctl.arg.{arg}'!r})"


# fmt: off
FIELDS = (
    Field(
        name="ioctl.cmd", type=T.UINT32, doc="The command.", read="ioctl_command(e)", cost=4, event_types=TYPES, sources=ANY,
        falco=False,
    ),
    Field(
        name="ioctl.name", type=T.STRING, doc="Name of the command, where it is a known one: TIOCSTI.",
        read="ioctl_name(ioctl_command(e))", cost=6, event_types=TYPES, sources=ANY, falco=False,
    ),
    Field(
        name="ioctl.dir", type=T.STRING, doc="Way of the data as the program sees it: none, read, write, read|write.",
        read="ioctl_direction(ioctl_command(e))", cost=6, event_types=TYPES, sources=ANY, falco=False,
    ),
    Field(
        name="ioctl.type", type=T.UINT8, doc="Type byte of the command: which driver it is for.",
        read="bits(ioctl_command(e), 8, 8)", cost=6, event_types=TYPES, sources=ANY, falco=False,
    ),
    Field(
        name="ioctl.nr", type=T.UINT8, doc="Number of the command within its type.", read="bits(ioctl_command(e), 0, 8)",
        cost=6, event_types=TYPES, sources=ANY, falco=False,
    ),
    Field(
        name="ioctl.size", type=T.UINT16, doc="Size of the argument's struct.", unit="bytes",
        read="bits(ioctl_command(e), 16, 14)", cost=6, event_types=TYPES, sources=ANY, falco=False,
    ),
    Field(
        name="ioctl.arg", type=T.UINT64,
        doc="The argument: a number or an address; with an argument: one member of its struct.", read="ioctl_argument(e)",
        read_arg=_member, argument="optional", dotted=True, argument_doc="a member of the struct: `ioctl.arg.flags`", cost=4,
        event_types=TYPES, sources=ANY, falco=False,
    ),
    Field(
        name="ioctl.device", type=T.STRING, doc="The device or file that is asked.",
        read='f.name if e.type == "ioctl" else None', cost=3, event_types=TYPES, sources=ANY | BPF, falco=False,
    ),
)
# fmt: on
