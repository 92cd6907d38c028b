"""The records beside a SYSCALL, taken apart and parsed as far as somebody asks. Without the stamps that differ, the same
company comes again and again: the same library from the same directory, the same command. So it is parsed once."""

from __future__ import annotations

import re
from binascii import unhexlify

import msgspec

from ruleng.normalise.audit.event import Record, taken_apart
from ruleng.normalise.audit.execve import arguments
from ruleng.normalise.audit.memo import Memo
from ruleng.normalise.audit.paths import PathItem, in_order, parse_path
from ruleng.normalise.audit.sockaddr import SockAddr, parse_sockaddr
from ruleng.normalise.audit.text import raw

_LONG = 2048
"""What is longer is not remembered."""


class Company(msgspec.Struct):
    """What stands beside a SYSCALL."""

    cwd: bytes | None = None  # body of the CWD record
    others: list[Record] = []
    paths: list[bytes] = []  # bodies, as of the following
    execve: list[bytes] = []
    sockaddr: bytes | None = None
    complaints: list[str] = []
    """What could not be read of what was asked for: a loss of each event with this company."""
    announced: bytes = b""  # how many PATH records a SYSCALL announced that had them all
    files: list[PathItem] | None = None  # parsed, as of the following
    argv: tuple[str, ...] | None = None
    address: SockAddr | None = None

    def other(self, kind: bytes) -> bytes | None:
        """The body of the first record of that type."""
        return next((body for record, body in self.others if record == kind), None)

    def items(self, known: Memo[PathItem]) -> list[PathItem]:
        """The files that the call names, in its order. What cannot be read is left out."""
        if self.files is None:
            found: list[PathItem] = []
            for body in self.paths:
                try:
                    found.append(_item(body, known if len(self.paths) > 1 else None))
                except ValueError as error:
                    self.complaints.append(f"PATH: {error}")
            self.files = in_order(found)
        return self.files

    def arguments(self) -> tuple[str, ...] | None:
        """The arguments of an exec; None when no record tells."""
        if self.argv is None and self.execve:
            self.argv, complaint = arguments(self.execve)
            if complaint is not None:
                self.complaints.append(complaint)
        return self.argv

    def peer(self) -> SockAddr | None:
        """The address of a call on a socket."""
        if self.address is None and self.sockaddr is not None:
            body, self.sockaddr = self.sockaddr, None
            try:
                self.address = parse_sockaddr(unhexlify(raw(body, b"saddr") or b""))
            except ValueError as error:
                self.complaints.append(f"SOCKADDR: {error}")
        return self.address

    def needs_syscall(self) -> bool:
        """Whether there is anything that only a SYSCALL can have as its company."""
        return bool(self.paths or self.execve or self.cwd is not None or self.sockaddr is not None)


NO_COMPANY = Company()


def _item(body: bytes, known: Memo[PathItem] | None) -> PathItem:
    """Raises ValueError."""
    if known is None:
        return parse_path(body)
    item = known.find(body)
    if item is None:
        item = parse_path(body)
        known.keep(body, item)
    return item


_ONE_FILE = re.compile(rb"type=CWD ([^\n]*+)\ntype=PATH ([^\n]*+)\n").fullmatch
"""What most calls on files have beside them."""


def parse_company(text: bytes) -> Company:
    """Any text: what is no record is left out."""
    match = _ONE_FILE(text)
    if match is not None:
        return Company(match[1], paths=[match[2]])
    cwd = sockaddr = None
    paths: list[bytes] = []
    execve: list[bytes] = []
    others: list[Record] = []
    for kind, body in taken_apart(text):
        if kind == b"PATH":
            paths.append(body)
        elif kind == b"CWD":
            cwd = body
        elif kind == b"EXECVE":
            execve.append(body)
        elif kind == b"SOCKADDR":
            sockaddr = body if sockaddr is None else sockaddr
        elif (kind, body) not in others:
            others.append((kind, body))
    return Company(cwd, others, paths, execve, sockaddr)


class Companies:
    """By text."""

    __slots__ = ("_memo",)

    def __init__(self, limit: int = 2048) -> None:
        self._memo: Memo[Company] = Memo(limit)

    def of(self, text: bytes) -> Company:
        memo = self._memo
        found = memo.new.get(text)
        if found is None:
            found = memo.find(text)
            if found is None:
                found = parse_company(text)
                if len(text) < _LONG:
                    memo.keep(text, found)
        return found
