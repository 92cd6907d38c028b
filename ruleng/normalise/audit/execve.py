"""EXECVE records: the arguments of a program, over as many records and pieces as the kernel needed. Pure functions.

    argc=3 a0="/bin/echo" a1_len=40000 a1[0]=7878...
     a1[1]=7878... a2="end"

An argument is quoted or hex; one that does not fit into a record (7500 bytes, MAX_EXECVE_AUDIT_LEN of kernel/auditsc.c) is
announced by aN_len, in hex digits, and comes in pieces aN[0], aN[1], ... that are all of the same kind.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable

from ruleng.normalise.audit.text import ENRICHED, decode

MAX_ARGS = 65_536
"""No more are kept; a real argument list this long does not fit into ARG_MAX with hex around it."""


def arguments(bodies: Iterable[bytes]) -> tuple[tuple[str, ...], str | None]:
    """(argv, what is wrong with it or None). An argument that is missing or cannot be read is an empty one."""
    bodies = list(bodies)
    if len(bodies) == 1 and b"[" not in bodies[0]:
        return _plain(bodies[0])
    return _pieces(bodies)


def _plain(body: bytes) -> tuple[tuple[str, ...], str | None]:
    """The common case: one record, in order."""
    tokens = body.partition(ENRICHED)[0].split()
    argv: list[str] = []
    try:
        argc = int(tokens[0].removeprefix(b"argc="))
        for index, token in enumerate(tokens[1:]):
            key, _, value = token.partition(b"=")
            if key != b"a%d" % index:
                return _pieces([body])
            argv.append(_value(value))
    except (ValueError, IndexError):
        return _pieces([body])
    return tuple(argv), _complaint(argc, len(argv), False)


def _pieces(bodies: Iterable[bytes]) -> tuple[tuple[str, ...], str | None]:
    argc: int | None = None
    pieces: dict[int, dict[int, bytes]] = {}
    broken = False
    for body in bodies:
        for token in body.partition(ENRICHED)[0].split():
            key, _, value = token.partition(b"=")
            if key == b"argc":
                argc = int(value) if value.isdigit() and len(value) < 10 else argc
                continue
            if key.endswith(b"_len"):
                continue
            name, bracket, rest = key.partition(b"[")
            piece = rest.removesuffix(b"]") if bracket else b"0"
            place = name[1:]
            if name[:1] != b"a" or not (place.isdigit() and piece.isdigit() and len(place) < 7 and len(piece) < 7):
                broken = True
            elif int(place) < MAX_ARGS:
                pieces.setdefault(int(place), {}).setdefault(int(piece), value)
            else:
                broken = True
    count = min(max(pieces, default=-1) + 1 if argc is None else argc, MAX_ARGS)
    argv: list[str] = []
    last = max(pieces, default=-1)
    for index in range(count):
        parts = pieces.get(index)
        if parts is None:
            # what is not there at the end was cut; in the middle its place is kept
            broken = True
            if index > last:
                break
            argv.append("")
            continue
        broken = broken or max(parts) + 1 != len(parts)
        try:
            argv.append(_joined([parts[at] for at in sorted(parts)]))
        except ValueError:
            broken = True
            argv.append("")
    return tuple(argv), _complaint(argc, len(argv), broken)


def _joined(parts: list[bytes]) -> str:
    if len(parts) == 1:
        return _value(parts[0])
    if parts[0][:1] == b'"':
        return decode(b"".join(part.strip(b'"') for part in parts))
    return decode(unhexlify(b"".join(parts)))


def _value(value: bytes) -> str:
    if value[:1] == b'"':
        if len(value) < 2 or value[-1:] != b'"':
            raise ValueError("a quote is not closed")
        return decode(value[1:-1])
    if value == b"(null)":
        return ""
    return decode(unhexlify(value))


def _complaint(argc: int | None, found: int, broken: bool) -> str | None:
    if argc is None:
        return "the first EXECVE record of an event is missing"
    if found != argc:
        return "an EXECVE record lacks arguments"
    return "an argument of EXECVE cannot be read" if broken else None
