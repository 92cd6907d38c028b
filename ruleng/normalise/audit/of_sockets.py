"""Handlers of calls on sockets, and of those that make or copy descriptors."""

from __future__ import annotations

from ruleng.event import Arg, Event, Fd, evolve
from ruleng.normalise.audit import sockets
from ruleng.normalise.audit.hit import Context, Handler, Hit, returned

_EINPROGRESS = -115
# what a call returns: Falco's type and letter, libsinsp fdinfo.h
_MADE = {
    "memfd_create": ("memfd", "m"), "memfd_secret": ("memfd", "m"), "eventfd": ("event", "e"), "eventfd2": ("event", "e"),
    "signalfd": ("signalfd", "s"), "signalfd4": ("signalfd", "s"), "timerfd_create": ("timerfd", "t"),
    "inotify_init": ("inotify", "i"), "inotify_init1": ("inotify", "i"), "epoll_create": ("eventpoll", "l"),
    "epoll_create1": ("eventpoll", "l"), "bpf": ("bpf", "b"), "userfaultfd": ("userfaultfd", "u"),
    "io_uring_setup": ("io_uring", "r"), "pidfd_open": ("pidfd", "P"),
}  # fmt: skip


def _returned(context: Context, hit: Hit, fd: Fd, more: dict[str, Arg]) -> Event | None:
    """A call that returned a descriptor, or failed to."""
    if hit.result is not None and hit.result >= 0:
        context.keep(hit, hit.result, fd)
    return context.event(hit, more, fd_num=returned(hit.result), fd=fd)


def _known(context: Context, hit: Hit) -> tuple[int, Fd]:
    fd_num = hit.syscall.number(0)
    return fd_num, context.descriptors.get(hit.proc, fd_num)


def made(context: Context, hit: Hit) -> Event | None:
    kind, typechar = _MADE[hit.plan.call.name]
    return _returned(context, hit, Fd(type=kind, typechar=typechar, name=""), {})


def socket(context: Context, hit: Hit) -> Event | None:
    syscall = hit.syscall
    domain, kind, protocol = syscall.unsigned(0), syscall.unsigned(1), syscall.unsigned(2)
    return _returned(context, hit, sockets.new_socket(domain, kind, protocol), {"flags": kind & sockets.SOCKET_FLAGS})


def connect(context: Context, hit: Hit) -> Event | None:
    fd_num, fd = _known(context, hit)
    address = hit.company.peer()
    more: dict[str, Arg] = {}
    if address is not None:
        succeeded = hit.result is not None and (hit.result >= 0 or hit.result == _EINPROGRESS)
        fd = sockets.connected(fd, address, succeeded=succeeded)
        if succeeded:
            context.keep(hit, fd_num, evolve(fd, name_changed=False))
        if fd.name:
            more["tuple"] = more["addr"] = fd.name
    return context.event(hit, more, fd_num=fd_num, fd=fd)


def bind(context: Context, hit: Hit) -> Event | None:
    fd_num, fd = _known(context, hit)
    address = hit.company.peer()
    more: dict[str, Arg] = {}
    if address is not None:
        fd = sockets.bound(fd, address)
        if hit.result == 0:
            context.keep(hit, fd_num, evolve(fd, name_changed=False))
        if fd.name:
            more["addr"] = fd.name
    return context.event(hit, more, fd_num=fd_num, fd=fd)


def accept(context: Context, hit: Hit) -> Event | None:
    fd = sockets.accepted(_known(context, hit)[1], hit.company.peer())
    return _returned(context, hit, fd, {"tuple": fd.name} if fd.name else {})


def send(context: Context, hit: Hit) -> Event | None:
    fd_num, fd = _known(context, hit)
    address = hit.company.peer()
    if address is None:
        return context.event(hit, fd_num=fd_num, fd=fd)
    fd = sockets.connected(fd, address, succeeded=hit.result is None or hit.result >= 0)
    if fd.name_changed:
        context.keep(hit, fd_num, evolve(fd, name_changed=False))
    return context.event(hit, {"tuple": fd.name} if fd.name else {}, fd_num=fd_num, fd=fd)


def copied(context: Context, hit: Hit) -> Event | None:
    return _returned(context, hit, _known(context, hit)[1], {})


HANDLERS: dict[str, Handler] = {
    "socket": socket,
    "connect": connect,
    "bind": bind,
    **dict.fromkeys(("accept", "accept4"), accept),
    **dict.fromkeys(("sendto", "sendmsg", "sendmmsg"), send),
    **dict.fromkeys(("dup", "dup2", "dup3"), copied),
    **dict.fromkeys(_MADE, made),
}
