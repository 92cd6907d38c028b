"""The records beside a SYSCALL, taken apart and parsed as far as somebody asks. Without the stamps that differ, the same
company comes again and again: the same library from the same directory, the same command. So it is parsed once."""

from __future__ import annotations

from binascii import unhexlify

from ruleng.normalise.audit.event import Record, taken_apart
from ruleng.normalise.audit.execve import arguments
from ruleng.normalise.audit.memo import Memo
from ruleng.normalise.audit.paths import PathItem, in_order, parse_path
from ruleng.normalise.audit.sockaddr import SockAddr, parse_sockaddr
from ruleng.normalise.audit.text import raw

_LONG = 2048
"""What is longer is not remembered."""


class Company:
    """`complaints`: what could not be read of what was asked; a rightful loss of each event that has this company."""

    __slots__ = ("_argv", "_execve", "_items", "_paths", "_sockaddr", "complaints", "cwd", "others")

    def __init__(self, text: bytes) -> None:
        self.cwd: bytes | None = None
        self.others: list[Record] = []
        self.complaints: list[str] = []
        self._paths: list[bytes] = []
        self._execve: list[bytes] = []
        self._sockaddr: bytes | SockAddr | None = None
        self._items: list[PathItem] | None = None
        self._argv: tuple[str, ...] | None = None
        for kind, body in taken_apart(text):
            if kind == b"PATH":
                self._paths.append(body)
            elif kind == b"CWD":
                self.cwd = body
            elif kind == b"EXECVE":
                self._execve.append(body)
            elif kind == b"SOCKADDR":
                self._sockaddr = body if self._sockaddr is None else self._sockaddr
            elif (kind, body) not in self.others:
                self.others.append((kind, body))

    def other(self, kind: bytes) -> bytes | None:
        """The body of the first record of that type."""
        return next((body for record, body in self.others if record == kind), None)

    @property
    def paths(self) -> int:
        """How many PATH records there are."""
        return len(self._paths)

    def items(self, known: Memo[PathItem]) -> list[PathItem]:
        """The files that the call names, in its order. What cannot be read is left out."""
        if self._items is None:
            found: list[PathItem] = []
            for body in self._paths:
                item = known.find(body)
                if item is None:
                    try:
                        item = parse_path(body)
                    except ValueError as error:
                        self.complaints.append(f"PATH: {error}")
                        continue
                    known.keep(body, item)
                found.append(item)
            self._items = in_order(found)
        return self._items

    def argv(self) -> tuple[str, ...] | None:
        """The arguments of an exec; None when no record tells."""
        if self._argv is None and self._execve:
            self._argv, complaint = arguments(self._execve)
            if complaint is not None:
                self.complaints.append(complaint)
        return self._argv

    def address(self) -> SockAddr | None:
        """The address of a call on a socket."""
        body = self._sockaddr
        if isinstance(body, bytes):
            self._sockaddr = None
            try:
                self._sockaddr = parse_sockaddr(unhexlify(raw(body, b"saddr") or b""))
            except ValueError as error:
                self.complaints.append(f"SOCKADDR: {error}")
        return self._sockaddr if isinstance(self._sockaddr, SockAddr) else None

    def is_any(self) -> bool:
        """Whether there is anything that only a SYSCALL can have as its company."""
        return bool(self._paths or self._execve or self.cwd is not None or self._sockaddr is not None)


NO_COMPANY = Company(b"")


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
                found = Company(text)
                if len(text) < _LONG:
                    memo.keep(text, found)
        return found
