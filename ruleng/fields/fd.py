"""Fields of the descriptor that the event works on (`fd`), and of the many that poll waits for (`fdlist`)."""

from __future__ import annotations

from ruleng.fields.extra import event_or, of_event, of_process
from ruleng.fields.filled import ANY, BPF, GIVEN, SOCKETS
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T


def _types(arg: str) -> str:
    if not (arg.isascii() and arg.isdecimal()):
        raise ValueError("the argument of `fd.types` is the number of a descriptor")
    return of_process(f"fd.types[{int(arg)}]")


# fmt: off
FIELDS = (
    Field(
        name="fd.num", type=T.INT64, doc="Number of the descriptor; for open and its kin the one returned.", read="e.fd_num",
        sources=ANY,
    ),
    Field(
        name="fd.type", type=T.STRING, sources=ANY, read="f.type", ecs="file.type", ocsf="file.type",
        doc="What the descriptor is: file, directory, ipv4, ipv6, unix, pipe, event, signalfd, eventpoll, inotify, "
            "timerfd, netlink, bpf, userfaultfd, io_uring, memfd, pidfd.",
    ),
    Field(
        name="fd.typechar", type=T.STRING, sources=ANY, read="f.typechar",
        doc="`fd.type` as a letter: f file, d directory, 4 IPv4, 6 IPv6, u unix socket or userfaultfd, p pipe, e event, "
            "s signalfd, l eventpoll, i inotify, t timerfd, n netlink, b bpf, r io_uring, m memfd, P pidfd, o other.",
    ),
    Field(
        name="fd.name", type=T.STRING, doc="A file's absolute path, or a socket's ends: 10.0.0.2:40251->10.0.0.1:53.",
        read="f.name", sources=ANY, ecs="file.path", ocsf="file.path",
    ),
    Field(
        name="fd.nameraw", type=T.STRING, doc="A file's path as the program gave it.", read="nameraw(e)", cost=4, sources=GIVEN,
    ),
    Field(
        name="fd.directory", type=T.STRING, doc="Directory of the file, without a slash at its end.", read="f.directory",
        sources=ANY, ecs="file.directory", ocsf="file.parent_folder",
    ),
    Field(
        name="fd.filename", type=T.STRING, doc="Name of the file without its directory.", read="f.filename", sources=ANY,
        ecs="file.name", ocsf="file.name",
    ),
    Field(
        name="fd.ino", type=T.INT64, doc="Inode number of the file.", read="f.ino", sources=ANY, ecs="file.inode",
        ocsf="file.uid",
    ),
    Field(
        name="fd.dev", type=T.INT32, doc="Number of the device that holds the file.", read="f.dev", sources=ANY,
        ecs="file.device",
    ),
    Field(name="fd.dev.major", type=T.INT32, doc="Major number of that device.", read="major(f.dev)", cost=3, sources=ANY),
    Field(name="fd.dev.minor", type=T.INT32, doc="Minor number of that device.", read="minor(f.dev)", cost=3, sources=ANY),
    Field(
        name="fd.is_upper_layer", type=T.BOOL, doc="Whether the file lies in the upper layer of an overlay file system.",
        read="f.upper_layer", sources=BPF,
    ),
    Field(
        name="fd.is_lower_layer", type=T.BOOL, doc="Whether the file lies in a lower layer of an overlay file system.",
        read="f.lower_layer", sources=BPF,
    ),
    # --- sockets
    Field(
        name="fd.ip", type=T.IPADDR, doc="Either end's address: = needs one of them, != needs both.", quantifier="either",
        sources=GIVEN, read="(f.cip, f.sip)", cost=2, filter_only=True, right_side=False, transformable=False,
    ),
    Field(
        name="fd.cip", type=T.IPADDR, doc="Address of the client's end.", read="f.cip", sources=SOCKETS, ecs="client.ip",
        ocsf="src_endpoint.ip",
    ),
    Field(
        name="fd.sip", type=T.IPADDR, doc="Address of the server's end.", read="f.sip", sources=GIVEN, ecs="server.ip",
        ocsf="dst_endpoint.ip",
    ),
    Field(name="fd.lip", type=T.IPADDR, doc="Address of this host's end.", read="f.lip", sources=SOCKETS, ecs="source.ip"),
    Field(name="fd.rip", type=T.IPADDR, doc="Address of the other end.", read="f.rip", sources=GIVEN, ecs="destination.ip"),
    Field(
        name="fd.port", type=T.PORT, doc="Either end's port.", quantifier="either", read="(f.cport, f.sport)", cost=2,
        sources=GIVEN, filter_only=True, right_side=False, transformable=False,
    ),
    Field(
        name="fd.cport", type=T.PORT, doc="Port of the client's end.", read="f.cport", sources=SOCKETS, ecs="client.port",
        ocsf="src_endpoint.port",
    ),
    Field(
        name="fd.sport", type=T.PORT, doc="Port of the server's end.", read="f.sport", sources=GIVEN, ecs="server.port",
        ocsf="dst_endpoint.port",
    ),
    Field(name="fd.lport", type=T.PORT, doc="Port of this host's end.", read="f.lport", sources=SOCKETS, ecs="source.port"),
    Field(name="fd.rport", type=T.PORT, doc="Port of the other end.", read="f.rport", sources=GIVEN, ecs="destination.port"),
    Field(
        name="fd.net", type=T.IPNET, doc="Either end's network.", quantifier="either", read="(f.cip, f.sip)", cost=2,
        sources=GIVEN, filter_only=True, right_side=False, transformable=False,
    ),
    Field(
        name="fd.cnet", type=T.IPNET, doc="The client's network.", read="f.cip", sources=SOCKETS, filter_only=True,
        right_side=False, transformable=False,
    ),
    Field(
        name="fd.snet", type=T.IPNET, doc="The server's network.", read="f.sip", sources=GIVEN, filter_only=True,
        right_side=False, transformable=False,
    ),
    Field(
        name="fd.lnet", type=T.IPNET, doc="This host's network.", read="f.lip", sources=SOCKETS, filter_only=True,
        right_side=False, transformable=False,
    ),
    Field(
        name="fd.rnet", type=T.IPNET, doc="The other end's network.", read="f.rip", sources=GIVEN, filter_only=True,
        right_side=False, transformable=False,
    ),
    Field(
        name="fd.proto", type=T.PORT, doc="Either end's port, by number or service name.", quantifier="either", sources=GIVEN,
        read="(f.cport, f.sport)", cost=2, filter_only=True, right_side=False, transformable=False,
    ),
    Field(
        name="fd.cproto", type=T.STRING, doc="Service of the client's port: its number where it has no well-known name.",
        read=event_or("fd.cproto", "service(f.cport)"), cost=8, sources=SOCKETS,
    ),
    Field(
        name="fd.sproto", type=T.STRING, doc="Service of the server's port: https, or its number.",
        read=event_or("fd.sproto", "service(f.sport)"), cost=8, sources=GIVEN, ecs="network.protocol",
        ocsf="dst_endpoint.svc_name",
    ),
    Field(
        name="fd.lproto", type=T.STRING, doc="Service of this host's port.", read=event_or("fd.lproto", "service(f.lport)"),
        cost=8, sources=SOCKETS,
    ),
    Field(
        name="fd.rproto", type=T.STRING, doc="Service of the other end's port.", read=event_or("fd.rproto", "service(f.rport)"),
        cost=8, sources=GIVEN,
    ),
    Field(
        name="fd.l4proto", type=T.STRING, doc="Transport of the socket: tcp, udp, icmp, raw.", read="f.l4proto", sources=GIVEN,
        ecs="network.transport", ocsf="connection_info.protocol_name",
    ),
    Field(
        name="fd.sockfamily", type=T.STRING, doc="Family of the socket: ip or unix.", read="f.family", sources=GIVEN,
        ecs="network.type",
    ),
    Field(name="fd.is_server", type=T.BOOL, doc="Whether the process is the server's end.", read="f.is_server", sources=GIVEN),
    Field(name="fd.connected", type=T.BOOL, doc="Whether the socket is connected.", read="f.connected", sources=GIVEN),
    Field(
        name="fd.name_changed", type=T.BOOL, doc="Whether this event gave the descriptor another name, as sendto on UDP does.",
        read="f.name_changed", sources=GIVEN,
    ),
    Field(
        name="fd.cip.name", type=T.STRING, doc="Domain name of the client's address.", read=of_event("fd.cip.name"), cost=2,
        right_side=False, transformable=False, ecs="client.domain", ocsf="src_endpoint.hostname",
    ),
    Field(
        name="fd.sip.name", type=T.STRING, doc="Domain name of the server's address.", read=of_event("fd.sip.name"), cost=2,
        right_side=False, transformable=False, ecs="server.domain", ocsf="dst_endpoint.hostname",
    ),
    Field(
        name="fd.lip.name", type=T.STRING, doc="Domain name of this host's address.", read=of_event("fd.lip.name"), cost=2,
        right_side=False, transformable=False,
    ),
    Field(
        name="fd.rip.name", type=T.STRING, doc="Domain name of the other end's address.", read=of_event("fd.rip.name"), cost=2,
        right_side=False, transformable=False, ecs="destination.domain",
    ),
    # --- put together
    Field(
        name="fd.uid", type=T.STRING, doc="Thread id and descriptor number, written together.",
        read=event_or("fd.uid", "fd_uid(e)"), cost=8, sources=ANY,
    ),
    Field(
        name="fd.containername", type=T.STRING, doc="Container id, a colon and `fd.name`.",
        read=event_or("fd.containername", "chained(c.id, f.name)"), cost=8, sources=ANY,
    ),
    Field(
        name="fd.containerdirectory", type=T.STRING, doc="Container id, a colon and `fd.directory`.",
        read=event_or("fd.containerdirectory", "chained(c.id, f.directory)"), cost=8, sources=ANY,
    ),
    Field(
        name="fd.types", type=T.STRING, is_list=True, doc="Kinds of the descriptors that the process has open.",
        argument="optional", argument_doc="a descriptor: `fd.types[0]` is the kind of standard input",
        read=of_process("fd.types"), read_arg=_types, cost=2, right_side=False, sources=BPF,
    ),
    # --- the descriptors of poll
    Field(
        name="fdlist.nums", type=T.STRING, doc="Numbers of the descriptors that poll waits for, with commas between.",
        read=of_event("fdlist.nums"), cost=2,
    ),
    Field(
        name="fdlist.names", type=T.STRING, doc="Names of the descriptors that poll waits for.", read=of_event("fdlist.names"),
        cost=2,
    ),
    Field(
        name="fdlist.cips", type=T.STRING, doc="Client addresses of the descriptors that poll waits for.",
        read=of_event("fdlist.cips"), cost=2,
    ),
    Field(
        name="fdlist.sips", type=T.STRING, doc="Server addresses of the descriptors that poll waits for.",
        read=of_event("fdlist.sips"), cost=2,
    ),
    Field(
        name="fdlist.cports", type=T.STRING, doc="Client ports of the descriptors that poll waits for.",
        read=of_event("fdlist.cports"), cost=2,
    ),
    Field(
        name="fdlist.sports", type=T.STRING, doc="Server ports of the descriptors that poll waits for.",
        read=of_event("fdlist.sports"), cost=2,
    ),
)
# fmt: on
