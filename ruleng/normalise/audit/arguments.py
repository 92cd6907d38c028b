"""a0..a3 of a SYSCALL record as an event's parameters, which stay text until somebody asks: most events match no rule."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView

import msgspec

from ruleng.event import NO_ARGS, Arg, Process
from ruleng.normalise.audit.syscall import Syscall, signed

Numbers = tuple[tuple[str, int, bool, int], ...]
"""(parameter, position, whether signed, mask)"""


class Arguments(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A Mapping of parameter names to values. Equal to any Mapping that says the same."""

    numbers: Numbers
    syscall: Syscall
    more: Mapping[str, Arg] = NO_ARGS  # what other records say; goes first
    proc: Process | None = None  # of execve and clone, which in Falco repeat what is known of their process

    def __getitem__(self, name: str) -> Arg:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def get(self, name: str, default: Arg | None = None) -> Arg | None:
        value = self.more.get(name)
        if value is not None:
            return value
        for parameter, position, is_signed, mask in self.numbers:
            if parameter == name:
                number = int(self.syscall.hex(position), 16) & mask
                return signed(number) if is_signed else number
        value = None if self.proc is None else _repeated(self.proc).get(name)
        return default if value is None else value

    def all(self) -> dict[str, Arg]:
        """Every parameter with its value."""
        found: dict[str, Arg] = {} if self.proc is None else _repeated(self.proc)
        for name, position, is_signed, mask in self.numbers:
            value = int(self.syscall.hex(position), 16) & mask
            found[name] = signed(value) if is_signed else value
        found.update(self.more)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def __contains__(self, name: object) -> bool:
        return name in self.all()

    def keys(self) -> KeysView[str]:
        return self.all().keys()

    def items(self) -> ItemsView[str, Arg]:
        return self.all().items()

    def values(self) -> ValuesView[Arg]:
        return self.all().values()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self.all() == dict(other)

    __hash__ = None  # type: ignore[assignment]  # as any Mapping


Mapping.register(Arguments)


_UNSIGNED = 0xFFFFFFFF


def _repeated(proc: Process) -> dict[str, Arg]:
    values = {
        "exe": proc.exe,
        "args": proc.args,
        "tid": proc.pid,
        "pid": proc.pid,
        "ptid": proc.ppid,
        "cwd": proc.cwd,
        "comm": proc.name,
        "tty": proc.tty,
        "loginuid": None if proc.loginuid is None else proc.loginuid & _UNSIGNED,
        "uid": proc.uid,
        "gid": proc.gid,
    }
    return {name: value for name, value in values.items() if value is not None}
