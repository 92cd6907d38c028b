"""struct sockaddr, as bytes: of a SOCKADDR record's `saddr=`, or copied from a program. Pure functions.

Families and layouts are those of linux/socket.h and of each family's header; numbers are in the host's order except port
and address, which are in the network's.
"""

from __future__ import annotations

import socket

import msgspec

from ruleng.fields.address import IPV6


class SockAddr(msgspec.Struct, frozen=True, gc=False):
    """An address of any family; what its family lacks is None."""

    family: int
    ip: int | None = None  # see ruleng.fields.address
    port: int | None = None  # of IP and vsock
    path: str | None = None  # of a unix socket; an abstract one begins with `@`, as in /proc/net/unix; "" is unnamed
    pid: int | None = None  # netlink's port id
    groups: int | None = None  # netlink's multicast groups
    protocol: int | None = None  # of packet sockets: an Ethernet protocol
    ifindex: int | None = None  # of packet sockets and link-local IPv6
    cid: int | None = None  # vsock


def parse_sockaddr(data: bytes) -> SockAddr:
    """Raises ValueError when it is shorter than its family needs."""
    if len(data) < 2:
        raise ValueError("an address is too short to have a family")
    family = int.from_bytes(data[:2], "little")
    match family:
        case socket.AF_INET:  # linux/in.h
            _need(data, 8)
            return SockAddr(family, ip=int.from_bytes(data[4:8], "big"), port=int.from_bytes(data[2:4], "big"))
        case socket.AF_INET6:  # linux/in6.h
            _need(data, 24)
            scope = int.from_bytes(data[24:28], "little") if len(data) >= 28 else 0
            address = int.from_bytes(data[8:24], "big")
            return SockAddr(family, ip=IPV6 | address, port=int.from_bytes(data[2:4], "big"), ifindex=scope or None)
        case socket.AF_UNIX:  # unix(7)
            path = data[2:]
            if path[:1] == b"\0":
                return SockAddr(family, path=_text(b"@" + path[1:].rstrip(b"\0")) if path.rstrip(b"\0") else "")
            return SockAddr(family, path=_text(path.partition(b"\0")[0]))
        case socket.AF_NETLINK:  # linux/netlink.h
            _need(data, 12)
            return SockAddr(family, pid=int.from_bytes(data[4:8], "little"), groups=int.from_bytes(data[8:12], "little"))
        case socket.AF_PACKET:  # linux/if_packet.h
            _need(data, 8)
            return SockAddr(family, protocol=int.from_bytes(data[2:4], "big"), ifindex=int.from_bytes(data[4:8], "little"))
        case socket.AF_VSOCK:  # linux/vm_sockets.h
            _need(data, 12)
            return SockAddr(family, port=int.from_bytes(data[4:8], "little"), cid=int.from_bytes(data[8:12], "little"))
    return SockAddr(family)


def _need(data: bytes, size: int) -> None:
    if len(data) < size:
        raise ValueError("an address is shorter than its family needs")


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
