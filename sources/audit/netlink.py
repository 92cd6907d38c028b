"""Talking to the kernel's audit over netlink: settings, rules, and the stream of records. Standard library only.

`Control` asks and is answered; `Listener` is read from. Messages are those of linux/netlink.h and linux/audit.h.

A listener joins the multicast group AUDIT_NLGRP_READLOG (Linux 3.16, CAP_AUDIT_READ) and disturbs nobody: an audit daemon
gets its records as before. Where no daemon runs the kernel also prints the records to its log (dmesg), as fast as
printk's rate limit lets it; that comes with audit, not with ruleng. Or it becomes the audit daemon itself (unicast,
CAP_AUDIT_CONTROL): then it must keep up, since nobody else gets the records.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import astuple, dataclass, fields
from types import TracebackType

from ruleng.errors import HostError

NETLINK_AUDIT = 9  # linux/netlink.h
NLM_F_REQUEST, NLM_F_ACK = 1, 4
NLMSG_ERROR, NLMSG_DONE = 2, 3
_HEADER = struct.Struct("<IHHII")  # struct nlmsghdr: length, type, flags, sequence, port

AUDIT_GET, AUDIT_SET = 1000, 1001  # linux/audit.h
AUDIT_ADD_RULE, AUDIT_DEL_RULE, AUDIT_LIST_RULES = 1011, 1012, 1013
AUDIT_NLGRP_READLOG = 1
AUDIT_STATUS_ENABLED, AUDIT_STATUS_PID, AUDIT_STATUS_BACKLOG_LIMIT, AUDIT_STATUS_BACKLOG_WAIT_TIME = 1, 4, 16, 32
LOCKED = 2  # `enabled`: the configuration cannot be changed until the next boot
FAIL_PANIC = 2  # `failure`

_SO_RCVBUFFORCE = 33  # asm-generic/socket.h
_SO_MEMINFO = 55
_MEMINFO_DROPS = 8  # linux/sock_diag.h SK_MEMINFO_DROPS
_MAX_MESSAGE = 16_384  # MAX_AUDIT_MESSAGE_LENGTH of libaudit.h is 8970
_FIRST_RECORD, _LAST_RECORD = 1100, 2999
_AUDIT_REPLACE = 1329  # a question to the audit daemon, not a record
_TIMEOUT_S = 5.0
_HINTS = {
    errno.EPERM: "run as root, or with CAP_AUDIT_CONTROL and CAP_AUDIT_READ",
    errno.EACCES: "run as root, or with CAP_AUDIT_CONTROL and CAP_AUDIT_READ",
    errno.ECONNREFUSED: "audit answers only in the host's own network and user namespace: run ruleng there, not in a container",
    errno.EPROTONOSUPPORT: "this kernel was built without CONFIG_AUDIT",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """struct audit_status of linux/audit.h; older kernels leave the last fields 0."""

    mask: int = 0  # which fields a change is about
    enabled: int = 0  # 0 off, 1 on, 2 on and locked
    failure: int = 0  # what the kernel does when it loses a record: 0 nothing, 1 print, 2 panic
    pid: int = 0  # of the audit daemon
    rate_limit: int = 0
    backlog_limit: int = 0  # records
    lost: int = 0  # records, since boot
    backlog: int = 0
    feature_bitmap: int = 0
    backlog_wait_time: int = 0  # clock ticks that a program is made to wait while the queue is full
    backlog_wait_time_actual: int = 0

    def pack(self) -> bytes:
        return _STATUS.pack(*astuple(self))

    @classmethod
    def unpack(cls, data: bytes) -> Status:
        values = _STATUS.unpack_from(data.ljust(_STATUS.size, b"\0"))
        return cls(**dict(zip((field.name for field in fields(cls)), values, strict=True)))


_STATUS = struct.Struct("<11I")


def pack(kind: int, sequence: int, payload: bytes, flags: int) -> bytes:
    return _HEADER.pack(_HEADER.size + len(payload), kind, flags, sequence, 0) + payload


def unpack(message: bytes) -> tuple[int, int, bytes] | None:
    """(type, sequence, payload); None for what is shorter than a header.

    One datagram is one message here. Answers are padded, and their length field says where they end; that of records cannot
    be trusted: it has always left out the header.
    """
    if len(message) < _HEADER.size:
        return None
    length, kind, _, sequence, _ = _HEADER.unpack_from(message)
    return kind, sequence, message[_HEADER.size : None if _is_record(kind) else max(length, _HEADER.size)]


def refused(what: str, number: int) -> HostError:
    return HostError(f"audit: {what}: {os.strerror(number)}", errno=number, hint=_HINTS.get(number))


class Control:
    """Settings and rules. Blocking, with a deadline: the kernel answers within microseconds."""

    def __init__(self) -> None:
        """Raises HostError."""
        self._socket = _open()
        self._socket.settimeout(_TIMEOUT_S)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Control:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def status(self) -> Status:
        """Raises HostError."""
        for kind, payload in self._answers(AUDIT_GET, b"", NLM_F_REQUEST, "asking for its status"):
            if kind == AUDIT_GET:
                return Status.unpack(payload)
        raise HostError("audit: the kernel did not tell its status")

    def set(self, status: Status, what: str) -> None:
        """`what` says it for people: `turning it on`. Raises HostError."""
        self._answers(AUDIT_SET, status.pack(), NLM_F_REQUEST | NLM_F_ACK, what)

    def add_rule(self, rule: bytes) -> None:
        """A rule that is there already is as good as added. Raises HostError."""
        try:
            self._answers(AUDIT_ADD_RULE, rule, NLM_F_REQUEST | NLM_F_ACK, "adding a rule")
        except HostError as error:
            if error.errno != errno.EEXIST:
                raise

    def delete_rule(self, rule: bytes) -> None:
        """A rule that is not there is as good as deleted. Raises HostError."""
        try:
            self._answers(AUDIT_DEL_RULE, rule, NLM_F_REQUEST | NLM_F_ACK, "deleting a rule")
        except HostError as error:
            if error.errno != errno.ENOENT:
                raise

    def rules(self) -> list[bytes]:
        """Every rule in the kernel, as struct audit_rule_data. Raises HostError."""
        answers = self._answers(AUDIT_LIST_RULES, b"", NLM_F_REQUEST, "listing the rules")
        return [payload for kind, payload in answers if kind == AUDIT_LIST_RULES]

    def _answers(self, kind: int, payload: bytes, flags: int, what: str) -> list[tuple[int, bytes]]:
        """What the kernel says, up to its acknowledgement, its status or its end of list."""
        self._sequence += 1
        try:
            self._socket.sendto(pack(kind, self._sequence, payload, flags), (0, 0))
            return self._until_done(what)
        except TimeoutError:
            raise HostError(f"audit: {what}: no answer in {_TIMEOUT_S:g} seconds") from None
        except OSError as error:
            raise refused(what, error.errno or 0) from error

    def _until_done(self, what: str) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        while True:
            message = unpack(self._socket.recv(_MAX_MESSAGE))
            if message is None or message[1] != self._sequence:
                continue  # the late answer to a question that was given up
            kind, _, payload = message
            if kind == NLMSG_ERROR:
                (result,) = struct.unpack_from("<i", payload)
                if result < 0:
                    raise refused(what, -result)
                return found  # AUDIT_SET of some fields acknowledges with the old value instead of 0
            if kind == NLMSG_DONE:
                return found
            found.append((kind, payload))
            if kind == AUDIT_GET:
                return found


class Listener:
    """The stream of records. Not blocking; for `loop.add_reader`."""

    def __init__(self, *, multicast: bool, buffer_bytes: int) -> None:
        """Raises HostError. Unicast gets nothing until `become_daemon`."""
        self._socket = _open(AUDIT_NLGRP_READLOG if multicast else 0)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, buffer_bytes)
        except OSError:  # needs CAP_NET_ADMIN
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def become_daemon(self, pid: int) -> list[tuple[int, bytes]]:
        """The kernel sends all records here from now on; 0 ends that. Raises HostError.

        The answer stands in the stream: what came before it is handed back.
        """
        found: list[tuple[int, bytes]] = []
        payload = Status(mask=AUDIT_STATUS_PID, pid=pid).pack()
        what = "becoming the audit daemon" if pid else "ceasing to be the audit daemon"
        self._socket.settimeout(_TIMEOUT_S)
        try:
            self._socket.sendto(pack(AUDIT_SET, 1, payload, NLM_F_REQUEST | NLM_F_ACK), (0, 0))
            while (message := self._next())[0] != NLMSG_ERROR:
                found.append(message)
        except TimeoutError:
            raise HostError(f"audit: {what}: no answer in {_TIMEOUT_S:g} seconds") from None
        except OSError as error:
            raise refused(what, error.errno or 0) from error
        finally:
            self._socket.setblocking(False)
        (result,) = struct.unpack_from("<i", message[1])
        if result == -errno.EEXIST:
            raise HostError("audit: another audit daemon runs", errno=errno.EEXIST, hint='use mode "multicast", or stop auditd')
        if result < 0:
            raise refused(what, -result)
        return [record for record in found if _is_record(record[0])]

    def _next(self) -> tuple[int, bytes]:
        """The next message, waited for; an overrun is counted by the socket itself."""
        while True:
            try:
                message = unpack(self._socket.recv(_MAX_MESSAGE))
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                continue
            if message is not None:
                return message[0], message[2]

    def drain(self, most: int) -> tuple[list[tuple[int, bytes]], bool]:
        """(at most so many records that wait, as (type, payload); whether the buffer had run over since the last time)."""
        found: list[tuple[int, bytes]] = []
        overrun = False
        receive = self._socket.recv
        for _ in range(most):
            try:
                message = receive(_MAX_MESSAGE)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise refused("reading its records", error.errno or 0) from error
                overrun = True
                continue
            if len(message) < _HEADER.size:
                continue
            kind = message[4] | message[5] << 8
            if _is_record(kind):
                found.append((kind, message[16:]))
        return found, overrun

    def dropped(self) -> int:
        """Records that found the buffer full, since it was opened; counted modulo 2**32."""
        info = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 64)
        return int.from_bytes(info[_MEMINFO_DROPS * 4 : _MEMINFO_DROPS * 4 + 4], "little")


def _is_record(kind: int) -> bool:
    return _FIRST_RECORD <= kind <= _LAST_RECORD and kind != _AUDIT_REPLACE


def _open(groups: int = 0) -> socket.socket:
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_AUDIT)
    except OSError as error:
        raise refused("opening it", error.errno or 0) from error
    try:
        opened.bind((0, groups))
    except OSError as error:
        opened.close()
        raise refused("joining its readers" if groups else "opening it", error.errno or 0) from error
    return opened
