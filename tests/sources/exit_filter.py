"""The kernel's exit list in small: whether audit's rules report a system call that returns.

After audit_filter_rules of kernel/auditsc.c and audit_comparator of kernel/auditfilter.c, Linux 6.12: what ruleng asks of it and
no more.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from ruleng.abi.syscalls import X86_64, numbers

UNSET = 0xFFFFFFFF
_MASK = 0xFFFFFFFF
_LARGEST_ERROR = 4095

# linux/audit.h
EQUAL, NOT_EQUAL, LESS, GREATER, BIT_MASK, BIT_TEST = 0x40000000, 0x30000000, 0x10000000, 0x20000000, 0x08000000, 0x48000000


@dataclass(frozen=True)
class Call:
    """A system call as it returns. `result` is None for one that never does."""

    name: str
    result: int | None = 0
    args: tuple[int, int, int, int] = (0, 0, 0, 0)
    arch: int = X86_64
    pid: int = 100
    uid: int = 1000
    euid: int = 1000
    gid: int = 1000
    egid: int = 1000
    groups: frozenset[int] = field(default_factory=frozenset)
    loginuid: int = UNSET
    family: int | None = None  # of the address it was passed
    file_types: frozenset[int] = field(default_factory=frozenset)  # S_IFMT of the files that it named


def is_reported(rules: Iterable[bytes], call: Call) -> bool:
    known = numbers(call.arch)[call.name]
    return any(_has(rule, number) and all(_holds(*check, call) for check in checks_of(rule)) for rule in rules for number in known)


@cache
def checks_of(rule: bytes) -> tuple[tuple[int, int, int], ...]:
    """(field, value, operator) of a packed rule."""
    count = struct.unpack_from("<3I", rule)[2]
    columns = [struct.unpack_from("<64I", rule, 12 + 256 * column) for column in (1, 2, 3)]
    return tuple((columns[0][row], columns[1][row], columns[2][row]) for row in range(count))


@cache
def calls_of(rule: bytes) -> frozenset[int]:
    mask = struct.unpack_from("<64I", rule, 12)
    return frozenset(word * 32 + bit for word, bits in enumerate(mask) for bit in range(32) if bits >> bit & 1)


def _has(rule: bytes, number: int) -> bool:
    return number < 2048 and number in calls_of(rule)


def _holds(kind: int, value: int, operator: int, call: Call) -> bool:
    match kind:
        case 0:  # AUDIT_PID
            return _compare(call.pid, operator, value)
        case 1 | 2:  # AUDIT_UID, AUDIT_EUID
            assert value != UNSET, "make_kuid refuses it"
            return _compare(call.uid if kind == 1 else call.euid, operator, value)
        case 5 | 6:  # AUDIT_GID, AUDIT_EGID
            own = call.gid if kind == 5 else call.egid
            if operator == EQUAL:
                return own == value or value in call.groups
            if operator == NOT_EQUAL:
                return own != value and value not in call.groups
            return _compare(own, operator, value)
        case 9:  # AUDIT_LOGINUID
            assert value != UNSET or operator in (EQUAL, NOT_EQUAL), "AUDIT_LOGINUID_SET takes no other"
            return _compare(call.loginuid, operator, value)
        case 11:  # AUDIT_ARCH
            return _compare(call.arch, operator, value)
        case 103:  # AUDIT_EXIT
            return call.result is not None and _compare(call.result, operator, value)
        case 104:  # AUDIT_SUCCESS
            return call.result is not None and (not -_LARGEST_ERROR <= call.result < 0) is bool(value)
        case 108:  # AUDIT_FILETYPE
            return value in call.file_types
        case 113:  # AUDIT_SADDR_FAM
            return call.family is not None and _compare(call.family, operator, value)
        case 200 | 201 | 202 | 203:  # AUDIT_ARG0
            return _compare(call.args[kind - 200], operator, value)
        case 210:  # AUDIT_FILTERKEY
            return True
        case _:
            raise AssertionError(f"field {kind} is not asked of audit")


def _compare(left: int, operator: int, right: int) -> bool:
    """Of 32 bits without a sign, both of them."""
    left &= _MASK
    return {
        EQUAL: left == right,
        NOT_EQUAL: left != right,
        LESS: left < right,
        GREATER: left > right,
        LESS | EQUAL: left <= right,
        GREATER | EQUAL: left >= right,
        BIT_MASK: left & right != 0,
        BIT_TEST: left & right == right,
    }[operator]
