"""Addresses of a call on a socket -> Fd. Audit tells the address that the program passed, and what was said before."""

from __future__ import annotations

import socket

from ruleng.event import NO_FD, Fd, evolve
from ruleng.fields.address import IPV6, format_address
from ruleng.normalise.audit.sockaddr import SockAddr

# Falco's words: libsinsp fdinfo.h
_KINDS = {
    socket.AF_UNIX: ("unix", "u", "unix"),
    socket.AF_INET: ("ipv4", "4", "ip"),
    socket.AF_INET6: ("ipv6", "6", "ip"),
    socket.AF_NETLINK: ("netlink", "n", None),
}
_TYPE_MASK = 0xF  # SOCK_TYPE_MASK, linux/net.h
SOCKET_FLAGS = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_PROTOCOLS = {socket.IPPROTO_ICMP: "icmp", socket.IPPROTO_ICMPV6: "icmp", socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp"}
_TYPES = {socket.SOCK_STREAM: "tcp", socket.SOCK_DGRAM: "udp", socket.SOCK_RAW: "raw"}
_MAPPED = IPV6 | 0xFFFF << 32  # ::ffff:0:0/96, RFC 4291 section 2.5.5.2


def new_socket(domain: int, type_: int, protocol: int) -> Fd:
    """What socket(2) returns."""
    kind, typechar, family = _KINDS.get(domain, (None, "o", None))  # type: ignore[call-overload]
    transport = None
    if family == "ip":
        transport = _PROTOCOLS.get(protocol) or _TYPES.get(type_ & _TYPE_MASK)  # type: ignore[call-overload]
    return Fd(type=kind, typechar=typechar, family=family, l4proto=transport, name="")


def connected(fd: Fd, peer: SockAddr, *, succeeded: bool) -> Fd:
    """After connect(2): this end is the client's. Also filled when it failed, with `connected` False: whom it tried says much."""
    named = _of_family(fd, peer)
    ip = _plain(peer.ip)
    if ip is None:
        name = peer.path if peer.path is not None else named.name
        return evolve(named, name=name, connected=succeeded, name_changed=name != fd.name, is_server=False)
    port = peer.port
    name = f"{_end(fd.lip, fd.lport)}->{_end(ip, port)}"
    return evolve(
        named,
        name=name,
        name_changed=name != fd.name,
        connected=succeeded,
        is_server=False,
        cip=fd.lip,
        cport=fd.lport,
        sip=ip,
        sport=port,
        rip=ip,
        rport=port,
    )


def bound(fd: Fd, local: SockAddr) -> Fd:
    """After bind(2). Port 0 lets the kernel choose: it stays unknown."""
    named = _of_family(fd, local)
    ip = _plain(local.ip)
    if ip is None:
        return evolve(named, name=local.path if local.path is not None else named.name, name_changed=True)
    port = local.port or None
    name = f"{format_address(ip)}:{local.port}"
    return evolve(
        named, name=name, name_changed=name != fd.name, is_server=True, connected=False, sip=ip, sport=port, lip=ip, lport=port
    )


def accepted(listening: Fd, peer: SockAddr | None) -> Fd:
    """What accept(2) returns. `peer` is known when the program asked for it."""
    named = listening if peer is None else _of_family(listening, peer)
    ip = None if peer is None else _plain(peer.ip)
    name = listening.name
    port = None if peer is None or ip is None else peer.port
    if named.family == "ip":
        name = f"{_end(ip, port)}->{_end(listening.sip, listening.sport)}"
    return evolve(
        named,
        name=name,
        name_changed=True,
        connected=True,
        is_server=True,
        cip=ip,
        cport=port,
        rip=ip,
        rport=port,
        sip=listening.sip,
        sport=listening.sport,
        lip=listening.sip,
        lport=listening.sport,
    )


def _of_family(fd: Fd, address: SockAddr) -> Fd:
    """The descriptor with the kind that the address has; an IPv4 address in IPv6 clothes is IPv4."""
    family = address.family
    if address.ip is not None and _plain(address.ip) != address.ip:
        family = socket.AF_INET
    kind, typechar, name = _KINDS.get(family, (None, "o", None))  # type: ignore[call-overload]
    if fd.typechar == typechar or (fd is not NO_FD and kind is None):
        return fd
    return evolve(fd, type=kind, typechar=typechar, family=name)


def _plain(ip: int | None) -> int | None:
    if ip is not None and ip >> 32 == _MAPPED >> 32:
        return ip & 0xFFFFFFFF
    return ip


def _end(ip: int | None, port: int | None) -> str:
    """One end of a connection's name; empty when it is not known."""
    return "" if ip is None else f"{format_address(ip)}:{'' if port is None else port}"
